"""The application behind every address that people open: runs, models, scoring, health; put together here."""

import hashlib
from pathlib import Path

import flask
from werkzeug.routing import BaseConverter

from bot.web import format as reading
from bot.web.addresses import Addresses, model_url
from bot.web.downloads import add_downloads
from bot.web.figures import add_figures
from bot.web.models import add_models
from bot.web.runs import add_runs
from bot.web.safety import add_safety
from bot.web.scoring import add_labels, add_scoring
from bot.web.views import Views
from bot.web.vitals import add_vitals

HERE = Path(__file__).parent
FILTERS = ("exact", "fixed", "number", "signed", "percent", "sentence", "share", "size", "short", "plain", "pretty")

__all__ = ["Views", "create_pages"]


class Name(BaseConverter):
    """Part of an address that names an owner, a repository or a model: nothing else gets near a query."""

    regex = "[A-Za-z0-9_][A-Za-z0-9._-]{0,199}"


def create_pages(views: Views) -> flask.Flask:
    """A WSGI application of the pages, /healthz, /metrics and the scoring addresses."""
    app = flask.Flask("bot.web", root_path=str(HERE))
    app.jinja_options = {"finalize": reading.straight, "trim_blocks": True, "lstrip_blocks": True}
    app.url_map.converters["name"] = Name
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 7 * reading.DAY  # a file's address changes with its content
    _teach(app, views)
    add_safety(app)
    add_runs(app, views)
    add_figures(app, views)
    add_downloads(app, views)
    add_models(app, views)
    add_scoring(app, views)
    add_labels(app, views)
    add_vitals(app, views)
    return app


def _teach(app: flask.Flask, views: Views) -> None:
    """Give the templates their words, and the addresses of things."""
    app.jinja_env.filters.update({name: getattr(reading, name) for name in FILTERS})
    app.jinja_env.filters["ago"] = lambda then: reading.ago(then, views.now())
    app.jinja_env.filters["until"] = lambda start, end: reading.between(start, end, views.now())
    marks = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:10] for path in (HERE / "static").iterdir()}

    def static(name: str) -> str:
        return flask.url_for("static", filename=name, v=marks[name])

    app.jinja_env.globals.update(
        address=Addresses(views.url_of, views.commit_url, views.watching.by_id),
        model_url=model_url,
        pill=reading.pill,
        static=static,
        release=views.version,
    )
