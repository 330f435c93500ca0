"""Runs git so that nothing it reads can run code, ask questions, hang, or see more secrets than it needs."""

import base64
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lifecycle.source import Source

SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.attributesFile": os.devnull,
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "advice.detachedHead": "false",
}
PASSED_ON = re.compile(
    r"^(PATH|SSL_CERT_FILE|SSL_CERT_DIR|GIT_SSL_CAINFO|SSH_AUTH_SOCK|(HTTPS?|ALL|NO)_PROXY)$", re.IGNORECASE
)
FIXED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    "GIT_ALLOW_PROTOCOL": "https:http:ssh:file",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "LC_ALL": "C",
}

# What git says, untranslated, where the network or the server is at fault, and where a token has just expired.
UNREACHABLE = re.compile(
    rb"unable to access|could not resolve|timed out|early EOF|hung up|RPC failed|returned error: (?:401|403|429|5\d\d)"
    rb"|Authentication failed|could not read Username|Connection (?:refused|reset)|unable to connect"
)


class GitTrouble(Exception):
    """Git could not do it; one sentence without secrets."""


class GitUnreachable(GitTrouble):
    """Git did not reach the other side, or was not let in; later it may."""


@dataclass(frozen=True, slots=True)
class Git:
    """Git with fixed settings. Of `environ` only what says where proxy, certificates and programs are is passed on."""

    home: Path
    environ: Mapping[str, str]

    def run(
        self,
        *words: str,
        source: Source,
        seconds: float = 60,
        extra: Mapping[str, str] | None = None,
        ask: bool = False,
    ) -> bytes:
        """What git printed. With `ask`, the source's credential goes along. Raises GitTrouble."""
        login = source.credential() if ask else None
        environ = self._environ(source, login) | dict(extra or {})
        try:
            process = subprocess.Popen(
                ["git", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environ,
                cwd=self.home,
                start_new_session=True,
            )
        except OSError as trouble:
            raise GitTrouble(f"git could not be started: {trouble.strerror}") from None
        with process:
            try:
                out, err = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                kind = GitUnreachable if ask else GitTrouble
                raise kind(f"git {words[0]} of {source.name} took longer than {seconds:g} seconds") from None
        if process.returncode:
            kind = GitUnreachable if ask and UNREACHABLE.search(err) else GitTrouble
            raise kind(f"git {_verb(words)} of {source.name} failed: {_reason(err, login)}")
        return out

    def _environ(self, source: Source, login: tuple[str, str] | None) -> dict[str, str]:
        settings = dict(SETTINGS)
        if login is not None:
            url = urlsplit(source.url)
            pair = base64.b64encode(":".join(login).encode()).decode()
            # for this host only, so that a redirect to another does not get it
            settings[f"http.{url.scheme}://{url.netloc.rpartition('@')[2]}/.extraHeader"] = (
                f"Authorization: Basic {pair}"
            )
        environ = {"PATH": os.defpath, "HOME": str(self.home)}
        environ |= {name: value for name, value in self.environ.items() if PASSED_ON.match(name)} | FIXED
        environ["GIT_CONFIG_COUNT"] = str(len(settings))
        for number, (key, value) in enumerate(settings.items()):
            environ[f"GIT_CONFIG_KEY_{number}"] = key
            environ[f"GIT_CONFIG_VALUE_{number}"] = value
        return environ


def _verb(words: tuple[str, ...]) -> str:
    return next((word for word in words if not word.startswith("-")), "")


def _reason(complaint: bytes, login: tuple[str, str] | None) -> str:
    """Git's own reason in one line, without the secret in any of the forms in which it was handed over."""
    lines = [line.strip() for line in complaint.decode("utf-8", "replace").splitlines() if line.strip()]
    telling = (
        [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))] or lines or ["no reason given"]
    )
    words = re.sub(r"^(fatal|error|remote):\s*", "", telling[-1])
    words = re.sub(r"//[^/@\s]+@", "//", words)
    for secret in _forms(login):
        words = words.replace(secret, "***")
    return "".join(c for c in words if c.isprintable())[:300]


def _forms(login: tuple[str, str] | None) -> list[str]:
    if login is None:
        return []
    return [form for form in (login[1], base64.b64encode(":".join(login).encode()).decode()) if form]
