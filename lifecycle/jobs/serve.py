"""Serves a model over HTTP on a socket in its output folder, inside the sandbox: GET /ping, POST /invocations.

Requests are MLflow's JSON (`dataframe_records`, `dataframe_split`, `inputs`), answers {"predictions": [...]}, and
{"probabilities": {class: [...]}} from classifiers. What is
waiting is predicted together, one call at a time, so that many small requests cost little more than one large one and
no model need bear threads. A bad request is answered with 400 and a sentence and ends nothing.
"""

from __future__ import annotations

import json
import os
import queue
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecycle.jobs.lifecycle_loading import Unloadable, load, one_dimensional, wanted_columns
    from lifecycle.jobs.lifecycle_rows import Columns, columns_of, frame_of, typed
else:
    from lifecycle_loading import Unloadable, load, one_dimensional, wanted_columns
    from lifecycle_rows import Columns, columns_of, frame_of, typed

SOCKET = "serve.sock"
MOST_BYTES = 32 << 20
MOST_CLASSES = 100  # with more, answers would be mostly probabilities
MOST_TOGETHER = 256  # requests
ANSWER_SECONDS = 60.0


class BadRequest(Exception):
    """The asker's mistake; one sentence."""


class Asked:
    """One request on its way: its rows, and in the end an answer or what went wrong."""

    def __init__(self, columns: Columns, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self.answer: list[Any] = []
        self.chances: dict[str, list[float]] = {}
        self.trouble = ""
        self.done = threading.Event()


class Model:
    """The model, the types of its columns, and the one thread that asks it."""

    def __init__(self, folder: Path) -> None:
        self.model = load(folder)
        signature = folder / "signature.json"
        columns = json.loads(signature.read_text(encoding="utf-8"))["columns"] if signature.is_file() else []
        self.types: dict[str, str] = {column["name"]: column["type"] for column in columns}
        self.wanted = wanted_columns(self.model)
        self.waiting: queue.SimpleQueue[Asked] = queue.SimpleQueue()
        threading.Thread(target=self.work, daemon=True).start()

    def ask(self, body: bytes) -> dict[str, Any]:
        """What is answered. Raises BadRequest."""
        asked = self.understood(body)
        self.waiting.put(asked)
        if not asked.done.wait(ANSWER_SECONDS):
            raise BadRequest(f"the model did not answer within {ANSWER_SECONDS:g} seconds")
        if asked.trouble:
            raise BadRequest(asked.trouble)
        said = {"predictions": asked.answer}
        return said | {"probabilities": asked.chances} if asked.chances else said

    def understood(self, body: bytes) -> Asked:
        """The request's rows with the columns and types that the model was fitted on. Raises BadRequest."""
        try:
            columns, rows = columns_of(json.loads(body), self.wanted or list(self.types))
            # a model that does not tell what it wants gets what training had, or all where that is not known either
            wanted = self.wanted or [name for name in self.types if name in columns]
            return Asked(typed(columns, wanted, self.types), rows)
        except RecursionError:
            raise BadRequest("the request is nested too deeply") from None
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as trouble:
            raise BadRequest(first_line(trouble)) from None

    def work(self) -> None:
        while True:
            together = [self.waiting.get()]
            while len(together) < MOST_TOGETHER and not self.waiting.empty():
                together.append(self.waiting.get())
            alike: dict[tuple[str, ...], list[Asked]] = {}
            for asked in together:
                alike.setdefault(tuple(asked.columns), []).append(asked)
            for group in alike.values():
                self.answer(group)

    def answer(self, together: list[Asked]) -> None:
        """Predict all at once; if that fails, each alone, so that one bad request spoils no other."""
        try:
            frame = frame_of([asked.columns for asked in together], self.types)
            answers = listed(self.model.predict(frame))
            if len(answers) != len(frame):
                raise ValueError(f"it gave {len(answers)} predictions for {len(frame)} rows")
            chances = chances_of(self.model, frame)
            start = 0
            for asked in together:
                asked.answer = answers[start : start + asked.rows]
                asked.chances = {name: said[start : start + asked.rows] for name, said in chances.items()}
                start += asked.rows
        except Exception as trouble:
            if len(together) > 1:
                for asked in together:
                    self.answer([asked])
                return
            together[0].trouble = f"the model cannot predict this: {first_line(trouble)}"
        for asked in together:
            asked.done.set()


def listed(predictions: Any) -> list[Any]:
    """Predictions as JSON can say them; what is not a number is null."""
    values = one_dimensional(predictions).tolist()
    return [None if isinstance(value, float) and value * 0 != 0 else value for value in values]


def chances_of(model: Any, frame: Any) -> dict[str, list[float]]:
    """The probability of each class for each row, where the model gives any."""
    names = [str(name) for name in getattr(model, "classes_", ())]
    if not 2 <= len(names) <= MOST_CLASSES or not hasattr(model, "predict_proba"):
        return {}
    table = model.predict_proba(frame)
    return {name: [float(value) for value in table[:, place]] for place, name in enumerate(names)}


def first_line(trouble: BaseException) -> str:
    words = (str(trouble).strip().splitlines() or [""])[0][:300]
    return words or type(trouble).__name__


class Handler(BaseHTTPRequestHandler):
    """One connection, which may ask many times."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    model: Model

    def do_GET(self) -> None:
        self.reply(200 if self.path == "/ping" else 404, {"ready": True})

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            self.close_connection = True
            self.reply(413, {"error": f"the request must say its length and be below {MOST_BYTES >> 20} MB"})
            return
        body = self.rfile.read(int(length))
        if self.path != "/invocations":
            self.reply(404, {"error": "ask POST /invocations"})
            return
        try:
            self.reply(200, self.model.ask(body))
        except BadRequest as trouble:
            self.reply(400, {"error": str(trouble)})

    def reply(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content, default=str).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return  # requests are in the prediction log


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


def main() -> int:
    sys.path.pop(0)  # ours; the model's code must not find our programs by their names
    try:
        Handler.model = Model(Path(os.environ["LIFECYCLE_MODEL"]))
    except Unloadable as trouble:
        sys.exit(f"the model cannot be loaded: {trouble}")
    os.chdir(os.environ["LIFECYCLE_OUTPUT"])  # a socket's path may not be long
    with Server(SOCKET, Handler) as server:
        print("serving", flush=True)  # noqa: T201
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
