"""The one way in: an event from the inbox begins the flow that fits it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from bot.engine import Engine, GaveUp, Postponed
from bot.events import (
    AcceptanceAsked,
    CheckRequested,
    CommentPosted,
    Event,
    IssueStateChanged,
    MonitorDue,
    PullRequestChanged,
    PullRequestClosed,
    RetentionDue,
    SweepDue,
    TextChanged,
    WorkItemTouched,
    ref_of,
    unpack,
)
from bot.flows import buttons, by_hand, comments, linking, pulls, retaining, runs, sweeping, watching, work_items
from bot.ports import Denied
from bot.world import World


@dataclass(frozen=True, slots=True)
class Flows:
    """The flows, with the world that they touch and the engine that remembers their steps."""

    world: World
    engine: Engine

    def handle(self, kind: str, body: str) -> None:
        """Do what the event asks for; events about one thing go one after the other."""
        event = unpack(kind, body.encode())
        line = "sweep" if isinstance(event, SweepDue) else str(ref_of(event) or event.id)
        with self.engine.one_at_a_time(line):
            self.engine.in_line(line)
            try:
                self._handle(event)
            except GaveUp as error:
                if error.postponable and not isinstance(event, SweepDue):  # the next one does the same
                    raise Postponed(error.last, line) from error
                if not isinstance(error.last, Denied):
                    raise

    def _handle(self, event: Event) -> None:
        step, world = self.engine.step, self.world
        match event:
            case CommentPosted():
                comments.begin(world, step, event)
            case WorkItemTouched():
                step("look", lambda: work_items.look(world, event))
            case TextChanged():
                step("link", lambda: linking.mentioned(world, event))
            case PullRequestChanged():
                step("validate", lambda: pulls.changed(world, event))
            case PullRequestClosed():
                step("close", lambda: pulls.closed(world, event))
            case IssueStateChanged():
                step("note", lambda: by_hand.touched(world, event.ref))
            case CheckRequested():
                step("again", lambda: buttons.again(world, event))
            case AcceptanceAsked():
                step("accept", lambda: buttons.accept(world, event))
            case MonitorDue():
                step("monitor", lambda: watching.due(world, event))
            case SweepDue():
                step("sweep", lambda: sweeping.sweep(world, event))
            case RetentionDue():
                step("forget", lambda: retaining.forget(world, self.engine, event.tick))
            case _:
                assert_never(event)

    def advance(self, number: int) -> None:
        """Move a run as far as it will go now."""
        with self.engine.newest(f"run:{number}") as mine:
            if mine:
                runs.advance(self.world, self.engine.step, number)

    def tell(self, number: int) -> None:
        """Bring what is told of a run up to date; whoever waited meanwhile finds it done."""
        place = self.world.life.shop.store.get(number).spec.ref or number
        with self.engine.newest(f"tell:{number}") as mine:
            if mine:
                with self.engine.one_at_a_time(f"say:{place}"):  # runs may share a comment
                    runs.tell(self.world, self.engine.step, number)

    def follow(self, number: int) -> None:
        """Bring the items of an episode of drift up to date."""
        with self.engine.newest(f"follow:{number}") as mine:
            if mine:
                watching.follow(self.world, self.engine.step, number)


Step = Callable[..., object]
