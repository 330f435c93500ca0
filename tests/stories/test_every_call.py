"""Every call that a story makes of either platform broken once, before and after its effect: all end the same."""

import queue
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.stories.lanes import HARM, LONG, TURN, Case, Lane
from tests.stories.repository import files
from tests.stories.starting import begin
from tests.stories.world import Thread

pytestmark = [pytest.mark.xdist_group("stories-every-call"), pytest.mark.slow]
LANES = {f"lane{number}": f"Lane{number}" for number in range(6)}


@pytest.fixture(scope="module")
def lanes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Lane]]:
    """A bot that does not sweep, so that nothing mends what a single answer broke."""
    world = begin(tmp_path_factory.mktemp("every"), tuple(LANES), (), (), sweep="3h", boards=LANES)
    for name in LANES:
        world.push(name, "main", train=TURN)
    made = [Lane(world, name, board) for name, board in LANES.items()]
    with ThreadPoolExecutor(len(made)) as pool:
        list(pool.map(train, made))
    yield made
    world.close()


def train(lane: Lane) -> Thread:
    """A command on an issue: reaction, run, comment, card."""
    issue = lane.world.issue(lane.name, "Predict y")
    issue.comment("/train")
    return lane.settle(issue)


def validate(lane: Lane) -> Thread:
    """A pull request: check, run, comment; then somebody asks where it stands."""
    lane.branches += 1
    branch = f"try-{lane.branches}"
    whole = {**files(train=TURN + f"# {lane.branches}\n")}
    github = lane.world.stage.github.world
    github.push("mira", f"octo/{lane.name}", branch, whole, "Try it")
    pull = github.pull_open("mira", f"octo/{lane.name}", "Try it", branch)
    return lane.settle(Thread(lane.world, f"octo/{lane.name}", pull.number))


def drift(lane: Lane) -> Thread:
    """A model drifts: an item on either platform, linked; a person closes one, and the other follows."""
    world, episode = lane.world, lane.episode()
    lane.poke("follow", episode)
    world.eventually(lambda: lane.is_told(f"episode:{episode}", "joined"), "both items are there, and linked", LONG)
    ((ref,),) = lane.query("SELECT b FROM links WHERE a = ? AND b LIKE 'github:%'", f"episode:{episode}")
    number = int(str(ref).rpartition("#")[2])
    world.eventually(lambda: not lane.waits(f"follow/{episode}"), "nothing more is owed", LONG)
    github = world.stage.github.world
    github.set_state("mira", github.issue(f"octo/{lane.name}", number), "closed")
    for platform in ("boards", "github"):
        told = f"{platform}/over"
        world.eventually(lambda told=told: lane.is_told(f"episode:{episode}", told), f"{platform} says so", LONG)  # type: ignore[misc]
    world.eventually(lambda: lane.left(episode, "boards") == lane.left(episode, "github"), "both are closed", LONG)
    world.eventually(lambda: not lane.waits(f"follow/{episode}"), "nothing more is owed", LONG)
    return Thread(world, f"octo/{lane.name}", number)


STORIES: tuple[Callable[[Lane], Thread], ...] = (train, validate, drift)


@pytest.mark.parametrize("story", STORIES)
def test_every_call_broken_once_ends_as_if_nothing_had_happened(
    lanes: list[Lane], story: Callable[[Lane], Thread]
) -> None:
    with ThreadPoolExecutor(len(lanes)) as pool:
        list(pool.map(lambda lane: lane.told(story), lanes))  # what is asked for once only is asked for now
    calm = lanes[0]
    thread, calls = calm.told(story)
    wanted = calm.picture(thread)
    cases = cases_of(calls)
    assert len(cases) > 20
    free: queue.SimpleQueue[Lane] = queue.SimpleQueue()
    for lane in lanes:
        free.put(lane)

    def tell(case: Case) -> tuple[str, bool]:
        lane = free.get()
        try:
            thread, met = lane.broken(case, story)
            got = lane.picture(thread)
            return ("" if got == wanted else f"{case}\n  {got}"), met
        except AssertionError as error:
            return f"{case}\n  {error}", True
        finally:
            free.put(lane)

    with ThreadPoolExecutor(len(lanes)) as pool:
        ended = list(pool.map(tell, cases))
    wrong = [said for said, _ in ended if said]
    assert not wrong, f"{len(wrong)} of {len(ended)} ended differently from\n  {wanted}\n" + "\n".join(wrong)
    # Edits of one comment are fewer when they come close together, so that some of the calm story's calls do not come.
    assert sum(met for _, met in ended) >= 0.75 * len(ended), "calls of the calm story that did not come again"


def cases_of(calls: Mapping[str, Sequence[str]]) -> list[Case]:
    """Each call in each way; those of the first telling that look alike are told apart by their turn."""
    found: list[Case] = []
    for platform, made in calls.items():
        seen: Counter[str] = Counter()
        for call in made:
            seen[call] += 1
            found += [
                Case(platform, call, seen[call], name, fault)
                for name, methods, fault in HARM
                if re.fullmatch(methods, call.split(" ")[0])
            ]
    return found
