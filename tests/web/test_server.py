"""The server listens where it is told, finishes what it has begun, and leaves nothing behind."""

import contextlib
import http.client
import os
import resource
import signal
import socket
import stat
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.web.server import Listen
from tests.web.serving import Serving, serving, signed

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8000", Listen("127.0.0.1", 8000)),
        ("bots.example.org:80", Listen("bots.example.org", 80)),
        (":8000", Listen("0.0.0.0", 8000)),
        ("[::1]:0", Listen("::1", 0)),
        ("unix:/run/bot.sock", Listen(path=Path("/run/bot.sock"))),
    ],
)
def test_addresses_are_read(text: str, expected: Listen) -> None:
    assert Listen.parse(text) == expected


@pytest.mark.parametrize("text", ["", "8000", "host", "host:", "host:http", "::1:80", "host:65536", "host:-1", "unix:"])
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="unix:"):
        Listen.parse(text)


def test_an_address_in_use_is_said_with_the_address() -> None:
    with Listen.parse("127.0.0.1:0").open() as first:
        taken = f"127.0.0.1:{first.getsockname()[1]}"
        with pytest.raises(OSError, match=f"cannot listen at {taken}: Address already in use"):
            Listen.parse(taken).open()


def test_peers_that_vanish_are_noticed() -> None:
    with Listen.parse("127.0.0.1:0").open() as listening:
        caller = socket.create_connection(listening.getsockname())
        listening.setblocking(True)
        accepted, _ = listening.accept()
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) <= 30
        accepted.close()
        caller.close()


def test_sigterm_finishes_what_is_being_answered_and_takes_nothing_new(tmp_path: Path) -> None:
    with serving(tmp_path) as server, ThreadPoolExecutor(1) as threads:
        slow = threads.submit(server.request, "GET", "/slow")
        time.sleep(0.4)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.4)
        with pytest.raises(ConnectionError):
            server.request("GET", "/")
        assert slow.result()[:2] == (200, b"done")
        assert server.process.wait(10) == 0
        assert not (tmp_path / "ready").exists()
        assert (tmp_path / "log").read_text() == ""


def test_senders_that_stall_hold_nobody_up(tmp_path: Path) -> None:
    with serving(tmp_path) as server, contextlib.ExitStack() as stalled:
        for path in ("/webhooks/github", "/somewhere"):
            for _ in range(50):
                caller = stalled.enter_context(socket.create_connection((server.host, server.port)))
                caller.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome".encode())
        body = b'{"ticks": [1]}'
        began = time.monotonic()
        assert server.post(body, signed(body))[0] == 202
        assert server.request("GET", "/")[0] == 200
        assert time.monotonic() - began < 5


@LINUX
def test_connections_on_which_nothing_comes_take_nobody_s_place(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4000:
        pytest.skip("too few open files allowed for so many connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4000), hard))
    with serving(tmp_path) as server, contextlib.ExitStack() as idle:
        for _ in range(1500):
            idle.enter_context(socket.create_connection((server.host, server.port)))
        body = b'{"ticks": [3]}'
        began = time.monotonic()
        assert server.post(body, signed(body))[0] == 202
        assert time.monotonic() - began < 5
        assert _resident(server.process.pid) < 130_000


@LINUX
def test_senders_that_nobody_knows_cannot_fill_the_memory(tmp_path: Path) -> None:
    with serving(tmp_path) as server, contextlib.ExitStack() as stalled:
        before = _resident(server.process.pid)
        for _ in range(400):
            caller = stalled.enter_context(socket.create_connection((server.host, server.port)))
            caller.setblocking(False)
            caller.send(
                b"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 900_000
            )
        body = b'{"ticks": [2]}'
        assert server.post(body, signed(body))[0] == 202
        time.sleep(1)
        assert _resident(server.process.pid) - before < 200_000


def test_pages_see_the_request_as_it_was_sent(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        asked = b'{"a": 1}'
        headers = {"Content-Type": "application/json", "X-Twice": "one"}
        _, said, _ = server.request("PUT", "/echo/a%20b/%C3%A9?q=%20x&q=2", iter([asked]), headers)
        assert (said["method"], said["path"], said["query"]) == ("PUT", "/echo/a b/é", [" x", "2"])
        assert (said["body"], said["twice"], said["type"]) == ('{"a": 1}', "one", "application/json")
        assert said["url"] == f"http://{server.host}:{server.port}/"
        assert server.request("PUT", "/echo/100%2525", None, headers)[1]["path"] == "/echo/100%25"  # decoded once
        status, said, headers = server.request("HEAD", "/")
        assert (status, said, headers["content-length"]) == (200, b"", "4")


def test_sigint_stops_it_too(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(10) == 0


def test_a_connection_kept_open_by_a_client_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        idle = http.client.HTTPConnection(server.host, server.port)
        idle.request("GET", "/")
        idle.getresponse().read()
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
        assert time.monotonic() - began < 5
        idle.close()


@LINUX
def test_a_hard_kill_frees_the_port_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        address = f"127.0.0.1:{first.port}"
        assert not _children(first.process.pid)
        first.process.kill()
        first.process.wait(10)
    (tmp_path / "ready").unlink()
    with serving(tmp_path, address) as second:
        assert second.request("GET", "/")[0] == 200


def test_deliveries_acknowledged_before_a_hard_kill_are_there_after_it(tmp_path: Path) -> None:
    acknowledged: list[str] = []

    def deliver(server: Serving, first: int) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            for number in range(first, first + 100_000):
                body = b'{"ticks": [%d]}' % number
                status, said, _ = server.post(body, signed(body))
                assert status == 202
                acknowledged.extend(said["ids"])

    with serving(tmp_path) as server, ThreadPoolExecutor(8) as threads:
        for thread in range(8):
            threads.submit(deliver, server, thread * 100_000)
        while len(acknowledged) < 300:
            time.sleep(0.01)
        server.process.kill()
    (tmp_path / "ready").unlink()
    with serving(tmp_path) as server:
        again = set(acknowledged[-20:])
        for number in range(3):
            body = b'{"ticks": [%d]}' % number
            assert server.post(body, signed(body))[0] == 202
    assert again <= _ids(tmp_path)
    assert set(acknowledged) <= _ids(tmp_path)


def test_ipv6_and_unix_sockets_serve_too(tmp_path: Path) -> None:
    path = tmp_path / "s"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))  # by one that was killed
    left.close()
    with serving(tmp_path, f"unix:{path}") as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(path))
            caller.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert caller.recv(1000).startswith(b"HTTP/1.1 200 OK")
        with pytest.raises(OSError, match="Address already in use"):
            Listen.parse(f"unix:{path}").open()
        server.process.terminate()
        assert server.process.wait(10) == 0
        assert not path.exists()
    if socket.has_ipv6 and Path("/proc/net/if_inet6").exists():
        with serving(tmp_path, "[::1]:0") as server:
            assert server.request("GET", "/")[0] == 200


@LINUX
def test_it_is_small_and_idle_when_nothing_comes(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert server.request("GET", "/")[0] == 200
        body = b'{"ticks": [1]}'
        assert server.post(body, signed(body))[0] == 202
        before = _cpu_seconds(server.process.pid)
        time.sleep(1)
        assert _cpu_seconds(server.process.pid) - before <= 0.03
        assert _resident(server.process.pid) < 90_000


def _ids(folder: Path) -> set[str]:
    import sqlite3

    connection = sqlite3.connect(folder / "inbox.db")
    found = {id_ for (id_,) in connection.execute("SELECT id FROM inbox")}
    connection.close()
    return found


def _resident(pid: int) -> int:
    """Its memory, in kB."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0])


def _children(pid: int) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text()


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
