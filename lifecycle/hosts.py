"""The machines that share the work, as the lifecycle sees them: which one this is, and which are gone."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hosts:
    """`me` names this machine, or rather its state folder; `gone(host)`: it will not finish what it has begun."""

    me: str
    gone: Callable[[str], bool]


ALONE = Hosts("here", lambda _host: True)
