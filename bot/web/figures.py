"""Serves a report's figures to whoever has a signed address: GitHub's image proxy, a browser that shows a board."""

import hashlib

import flask

from bot.figures import figures_of
from bot.figures.signing import figure_path
from bot.figures.svg import PAINTS, draw
from bot.web.views import Views
from lifecycle import NoSuchRun, Stage

LARGEST = 2**31 - 1
HEADERS = {
    # GitHub's proxy keeps what it may keep; asked each time, it shows today's picture and costs us a 304.
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    # Boards show the picture on a page of their own.
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def add_figures(app: flask.Flask, views: Views) -> None:
    """Register the addresses of figures."""

    @app.get(f"/figures/<int(max={LARGEST}):number>/<word>.<theme>.svg")
    def figure(number: int, word: str, theme: str) -> flask.Response:
        signature = flask.request.args.get("signature", "")
        if not views.signer.knows(figure_path(number, word, theme), signature):
            flask.abort(403)  # before anything is looked up: a wrong signature learns nothing
        return _answer(_drawn(views, number, word, theme))


def _drawn(views: Views, number: int, word: str, theme: str) -> str:
    try:
        validated = views.runs.get(number).stage(Stage.VALIDATE)
    except NoSuchRun:
        flask.abort(404)
    figures = figures_of(validated.result) if validated else ()
    found = next((one for one in figures if one.name == word), None)
    if found is None or theme not in PAINTS:
        flask.abort(404)
    return draw(found, theme)


def _answer(drawn: str) -> flask.Response:
    response = flask.Response(drawn, mimetype="image/svg+xml", headers=HEADERS)
    response.set_etag(hashlib.sha256(drawn.encode()).hexdigest()[:32])
    response.make_conditional(flask.request)
    return response
