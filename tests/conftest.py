"""Which tests share a process: those whose files are marked with the same `xdist_group`."""

import re
from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling, Scheduling

GROUP = re.compile(r'^pytestmark = .*xdist_group\("([^"]+)"\)', re.MULTILINE)


class Groups(LoadScopeScheduling):
    """What `--dist loadgroup` is to do: xdist 3.8 writes groups into a name that pytest 9.2 does not read."""

    def _split_scope(self, nodeid: str) -> str:
        file = self.config.rootpath / nodeid.partition("::")[0]
        return _group(file) or nodeid


@cache
def _group(file: Path) -> str:
    found = GROUP.search(file.read_text("utf-8"))
    return found.group(1) if found else ""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    return Groups(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests that share nothing first, so that none of them is waited for at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
