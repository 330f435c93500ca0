"""Who may do what: every refusal says why and what to do, and nothing is allowed by accident."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.ports import Permission
from bot.trust import Decision, Ticket, may_command, may_promote, may_run, still_valid

SHA, OTHER = "a" * 40, "b" * 40
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
NAMES = st.sampled_from(["ada", "Ada", "grace", "", "@octo`<b>"])


def asking(**changes: Any) -> Decision:
    facts: dict[str, Any] = {
        "login": "ada",
        "is_bot": False,
        "is_self": False,
        "has": Permission.WRITE,
        "needs": Permission.WRITE,
    }
    return may_command(**(facts | {"command": "train"} | changes))


def running(**changes: Any) -> Decision:
    facts: dict[str, Any] = {"commit": SHA, "from_fork": False, "author": "ada", "author_permission": Permission.WRITE}
    return may_run(**(facts | changes))


def promoting(approver: str, trainer: str | None, author: str | None, two_person: bool = True) -> Decision:
    return may_promote(approver=approver, trainer=trainer, author=author, two_person=two_person)


def test_a_person_with_permission_may_ask() -> None:
    assert asking()
    assert asking(has=Permission.ADMIN)
    assert asking(has=Permission.NONE, needs=Permission.NONE)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"is_self": True}, "`/train` was written by this bot itself"),
        ({"is_bot": True, "has": Permission.ADMIN}, "`/train` was written by a bot"),
        ({"login": ""}, "`/train` has no author any more"),
        (
            {"has": Permission.READ},
            "`ada` may not use `/train`: it needs write permission, and they have read permission. "
            "Please ask somebody with write permission to write the command.",
        ),
        ({"has": Permission.NONE}, "`ada` may not use `/train`: it needs write permission, and they have none here."),
    ],
)
def test_others_are_told_why_not(changes: dict[str, Any], said: str) -> None:
    refused = asking(**changes)
    assert not refused
    assert refused.reason.startswith(said)


def test_code_of_our_own_branches_runs() -> None:
    assert running()
    assert running(commit="c" * 64)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"from_fork": True}, "`aaaaaaaaaa` comes from a fork, so its code was not run."),
        ({"from_fork": True, "author_permission": Permission.ADMIN}, "`aaaaaaaaaa` comes from a fork"),
        ({"author_permission": Permission.READ}, "`aaaaaaaaaa` is by `ada`, who has no write permission here"),
        ({"author": "", "author_permission": Permission.NONE}, "`aaaaaaaaaa` is by an author who is gone"),
        ({"from_fork": True, "approved": [OTHER]}, "`aaaaaaaaaa` comes from a fork"),
        ({"from_fork": True, "approved": [SHA[:12], SHA.upper()]}, "`aaaaaaaaaa` comes from a fork"),
        ({"commit": SHA[:12], "approved": [SHA[:12]]}, "`aaaaaaaaaa` is not a full commit sha"),
        ({"commit": "main"}, "`main` is not a full commit sha"),
    ],
)
def test_a_strangers_code_does_not(changes: dict[str, Any], said: str) -> None:
    refused = running(**changes)
    assert not refused
    assert refused.reason.startswith(said)


def test_the_way_out_is_named_only_where_it_exists() -> None:
    assert "can push it to a branch of this repository." in running(from_fork=True).reason
    assert "ok-to-run" not in running(from_fork=True).reason
    assert f"`/ok-to-run {SHA}`" in running(from_fork=True, ok_to_run=True).reason


def test_a_maintainers_word_lets_exactly_that_commit_run() -> None:
    assert running(from_fork=True, author_permission=Permission.NONE, approved=[SHA])
    assert not running(commit=OTHER, from_fork=True, approved=[SHA])


def test_promotion_needs_two_people() -> None:
    assert promoting("grace", "ada", "ada")
    assert promoting("grace", None, None)
    assert not promoting("", None, None)
    assert not promoting("", None, None, two_person=False)
    assert promoting("ada", "ada", "ada", two_person=False)
    refused = promoting("Ada", "ada", "ADA")
    assert refused.reason.startswith("Promotion needs two people, and `Ada` asked for its training and wrote its code.")
    assert not promoting("ada", "grace", "ada")
    assert not promoting("ada", "ada", "grace")


def test_a_push_or_time_ends_what_was_authorised() -> None:
    ticket = Ticket.issue("ada", "train", SHA, "github:octo/bikes#1", NOON, timedelta(hours=1))
    assert still_valid(ticket, head=SHA, now=NOON + timedelta(minutes=59))
    late = still_valid(ticket, head=SHA, now=NOON + timedelta(hours=1))
    assert late.reason == "`/train` was asked for on 2026-05-01 12:00 UTC and has expired. Please write it again."
    assert not late
    pushed = still_valid(ticket, head=OTHER, now=NOON)
    assert pushed.reason.startswith("`/train` was asked for when `aaaaaaaaaa` was the newest commit; now it is `bbbb")
    assert not pushed
    assert not still_valid(ticket, head=SHA[:12], now=NOON)


def test_a_ticket_names_a_whole_commit_and_a_time() -> None:
    for commit, at, lasts in [
        (SHA[:12], NOON, timedelta(1)),
        (SHA.upper(), NOON, timedelta(1)),
        (SHA, datetime(2026, 5, 1), timedelta(1)),  # noqa: DTZ001
        (SHA, NOON, timedelta(0)),
    ]:
        with pytest.raises(ValueError, match=r"sha|ticket"):
            Ticket.issue("ada", "train", commit, "github:octo/bikes#1", at, lasts)


@settings(deadline=None)
@given(NAMES, st.booleans(), st.booleans(), st.sampled_from(Permission), st.sampled_from(Permission))
def test_only_people_with_enough_permission_ever_pass(
    login: str, is_bot: bool, is_self: bool, has: Permission, needs: Permission
) -> None:
    decision = asking(login=login, is_bot=is_bot, is_self=is_self, has=has, needs=needs)
    assert bool(decision) == (bool(login) and not is_bot and not is_self and has >= needs)
    assert "\n" not in decision.reason
    assert "@octo`" not in decision.reason


@settings(deadline=None)
@given(NAMES, st.none() | NAMES, st.none() | NAMES)
def test_nobody_promotes_their_own_work(approver: str, trainer: str | None, author: str | None) -> None:
    if promoting(approver, trainer, author):
        assert approver.lower() not in ((trainer or "").lower(), (author or "").lower())
