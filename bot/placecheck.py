"""Whether the place that several machines share can be had, for `doctor`."""

from collections.abc import Iterator
from uuid import uuid4

from bot.doctor import Finding, fail, ok, warn
from bot.settings import Settings
from lifecycle import Artifacts, OutOfReach

NAME = "artifacts"


def place(settings: Settings) -> Iterator[Finding]:
    """Write something there, read it and remove it."""
    if not settings.artifacts:
        if settings.database is not None:
            said = "there is no place that several machines share, so each knows only its own versions and logs"
            yield warn(NAME, said, "With one machine all is well; for several set artifacts in app.yaml.")
        return
    probe, words = f"doctor/{uuid4().hex}", uuid4().bytes
    try:
        artifacts = Artifacts(settings.artifacts)
        artifacts.write(probe, words)
        found = artifacts.read(probe)
        artifacts.delete(probe)
    except (OutOfReach, OSError) as trouble:
        yield fail(NAME, str(trouble), "See artifacts in app.yaml, and docs/machines.md.")
        return
    if found != words:
        yield fail(NAME, f"{settings.artifacts} does not give back what was written", "Is it shared by all machines?")
    else:
        yield ok(NAME, f"{settings.artifacts} can be written and read")
