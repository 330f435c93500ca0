"""Lists that are behind, and faults for one project only: what the playground can do to a reader."""

import time
from pathlib import Path

import requests

from bot.playground.azure import AzureDevOps
from bot.playground.faults import Fault, Faults, Kind
from bot.playground.github import start
from bot.playground.server import free_port, serve

HURRY = 0.5


def test_a_list_that_is_behind_shows_a_comment_after_a_while_and_its_own_page_at_once(tmp_path: Path) -> None:
    hub = start(tmp_path)
    try:
        hub.world.user("mira", "write")
        hub.world.create_repo("octo/bikes", {"README.md": "x\n"}, by="mira")
        hub.world.issue_open("mira", "octo/bikes", "Predict")
        headers = {"Authorization": f"Bearer {hub.world.personal_token('mira')}"}
        hub.faults.add(Fault(Kind.LAG, path=r"/comments$", method="GET", seconds=HURRY, times=None))
        url = f"{hub.api}/repos/octo/bikes/issues"
        made = requests.post(f"{url}/1/comments", json={"body": "hello"}, headers=headers, timeout=5).json()
        assert requests.get(f"{url}/1/comments", headers=headers, timeout=5).json() == []
        assert requests.get(f"{url}/comments/{made['id']}", headers=headers, timeout=5).json()["body"] == "hello"
        time.sleep(HURRY)
        assert len(requests.get(f"{url}/1/comments", headers=headers, timeout=5).json()) == 1
    finally:
        hub.close()


def test_a_fault_may_be_for_the_items_of_one_project_though_their_paths_do_not_name_it() -> None:
    port, faults = free_port(), Faults()
    org = AzureDevOps(f"http://127.0.0.1:{port}/Fabrikam")
    mira = org.person("Mira Holm", "mira@example.com")
    projects = [org.create_project(name, process="Agile") for name in ("Bikes", "Cars")]
    for project in projects:
        project.join(mira)
    bike, car = (org.create_item(project, "Task", mira, **{"System.Title": "x"}) for project in projects)
    running = serve(org.wsgi(faults=faults), port=port)
    try:
        faults.add(Fault(Kind.STATUS, status=503, scope="^Cars$", times=None))
        auth = ("", org.personal_token(mira))
        items = f"{org.base_url}/_apis/wit/workitems"
        assert requests.get(f"{items}/{bike.id}", auth=auth, timeout=5).status_code == 200
        assert requests.get(f"{items}/{car.id}", auth=auth, timeout=5).status_code == 503
        assert requests.get(f"{org.base_url}/Cars/_apis/wit/workitemtypes", auth=auth, timeout=5).status_code == 503
        assert [call.scope for call in faults.log] == ["Bikes", "Cars", "Cars"]
    finally:
        running.close()
        org.close()
