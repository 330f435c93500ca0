"""How `lifecycle-bot doctor` tells: findings of probes, each with what to do; the probes are elsewhere."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TextIO

from bot.ports import Denied, SignedOut, Unavailable


class Health(StrEnum):
    """How something is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: its name, how it is, what was found, and what to do about it where there is something."""

    name: str
    health: Health
    found: str
    todo: str = ""


Probe = Callable[[], Iterable[Finding]]
PLAIN = {Health.OK: "ok  ", Health.WARN: "WARN", Health.FAIL: "FAIL"}
SIGNS = {Health.OK: "✔", Health.WARN: "!", Health.FAIL: "✘"}


def ok(name: str, found: str) -> Finding:
    """It is as it should be."""
    return Finding(name, Health.OK, found)


def warn(name: str, found: str, todo: str) -> Finding:
    """It works, but somebody should know."""
    return Finding(name, Health.WARN, found, todo)


def fail(name: str, found: str, todo: str = "") -> Finding:
    """The bot cannot do its work so."""
    return Finding(name, Health.FAIL, found, todo)


def examine(probes: Iterable[tuple[str, Probe]]) -> Iterator[Finding]:
    """Every probe's findings; one that raises becomes a finding under its name, and the others still run."""
    for name, probe in probes:
        try:
            yield from probe()
        except (Denied, SignedOut) as error:
            yield fail(name, str(error))
        except Unavailable as error:
            yield fail(name, str(error), "Try again; if it stays so, look at the network, the address and the proxy.")
        except Exception as error:
            # One broken probe must not hide what the others would say.
            yield fail(name, f"this could not be looked at: {type(error).__name__}: {error}", "Please report this.")


def tell(findings: Iterable[Finding], out: TextIO) -> int:
    """Print the findings as they come, aligned, in ASCII where `out` knows no more; the exit code, 0 or 1."""
    fine = (out.encoding or "").lower().replace("-", "") in ("utf8", "utf8sig")
    counts = dict.fromkeys(Health, 0)
    for finding in findings:
        counts[finding.health] += 1
        sign = (SIGNS if fine else PLAIN)[finding.health]
        lines = [f"{sign} {finding.name:<28} {finding.found}"]
        if finding.todo:
            lines.append(f"{' ' * len(sign)} {'':<28} {'→' if fine else '->'} {finding.todo}")
        for line in lines:
            print(line if fine else line.encode("ascii", "replace").decode(), file=out, flush=True)
    bad, odd = counts[Health.FAIL], counts[Health.WARN]
    said = f"{bad} to be mended" if bad else "The bot can do its work"
    print(f"\n{said}{f', {odd} worth a look' if odd else ''}.", file=out)
    return 1 if bad else 0


def missing(name: str, what: str, wanted: Sequence[str], there: Iterable[str], todo: str) -> Iterator[Finding]:
    """A failure naming what of `wanted` is not there, nothing where all is."""
    absent = [one for one in wanted if one not in set(there)]
    if absent:
        yield fail(name, f"{what} {', '.join(absent)}", todo)
