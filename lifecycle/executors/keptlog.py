"""A job's log, which never grows too large and never loses its end; light, as the keeper is."""

import os

LOG_BYTES = 20 << 20
TAIL_BYTES = 64 << 10


class Log:
    """The job's output: the first 20 MB as they come, of the rest only the end, with a last line saying so."""

    def __init__(self, path: str, cap: int = LOG_BYTES) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.room = cap
        self.left_out = 0
        self.tail = b""

    def write(self, data: bytes) -> None:
        self.tail = (self.tail + data)[-TAIL_BYTES:]
        head, rest = data[: self.room], data[self.room :]
        self.room -= len(head)
        self._put(head)
        if rest and not self.left_out:
            self._put(b"\n[the log is full: from here on only its end is kept]\n")
        self.left_out += len(rest)

    def _put(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.file, data) :]

    def finish(self) -> None:
        if self.left_out:
            kept = self.tail[-min(self.left_out, TAIL_BYTES) :]
            cut = self.left_out - len(kept)
            self._put(kept + b"\n[the log was cut: %d bytes before its end are left out]\n" % cut)

    def begin(self) -> None:
        """What is said from here on is another program's: the words before are not its last ones."""
        if not self.left_out:
            self.tail = b""

    def last_words(self) -> str:
        lines = self.tail.decode("utf-8", "replace").split("\n")
        words = next((line for line in reversed(lines) if line.strip()), "")
        return "".join(c for c in words.strip() if c.isprintable())[:300]
