"""What the pages look at: everything that they may read, handed in by whoever puts the house together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.acceptances import Acceptances
from bot.alive import Living
from bot.figures.signing import Signer
from bot.links import Links
from lifecycle import Answer, Registry, Run, Stage, Store, Watching


@dataclass(frozen=True, slots=True)
class Views:
    """What the pages read, and the one thing that they do (score).

    `log(run, stage, offset)` is the stage's output from a byte on, at most some 64 KB, and the byte to ask for next;
    (b"", offset) where there is nothing more. `routes(project, model)` are the per cent of the traffic by deployment.
    `score(project, model, body)` answers one request; `label(project, model, body)` keeps true answers, says how many,
    and raises LookupError for a model that is not there, ValueError for what are none. `url_of(ref)` is the web address
    of a ref's text such as github:octo/bikes#12, `commit_url(project, sha)` that of a commit; empty where there is
    none. `health()` says of each part of the house `ok` or, in one sentence, what is wrong; it must be cheap.
    `inbox_depth()` is the number of events that wait. `away(run)` says where the run's log comes from, empty where it
    is this machine's own; `workers()` are those that are alive, `host` is this machine's name among them; `swept()` is
    when the last sweep began. `signer` knows the addresses of figures. `address` is where people reach these pages,
    such as https://bot.example.com, without a slash.
    """

    runs: Store
    registry: Registry
    watching: Watching
    links: Links
    acceptances: Acceptances
    log: Callable[[Run, Stage, int], tuple[bytes, int]]
    routes: Callable[[str, str], Mapping[str, int]]
    score: Callable[[str, str, bytes], Answer]
    label: Callable[[str, str, bytes], int]
    url_of: Callable[[str], str]
    commit_url: Callable[[str, str], str]
    health: Callable[[], Mapping[str, str]]
    inbox_depth: Callable[[], int]
    address: str
    version: str
    now: Callable[[], datetime]
    signer: Signer
    logs_kept: timedelta = timedelta(days=90)  # after a run's end
    away: Callable[[Run], str] = lambda _run: ""
    host: str = ""
    workers: Callable[[], Sequence[Living]] = tuple
    swept: Callable[[], datetime | None] = lambda: None
