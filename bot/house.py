"""What the settings mean for the rest of the house: places that belong together, the lifecycle, what pages see."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from importlib.metadata import version as version_of
from pathlib import Path

from bot.acceptances import Acceptances
from bot.alive import host_name, host_of, living
from bot.cursors import Cursors
from bot.figures.signing import KEY, Signer, figure_path, signer_from
from bot.inbox import Inbox
from bot.keys import key_of
from bot.links import Links
from bot.ports import Forge
from bot.refs import Ref
from bot.settings import Settings
from bot.shares import Shares
from bot.storage import Storage
from bot.web.views import Views
from bot.world import Plan
from lifecycle import (
    Answer,
    Artifacts,
    Champion,
    Fingerprints,
    Hosts,
    Keep,
    LabelLog,
    Lifecycle,
    Limits,
    Registry,
    Retention,
    Run,
    Shop,
    Source,
    Store,
    Watching,
    serving_name,
)

LEAST_FREE = 16 << 20  # bytes; with less, events and runs are about to be refused


def plans(settings: Settings) -> Mapping[str, Plan]:
    """Which repository and board belong together."""
    return {
        one.repository: Plan(
            repository=one.repository,
            forge="repos" if one.forge == "azure-repos" else "github",
            branch=one.branch,
            board=f"{organisation(settings)}/{one.board.project}" if one.board else None,
            retrain_items=one.opens,
        )
        for one in settings.projects
    }


def organisation(settings: Settings) -> str:
    """The organisation's name, the last part of its address."""
    return settings.azure_devops.url.rsplit("/", 1)[1] if settings.azure_devops else ""


def web_address(settings: Settings) -> str:
    """Where people see GitHub, told from where its API is."""
    url = settings.github.url if settings.github else ""
    return "https://github.com" if url == "https://api.github.com" else url.removesuffix("/api/v3")


def repository_page(settings: Settings, repository: str) -> str:
    """Where people see a repository."""
    on_azure = any(one.repository == repository and one.forge == "azure-repos" for one in settings.projects)
    if on_azure and settings.azure_devops:
        project, _, name = repository.partition("/")
        return f"{settings.azure_devops.url}/{project}/_git/{name}"
    return f"{web_address(settings)}/{repository}"


def room(state: Path) -> str:
    """`ok`, or why nothing more can be kept in the state folder."""
    try:
        free = shutil.disk_usage(state).free
    except OSError as error:
        return f"The folder cannot be read: {error.strerror}."
    return "ok" if free >= LEAST_FREE else f"The disk is full: {free >> 20} MB are free."


def health(settings: Settings, storage: Storage, inbox: Inbox) -> Mapping[str, str]:
    """Of each part, `ok` or what is wrong."""
    inbox.waiting()
    lease = settings.machines.lease.total_seconds()
    worker = "ok" if living(storage.main, lease) else f"No worker has shown a sign of life for {lease:.0f} s."
    return {"database": "ok", "worker": worker, "state": room(settings.state)}


def address_of(settings: Settings, text: str) -> str:
    """The web address of a ref's text, empty where there is none."""
    ref = Ref.parse(text)
    if ref.system == "github":
        return f"{web_address(settings)}/{ref.place}/issues/{ref.number}"
    if ref.system == "repos":
        return f"{repository_page(settings, ref.place)}/pullrequest/{ref.number}"
    return f"{settings.azure_devops.url}/_workitems/edit/{ref.number}" if settings.azure_devops else ""


def source_of(settings: Settings, forges: Mapping[str, Forge], project: str) -> Source:
    """Where a project's repository is. Raises LookupError."""
    known = plans(settings).get(project)
    forge = forges.get(known.forge if known else "github")
    if forge is None:
        raise LookupError(f"nothing says where {project} is")
    return forge.source(project)


def the_life(
    settings: Settings,
    storage: Storage,
    forges: Mapping[str, Forge],
    environ: Mapping[str, str],
    now: Callable[[], datetime],
    gone: Callable[[str], bool] = lambda _host: False,
) -> Lifecycle:
    """The machine-learning lifecycle on this machine; `gone` says which others will not finish what they have begun."""
    from lifecycle import JobLogs, LocalEndpoint, LocalExecutor, PredictionLog, SharedLog, Shop, Workspaces

    executor = LocalExecutor(settings.state, settings.sandbox, environ)
    hosts = Hosts(host_of(settings.state), gone)
    artifacts, own = artifacts_of(settings), PredictionLog(settings.state / "endpoints")
    limits = Limits(memory_mb=settings.limits.memory_mb, seconds=settings.limits.minutes * 60)
    shop = Shop(
        root=settings.state,
        store=Store(storage.main),
        registry=Registry(storage.main, settings.state / "versions", artifacts),
        watching=Watching(storage.main),
        fingerprints=Fingerprints(storage.main),
        workspaces=Workspaces(settings.state / "repositories", environ),
        executor=executor,
        endpoint=LocalEndpoint(settings.state / "endpoints", executor, now),
        requests=SharedLog(own, settings.state / "others", artifacts, hosts.me) if artifacts else own,
        source=lambda project: source_of(settings, forges, project),
        now=now,
        most=limits,
        at_once=settings.limits.jobs_at_once,
        logs=JobLogs(executor, artifacts),
        labels=LabelLog(settings.state / "endpoints", artifacts, settings.state / "others", hosts.me),
        hosts=hosts,
    )
    return Lifecycle(shop)


def the_shares(settings: Settings, storage: Storage) -> Shares | None:
    """How much each person may ask for on GitHub, where what is written there is limited."""
    said = settings.github
    if said is None or not said.seconds_between_writes or not said.commands_an_hour:
        return None
    return Shares(storage.main, said.commands_an_hour)


def signer(settings: Settings, storage: Storage) -> Signer:
    """Who signs the addresses of figures."""
    key = settings.figures.key
    return signer_from(key.reveal()) if key else Signer(key_of(storage.main, KEY))


def figure_url(settings: Settings, storage: Storage) -> Callable[[int, str, str], str] | None:
    """Where others see a run's figure; None where they cannot reach us, and diagrams must do."""
    show = settings.figures.show
    if show == "diagrams" or (show == "auto" and not settings.public_url.startswith("https://")):
        return None
    signs = signer(settings, storage)
    return lambda run, name, theme: settings.public_url + signs.signed(figure_path(run, name, theme))


def artifacts_of(settings: Settings) -> Artifacts | None:
    """The place that all machines reach, if there is one. Raises OutOfReach."""
    return Artifacts(settings.artifacts) if settings.artifacts else None


def routes_of(serving: Mapping[Champion, int]) -> Mapping[str, int]:
    """What should serve on every machine, whether or not this one does so yet."""
    return {champion.deployment: share for champion, share in serving.items()}


def the_retention(settings: Settings, storage: Storage) -> Retention:
    """What is freed of this machine's folders, and when."""
    from lifecycle import LocalExecutor, Workspaces

    keep = Keep(settings.keep.workspaces, settings.keep.logs, settings.keep.caches, settings.keep.predictions)
    registry = Registry(storage.main, settings.state / "versions")
    executor = LocalExecutor(settings.state, settings.sandbox)
    mirrors = Workspaces(settings.state / "repositories")
    return Retention(settings.state, Store(storage.main), registry, executor, keep, artifacts_of(settings), mirrors)


def away(settings: Settings, storage: Storage, life: Lifecycle, run: Run) -> str:
    """Where the output of the run's jobs comes from, where that is not this machine."""
    if life.is_here(run):
        return ""
    name = host_name(storage.main, run.host) or "another machine"
    if not settings.artifacts:
        return f"The output is kept on {name} alone; with `artifacts` in app.yaml every machine would show it."
    return "" if run.state.ended else f"This runs on {name}; its output arrives here some seconds late."


def keep_labels(shop: Shop, project: str, model: str, body: bytes) -> int:
    """Keep true answers that somebody sent; how many. Raises LookupError, and ValueError for what are none."""
    if not shop.registry.of_model(project, model, limit=1):
        raise LookupError(f"There is no model {model} in {project}.")
    return shop.labels.append(serving_name(project, model), shop.now(), body)


def views(settings: Settings, storage: Storage, inbox: Inbox, life: Lifecycle) -> Views:
    """What the pages look at."""
    shop = life.shop

    def score(project: str, model: str, body: bytes) -> Answer:
        answer = shop.endpoint.score(serving_name(project, model), body)
        return replace(answer, version=answer.version.rpartition(".")[2])  # v2, not the name of its server

    return Views(
        runs=shop.store,
        registry=shop.registry,
        watching=shop.watching,
        links=Links(storage.main),
        acceptances=Acceptances(storage.main),
        log=life.log,
        routes=lambda project, model: routes_of(shop.registry.serving(project, model)),
        score=score,
        label=partial(keep_labels, shop),
        url_of=lambda text: address_of(settings, text),
        commit_url=lambda project, sha: f"{repository_page(settings, project)}/commit/{sha}",
        health=lambda: health(settings, storage, inbox),
        inbox_depth=inbox.waiting,
        address=settings.public_url,
        version=version_of("lifecycle-bot"),
        now=shop.now,
        logs_kept=settings.keep.logs,
        signer=signer(settings, storage),
        away=lambda run: away(settings, storage, life, run),
        host=shop.hosts.me,
        swept=lambda: Cursors(storage.main).get("sweep"),
        workers=lambda: living(storage.main, settings.machines.lease.total_seconds()),
    )
