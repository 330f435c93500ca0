"""`python -m bot.playground.bikes FOLDER`: the demo's model repository with the data of the whole year, as files."""

import sys
from pathlib import Path

from bot.playground.stage import months, repository_files


def write(folder: Path) -> None:
    """Write every file below `folder`."""
    for name, content in repository_files(tuple(months())).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else (content or "").encode())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m bot.playground.bikes FOLDER")
    write(Path(sys.argv[1]))
