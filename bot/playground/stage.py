"""Sets the stage of the demo: a GitHub with octo/bikes, an Azure DevOps with a board, and people in both."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.playground import github
from bot.playground.azure import AzureDevOps, Project
from bot.playground.faults import Faults
from bot.playground.server import Running, free_port, serve

DATA = Path(__file__).parent / "data"
REPOSITORY = "octo/bikes"
MODEL = "bike-demand"
TARGETS = ("casual", "registered", "bikers")
LEFT_OUT = ("season", "mnth", "day", "casual", "registered")  # what the time says already, and the parts of the target
MIRA, JONAS, SAM = "mira", "jonas", "sam"

# What the bot wants to hear of Azure DevOps, and in which version: comments tell their pull request from 2.0 on.
HOOKS = {
    "workitem.commented": "1.0",
    "workitem.updated": "1.0",
    "git.pullrequest.created": "1.0",
    "git.pullrequest.updated": "1.0",
    "ms.vss-code.git-pullrequest-comment-event": "2.0",
}


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the bot is told by its environment, as it would be for the real platforms."""

    app_id: int
    private_key: str
    github_webhook: str
    azure_token: str
    azure_webhook: str


@dataclass(frozen=True, slots=True)
class Stage:
    """The two platforms, being served, and who acts on them."""

    github: github.Playground
    azure: AzureDevOps
    azure_running: Running
    azure_faults: Faults
    project: Project
    secrets: Secrets

    def close(self) -> None:
        """End both."""
        self.github.close()
        self.azure_running.close()
        self.azure.close()


def hours() -> list[dict[str, str]]:
    """All rows, with the time that year's day and hour make."""
    with (DATA / "bike-sharing" / "hours.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    start = datetime(2011, 1, 1)  # noqa: DTZ001  the file's hours have no zone, and neither has its column
    for row in rows:
        row["timestamp"] = (start + timedelta(days=int(row["day"]) - 1, hours=int(row["hr"]))).isoformat()
    return rows


def months() -> Mapping[str, list[dict[str, str]]]:
    """The rows of each month, `2011-01` and so on."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in hours():
        found.setdefault(row["timestamp"][:7], []).append(row)
    return found


def as_csv(rows: list[dict[str, str]]) -> bytes:
    """A month as the repository keeps it: time first, then features, then the target."""
    names = ["timestamp", *(name for name in rows[0] if name not in (*LEFT_OUT, "timestamp", "bikers")), "bikers"]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_requests(rows: list[dict[str, str]]) -> list[dict[str, object]]:
    """A month as an application would ask for predictions: features with their types, no answers."""
    whole = {"hr", "holiday", "weekday", "workingday"}
    real = {"temp", "atemp", "hum", "windspeed"}
    return [
        {
            name: int(value) if name in whole else float(value) if name in real else value
            for name, value in row.items()
            if name not in (*LEFT_OUT, "bikers")
        }
        for row in rows
    ]


def repository_files(first: tuple[str, ...]) -> dict[str, bytes | str | None]:
    """The repository's first commit: code, and the data of the first months."""
    files: dict[str, bytes | str | None] = {
        path.name: path.read_bytes() for path in sorted((DATA / "bikes").iterdir()) if path.is_file()
    }
    by_month = months()
    return files | {f"data/{month}.csv": as_csv(by_month[month]) for month in first}


def set_stage(folder: Path, bot_url: str, github_port: int = 0, azure_port: int = 0) -> Stage:
    """Serve both platforms, with webhooks that point to the bot at `bot_url`. Raises OSError for a taken port."""
    hub = github.start(folder / "github", port=github_port)
    world = hub.world
    world.user(MIRA, "write", "Mira Holm")
    world.user(JONAS, "maintain", "Jonas Berg")
    world.user(SAM, "read", "Sam Ek")
    world.create_repo(
        REPOSITORY, repository_files(("2011-01", "2011-02", "2011-03")), by=MIRA, description="How many bikes, when?"
    )
    secrets = _secrets()
    app = world.app(webhook_url=f"{bot_url}/webhooks/github", secret=secrets[0])
    azure, project, token = _organisation(azure_port or free_port(), f"{bot_url}/webhooks/azure-devops", secrets[1])
    faults = Faults()
    running = serve(azure.wsgi(faults=faults), port=int(azure.base_url.rsplit(":", 1)[1].split("/")[0]))
    told = Secrets(app.id, app.private_key, secrets[0], token, secrets[1])
    return Stage(hub, azure, running, faults, project, told)


def _organisation(port: int, hook: str, password: str) -> tuple[AzureDevOps, Project, str]:
    """Fabrikam with its project, people and service hooks; and the token of the bot's own account."""
    azure = AzureDevOps(f"http://127.0.0.1:{port}/Fabrikam")
    project = azure.create_project("Bikes", process="Agile")
    project.add_area("Models")
    mira, jonas = azure.person("Mira Holm", "mira@example.com"), azure.person("Jonas Berg", "jonas@example.com")
    robot = azure.person("lifecycle-bot", "lifecycle-bot@example.com")
    for person in (mira, jonas, robot):
        project.join(person, admin=person is jonas)
    for event, version in HOOKS.items():
        azure.subscribe(
            event,
            hook,
            jonas,
            project=project,
            username="lifecycle-bot",
            password=password,
            resource_version=version,
        )
    return azure, project, azure.personal_token(robot)


def _secrets() -> tuple[str, str]:
    import secrets

    return secrets.token_hex(20), secrets.token_hex(20)
