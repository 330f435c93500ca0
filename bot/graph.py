"""What is linked to a place, read for people: runs, versions, deployments, issues, work items, pull requests."""

from dataclasses import dataclass, field

from bot.ports import Denied, Thing, Unavailable
from bot.refs import Ref
from bot.world import World
from lifecycle import Champion, Episode, NoSuchRun, Run, Version


@dataclass(slots=True)
class Graph:
    """The things around one place, each kind in the order in which it was linked."""

    ref: Ref
    things: list[Thing] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    champions: list[Champion] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)


def graph_of(world: World, ref: Ref) -> Graph:
    """Everything within three steps of the place."""
    graph = Graph(ref)
    ends = dict.fromkeys(end for link in world.links.around(str(ref), steps=3) for end in (link.a, link.b))
    for end in ends:
        kind, _, rest = end.partition(":")
        if kind == "run":
            _add_run(world, graph, int(rest))
        elif kind == "version":
            _add_version(world, graph, rest)
        elif kind == "episode":
            episode = world.life.shop.watching.by_id(int(rest))
            graph.episodes += [episode] if episode else []
        elif end != str(ref):
            _add_thing(world, graph, Ref.parse(end))
    models = {(version.project, version.model) for version in graph.versions}
    for project, model in sorted(models):
        graph.champions += world.life.shop.registry.reign(project, model, limit=1)
    return graph


def _add_run(world: World, graph: Graph, number: int) -> None:
    try:
        graph.runs.append(world.life.shop.store.get(number))
    except NoSuchRun:
        return


def _add_version(world: World, graph: Graph, text: str) -> None:
    project, model, number = text.rsplit("/", 2)
    version = world.life.shop.registry.get(project, model, int(number))
    graph.versions += [version] if version else []


def _add_thing(world: World, graph: Graph, ref: Ref) -> None:
    try:
        graph.things.append(world.talk(ref).thing(ref))
    except (Denied, Unavailable):
        # What we cannot see now is still linked: show its address without its title.
        graph.things.append(Thing(ref, "", "", "", True, False, ""))
