"""What a model was asked lately: its daily profiles, kept up to date from wherever its requests are."""

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from lifecycle.arrivals import Arrivals, FileArrivals, LogArrivals
from lifecycle.dailies import Dailies, Recipe, Seen, end_of_day, straight, whole_days
from lifecycle.drift import Profile
from lifecycle.drift.columns import Column, Unwatched
from lifecycle.drift.files import words_of
from lifecycle.knownrows import UNUSED, known_file
from lifecycle.project import Model
from lifecycle.reference import PROFILE, Measured
from lifecycle.registry import Version
from lifecycle.runs import Run
from lifecycle.shop import Shop, Trouble, serving_name
from lifecycle.windows import read_window


@dataclass(frozen=True, slots=True)
class Traffic:
    """The requests of one model as seen from one version: counted in the cells of its profile."""

    model: str
    arrivals: Arrivals
    dailies: Dailies
    recipe: Recipe

    @classmethod
    def of(cls, shop: Shop, run: Run, rules: Model, version: Version) -> "Traffic":
        """Where the model's rules say that its requests are, read up to now. Raises Trouble."""
        folder = shop.registry.folder(version)
        name = serving_name(version.project, version.model)
        reference = Profile.from_bytes((folder / PROFILE).read_bytes())
        leave_out = tuple(one for one in (rules.time, rules.target, rules.monitor.key, *rules.monitor.ignore) if one)
        sampled = rules.task == "regression" or Measured.read(folder).cbpe is not None
        recipe = Recipe(reference, leave_out, sampled)
        counted_so = json.dumps([leave_out, sampled, rules.time, rules.monitor.data])
        kind = hashlib.sha256(counted_so.encode()).hexdigest()[:8]
        dailies = Dailies(shop.root / "profiles" / name / f"{version.digest[:16]}-{kind}", recipe)
        arrivals = arrivals_of(shop, run, rules, version)
        if isinstance(arrivals, FileArrivals):
            arrivals = replace(arrivals, words=tuple(one for one in words_of(reference) if one not in leave_out))
        dailies.catch_up(arrivals)
        _forget(dailies.folder, shop.now())
        _forget_rows(known_file(shop.root, name, version.run), shop.now())
        return cls(version.model, arrivals, dailies, recipe)

    def window(self, asked: str) -> tuple[datetime, datetime]:
        """`2011-04`, `2011-04-01..2011-05-01`; or `30d`: the newest whole days (or hours). Raises Trouble."""
        found = read_window(asked)
        if isinstance(found, tuple):
            return found
        known = self.dailies.span()
        if known is None:
            raise Trouble(f"{self.model} was not asked anything yet, so there is nothing to compare.")
        until = end_of_day(known[1])
        if found % timedelta(days=1):
            until = known[1].replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return until - found, until

    def seen(self, since: datetime, until: datetime) -> Seen:
        """What was asked from `since` to `until`. Raises Trouble if nothing was."""
        whole = whole_days(since, until)
        found = self.dailies.window(since, until) if whole else straight(self.arrivals, self.recipe, since, until)
        if found is None or not found.profile.rows:
            raise Trouble(f"{self.model} was asked nothing from {_minute(since)} to {_minute(until)} UTC.")
        return found

    def comparable(self, seen: Seen) -> Profile:
        """The version's profile without answers that the requests do not tell: these are named, not missing."""
        columns: dict[str, Column] = dict(self.recipe.reference.columns)
        for name in self.recipe.answers - seen.profile.columns.keys():
            columns[name] = Unwatched(name, "this version gave no answers in this window", role="prediction")
        return replace(self.recipe.reference, columns=columns)


def arrivals_of(shop: Shop, run: Run, rules: Model, version: Version) -> Arrivals:
    """The endpoint's own log, or what `monitor.data` names."""
    name = serving_name(version.project, version.model)
    if rules.monitor.data:
        tree = shop.tree(run) if "://" not in rules.monitor.data else Path()
        return FileArrivals(rules.monitor.data, tree, rules.time)
    reign = shop.registry.reign(version.project, version.model)
    deployment = next((one.deployment for one in reign if one.number == version.number), "")
    return LogArrivals(shop.requests, name, rules.time, deployment)


def _forget(used: Path, now: datetime) -> None:
    """Note that this version's daily profiles are in use, and remove those of versions that are not."""
    used.mkdir(parents=True, exist_ok=True)
    (used / "used").touch()
    for other in used.parent.iterdir():
        mark = other / "used"
        if other != used and mark.is_file() and mark.stat().st_mtime < (now - UNUSED).timestamp():
            shutil.rmtree(other, ignore_errors=True)


def _forget_rows(used: Path, now: datetime) -> None:
    """The same for held-back rows of versions that do not serve."""
    if used.is_file():
        used.touch()
    for other in used.parent.glob("run-*.parquet"):
        if other != used and other.stat().st_mtime < (now - UNUSED).timestamp():
            other.unlink(missing_ok=True)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
