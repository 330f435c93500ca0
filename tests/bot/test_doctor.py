"""What doctor finds: what is wrong and what to do about it; one broken probe hides no other."""

import io
import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bot import checkup
from bot.doctor import Finding, Health, Probe, examine, fail, ok, tell, warn
from bot.ports import Denied, Unavailable
from bot.secrets import Secret
from bot.web.server import Listen
from tests.bot.doctor_findings import health, one


class Answering(BaseHTTPRequestHandler):
    """A server that knows what time it is, and says what the bot says of itself."""

    late = timedelta(0)
    body = b""

    def do_GET(self) -> None:
        self.send_response_only(503 if self.path == "/healthz" else 401)
        self.send_header("Date", (datetime.now(UTC) + self.late).strftime("%a, %d %b %Y %H:%M:%S GMT"))
        self.end_headers()
        self.wfile.write(self.body)

    do_HEAD = do_GET  # noqa: N815 (http.server's name)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[int, type[Answering]]]:
    handler = type("Handler", (Answering,), {})
    with HTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running.server_port, handler
        running.shutdown()
        thread.join()


def test_a_probe_that_breaks_hides_no_other() -> None:
    def denied() -> list[Finding]:
        raise Denied("No such token.")

    def away() -> list[Finding]:
        raise Unavailable("Nobody answers.")

    def broken() -> list[Finding]:
        raise KeyError("x")

    probes: list[tuple[str, Probe]] = [("a", denied), ("b", away), ("c", broken), ("d", lambda: [ok("d", "fine")])]
    found = list(examine(probes))
    assert [(it.name, it.health) for it in found] == [("a", "fail"), ("b", "fail"), ("c", "fail"), ("d", "ok")]
    assert found[0].found == "No such token."
    assert "Try again" in found[1].todo
    assert "KeyError" in found[2].found


def test_findings_are_told_in_aligned_lines_and_an_exit_code() -> None:
    def told(encoding: str, *findings: Finding) -> tuple[int, list[str]]:
        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, encoding=encoding)
        code = tell(findings, out)
        out.flush()
        return code, raw.getvalue().decode(encoding).splitlines()

    code, lines = told("utf-8", ok("git", "2.39"), warn("clock", "slow", "mend it"), fail("uv", "none", "get it"))
    assert code == 1
    assert lines[0] == "✔ git                          2.39"
    assert lines[1].index("slow") == lines[0].index("2.39") == lines[2].index("→")
    assert lines[-1] == "1 to be mended, 1 worth a look."
    code, lines = told("ascii", ok("git", "2.39 ✔"), warn("clock", "slow", "mend it"))
    assert (code, lines[-1]) == (0, "The bot can do its work, 1 worth a look.")
    assert lines[0].startswith("ok   git")
    assert "->" in lines[2]


def test_short_secrets_are_found_and_not_shown() -> None:
    found = list(checkup.secrets([("hook", Secret("hunter2")), ("other", Secret("x" * 16))]))
    assert health(found) == ["fail", "ok"]
    assert "7 characters" in found[0].found
    assert "hunter2" not in repr(found)


def test_the_state_folder_is_tried_and_not_made(tmp_path: Path) -> None:
    found = one(checkup.folder(tmp_path / "a" / "b"))
    assert "will be made" in found.found or found.health is Health.WARN
    assert list(tmp_path.iterdir()) == []
    tmp_path.chmod(0o777)
    assert next(checkup.folder(tmp_path)).todo.startswith("chmod o-w")
    (tmp_path / "file").touch()
    assert one(checkup.folder(tmp_path / "file")).health is Health.FAIL


def test_the_sandbox_means_what_the_policy_says() -> None:
    table = {
        ("auto", None): "ok",
        ("require", None): "ok",
        ("off", None): "warn",
        ("auto", "no bwrap"): "warn",
        ("require", "no bwrap"): "fail",
    }
    assert {key: one(checkup.sandbox(*key)).health for key in table} == table


def test_programs_that_are_missing_or_old_are_found(tmp_path: Path) -> None:
    assert one(checkup.git()).health is Health.OK
    assert one(checkup.git(str(tmp_path / "none"))).todo.startswith("Install git")
    old = tmp_path / "git"
    old.write_text("#!/bin/sh\necho git version 2.30.9\n")
    old.chmod(0o755)
    assert "too old" in one(checkup.git(str(old))).found
    assert one(checkup.uv("")).health is Health.FAIL
    assert one(checkup.uv(str(old))).health is Health.OK


def listening(address: str) -> Finding:
    return one(checkup.listening(address, lambda: Listen.parse(address).open().close()))


def test_an_address_is_free_taken_ours_or_nobodys(server: tuple[int, type[Answering]], tmp_path: Path) -> None:
    port, handler = server
    assert "taken by another program" in listening(f"127.0.0.1:{port}").found
    handler.body = json.dumps({"status": "ill", "parts": {}}).encode()
    assert "a lifecycle-bot answers" in listening(f"127.0.0.1:{port}").found
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    assert listening(address) == ok("listen", f"{address} is free")
    assert listening("192.0.2.1:8000").health is Health.FAIL
    assert listening(f"unix:{tmp_path}/bot.sock").health is Health.OK
    assert listening(f"unix:{tmp_path}/none/bot.sock").health is Health.FAIL


def test_addresses_that_the_platforms_cannot_reach_are_told() -> None:
    for url in ("http://localhost:8000", "https://10.1.2.3", "https://bot", "https://[::1]", "https://bot.internal"):
        assert "cannot reach it" in one(checkup.public(url)).found
    assert "not encrypted" in one(checkup.public("http://bot.example.org")).found


def test_the_clock_is_compared_with_the_platforms(server: tuple[int, type[Answering]]) -> None:
    port, handler = server

    def look() -> Finding:
        return one(checkup.clock("GitHub", f"http://127.0.0.1:{port}", lambda: datetime.now(UTC)))

    assert look().health is Health.OK
    handler.late = timedelta(minutes=10)
    assert look().health is Health.FAIL
    assert "s slow" in look().found
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert "does not answer" in one(checkup.clock("GitHub", url, lambda: datetime.now(UTC))).found
