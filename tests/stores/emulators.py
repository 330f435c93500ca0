"""Two object stores that answer on this machine: S3 as moto plays it, Azure Blob Storage as Azurite does."""

import base64
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import requests

from bot.playground.server import free_port

# not Azurite's usual account, whose key lies in other people's programs
ACCOUNT = "lifecycle"
KEY = base64.b64encode(b"a key of sixty-four bytes that nobody may see, for a test alone.").decode()
S3_SECRET = "a-secret-that-nobody-may-see"
BUCKET = "bucket"


@dataclass
class Emulator:
    """One of them. `wrong` is an environment whose credentials it refuses."""

    scheme: str
    port: int
    argv: list[str]
    folder: Path
    environment: Mapping[str, str]
    wrong: Mapping[str, str]
    secret: str
    keeps: bool  # what it holds outlives its process
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{BUCKET}"

    def start(self) -> None:
        theirs = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
        with (self.folder / f"{self.scheme}.log").open("ab") as log:
            self.process = subprocess.Popen(self.argv, env=theirs, stdout=log, stderr=subprocess.STDOUT)
        _until_it_answers(self.port)

    def go_away(self) -> None:
        """Dies where what it holds is on disk; elsewhere it takes calls and does not answer."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL if self.keeps else signal.SIGSTOP)
        if self.keeps:
            self.process.wait()

    def come_back(self) -> None:
        assert self.process is not None
        if self.keeps:
            self.start()
        else:
            self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(15)

    def files(self) -> Any:
        """The store through its own library, as anybody else would use it."""
        import fsspec

        return fsspec.filesystem(self.scheme, skip_instance_cache=True, use_listings_cache=False)


def missing() -> str:
    """What has to be installed first; empty if nothing has."""
    needed = [name for name in ("fsspec", "s3fs", "adlfs", "moto", "flask_cors") if find_spec(name) is None]
    if needed:
        return f"the packages {', '.join(needed)}: pip install s3fs adlfs 'moto[server]'"
    return "" if _azurite() else "the program azurite-blob: npm install azurite, and name it in AZURITE"


@contextlib.contextmanager
def emulator(kind: str, folder: Path) -> Iterator[Emulator]:
    """The one for `s3` or `abfs`, running, with an empty bucket; its credentials are in our environment meanwhile."""
    it = _s3(folder) if kind == "s3" else _azure(folder)
    before = dict(os.environ)
    it.start()
    try:
        os.environ.update(it.environment)
        it.files().mkdir(BUCKET)
        yield it
    finally:
        os.environ.clear()
        os.environ.update(before)
        it.stop()


def refusing(it: Emulator, folder: Path) -> "contextlib.AbstractContextManager[Mapping[str, str]]":
    """An environment with which the store answers that these credentials are wrong."""
    return _refusing(it, folder)


@contextlib.contextmanager
def _refusing(it: Emulator, folder: Path) -> Iterator[Mapping[str, str]]:
    if it.scheme != "s3":
        yield {**it.environment, **it.wrong}
        return
    strict = _s3(folder)  # moto looks at keys only if told so, and then knows no key
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"
    strict.start()
    try:
        yield strict.environment
    finally:
        del os.environ["INITIAL_NO_AUTH_ACTION_COUNT"]
        strict.stop()


def _s3(folder: Path) -> Emulator:
    port = free_port()
    argv = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    environment = {
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": S3_SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    return Emulator("s3", port, argv, folder, environment, {}, S3_SECRET, keeps=False)


def _azure(folder: Path) -> Emulator:
    port = free_port()
    where = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder / "azurite")]
    argv = [_azurite(), *where, "--skipApiVersionCheck", "--silent"]

    def said(key: str) -> dict[str, str]:
        blobs = f"http://127.0.0.1:{port}/{ACCOUNT}"
        text = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={blobs};"
        return {"AZURE_STORAGE_CONNECTION_STRING": text}

    return Emulator("abfs", port, argv, folder, said(KEY), said(KEY[::-1].replace("=", "") + "=="), KEY, keeps=True)


def _azurite() -> str:
    return os.environ.get("AZURITE") or shutil.which("azurite-blob") or ""


def _until_it_answers(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            requests.get(f"http://127.0.0.1:{port}/", timeout=5)
        except requests.RequestException:
            assert time.monotonic() < end, "the store does not start"
            time.sleep(0.2)
        else:
            return
