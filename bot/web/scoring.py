"""Scoring over HTTP: MLflow's JSON in, predictions out, and which version answered."""

import flask
from werkzeug.exceptions import RequestEntityTooLarge

from bot.web.body import MOST
from bot.web.views import Views


def add_scoring(app: flask.Flask, views: Views) -> None:
    """Register the scoring address of every model."""
    app.config["MAX_CONTENT_LENGTH"] = MOST

    @app.post("/models/<name:owner>/<name:repo>/<name:model>/invocations")
    def invocations(owner: str, repo: str, model: str) -> flask.Response:
        # Only JSON, and said so: a form on a foreign site cannot send that, so it cannot feed the prediction log.
        if flask.request.mimetype != "application/json":
            return _sorry(415, "Send JSON, with the header Content-Type: application/json.")
        try:
            body = flask.request.get_data(cache=False)
        except RequestEntityTooLarge:
            return _sorry(413, f"The body is larger than {MOST:,} bytes.")
        if not body:
            return _sorry(400, "The body is empty.")
        answer = views.score(f"{owner}/{repo}", model, body)
        response = flask.Response(answer.body, answer.status, mimetype="application/json")
        if answer.version:
            response.headers["X-Lifecycle-Version"] = answer.version
            response.headers["X-Lifecycle-Request"] = answer.request
        return response


def add_labels(app: flask.Flask, views: Views) -> None:
    """Register the addresses where true answers are sent that arrive late."""

    @app.post("/models/<name:owner>/<name:repo>/<name:model>/labels")
    def labels(owner: str, repo: str, model: str) -> flask.Response:
        if flask.request.mimetype != "application/json":
            return _sorry(415, "Send JSON, with the header Content-Type: application/json.")
        try:
            kept = views.label(f"{owner}/{repo}", model, flask.request.get_data(cache=False))
        except RequestEntityTooLarge:
            return _sorry(413, f"The body is larger than {MOST:,} bytes.")
        except LookupError as problem:
            return _sorry(404, str(problem.args[0]))
        except ValueError as problem:
            return _sorry(400, str(problem))
        return flask.jsonify(kept=kept)


def _sorry(status: int, sentence: str) -> flask.Response:
    response = flask.jsonify(error=sentence)
    response.status_code = status
    return response
