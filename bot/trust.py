"""Who may do what, on which commit: a decision with its reason, from facts that were read a moment ago (pure)."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from bot.arguments import code_span
from bot.ports import Permission

FULL_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it may be done; `reason` is Markdown, one or two sentences: why, and where not, what to do about it."""

    allowed: bool
    reason: str

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(frozen=True, slots=True)
class Ticket:
    """What was authorised: who asked for which command, on which commit, from where, when and until when (UTC)."""

    who: str
    command: str
    commit: str
    ref: str
    at: datetime
    until: datetime

    @classmethod
    def issue(cls, who: str, command: str, commit: str, ref: str, at: datetime, lasts: timedelta) -> Self:
        """A ticket from now on. Raises ValueError for an abbreviated commit, a naive time or no duration."""
        if not FULL_SHA.fullmatch(commit):
            raise ValueError(f"{commit!r} is not a full commit sha in lower case")
        if at.tzinfo is None or lasts <= timedelta(0):
            raise ValueError("a ticket needs an aware time and a duration above zero")
        return cls(who, command, commit, ref, at, at + lasts)


def may_command(
    *, login: str, is_bot: bool, is_self: bool, has: Permission, needs: Permission, command: str
) -> Decision:
    """Whether a comment's author may ask for `command` (its name without the slash) where it was written."""
    said = code_span(f"/{command}")
    if is_self:
        return Decision(False, f"{said} was written by this bot itself, which never follows its own comments.")
    if is_bot:
        return Decision(False, f"{said} was written by a bot; commands count only when a person writes them.")
    if not login:
        return Decision(False, f"{said} has no author any more; somebody who is here needs to ask for it.")
    if has < needs:
        return Decision(
            False,
            f"{code_span(login)} may not use {said}: it needs {_said(needs)}, and {_has(has)}. "
            f"Please ask somebody with {_said(needs)} to write the command.",
        )
    return Decision(True, f"{code_span(login)} has {_said(has)}, and {said} needs {_said(needs)}.")


def may_run(
    *,
    commit: str,
    from_fork: bool,
    author: str,
    author_permission: Permission,
    approved: Collection[str] = (),
    ok_to_run: bool = False,
) -> Decision:
    """Whether the code of a pull request's commit may be executed.

    `author` is the pull request's author, `approved` the full shas that somebody with write permission let run, and
    `ok_to_run` says whether `/ok-to-run` exists to name in the answer. A branch that no pull request stands for is
    its repository's own: ask with from_fork=False and the permission of the person who wants it run.
    """
    short = code_span(commit[:10])
    if not FULL_SHA.fullmatch(commit):
        return Decision(False, f"{short} is not a full commit sha, so it is not sure which code would run.")
    if commit in frozenset(approved):
        return Decision(True, f"A maintainer let {short} run.")
    if not from_fork and author_permission >= Permission.WRITE:
        return Decision(True, f"{short} is on a branch of this repository, by somebody with write permission.")
    why = (
        "comes from a fork"
        if from_fork
        else f"is by {code_span(author) if author else 'an author who is gone'}, who has no write permission here"
    )
    todo = (
        f"write `/ok-to-run {commit}`; it holds for this commit alone"
        if ok_to_run
        else "push it to a branch of this repository"
    )
    return Decision(
        False,
        f"{short} {why}, so its code was not run. After reading the change, somebody with write permission can {todo}.",
    )


def may_promote(*, approver: str, trainer: str | None, author: str | None, two_person: bool) -> Decision:
    """Whether `approver` may put a version into production that `trainer` asked for and whose commit `author` wrote.

    Names are compared without case, as the platforms do. A person who is octo on GitHub and octo@x.org on Azure
    DevOps counts as two: map such names to one before asking. None means that nobody did, as in a scheduled retrain.
    """
    who = code_span(approver)
    if not approver:
        return Decision(False, "It is not known who asked, and a promotion needs a person who answers for it.")
    if not two_person:
        return Decision(True, f"{who} may promote alone: `two_people` is off in app.yaml.")
    roles = [
        role
        for role, name in (("asked for its training", trainer), ("wrote its code", author))
        if name and name.casefold() == approver.casefold()
    ]
    if roles:
        return Decision(
            False,
            f"Promotion needs two people, and {who} {' and '.join(roles)}. Please ask a colleague to write `/promote`.",
        )
    return Decision(True, f"{who} neither asked for the training nor wrote the code.")


def still_valid(ticket: Ticket, *, head: str, now: datetime) -> Decision:
    """Whether what was authorised still is, with the commit that is head at this moment: a push or time ends it."""
    said, was = code_span(f"/{ticket.command}"), code_span(ticket.commit[:10])
    if head != ticket.commit:
        return Decision(
            False,
            f"{said} was asked for when {was} was the newest commit; now it is {code_span(head[:10])}. "
            f"Please write {said} again if it is meant for the new one too.",
        )
    if now >= ticket.until:
        return Decision(
            False, f"{said} was asked for on {ticket.at:%Y-%m-%d %H:%M} UTC and has expired. Please write it again."
        )
    return Decision(True, f"{was} is still the newest commit.")


def _said(permission: Permission) -> str:
    return f"{permission.name.lower()} permission"


def _has(permission: Permission) -> str:
    return "they have none here" if permission is Permission.NONE else f"they have {_said(permission)}"
