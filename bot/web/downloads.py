"""What a version says of itself, to take away: its report and its model card."""

import flask

from bot.web.views import Views
from lifecycle import OutOfReach

FILES = {"MODEL_CARD.md": "text/markdown", "report.json": "application/json"}
VERSION = "/models/<name:owner>/<name:repo>/<name:model>/versions/<int(max=2147483647):number>"
ADDRESS = f"{VERSION}/<any('MODEL_CARD.md', 'report.json'):file>"


def add_downloads(app: flask.Flask, views: Views) -> None:
    """Register the addresses of files."""

    @app.get(ADDRESS)
    def download(owner: str, repo: str, model: str, number: int, file: str) -> flask.Response:
        version = views.registry.get(f"{owner}/{repo}", model, number)
        if version is None:
            flask.abort(404)
        try:
            content = views.registry.read(version, file)
        except OutOfReach as trouble:
            flask.abort(503, f"This file cannot be had just now: {trouble}.")
        except OSError:  # versions of older bots have no card
            flask.abort(404)
        name = f"{model}-v{number}-{file}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return flask.Response(content, content_type=f"{FILES[file]}; charset=utf-8", headers=headers)
