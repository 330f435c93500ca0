"""What stands on cards, in `/status`, and on a pull request whose code was not run."""

from bot.graph import Graph
from bot.ports import Annotation, Check, Conclusion, PullRequest, Thing
from bot.wording.words import day, moment, name, plain, sha
from bot.world import World
from lifecycle import FILE, Kind, Mistakes, Run


def card(thing: Thing, run: Run, world: World) -> str:
    """The text of a work item that stands for an issue or pull request."""
    page = world.page(f"models/{run.spec.project}/{run.spec.model}")
    return (
        f"Planned in [{run.spec.project}{thing.ref.short}]({thing.url}): {plain(thing.title)}\n\n"
        f"Model: [{name(run.spec.model)}]({page}). lifecycle-bot moves this item as its runs go."
    )


def stranger(pull: PullRequest) -> str:
    """Why a pull request was not validated."""
    why = "comes from a fork" if pull.from_fork else f"is by {name(pull.author)}, who may not write to this repository"
    return (
        f"Commit {sha(pull.head)} {why}, so its code was **not run**. A maintainer who has read it can push it to a "
        "branch of this repository and open a pull request from there."
    )


def misspelt(commit: str, wrong: Mistakes, world: World) -> Check:
    """The check of a commit whose lifecycle.yaml cannot be read."""
    count = len(wrong.mistakes)
    title = "1 mistake in lifecycle.yaml" if count == 1 else f"{count} mistakes in lifecycle.yaml"
    lines = [f"- line {one.line}: {plain(one.what)}" for one in wrong.mistakes[:100]]
    return Check(
        commit=commit,
        name=f"lifecycle / {FILE}",
        external=FILE,
        conclusion=Conclusion.FAILURE,
        title=title,
        summary="\n".join(["Nothing was run: which models there are cannot be told.", "", *lines]),
        url=world.page(""),
        annotations=tuple(Annotation(FILE, one.line, "failure", title, one.what) for one in wrong.mistakes),
    )


def status(graph: Graph, world: World) -> str:
    """Everything that is linked to a place, newest run first."""
    lines: list[str] = []
    for champion in graph.champions:
        page = world.page(f"models/{champion.project}/{champion.model}")
        share = "" if champion.share == 100 else f" {champion.share} % of the traffic"
        lines.append(
            f"- **[{name(champion.model)}]({page}) v{champion.number}** serves{share} since {moment(champion.at)}, "
            f"promoted by {name(champion.by)}"
        )
    lines += [_episode(one, world) for one in graph.episodes]
    lines += [f"- {_thing(thing)}" for thing in graph.things]
    if not graph.runs and not lines:
        return "Nothing is linked to this place yet. `/train` starts a run, `/link AB#12` links a work item."
    if graph.runs:
        lines += ["", "| run | | model | commit | result |", "|---|---|---|---|---|"]
        lines += [_run(run, world) for run in sorted(graph.runs, key=lambda run: -run.id)[:15]]
    return "\n".join(["**What is linked here**", "", *lines])


def _thing(thing: Thing) -> str:
    kind = "Pull request" if thing.is_pull else "Work item" if thing.ref.system == "boards" else "Issue"
    state = "" if thing.open else " (closed)"
    where = f"[{thing.ref.short}]({thing.url})" if thing.url else thing.ref.short
    return f"{kind} {where} {plain(thing.title, 120)}{state}"


def _episode(episode: object, world: World) -> str:
    from lifecycle import Episode

    if not isinstance(episode, Episode):
        raise TypeError("an episode is needed")
    page = world.page(f"models/{episode.project}/{episode.model}")
    until = f" to {day(episode.closed)}" if episode.closed else ", open"
    return f"- Drift of [{name(episode.model)}]({page}) v{episode.champion}: since {day(episode.opened)}{until}"


def _run(run: Run, world: World) -> str:
    result = run.verdict or run.state
    made = f" → v{run.version}" if run.version and run.spec.kind in (Kind.TRAIN, Kind.RETRAIN) else ""
    page = f"[{run.id}]({world.run_page(run.id)})"
    return f"| {page} | {run.spec.kind} | {name(run.spec.model)} | {sha(run.spec.commit)} | {result}{made} |"
