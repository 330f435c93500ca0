"""Webhooks over real sockets: taken once and durably, refused with the right word, and never a 500."""

import base64
import contextlib
import json
import re
import socket
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.web.body import MOST
from tests.web.intake_app import BASIC, HEADER, OLD, VALUE
from tests.web.serving import Serving, serving, signed

AZURE = "/webhooks/azure-devops"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("intake")) as server:
        yield server
        assert server.process.poll() is None, "the server died of its tests"


def stored(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / "inbox.db")
    found = [id_ for (id_,) in connection.execute("SELECT id FROM inbox ORDER BY seq")]
    connection.close()
    return found


def tick(second: int) -> bytes:
    return json.dumps({"ticks": [second]}).encode()


def basic(user_and_password: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(user_and_password).decode()}


def test_a_delivery_is_in_the_table_when_it_is_accepted(server: Serving) -> None:
    body = b'{"ticks": [100, 101]}'
    status, said, _ = server.post(body, signed(body))
    assert (status, said) == (202, {"accepted": 2, "ids": ["sweep:1970-01-01T00:01:40Z", "sweep:1970-01-01T00:01:41Z"]})
    assert set(said["ids"]) <= set(stored(server.folder))


def test_the_same_delivery_again_is_accepted_and_stored_once(server: Serving) -> None:
    for body in (tick(200), tick(150), tick(200)):  # twice, and not in the order of time
        assert server.post(body, signed(body))[0] == 202
    assert stored(server.folder).count("sweep:1970-01-01T00:03:20Z") == 1


def test_fifty_at_once_with_the_same_delivery_are_all_accepted_and_one_is_stored(server: Serving) -> None:
    body, start = tick(300), threading.Barrier(50)

    def deliver(_: int) -> int:
        start.wait()
        return server.post(body, signed(body))[0]

    with ThreadPoolExecutor(50) as threads:
        assert list(threads.map(deliver, range(50))) == [202] * 50
    assert stored(server.folder).count("sweep:1970-01-01T00:05:00Z") == 1


def test_each_secret_counts_while_secrets_are_changed(server: Serving) -> None:
    body = tick(400)
    assert server.post(body, signed(body, secret=OLD))[0] == 202
    assert server.post(body, signed(body, secret="another"))[0] == 401


@pytest.mark.parametrize(
    "change",
    [
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature-256": "sha256=" + "0" * 64},
        {"X-Hub-Signature-256": "sha256=" + "é" * 64},
        {"X-Hub-Signature-256": "x" * 8000},
        {"X-Hub-Signature-256": None},
        {"X-Hub-Signature": "sha1=0000", "X-Hub-Signature-256": None},
    ],
)
def test_a_wrong_or_missing_signature_is_401(server: Serving, change: dict[str, str | None]) -> None:
    body = tick(500)
    headers = {name: value for name, value in {**signed(body), **change}.items() if value is not None}
    status, said, _ = server.post(body, headers)
    assert (status, said) == (401, {"error": "The secret or signature is wrong or missing."})


def test_a_signature_is_of_the_raw_bytes(server: Serving) -> None:
    body = b'{ "ticks" : [ 600 ] }'
    assert server.post(body, signed(b'{"ticks":[600]}'))[0] == 401
    assert server.post(body, {name.upper(): value for name, value in signed(body).items()})[0] == 202


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "sweep"),
        (b"not json", "ping"),
        (b"[1, 2]", "ping"),
        (b'"text"', "ping"),
        (b"null", "ping"),
        (b"{} {}", "ping"),
        ('{"ticks": [1]}'.encode("utf-16"), "sweep"),
        (b'{"ticks": ["\xff"]}', "sweep"),
        (b'{"ticks": 1}', "sweep"),
        (b"{}", "sweep"),
        (b'{"a":' * 100_000, "ping"),
        (b"[" * 100_000, "sweep"),
        (b'{"ticks": [1e999]}', "sweep"),
        (b"\x1f\x8b\x08\x00", "sweep"),
        (b"{}", "crash"),
    ],
)
def test_what_cannot_be_read_is_400_from_a_known_sender(server: Serving, body: bytes, kind: str) -> None:
    assert server.post(body, signed(body, kind, secret="not ours"))[0] == 401  # who is asking comes first
    status, said, _ = server.post(body, signed(body, kind))
    assert status == 400
    assert said["error"].startswith("The body cannot be read")


def test_a_decoder_that_fails_leaves_a_trace_in_the_log_without_any_secret(server: Serving) -> None:
    server.post(b"{}", signed(b"{}", "crash"))
    log = (server.folder / "log").read_text()
    assert "ZeroDivisionError" in log
    assert OLD not in log
    assert signed(b"{}")["X-Hub-Signature-256"] not in log


def test_an_empty_body_is_400(server: Serving) -> None:
    status, said, _ = server.post(b"", signed(b""))
    assert (status, said) == (400, {"error": "The body is empty."})
    assert server.post(b"", signed(b""), AZURE)[0] == 400


def test_a_form_is_refused_with_what_to_change(server: Serving) -> None:
    body = b"payload=%7B%22ticks%22%3A%5B1%5D%7D"
    status, said, _ = server.post(body, {**signed(body), "Content-Type": "application/x-www-form-urlencoded"})
    assert status == 400
    assert "application/json" in said["error"]


@pytest.mark.parametrize("kind", ["ping", "", "nonsense" * 200])
def test_a_kind_that_is_nothing_to_us_is_accepted_and_ignored(server: Serving, kind: str) -> None:
    body = b'{"zen": "Design for failure."}' if kind in ("", "ping") else b'{"ticks": []}'
    assert server.post(body, signed(body, kind))[:2] == (202, {"accepted": 0, "ids": []})


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
@pytest.mark.parametrize("path", ["/webhooks/github", AZURE])
def test_other_methods_are_405_with_what_is_allowed(server: Serving, method: str, path: str) -> None:
    status, _, headers = server.request(method, path, b"{}")
    assert (status, headers["allow"]) == (405, "POST")


def test_the_largest_body_is_taken_and_one_byte_more_is_413(server: Serving) -> None:
    head, tail = b'{"ticks": [700], "x": "', b'"}'
    body = head + b"x" * (MOST - len(head) - len(tail)) + tail
    assert len(body) == MOST
    assert server.post(body, signed(body))[0] == 202
    announced = f"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: {MOST + 1}\r\n\r\n".encode()
    assert raw(server, announced).startswith(b"HTTP/1.1 413 ")  # before any of it was sent


def test_a_chunked_body_counts_by_what_comes(server: Serving) -> None:
    body = tick(800)
    assert server.post(iter([body[:5], body[5:]]), signed(body))[0] == 202
    too_much = (b"x" * 1_000_000 for _ in range(27))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may hang up before we have sent all
        assert server.post(too_much, signed(b""))[0] == 413
    assert server.post(body, signed(body))[0] == 202


def raw(server: Serving, request: bytes, hang_up: bool = False) -> bytes:
    """The answer to exactly these bytes; with `hang_up` we say that no more will come."""
    with socket.create_connection((server.host, server.port), timeout=10) as connection:
        connection.sendall(request)
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            return connection.recv(65536)
        return b""


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"0x10", b"99999999999999999999999", b"5, 6", b"\xb2"])
def test_a_content_length_that_is_none_is_refused(server: Serving, length: bytes) -> None:
    answer = raw(server, b"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n{}")
    assert re.match(rb"HTTP/1.1 4[01][03] |$", answer), answer


def test_a_body_shorter_than_it_says_is_not_taken(server: Serving) -> None:
    before = stored(server.folder)
    body = tick(900)
    headers = "".join(f"{name}: {value}\r\n" for name, value in signed(body).items())
    answer = raw(
        server,
        f"POST /webhooks/github HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: 500\r\n\r\n".encode() + body,
        hang_up=True,
    )
    assert b" 500 " not in answer[:20]
    assert stored(server.folder) == before


def test_the_same_header_twice_and_binary_headers_are_no_500(server: Serving) -> None:
    for extra in (
        b"X-Hub-Signature-256: sha256=00\r\nX-Hub-Signature-256: sha256=11\r\n",
        b"X-Hub-Signature-256: \xff\xfe\x80\r\n",
        b"Authorization: Basic \xff\xff\r\nContent-Type: \xff\r\nX-GitHub-Event: \xff\r\n",
        b"Content-Encoding: gzip\r\nTransfer-Encoding: nonsense\r\n",
    ):
        for path in (b"/webhooks/github", AZURE.encode()):
            answer = raw(server, b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + extra + b"Content-Length: 2\r\n\r\n{}")
            assert re.match(rb"HTTP/1.1 40[01] ", answer), (extra, answer)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (basic(":".join(BASIC[0]).encode()), 202),
        ({HEADER: VALUE}, 202),
        ({HEADER: VALUE, **basic(b"wrong:wrong")}, 202),
        ({}, 401),
        (basic(b"bot:wrong"), 401),
        (basic(b"bot"), 401),
        (basic(b":"), 401),
        (basic(b"\xff\xfe:\x00"), 401),
        ({"Authorization": "Basic"}, 401),
        ({"Authorization": "Basic !!!not base64!!!"}, 401),
        ({"Authorization": "Basic YQ"}, 401),
        ({"Authorization": "Bearer " + base64.b64encode(":".join(BASIC[0]).encode()).decode()}, 401),
        ({"Authorization": "bAsIc  " + base64.b64encode(":".join(BASIC[0]).encode()).decode()}, 202),
        ({HEADER: ""}, 401),
        ({HEADER: "ünïcode"}, 401),
        ({HEADER: VALUE + " "}, 202),  # HTTP itself trims it
        ({HEADER: VALUE.upper()}, 401),
    ],
)
def test_azure_devops_needs_its_password_or_the_header(server: Serving, headers: dict[str, str], status: int) -> None:
    assert server.post(tick(1000), headers, AZURE)[0] == status


def test_when_the_inbox_fails_the_sender_is_asked_to_come_again(server: Serving) -> None:
    body, switch = tick(1100), server.folder / "broken"
    switch.touch()
    try:
        status, said, headers = server.post(body, signed(body))
    finally:
        switch.unlink()
    assert (status, headers["retry-after"]) == (503, "10")
    assert "send it again" in said["error"]
    assert server.post(body, signed(body))[0] == 202


def test_everything_else_is_the_pages(server: Serving) -> None:
    assert server.request("GET", "/")[:2] == (200, b"home")
    for path in ("/webhooks", "/webhooks/gitlab", "/webhooks/github/../github", "/webhooks/github%00", "//webhooks"):
        assert server.request("POST", path, b"{}")[0] == 404
    assert server.request("GET", "/boom")[0] == 500


def test_deliveries_are_counted_by_platform_and_outcome(server: Serving) -> None:
    def count(outcome: str) -> float:
        text = server.request("GET", "/metrics")[1].decode()
        found = re.search(rf'lifecycle_deliveries_total{{outcome="{outcome}",platform="github"}} (\S+)', text)
        return float(found[1]) if found else 0

    body = tick(1200)
    before = count("accepted"), count("unauthorised")
    server.post(body, signed(body))
    server.post(body, {})
    assert (count("accepted"), count("unauthorised")) == (before[0] + 1, before[1] + 1)


def test_strangers_cannot_fill_the_log(server: Serving) -> None:
    before = (server.folder / "log").stat().st_size
    for _ in range(200):
        server.post(b"{}", {})
    assert (server.folder / "log").stat().st_size - before < 2000
