"""A machine serves what the registry says, whatever was killed in the middle of a promotion."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lifecycle.endpoints import Serving, ServingStatus
from lifecycle.registry import Champion
from lifecycle.serving import deployment_of, serve

NAMES = ("octo/bikes", "demand")
V1, V2, V3 = (deployment_of(*NAMES, number) for number in (1, 2, 3))


@dataclass
class Endpoint:
    """Keeps deployments and routes; `asked` are those whose state somebody wanted to know."""

    up: dict[str, Serving] = field(default_factory=dict)
    shares: dict[str, int] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def deployments(self, model: str) -> frozenset[str]:
        return frozenset(self.up)

    def deploy(self, model: str, name: str, folder: Path) -> None:
        self.up[name] = Serving.STARTING

    def status(self, name: str) -> ServingStatus:
        self.asked.add(name)
        return ServingStatus(self.up.get(name, Serving.UNKNOWN))

    def routes(self, model: str) -> dict[str, int]:
        return dict(self.shares)

    def route(self, model: str, shares: dict[str, int]) -> None:
        self.shares = dict(shares)

    def retire(self, name: str) -> None:
        self.up.pop(name, None)


def _champion(number: int, share: int) -> Champion:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Champion(*NAMES, number, deployment_of(*NAMES, number), share, by="mira", run=1, at=at)


def shop(endpoint: Endpoint, serving: Mapping[int, int], deploying: tuple[int, ...] = ()) -> Any:
    """A shop whose registry wants these versions to serve, with their shares, and with open runs for others."""
    wanted = {_champion(number, share): share for number, share in serving.items()}
    runs = [SimpleNamespace(spec=SimpleNamespace(version=number)) for number in deploying]
    registry = SimpleNamespace(serving=lambda *_: wanted, get=lambda *_: "v", verify=lambda _: 0, folder=lambda _: 0)
    return SimpleNamespace(endpoint=endpoint, registry=registry, store=SimpleNamespace(find=lambda *_, **__: runs))


def test_what_served_before_is_retired_also_when_the_promotion_was_killed_after_the_switch() -> None:
    endpoint = Endpoint({V1: Serving.READY, V2: Serving.READY}, {V2: 100})
    assert serve(shop(endpoint, {2: 100}), *NAMES) == ""
    assert endpoint.up == {V2: Serving.READY}


def test_what_an_open_run_brings_up_is_left_alone_and_what_failed_to_come_up_is_not() -> None:
    endpoint = Endpoint({V1: Serving.READY, V2: Serving.STARTING, V3: Serving.FAILED}, {V1: 100})
    assert serve(shop(endpoint, {1: 100}, deploying=(2,)), *NAMES) == ""
    assert set(endpoint.up) == {V1, V2}


def test_a_server_that_died_is_looked_after_before_anybody_asks_it() -> None:
    endpoint = Endpoint({V1: Serving.READY}, {V1: 100})
    serve(shop(endpoint, {1: 100}), *NAMES)
    assert endpoint.asked == {V1}


def test_the_version_before_serves_on_until_the_new_one_answers() -> None:
    endpoint = Endpoint({V1: Serving.READY}, {V1: 100})
    assert "not ready" in serve(shop(endpoint, {2: 100}), *NAMES)
    assert endpoint.shares == {V1: 100}
    assert set(endpoint.up) == {V1, V2}
    endpoint.up[V2] = Serving.READY
    assert serve(shop(endpoint, {2: 100}), *NAMES) == ""
    assert (endpoint.shares, set(endpoint.up)) == ({V2: 100}, {V2})
