"""Starts the test's intake as a process of its own, and talks to it over real sockets."""

import contextlib
import hashlib
import hmac
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.web.intake_app import NEW


@dataclass
class Serving:
    """A running intake; `folder` is its state."""

    process: subprocess.Popen[bytes]
    host: str
    port: int
    folder: Path

    def post(
        self, body: bytes | Iterator[bytes], headers: Mapping[str, str], path: str = "/webhooks/github"
    ) -> tuple[int, Any, dict[str, str]]:
        """One POST; (status, decoded answer, headers)."""
        return self.request("POST", path, body, headers)

    def request(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None = None, headers: Mapping[str, str] = {}
    ) -> tuple[int, Any, dict[str, str]]:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            said = answer.read()
            with contextlib.suppress(ValueError):
                said = json.loads(said)
            return answer.status, said, {name.lower(): value for name, value in answer.getheaders()}


def signed(body: bytes, kind: str = "sweep", secret: str = NEW) -> dict[str, str]:
    """The headers that GitHub would send with it."""
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={mac}", "X-GitHub-Event": kind, "Content-Type": "application/json"}


@contextlib.contextmanager
def serving(folder: Path, listen: str = "127.0.0.1:0") -> Iterator[Serving]:
    """The intake as a process; killed at the end if it still runs."""
    argv = [sys.executable, "-m", "tests.web.intake_app", listen, str(folder)]
    with (folder / "log").open("ab") as log, subprocess.Popen(argv, stderr=log) as process:
        try:
            end = time.monotonic() + 30
            while not (folder / "ready").exists():
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end
                time.sleep(0.02)
            host, _, port = (folder / "ready").read_text().strip().rpartition(":")
            yield Serving(process, host.strip("[]"), int(port) if port.isdigit() else 0, folder)
        finally:
            process.kill()
