"""The composition root: the only file that names concrete adapters, and that reads the environment and the time."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING

from bot.acceptances import Acceptances
from bot.bell import Bell
from bot.cursors import Cursors
from bot.events import SweepDue
from bot.house import figure_url, organisation, plans, repository_page, the_life, the_retention, the_shares, views
from bot.inbox import Inbox
from bot.links import Links
from bot.occupancy import occupy
from bot.ports import Permission
from bot.process import alone, leave, logs, not_shared, until_signalled
from bot.settings import Settings, read_settings
from bot.storage import Storage, open_storage
from bot.supervisor import say_prepared

if TYPE_CHECKING:
    from bot.adapters.azure_boards import AzureBoards
    from bot.adapters.azure_repos import AzureRepos
    from bot.adapters.github import GitHub
    from bot.alive import Alive
    from bot.engine import Engine
    from bot.schedule import Clock
    from bot.web.hooks import Hook
    from bot.world import World

log = logging.getLogger(__name__)
VERSION = version_of("lifecycle-bot")
BELL = "inbox.bell"
AZURE_HOOK = "/webhooks/azure-devops"


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def settings_of(path: Path) -> Settings:
    """The settings in a file. Raises Mistakes."""
    from bot.commands import COMMANDS

    return read_settings(path, os.environ, [command.name for command in COMMANDS])


def prepare(path: Path) -> int:
    """Tell what is wrong in the settings, and bring the database up to date."""
    open_storage(settings_of(path))
    return 0


def web(path: Path) -> int:
    """Take webhooks in and show pages, until a signal."""
    from bot.web.bridge import Bridge
    from bot.web.hooks import Intake
    from bot.web.pages import create_pages
    from bot.web.server import Listen, serve

    logs()
    settings = settings_of(path)
    _using = occupy(settings.state)
    listening = Listen.parse(settings.listen).open()
    storage = open_storage(settings)
    say_prepared(os.environ)
    inbox = Inbox(storage.inbox, Bell(settings.state / BELL))
    pages = create_pages(views(settings, storage, inbox, the_life(settings, storage, {}, os.environ, now)))
    serve(Intake(hooks(settings), inbox, Bridge(pages)), listening, settings.state / "web.ready")
    inbox.close()
    return 0


def worker(path: Path) -> int:
    """Handle events and move runs, until a signal."""
    from bot.pokes import Pokes
    from bot.schedule import Clock
    from bot.worker import Worker

    logs()
    settings = settings_of(path)
    _using = occupy(settings.state)
    storage = open_storage(settings)
    lock = alone(settings.state) if storage.sqlite else None
    inbox, pokes = Inbox(storage.inbox, Bell(settings.state / BELL)), Pokes()
    alive = the_heartbeat(settings, storage, lock is not None)
    world = the_world(settings, storage, inbox, pokes.poke, alive.gone)
    engine = the_engine(storage, world, alive)
    working = Worker(inbox, engine, world.life, pokes, alone=alive.alone, lease=alive.lease)
    clock = Clock(world.put, int(settings.sweep.total_seconds()), now)
    working.start()
    world.put(SweepDue(now()))
    clock.start()
    start_beside(settings, storage, world, clock)
    log.info("working")
    until_signalled()
    clock.close()
    working.stop()
    engine.close(back=settings.machines.absence.total_seconds())
    inbox.close()
    leave()
    return 0


def the_heartbeat(settings: Settings, storage: Storage, only: bool) -> "Alive":
    """This worker's sign of life, and what it knows of others'; `only`: there can be no other. Raises Busy."""
    from bot.alive import Alive, host_of
    from bot.presence import Presence

    presence = None if only else Presence(settings.state / "workers")
    lease = settings.machines.lease.total_seconds()
    alive = Alive(storage.main, only, host_of(settings.state), lease, presence)
    not_shared(settings.state, alive.doubles())
    return alive


def start_beside(settings: Settings, storage: Storage, world: "World", clock: "Clock") -> None:
    """Start what goes on beside the work for as long as this process lives, which does not wait for it."""
    from bot.freeing import free_folders
    from bot.watchlist import schedules

    retention = the_retention(settings, storage)
    threading.Thread(target=schedules, args=(world, clock), daemon=True).start()
    threading.Thread(target=free_folders, args=(retention, now), daemon=True).start()


def the_engine(storage: Storage, world: "World", alive: "Alive") -> "Engine":
    """The durable workflows; they know the engine that remembers their steps, and it knows them by name."""
    from bot.engine import Engine
    from bot.flows.handle import Flows
    from bot.later import Later

    flows: list[Flows] = []
    workflows: Mapping[str, Callable[..., None]] = {
        "handle": lambda kind, body: flows[0].handle(str(kind), str(body)),
        "advance": lambda number: flows[0].advance(int(number)),
        "tell": lambda number: flows[0].tell(int(number)),
        "follow": lambda number: flows[0].follow(int(number)),
    }
    engine = Engine(storage.engine_url, alive, Later(storage.main), workflows)
    flows.append(Flows(world, engine))
    return engine


def doctor(path: Path) -> int:
    """Try everything that the settings name; 0 if the bot can do its work."""
    from bot import checkup, placecheck
    from bot.adapters import azure_checkup, github_checkup
    from bot.doctor import examine, tell
    from bot.web.server import Listen
    from lifecycle import LocalExecutor

    settings = settings_of(path)

    def no_sandbox() -> str | None:
        found = LocalExecutor(settings.state, settings.sandbox, os.environ).sandboxed()
        return found if isinstance(found, str) else None

    here = checkup.probes(
        settings,
        now=now,
        no_sandbox=no_sandbox,
        uv_program=str(Path(sys.executable).with_name("uv")),
        listen=lambda: Listen.parse(settings.listen).open().close(),
    )
    place = ("artifacts", lambda: placecheck.place(settings))
    there = [place, *github_checkup.probes(settings), *azure_checkup.probes(settings, os.environ)]
    return tell(examine([*here, *there]), sys.stdout)


def the_world(
    settings: Settings,
    storage: Storage,
    inbox: Inbox,
    poke: Callable[[str, int], None],
    gone: Callable[[str], bool],
) -> "World":
    """Everything that flows and commands may touch."""
    from bot.told import Told
    from bot.world import World

    github, boards, repos = the_github(settings, storage), the_boards(settings), the_repos(settings)
    forges = {name: one for name, one in (("github", github), ("repos", repos)) if one is not None}
    trackers = {name: one for name, one in (("github", github), ("boards", boards)) if one is not None}
    return World(
        life=the_life(settings, storage, dict(forges), os.environ, now, gone),
        links=Links(storage.main),
        told=Told(storage.main),
        cursors=Cursors(storage.main),
        acceptances=Acceptances(storage.main),
        shares=the_shares(settings, storage),
        talks={**forges, **trackers},
        forges=dict(forges),
        trackers=dict(trackers),
        histories={**forges, **trackers},
        plans=plans(settings),
        permissions={name: Permission(level) for name, level in settings.permissions.items()},
        two_people=settings.two_people,
        people=settings.people,
        public_url=settings.public_url,
        web_url=lambda project: repository_page(settings, project),
        now=now,
        figure_url=figure_url(settings, storage),
        put=lambda *events: inbox.put(events),
        prune=inbox.prune,
        keep=settings.keep,
        poke=poke,
    )


def the_github(settings: Settings, storage: Storage) -> "GitHub | None":
    """GitHub as the settings say, None without it."""
    from bot.adapters.github import App, GitHub, Personal
    from bot.pacing import Pacing

    said = settings.github
    if said is None:
        return None
    pacing = Pacing(storage.main, said.seconds_between_writes) if said.seconds_between_writes else None
    auth: Personal | App
    if said.app is not None:
        auth = App(said.app.id, said.app.private_key.reveal(), said.app.installation)
    else:
        auth = Personal(said.token.reveal() if said.token else "")
    return GitHub(said.url, auth, seconds_between_writes=said.seconds_between_writes, pacing=pacing)


def the_boards(settings: Settings) -> "AzureBoards | None":
    """Azure Boards as the settings say, None without it."""
    said = settings.azure_devops
    if said is None:
        return None
    from bot.adapters.azure_boards import AzureBoards, Board

    boards = {
        f"{organisation(settings)}/{one.board.project}": Board(
            project=one.board.project,
            team=one.board.team,
            area=one.board.area,
            iteration=one.board.iteration,
            areas=one.board.severity_areas,
            types={
                kind: name
                for kind, name in (("task", one.board.item_type), ("problem", one.board.problem_type))
                if name
            },
        )
        for one in settings.projects
        if one.board is not None
    }
    cache, hook = settings.state / "azure-devops", f"{settings.public_url.rstrip('/')}{AZURE_HOOK}"
    made = partial(AzureBoards, said.url, said.token.reveal(), cache=cache, environ=os.environ)
    return made(boards=boards, hook=hook, repositories=on_azure(settings))


def the_repos(settings: Settings) -> "AzureRepos | None":
    """Azure Repos, where a project's repository is there."""
    said = settings.azure_devops
    if said is None or all(one.forge != "azure-repos" for one in settings.projects):
        return None
    from bot.adapters.azure_repos import AzureRepos

    return AzureRepos(said.url, said.token.reveal(), cache=settings.state / "azure-devops", environ=os.environ)


def on_azure(settings: Settings) -> Mapping[str, str]:
    """The places of repositories on Azure Repos, by their names in lower case."""
    return {one.repository.lower(): one.repository for one in settings.projects if one.forge == "azure-repos"}


def hooks(settings: Settings) -> "list[Hook]":
    """Where each platform posts to; settings without secrets for them were refused before."""
    from bot.adapters import azure_hooks, github_hooks
    from bot.web.hooks import Hook
    from bot.web.senders import azure_credentials, github_signature

    found: list[Hook] = []
    if settings.github is not None:
        secrets = [secret.reveal() for secret in settings.github.webhook_secret]
        verify = github_signature(secrets)
        found.append(Hook("github", "/webhooks/github", verify, github_hooks.decode, "x-github-event"))
    if settings.azure_devops is not None:
        said, place = settings.azure_devops.webhook, organisation(settings)
        basic = [(said.username or "", password.reveal()) for password in said.password or ()]
        checks = azure_credentials(basic, said.header or "", [secret.reveal() for secret in said.secret or ()])
        there = on_azure(settings)
        found.append(
            Hook("azure-devops", AZURE_HOOK, checks, lambda _kind, body: azure_hooks.decode(body, place, there))
        )
    return found
