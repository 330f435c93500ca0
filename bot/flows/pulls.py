"""Pull requests: each new head is validated for the models that it touches; what is merged is trained again."""

import logging
from collections.abc import Sequence

from bot import wording
from bot.events import PullRequestChanged, PullRequestClosed
from bot.flows import checks
from bot.ports import Check, Conclusion, Permission, PullRequest
from bot.refs import Ref
from bot.world import Plan, World
from lifecycle import Filter, Kind, Mistakes, Model, Run, Spec, State, Trouble

log = logging.getLogger(__name__)


# Who ended a validation that nobody asked to end: it is started again where its reason is gone.
PUSHED, ENDED, DRAFTED = "a newer push", "the end of the pull request", "the pull request's conversion to a draft"
OURS = ("", PUSHED, ENDED, DRAFTED)


def changed(world: World, event: PullRequestChanged) -> None:
    """Validate the pull request's head, if we trust where it comes from, and end what still runs for an older one."""
    ref = Ref.parse(event.ref)
    plan = world.plans.get(ref.place)
    if plan is None or not world.told.is_new(event.ref, "validated", event.head):
        return
    pull = world.forge(ref.place).pull(ref)
    if not pull.open or pull.draft:
        return
    for run in _open_runs(world, event.ref):
        if run.spec.commit != pull.head:
            _cancel(world, run, PUSHED)
    _validate(world, plan, pull)
    world.told.note(event.ref, "validated", pull.head, 0, world.now())


def _open_runs(world: World, ref: str) -> Sequence[Run]:
    return world.life.shop.store.find(Filter(ref=ref, kinds=(Kind.VALIDATE,), open_only=True), limit=1000)


def _cancel(world: World, run: Run, why: str) -> None:
    world.life.cancel(run.id, why)
    world.poke("advance", run.id)  # also when it was cancelled before: harmless, and it may have been forgotten


def _validate(world: World, plan: Plan, pull: PullRequest) -> None:
    project, base = pull.ref.place, world.forge(pull.ref.place).head(pull.ref.place, plan.branch)
    if checks.misspelt(world, pull, base.commit):
        return
    models = _touched(world, project, base.commit, pull.head)
    trusted = not pull.from_fork and world.talk(pull.ref).permission(pull.ref, pull.author) >= Permission.WRITE
    if models and not trusted:
        _held_back(world, pull, list(models))
        return
    for name in models:
        spec = Spec(
            kind=Kind.VALIDATE,
            project=project,
            model=name,
            commit=pull.head,
            ref=str(pull.ref),
            asked_by=pull.author,
            options={"policy": base.commit, "check": True, "report": True},
        )
        _start(world, spec, _key(world, f"{pull.ref}@{pull.head}/{name}"))


def _key(world: World, key: str) -> str:
    """The key of a head's validation: another one after each that ended for a reason which is gone."""
    old = world.life.shop.store.by_key(key)
    while old is not None and old.cancelled_by in OURS and (old.cancelled_by or old.state is State.CANCELLED):
        key = f"{key.partition('/again-')[0]}/again-{old.id}"
        old = world.life.shop.store.by_key(key)
    return key


def closed(world: World, event: PullRequestClosed) -> None:
    """End what still runs for the pull request; train what was merged, so that it can be promoted."""
    ref = Ref.parse(event.ref)
    plan = world.plans.get(ref.place)
    if plan is None:
        return
    pull = world.forge(ref.place).pull(ref)
    if pull.open and not pull.draft:
        return  # it was opened again, or is ready again
    world.told.forget(event.ref, "validated")
    for run in _open_runs(world, event.ref):
        if not pull.open or run.spec.options.get("report"):  # on a draft a person may ask for one
            _cancel(world, run, DRAFTED if pull.open else ENDED)
    head = world.forge(ref.place).head(ref.place, plan.branch) if pull.merged_as else None
    # Merged elsewhere than into the default branch is not merged to us: nothing of it is in production.
    if pull.merged_as is None or head is None or pull.base_branch != head.branch:
        return
    for name in _touched(world, ref.place, pull.base, pull.head):
        spec = Spec(
            kind=Kind.TRAIN,
            project=ref.place,
            model=name,
            commit=pull.merged_as,
            ref=event.ref,
            asked_by=pull.author,
            options={"policy": head.commit},
        )
        _start(world, spec, f"{event.ref}/merged/{pull.merged_as}/{name}")


def _start(world: World, spec: Spec, key: str) -> None:
    run = world.life.start(spec, key)
    world.links.add(spec.ref, f"run:{run.id}", "asked", world.now())
    world.poke("advance", run.id)


def _touched(world: World, project: str, base: str, head: str) -> dict[str, Model]:
    """The models whose files the change touches, as the default branch describes them; new ones as the change does."""
    paths = world.life.changed(project, base, head)
    models = {**_models(world, project, head), **_models(world, project, base)}
    return {name: model for name, model in models.items() if _touches(model, paths)}


def _models(world: World, project: str, commit: str) -> dict[str, Model]:
    try:
        return dict(world.life.project(project, commit).models)
    except (Trouble, Mistakes) as problem:
        log.info("%s at %s: %s", project, commit[:8], problem)
        return {}


def _touches(model: Model, paths: Sequence[str]) -> bool:
    return any(model.touches(path) for path in paths)


def _held_back(world: World, pull: PullRequest, models: list[str]) -> None:
    """Say that a stranger's code does not run here, on the check and in one comment."""
    sentence = wording.stranger(pull)
    for name in models:
        check = Check(
            commit=pull.head,
            name=wording.check_name(name),
            external=f"held-back-{name}",
            conclusion=Conclusion.ACTION_REQUIRED,
            title="Not run: the commit comes from a fork"
            if pull.from_fork
            else "Not run: its author may not write here",
            summary=sentence,
            url=world.page(""),
        )
        world.forge(pull.ref.place).check(pull.ref.place, check)
    world.talk(pull.ref).say(pull.ref, "held-back", sentence)
