"""The courier, the faults and the server under them: what goes out, in which order, and what goes wrong on purpose."""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from bot.playground.courier import Attempt, Chaos, Courier, Parcel
from bot.playground.faults import Fault, Faults, Kind
from bot.playground.server import Running, serve


class Ear:
    """A small receiver that remembers bodies and answers the statuses it was given, then 200."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.answers: list[int] = []
        self.served: Running = serve(self)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.heard.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response(f"{self.answers.pop(0) if self.answers else 200} X", [("Content-Length", "2")])
        return [b"ok"]

    def parcel(self, body: bytes, lane: str = "a") -> Parcel:
        return Parcel(lane, self.served.url + "/hook", {"Content-Type": "text/plain"}, body)


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    ear.served.close()


def test_parcels_of_one_lane_arrive_in_order(ear: Ear) -> None:
    courier = Courier()
    for n in range(30):
        courier.post(ear.parcel(b"%d" % n))
    assert courier.drain()
    assert ear.heard == [b"%d" % n for n in range(30)]
    assert {attempt.status for attempt in courier.log} == {200}
    courier.close()


def test_a_transient_answer_is_retried_and_does_not_hold_up_the_lane(ear: Ear) -> None:
    courier = Courier(retry=(0.1, 0.1), transient=lambda status: status == 503)
    ear.answers = [503, 200, 503]
    tries: list[Attempt] = []
    courier.post(ear.parcel(b"first"), tries.append)
    courier.post(ear.parcel(b"second"))
    assert courier.drain()
    assert ear.heard == [b"first", b"second", b"first", b"first"]
    assert [(one.number, one.status, one.final) for one in tries] == [(1, 503, False), (2, 503, False), (3, 200, True)]
    courier.close()


def test_an_answer_that_is_not_transient_is_final(ear: Ear) -> None:
    courier = Courier(retry=(0.01,), transient=lambda status: status == 503)
    ear.answers = [400]
    courier.post(ear.parcel(b"x"))
    assert courier.drain()
    assert [(one.status, one.final) for one in courier.log] == [(400, True)]
    courier.close()


def test_nobody_home_is_an_attempt_without_status(ear: Ear) -> None:
    courier = Courier()
    ear.served.close()
    courier.post(ear.parcel(b"x"))
    assert courier.drain()
    assert courier.log[0].status is None
    assert "failed to connect" in courier.log[0].error
    courier.close()


def test_chaos_drops_repeats_and_reorders_and_a_seed_repeats_it(ear: Ear) -> None:
    def day(chaos: Chaos) -> list[bytes]:
        ear.heard.clear()
        courier = Courier(chaos=chaos)
        for n in range(20):
            courier.post(ear.parcel(b"%d" % n))
        assert courier.drain()
        courier.close()
        return list(ear.heard)

    assert day(Chaos(drop=1.0)) == []
    assert sorted(day(Chaos(repeat=1.0))) == sorted(2 * [b"%d" % n for n in range(20)])
    mixed = day(Chaos(reorder=0.5, seed=3))
    assert sorted(mixed) == sorted(b"%d" % n for n in range(20))
    assert mixed != [b"%d" % n for n in range(20)]
    some = day(Chaos(drop=0.5, seed=7))
    assert 0 < len(some) < 20
    assert some == day(Chaos(drop=0.5, seed=7))


class Counter:
    """An application whose work can be counted."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.done += 1
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
        return [b"done"]


@pytest.fixture
def counter() -> Iterator[tuple[Counter, Faults, str]]:
    app, faults = Counter(), Faults()
    running = serve(faults.guard(app, owner=lambda environ: environ.get("HTTP_AUTHORIZATION", "")))
    yield app, faults, running.url
    running.close()


def ask(url: str, method: str = "GET", data: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code, problem.read()


def test_status_before_the_work_and_after_the_work(counter: tuple[Counter, Faults, str]) -> None:
    app, faults, url = counter
    faults.add(Fault(Kind.STATUS, path="^/a", status=503, headers={"Retry-After": "1"}))
    assert ask(url + "/a", "POST", b"x" * 500_000)[0] == 503
    assert app.done == 0
    faults.add(Fault(Kind.AFTER, path="^/a", method="POST", status=502))
    assert ask(url + "/a", "POST", b"x")[0] == 502
    assert app.done == 1
    assert ask(url + "/a", "POST", b"x") == (200, b"done")


def test_hanging_up_before_and_after_the_work(counter: tuple[Counter, Faults, str]) -> None:
    app, faults, url = counter
    faults.add(Fault(Kind.HANGUP))
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        ask(url + "/b")
    assert app.done == 0
    faults.add(Fault(Kind.HANGUP_AFTER))
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        ask(url + "/b")
    assert app.done == 1
    assert [call.status for call in faults.log] == [None, None]


def test_slow_nth_and_times(counter: tuple[Counter, Faults, str]) -> None:
    _, faults, url = counter
    faults.add(Fault(Kind.SLOW, seconds=0.2))
    started = time.monotonic()
    ask(url)
    assert time.monotonic() - started >= 0.2
    faults.clear()
    faults.add(Fault(Kind.STATUS, path="/n", status=500, nth=2, times=2))
    assert [ask(url + "/n")[0] for _ in range(4)] == [200, 500, 500, 200]


def test_the_log_counts_calls_by_owner(counter: tuple[Counter, Faults, str]) -> None:
    _, faults, url = counter
    ask(url + "/one?x=1", headers={"Authorization": "mira"})
    ask(url + "/two", "POST", b"")
    assert faults.count("GET", "/one") == 1
    assert faults.count(owner="mira") == 1
    assert faults.log[0].path == "/one?x=1"


def test_rules_over_http(counter: tuple[Counter, Faults, str]) -> None:
    app, faults, url = counter
    typed = {"Content-Type": "application/json"}
    rule = json.dumps({"kind": "status", "path": "/x", "status": 429, "times": None}).encode()
    assert ask(url + "/_playground/faults", "POST", rule)[0] == 400  # without the content type
    status, made = ask(url + "/_playground/faults", "POST", rule, typed)
    assert status == 201
    assert ask(url + "/x")[0] == ask(url + "/x")[0] == 429
    ask(f"{url}/_playground/faults/{json.loads(made)['id']}", "DELETE")
    assert ask(url + "/x")[0] == 200
    assert [call["status"] for call in json.loads(ask(url + "/_playground/log")[1])] == [429, 429, 200]
    assert ask(url + "/_playground/faults", "POST", b'{"kind": "nonsense"}', typed)[0] == 400
    assert ask(url + "/_playground/else")[0] == 404
    ask(url + "/_playground/reset", "POST", b"{}", typed)
    assert faults.log == []
    assert app.done == 1
