"""The pages of models: which there are, who is in production, how it drifts, and one version's manifest."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import flask

from bot.links import Link
from bot.web import drifting, reports
from bot.web.addresses import model_url
from bot.web.views import Views
from lifecycle import Champion, Episode, Filter, OutOfReach, Run, Version, Window

MODEL = "/models/<name:owner>/<name:repo>/<name:model>"
SHOWN = 50  # versions on a model's page
LISTED = 50  # models on one page


@dataclass(frozen=True, slots=True)
class Summary:
    """One model in the list; `latest` is its newest run."""

    project: str
    model: str
    champion: Champion | None
    window: Window | None
    drifting: bool
    latest: Run | None


def add_models(app: flask.Flask, views: Views) -> None:
    """Register the pages of models and versions."""

    @app.get("/models")
    def models() -> str:
        after = tuple(flask.request.args.get("after", "").rsplit("/", 1))
        names = [name for name in _names(views) if name > after]
        moved = {(one.project, one.model) for one in views.watching.open_episodes()}
        shown = [_summary(views, *name, name in moved) for name in names[:LISTED]]
        more = "/".join(names[LISTED - 1]) if len(names) > LISTED else ""
        return flask.render_template("models.html", models=shown, more=more, first=after == ("",))

    @app.get(MODEL)
    def model(owner: str, repo: str, model: str) -> str:
        return _page(views, f"{owner}/{repo}", model)

    @app.get(f"{MODEL}/versions/<int(max=2147483647):number>")
    def version(owner: str, repo: str, model: str, number: int) -> str:
        found = views.registry.get(f"{owner}/{repo}", model, number)
        if found is None:
            flask.abort(404)
        return _version(views, found)


def _names(views: Views) -> Sequence[tuple[str, str]]:
    """Models that have a version, and those that are about to."""
    recent = ((run.spec.project, run.spec.model) for run in views.runs.find(Filter(), limit=SHOWN))
    return sorted({*views.registry.models(), *recent})


def _summary(views: Views, project: str, model: str, drifting: bool) -> Summary:
    return Summary(
        project=project,
        model=model,
        champion=crowned(views.registry.reign(project, model)),
        window=next(iter(views.watching.windows(project, model, limit=1)), None),
        drifting=drifting,
        latest=next(iter(views.runs.find(Filter(project=project, model=model), limit=1)), None),
    )


def crowned(reign: Sequence[Champion]) -> Champion | None:
    """Who has all of the traffic now, or had it last."""
    return next((one for one in reign if one.share == 100), None)


def _page(views: Views, project: str, model: str) -> str:
    versions = views.registry.of_model(project, model, limit=SHOWN)
    episodes = views.watching.open_episodes(project, model)
    summary = _summary(views, project, model, bool(episodes))
    if not versions and summary.latest is None:
        flask.abort(404)
    windows = views.watching.windows(project, model)
    reign = views.registry.reign(project, model)
    return flask.render_template(
        "model.html",
        it=summary,
        versions=versions,
        champion=views.registry.champion(project, model),
        promoted={one.number: one for one in reversed(reign)},
        reign=reign,
        routes=views.routes(project, model),
        chart=drifting.chart(windows, episodes) if windows else None,
        windows=windows,
        report=drifting.report_of(windows[0].report) if windows else None,
        episodes=[(one, _items(views, one)) for one in episodes],
        example=_example(views, versions),
        primary=lambda version: next(iter(reports.kept(version.metrics)), None),
        scoring=f"{views.address}{model_url(project, model, 'invocations')}",
    )


def _items(views: Views, episode: Episode) -> Sequence[Link]:
    """The links to the work items and issues that track the episode."""
    return [edge for edge in views.links.of(f"episode:{episode.id}") if edge.how == "tracked"]


def _version(views: Views, version: Version) -> str:
    manifest, unread = manifest_of(views, version)
    reign = [one for one in views.registry.reign(version.project, version.model) if one.number == version.number]
    return flask.render_template(
        "version.html",
        it=version,
        manifest=manifest,
        unread=unread,
        metrics=reports.kept(version.metrics),
        parent=_parent(manifest),
        reign=reign,
        facts={name: value for name, value in manifest.items() if name not in ("files", "metrics", "parent")},
        edges=views.links.around(f"version:{version.project}/{version.model}/{version.number}"),
    )


def manifest_of(views: Views, version: Version) -> tuple[Mapping[str, Any], str]:
    """The version's manifest, or why there is none to show: its files are not within reach, or were broken."""
    try:
        return views.registry.manifest(version), ""
    except OutOfReach as trouble:
        return {}, f"Its manifest cannot be read just now: {trouble}."
    except (OSError, ValueError):
        return {}, "Its manifest cannot be read on this machine."


def _parent(manifest: Mapping[str, Any]) -> int | None:
    """The number of the version that was in production when this one was made: `v3` in a manifest."""
    text = str(manifest.get("parent") or "").removeprefix("v")
    return int(text) if text.isascii() and text.isdigit() else None


def _example(views: Views, versions: Sequence[Version]) -> str:
    """A request that the newest version understands: its own columns, with a value of each type."""
    row: dict[str, Any] = {"column": 1.0}
    if versions:
        try:
            text = views.registry.read(versions[0], "signature.json")
            row = {str(one["name"]): _value(str(one["type"])) for one in json.loads(text)["columns"]} or row
        except (OSError, ValueError, LookupError, TypeError):
            pass  # an imported version may have none; the shape alone still helps
    return json.dumps({"dataframe_records": [row]}, ensure_ascii=False)


def _value(kind: str) -> Any:
    if kind.startswith(("int", "uint")):
        return 1
    if kind.startswith(("float", "double", "decimal")):
        return 0.5
    return True if kind.startswith("bool") else "text"
