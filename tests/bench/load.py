"""Posts webhook deliveries over a few kept connections, as fast as they are answered or at a fixed rate.

    python -m tests.bench.load TASK.json

TASK.json has the fields of `Task`; a JSON of `Result` comes out. It is a process of its own, with a plain loop
around select: a delivery costs it some 40 µs, so that the server, not this, is what saturates.
"""

import hashlib
import hmac
import json
import re
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

MARK = b"424242424242424242"  # stands in the body where each delivery has its own comment id
ANSWER_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
GRACE = 10.0  # seconds to wait for the last answers


@dataclass
class Task:
    """What to do. `rate` is deliveries a second, 0 for as many as go; `first` the comment id that counting begins at.

    With `acknowledged`, the ids answered with 2xx are written to that file, one a line.
    """

    url: str
    body: str
    secret: str
    first: int
    seconds: float
    rate: float = 0
    connections: int = 16
    acknowledged: str = ""


@dataclass
class Result:
    """What came of it; latencies are in seconds, at a fixed rate from the moment when the delivery was due."""

    answered: int = 0
    refused: int = 0
    broken: int = 0
    seconds: float = 0
    cpu_seconds: float = 0
    latencies: list[float] = field(default_factory=list)


class Deliveries:
    """Signed deliveries of one body, each with a comment id of its own."""

    def __init__(self, task: Task) -> None:
        target = urlsplit(task.url)
        self._before, self._after = Path(task.body).read_bytes().split(MARK)
        self._mac = hmac.new(task.secret.encode(), self._before, hashlib.sha256)
        length = len(self._before) + len(MARK) + len(self._after)
        self._head = (
            f"POST {target.path} HTTP/1.1\r\nHost: {target.netloc}\r\nUser-Agent: GitHub-Hookshot/044aadd\r\n"
            f"Accept: */*\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
            "X-GitHub-Event: issue_comment\r\nX-GitHub-Hook-ID: 292430182\r\n"
            "X-GitHub-Hook-Installation-Target-Type: repository\r\n"
        )

    def make(self, number: int) -> list[bytes]:
        """The delivery's bytes, in parts."""
        comment = b"%018d" % number
        mac = self._mac.copy()
        mac.update(comment)
        mac.update(self._after)
        own = f"X-GitHub-Delivery: {number:032x}\r\nX-Hub-Signature-256: sha256={mac.hexdigest()}\r\n\r\n"
        return [(self._head + own).encode(), self._before, comment, self._after]


class Line:
    """One connection, with at most one delivery under way."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=GRACE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = 0
        self.since = 0.0
        self._got = b""

    def send(self, number: int, parts: list[bytes], since: float) -> None:
        self.number, self.since, self._got = number, since, b""
        sent = self.socket.sendmsg(parts)
        if sent < sum(map(len, parts)):
            self.socket.sendall(b"".join(parts)[sent:])

    def receive(self) -> int | None:
        """The answer's status; None while it is not whole. Raises ConnectionError."""
        more = self.socket.recv(65536)
        if not more:
            raise ConnectionError
        self._got += more
        head, end, body = self._got.partition(b"\r\n\r\n")
        length = ANSWER_LENGTH.search(head)
        whole = len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")
        return int(head[9:12]) if end and whole else None


def run(task: Task) -> Result:
    """Carry the task out; ends early, with what there is, when the server hangs up."""
    target = urlsplit(task.url)
    lines = [Line(target.hostname or "", target.port or 80) for _ in range(task.connections)]
    made = Deliveries(task)
    result, acknowledged = Result(), []
    began, began_cpu = time.perf_counter(), time.process_time()
    due = _dues(task, began)
    next_due = next(due)
    busy: dict[int, Line] = {}
    free, number = deque(lines), task.first
    last = began + task.seconds
    while (now := time.perf_counter()) < last + GRACE and not result.broken:
        more = (next_due if task.rate else now) < last
        if not more and not busy:
            break
        while free and more and next_due <= now:
            line = free.popleft()
            try:
                line.send(number, made.make(number), next_due if task.rate else time.perf_counter())
            except OSError:
                result.broken += 1
                break
            busy[line.socket.fileno()] = line
            number, next_due = number + 1, next(due)
            more = not task.rate or next_due < last
        patience = max(0.0, next_due - time.perf_counter()) if free and more else 1.0
        for fd in select.select(list(busy), [], [], patience)[0]:
            line = busy[fd]
            try:
                status = line.receive()
            except OSError:
                result.broken += 1
                continue
            if status is None:
                continue
            result.latencies.append(time.perf_counter() - line.since)
            if 200 <= status < 300:
                result.answered += 1
                acknowledged.append(line.number)
            else:
                result.refused += 1
            free.append(busy.pop(fd))
    result.seconds, result.cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
    if task.acknowledged:
        Path(task.acknowledged).write_text("".join(f"{one:018d}\n" for one in acknowledged))
    return result


def _dues(task: Task, began: float) -> Iterator[float]:
    """When the deliveries are due."""
    number = 0
    while True:
        yield began + (number / task.rate if task.rate else 0)
        number += 1


if __name__ == "__main__":
    print(json.dumps(asdict(run(Task(**json.loads(Path(sys.argv[1]).read_text()))))))
