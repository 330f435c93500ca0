"""What doctor finds: what is wrong and what to do about it; one broken probe hides no other, and nothing changes."""

import io
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bot import checkup
from bot.adapters import azure_checkup, github_checkup
from bot.doctor import Finding, Health, Probe, examine, fail, ok, tell, warn
from bot.playground.stage import MIRA, REPOSITORY, Stage, set_stage
from bot.ports import Denied, Unavailable
from bot.secrets import Secret
from bot.settings import Settings, read_settings
from bot.web.server import Listen

URL = "https://bot.example.org"
SETTINGS = """\
public_url: {url}
listen: 127.0.0.1:{port}
state: state
github:
  url: {github}
  {access}
  webhook_secret: ${{env:HOOK}}
azure_devops:
  url: {azure}
  token: ${{env:AZURE}}
  webhook: {{username: u, password: "${{env:HOOK}}"}}
projects:
  - repository: octo/bikes
    {branch}
    board: {board}
"""


def health(findings: list[Finding]) -> list[Health]:
    return [finding.health for finding in findings]


def one(findings: Iterator[Finding]) -> Finding:
    (found,) = findings
    return found


class Answering(BaseHTTPRequestHandler):
    """A server that knows what time it is, and says what the bot says of itself."""

    late = timedelta(0)
    body = b""

    def do_GET(self) -> None:
        self.send_response_only(503 if self.path == "/healthz" else 401)
        self.send_header("Date", (datetime.now(UTC) + self.late).strftime("%a, %d %b %Y %H:%M:%S GMT"))
        self.end_headers()
        self.wfile.write(self.body)

    do_HEAD = do_GET  # noqa: N815 (http.server's name)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[int, type[Answering]]]:
    handler = type("Handler", (Answering,), {})
    with HTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running.server_port, handler
        running.shutdown()
        thread.join()


def test_a_probe_that_breaks_hides_no_other() -> None:
    def denied() -> list[Finding]:
        raise Denied("No such token.")

    def away() -> list[Finding]:
        raise Unavailable("Nobody answers.")

    def broken() -> list[Finding]:
        raise KeyError("x")

    probes: list[tuple[str, Probe]] = [("a", denied), ("b", away), ("c", broken), ("d", lambda: [ok("d", "fine")])]
    found = list(examine(probes))
    assert [(it.name, it.health) for it in found] == [("a", "fail"), ("b", "fail"), ("c", "fail"), ("d", "ok")]
    assert found[0].found == "No such token."
    assert "Try again" in found[1].todo
    assert "KeyError" in found[2].found


def test_findings_are_told_in_aligned_lines_and_an_exit_code() -> None:
    def told(encoding: str, *findings: Finding) -> tuple[int, list[str]]:
        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, encoding=encoding)
        code = tell(findings, out)
        out.flush()
        return code, raw.getvalue().decode(encoding).splitlines()

    code, lines = told("utf-8", ok("git", "2.39"), warn("clock", "slow", "mend it"), fail("uv", "none", "get it"))
    assert code == 1
    assert lines[0] == "✔ git                          2.39"
    assert lines[1].index("slow") == lines[0].index("2.39") == lines[2].index("→")
    assert lines[-1] == "1 to be mended, 1 worth a look."
    code, lines = told("ascii", ok("git", "2.39 ✔"), warn("clock", "slow", "mend it"))
    assert (code, lines[-1]) == (0, "The bot can do its work, 1 worth a look.")
    assert lines[0].startswith("ok   git")
    assert "->" in lines[2]


def test_short_secrets_are_found_and_not_shown() -> None:
    found = list(checkup.secrets([("hook", Secret("hunter2")), ("other", Secret("x" * 16))]))
    assert health(found) == ["fail", "ok"]
    assert "7 characters" in found[0].found
    assert "hunter2" not in repr(found)


def test_the_state_folder_is_tried_and_not_made(tmp_path: Path) -> None:
    found = one(checkup.folder(tmp_path / "a" / "b"))
    assert "will be made" in found.found or found.health is Health.WARN
    assert list(tmp_path.iterdir()) == []
    tmp_path.chmod(0o777)
    assert next(checkup.folder(tmp_path)).todo.startswith("chmod o-w")
    (tmp_path / "file").touch()
    assert one(checkup.folder(tmp_path / "file")).health is Health.FAIL


def test_the_sandbox_means_what_the_policy_says() -> None:
    table = {
        ("auto", None): "ok",
        ("require", None): "ok",
        ("off", None): "warn",
        ("auto", "no bwrap"): "warn",
        ("require", "no bwrap"): "fail",
    }
    assert {key: one(checkup.sandbox(*key)).health for key in table} == table


def test_programs_that_are_missing_or_old_are_found(tmp_path: Path) -> None:
    assert one(checkup.git()).health is Health.OK
    assert one(checkup.git(str(tmp_path / "none"))).todo.startswith("Install git")
    old = tmp_path / "git"
    old.write_text("#!/bin/sh\necho git version 2.30.9\n")
    old.chmod(0o755)
    assert "too old" in one(checkup.git(str(old))).found
    assert one(checkup.uv("")).health is Health.FAIL
    assert one(checkup.uv(str(old))).health is Health.OK


def listening(address: str) -> Finding:
    return one(checkup.listening(address, lambda: Listen.parse(address).open().close()))


def test_an_address_is_free_taken_ours_or_nobodys(server: tuple[int, type[Answering]], tmp_path: Path) -> None:
    port, handler = server
    assert "taken by another program" in listening(f"127.0.0.1:{port}").found
    handler.body = json.dumps({"status": "ill", "parts": {}}).encode()
    assert "a lifecycle-bot answers" in listening(f"127.0.0.1:{port}").found
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    assert listening(address) == ok("listen", f"{address} is free")
    assert listening("192.0.2.1:8000").health is Health.FAIL
    assert listening(f"unix:{tmp_path}/bot.sock").health is Health.OK
    assert listening(f"unix:{tmp_path}/none/bot.sock").health is Health.FAIL


def test_addresses_that_the_platforms_cannot_reach_are_told() -> None:
    for url in ("http://localhost:8000", "https://10.1.2.3", "https://bot", "https://[::1]", "https://bot.internal"):
        assert "cannot reach it" in one(checkup.public(url)).found
    assert "not encrypted" in one(checkup.public("http://bot.example.org")).found


def test_the_clock_is_compared_with_the_platforms(server: tuple[int, type[Answering]]) -> None:
    port, handler = server

    def look() -> Finding:
        return one(checkup.clock("GitHub", f"http://127.0.0.1:{port}", lambda: datetime.now(UTC)))

    assert look().health is Health.OK
    handler.late = timedelta(minutes=10)
    assert look().health is Health.FAIL
    assert "s slow" in look().found
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert "does not answer" in one(checkup.clock("GitHub", url, lambda: datetime.now(UTC))).found


def test_the_database_is_read_and_not_touched(stage: Stage, tmp_path: Path) -> None:
    settings = settings_for(stage, tmp_path)
    assert "made at the first start" in one(checkup.database(settings)).found
    assert not settings.state.exists()
    settings.state.mkdir()
    file = settings.state / "lifecycle.db"
    for version, said in (("0001", "version 0001"), ("9999", "a newer lifecycle-bot")):
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS lifecycle_version (version_num TEXT)")
            connection.execute("DELETE FROM lifecycle_version")
            connection.execute("INSERT INTO lifecycle_version VALUES (?)", (version,))
        connection.close()
        assert said in one(checkup.database(settings)).found
    file.write_bytes(b"x" * 4096)
    assert "does not open" in one(checkup.database(settings)).found
    unreachable = settings_for(stage, tmp_path, more="database: postgresql://u@127.0.0.1:1/db\n")
    assert one(checkup.database(unreachable)).health is Health.FAIL


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = set_stage(tmp_path_factory.mktemp("stage"), URL)
    yield made
    made.close()


def settings_for(stage: Stage, folder: Path, *, more: str = "", **changes: str) -> Settings:
    told = stage.secrets
    environ = {"HOOK": told.github_webhook, "AZURE": told.azure_token, "KEY": told.private_key, "BAD": "nonsense"}
    environ["TOKEN"] = stage.github.world.personal_token(MIRA)
    said = {
        "url": URL,
        "port": "0",
        "github": stage.github.api,
        "access": f'app: {{id: {told.app_id}, private_key: "${{env:KEY}}"}}',
        "azure": stage.azure.base_url,
        "branch": "branch: main",
        "board": "{project: Bikes, area: 'Bikes\\Models'}",
    }
    (folder / "app.yaml").write_text(SETTINGS.format(**said | changes) + more)
    return read_settings(folder / "app.yaml", environ)


def platforms(settings: Settings) -> dict[str, list[Finding]]:
    environ: MutableMapping[str, str] = os.environ
    found: dict[str, list[Finding]] = {}
    for finding in examine([*github_checkup.probes(settings), *azure_checkup.probes(settings, environ)]):
        found.setdefault(finding.name, []).append(finding)
    return found


def test_platforms_that_are_set_up_right_are_right(stage: Stage, tmp_path: Path) -> None:
    items = len(stage.azure.items)
    found = platforms(settings_for(stage, tmp_path))
    wrong = [it for its in found.values() for it in its if it.health is Health.FAIL]
    assert not wrong
    assert "lifecycle-bot[bot]" in found["GitHub"][0].found
    assert found[f"{REPOSITORY} lifecycle.yaml"][0].found == "bike-demand"
    assert found["board Bikes"][0].found == "takes User Story and Bug"
    assert len(found["Azure DevOps hooks"]) == 2
    assert len(stage.azure.items) == items, "doctor must not leave work items behind"


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ({"url": "https://other.example.org"}, "GitHub webhook", f"leads to {URL}/webhooks/github"),
        ({"url": "https://other.example.org"}, "Azure DevOps hooks", "nothing tells us of workitem.commented"),
        ({"branch": "branch: none"}, f"{REPOSITORY} lifecycle.yaml", "there is none on branch none"),
        ({"board": "{project: Nowhere}"}, "board Nowhere", "Nowhere"),
        ({"board": "{project: Bikes, team: Nobody}"}, "board Bikes", "Nobody"),
        ({"board": "{project: Bikes, area: 'Bikes\\Nowhere'}"}, "board Bikes", "User Story"),
        ({"board": "{project: Bikes, item_type: Saga}"}, "board Bikes", "Saga"),
        ({"access": "token: ${env:BAD}"}, "GitHub", "does not accept our credentials"),
    ],
)
def test_what_is_set_up_wrong_is_named(
    stage: Stage, tmp_path: Path, changes: dict[str, str], name: str, said: str
) -> None:
    found = platforms(settings_for(stage, tmp_path, **changes))[name]
    assert any(said in it.found and it.health is not Health.OK for it in found), found


def test_an_app_that_may_too_little_is_told_what_it_lacks(stage: Stage, tmp_path: Path) -> None:
    (app,) = stage.github.world.apps.values()
    kept, events = dict(app.permissions), list(app.events)
    try:
        app.permissions["checks"] = "read"
        app.events.remove("check_run")
        found = platforms(settings_for(stage, tmp_path))
    finally:
        app.permissions.update(kept)
        app.events[:] = events
    assert [it.found for it in found[REPOSITORY]] == ["the App lacks checks: write"]
    assert [it.found for it in found["GitHub App"]] == ["it is not told of check_run"]


def test_a_personal_token_is_tried_on_what_it_must_reach(stage: Stage, tmp_path: Path) -> None:
    found = platforms(settings_for(stage, tmp_path, access="token: ${env:TOKEN}"))
    assert health(found[REPOSITORY]) == ["ok"]
    assert found["GitHub"][0].found.endswith(f"knows us as {MIRA}")
    assert found[f"{REPOSITORY} webhook"][0].health in (Health.WARN, Health.FAIL)


def bot(*words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bot", *words]
    root = str(Path(__file__).parents[2])
    environ = {**os.environ, "PYTHONPATH": root}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environ, timeout=120, check=False)


def test_the_command_line_explains_itself(tmp_path: Path) -> None:
    assert bot("--version", cwd=tmp_path).stdout.startswith("lifecycle-bot ")
    assert "exit codes:" in bot(cwd=tmp_path).stdout
    assert "Changes nothing." in bot("help", "doctor", cwd=tmp_path).stdout
    slip = bot("serv", cwd=tmp_path)
    assert (slip.returncode, slip.stderr.splitlines()[0]) == (
        2,
        "lifecycle-bot: there is no command serv; did you mean serve?",
    )


def test_bad_settings_are_told_without_a_traceback(tmp_path: Path) -> None:
    missing = bot("doctor", cwd=tmp_path)
    assert missing.returncode == 2
    assert missing.stderr.startswith("app.yaml:1: there is no such file")
    (tmp_path / "app.yaml").write_text("public_url: x\nstat: y\n")
    for command in ("serve", "web", "worker", "doctor"):
        wrong = bot(command, cwd=tmp_path)
        assert wrong.returncode == 2
        assert "app.yaml:1: public_url: expected an address" in wrong.stderr
        assert "app.yaml:2: stat is not a key that belongs here; did you mean `state`?" in wrong.stderr
        assert "Traceback" not in wrong.stderr


def test_the_version_needs_nothing_heavy(tmp_path: Path) -> None:
    program = "import sys; from bot.__main__ import main; main(['--version']); print(*sys.modules)"
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=True, timeout=60
    )
    heavy = {"flask", "numpy", "sqlalchemy", "github", "pydantic", "dbos", "lifecycle", "bot.app", "yaml"}
    assert not heavy & set(done.stdout.split())


def test_the_demo_empties_no_folder_of_yours(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("years")
    refused = bot("demo", "--once", "--folder", "work", cwd=tmp_path)
    assert refused.returncode == 1
    assert "this one is not the demo's: work" in refused.stderr
    assert (tmp_path / "work" / "thesis.txt").exists()
