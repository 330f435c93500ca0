"""A bad quarter of an hour, in about a minute: what must hold after kills at random instants holds."""

import json

import pytest

from tests.torture.day import Plan, torture

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("torture")]


def test_nothing_is_lost_and_nothing_happens_twice() -> None:
    accounts = torture(Plan(commands=24, kills=5, seed=5, minutes=3))
    assert accounts["held"], json.dumps(accounts, indent=1, ensure_ascii=False)[:8000]
