"""Runs jobs on this machine, each under a keeper that outlives the bot and behind a wall where the machine has one."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal
from uuid import uuid4

from lifecycle.caches import mark_used
from lifecycle.executors import Job, JobState, JobStatus, Refusal, environments, processtree, sandbox
from lifecycle.executors.jobfolder import JobFolder
from lifecycle.executors.jobspec import HERE, PRIVATE, PROGRAMS, Place, spec

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$")
INSTALLER_SEES = re.compile(
    r"^(PATH|HOME|LANG|TMPDIR|XDG_CACHE_HOME|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE"
    r"|(UV|PIP)_.*|(HTTPS?|ALL|NO)_PROXY)$",
    re.IGNORECASE,
)
KEEP = "import sys; sys.path.append(sys.argv[1]); import keeper; keeper.main(sys.argv[2])"
LOG_BYTES = 20 << 20
CANCEL_SECONDS = 4.0
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 45.0  # a keeper without its lock by then was killed before it began, or was never started
Wall = Literal["auto", "require", "off"]


class LocalExecutor:
    """Jobs as folders under `root/jobs`, what does not outlive them under `root/work`, environments under
    `environments` (`root/environments` if not given).

    `wall`: "auto" uses bubblewrap where it works, "require" refuses every job where it does not, "off" never uses it;
    an untrusted job is refused without it. `environ` is where the installer of packages finds its settings (index,
    proxy, cache): only names that `INSTALLER_SEES` matches are passed on, and none of them to jobs.
    """

    def __init__(
        self,
        root: Path,
        wall: Wall = "auto",
        environ: Mapping[str, str] | None = None,
        log_bytes: int = LOG_BYTES,
        environments: Path | None = None,
    ) -> None:
        self.root = root.absolute()
        self.environments = (environments or self.root / "environments").absolute()
        self.wall = wall
        self.log_bytes = log_bytes
        seen = {name: value for name, value in (environ or {}).items() if INSTALLER_SEES.match(name)}
        # The machine's own list of certificates, as pip and the browser use it: an index may be a company's.
        certificates = {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}  # its newer and its older name
        self.installer = {"PATH": PROGRAMS, "HOME": os.path.expanduser("~")} | certificates | seen
        self.patience = PATIENCE_SECONDS
        self._waiting: dict[Path, float] = {}
        self.python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))

    def sandboxed(self) -> sandbox.Sandbox | str:
        """The sandbox that jobs run in, or a sentence saying why they run in none."""
        return "the sandbox is turned off in the settings" if self.wall == "off" else sandbox.probe()

    def environment(self, requirements: str) -> Path:
        """Where the environment of these requirements is, or will be; `environments.READY` in it lists the versions."""
        return self.environments / environments.digest(requirements, self.python)

    def submit(self, job: Job) -> None:
        folder = self._folder(job.name)
        if folder.started():
            return
        wall = self._wall_for(job)
        try:
            environments.check(job.requirements, job.trusted)
        except environments.Unsuitable as trouble:
            raise Refusal(str(trouble)) from None
        folder.tidy()
        private = self.root / "work" / job.name
        place = Place(folder.path, private, self.environment(job.requirements), self.python, wall)
        mark_used(place.home)
        orders = spec(job, place, self.installer) | {"log_bytes": self.log_bytes}
        for path in (folder.path / "output", *(private / name for name in PRIVATE)):
            path.mkdir(parents=True, exist_ok=True)
        folder.write("spec.json", orders)
        self._start_keeper(folder.path)

    def _folder(self, name: str) -> JobFolder:
        if not NAME.match(name):
            raise ValueError(f"{name!r} is not a job's name: letters, digits, dots, dashes and underscores")
        return JobFolder(self.root / "jobs" / name)

    def _wall_for(self, job: Job) -> sandbox.Sandbox | None:
        wall = self.sandboxed()
        if isinstance(wall, sandbox.Sandbox):
            return wall
        if not job.trusted:
            raise Refusal(f"code that nobody vouched for runs only in a sandbox, and {wall}")
        if self.wall == "require":
            raise Refusal(f"the settings require a sandbox, and {wall}")
        return None

    def _start_keeper(self, folder: Path) -> None:
        """Start a keeper that is not our child; returns when it holds the job's lock, some 30 ms later."""
        with open(folder / "keeper.txt", "ab") as complaints:
            done = subprocess.run(
                [sys.executable, "-I", "-S", "-c", KEEP, str(HERE), str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=complaints,
                stderr=complaints,
                env=self.installer,
                start_new_session=True,
                check=False,
            )
        if done.returncode:
            words = (folder / "keeper.txt").read_text(errors="replace").strip().splitlines()
            raise OSError(f"the job's keeper could not be started: {words[-1] if words else done.returncode}")

    def status(self, name: str) -> JobStatus:
        return self._folder(name).status()

    def cancel(self, name: str) -> None:
        folder = self._folder(name)
        if not folder.started() or folder.status().state.ended:
            return
        (folder.path / "cancel").touch()  # first, so that the keeper knows why it is told to stop
        told = None
        until = time.monotonic() + CANCEL_SECONDS
        while folder.kept() and time.monotonic() < until:
            keeper = folder.keeper()
            if keeper is not None and told is None:
                with suppress(ProcessLookupError):
                    os.kill(keeper, signal.SIGTERM)
                told = keeper
            time.sleep(0.01)
        if folder.kept():
            folder.kill()
        if folder.read("exit.json") is None and folder.read("pid.json") is not None:
            self._record_cancelled(folder)

    def _record_cancelled(self, folder: JobFolder) -> None:
        """Say in the keeper's place how the job ended, the keeper having been killed."""
        asked = (folder.path / "cancel").stat().st_mtime
        begun = folder.read("pid.json") or {"started": asked}
        used = {"seconds": max(0.0, asked - begun["started"]), "cpu_seconds": 0.0, "memory_mb": 0.0}
        result = {"state": JobState.CANCELLED.value, "exit_code": None, "reason": "it was cancelled", "used": used}
        folder.write("exit.json", result | {"started": begun["started"], "ended": asked})

    def log(self, name: str, offset: int = 0, limit: int = 65536) -> tuple[bytes, int]:
        try:
            with open(self._folder(name).path / "log", "rb") as file:
                file.seek(offset)
                data = file.read(limit)
        except FileNotFoundError:
            return b"", offset
        return data, offset + len(data)

    def output(self, name: str) -> Path:
        return self._folder(name).path / "output"

    def wait(self, names: Iterable[str], seconds: float) -> frozenset[str]:
        """As every executor; a job that had ended before the call counts as one that has."""
        wanted = {name: self._folder(name) for name in names}
        until = time.monotonic() + seconds
        while True:
            ended = frozenset(name for name, folder in wanted.items() if folder.status().state.ended)
            left = until - time.monotonic()
            if ended or left <= 0:
                return ended
            _sleep_until_one_ends(list(wanted.values()), left)

    def running(self) -> frozenset[str]:
        """Every job that runs now, servers too: they outlive the bot, so whoever tears down a place cancels them."""
        jobs = self.root / "jobs"
        folders = jobs.iterdir() if jobs.is_dir() else ()
        return frozenset(folder.name for folder in folders if JobFolder(folder).kept())

    def forget(self, name: str) -> None:
        """As every executor; raises Refusal for a job that is running."""
        folder = self._folder(name)
        if folder.status().state is JobState.RUNNING:
            raise Refusal(f"job {name} is running: cancel it first")
        trash = self.root / "trash" / uuid4().hex
        trash.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            folder.path.rename(trash)  # at once, whatever lies in it; the name is free again
        processtree.remove_tree(str(trash), str(self.root / "work" / name))

    def tidy(self) -> None:
        """End and remove what killed keepers left: processes, working folders, half an environment."""
        for private in (self.root / "work").glob("*/"):
            folder = self._folder(private.name)
            if folder.status().state.ended or not folder.path.exists() or self._never_began(folder):
                processtree.send(processtree.carrying(f"LIFECYCLE_OUTPUT={folder.path / 'output'}"), signal.SIGKILL)
                processtree.remove_tree(str(private))
                folder.tidy()
        processtree.remove_tree(*map(str, (self.root / "trash").glob("*")))
        environments.clear(self.environments)

    def _never_began(self, folder: JobFolder) -> bool:
        """Whether all was made for a keeper that did not come for so long that it was killed, or never started."""
        if folder.started():
            self._waiting.pop(folder.path, None)
            return False
        now = time.monotonic()
        return now - self._waiting.setdefault(folder.path, now) > self.patience


def _sleep_until_one_ends(folders: list[JobFolder], seconds: float) -> None:
    """Sleep till a keeper ends, at most `seconds`; for keepers that cannot be watched, only till the next look."""
    handles = [folder.handle() for folder in folders]
    poller = select.poll()
    for handle in handles:
        if handle is not None:
            poller.register(handle, select.POLLIN)
    try:
        poller.poll(1000 * (min(seconds, LOOK_SECONDS) if None in handles else seconds))
    finally:
        for handle in handles:
            if handle is not None:
                os.close(handle)
