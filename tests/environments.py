"""The models' environments, made once for a whole run of the tests, as on one machine: each takes seconds to make."""

import re
from pathlib import Path


def of_the_run(folder: Path) -> Path | None:
    """Where all tests of this run keep them; None for a folder that is not one of pytest's temporary ones."""
    run = next((above for above in folder.parents if re.fullmatch(r"pytest-\d+", above.name)), None)
    return run and run / "environments"


def share(state: Path) -> None:
    """Let the bot that is about to be started with this new state folder use them."""
    shared = of_the_run(state)
    if shared:
        shared.mkdir(exist_ok=True)
        state.mkdir(parents=True)
        (state / "environments").symlink_to(shared)
