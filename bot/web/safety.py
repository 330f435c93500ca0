"""What every answer carries and how refusals look: security headers, error pages, errors as JSON for programs."""

import secrets
from http import HTTPStatus

import flask
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

# Scripts and styles from our own files only: text from outside that slips through escaping still cannot run.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
WORDS = {
    403: "This address is not one that we gave out.",
    404: "There is nothing at this address. It may have been typed wrongly, or what it named was never here.",
    405: "This address exists, but it does not answer to that method.",
    500: "That is our mistake, not yours. It is in the log of the web process, under the number below.",
}


def add_safety(app: flask.Flask) -> None:
    """Give the app its headers and its error pages."""
    app.after_request(_guard)
    app.register_error_handler(HTTPException, _refuse)
    app.register_error_handler(Exception, _admit)


def _guard(response: flask.Response) -> flask.Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if not flask.request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-cache")
    return response


def _refuse(error: HTTPException) -> flask.typing.ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error.get_response()  # a redirect is no refusal
    return _answer(error.code, WORDS.get(error.code) or error.description or "", error.get_headers())


def _admit(error: Exception) -> flask.typing.ResponseReturnValue:
    number = secrets.token_hex(4)
    flask.current_app.logger.error("page failed, number %s", number, exc_info=error)
    return _answer(500, WORDS[500], [], number)


def _answer(status: int, words: str, headers: object, number: str = "") -> Response:
    title = HTTPStatus(status).phrase
    kept = [(name, value) for name, value in headers if name == "Allow"]  # type: ignore[attr-defined]
    if wants_json():
        facts = {"error": words, **({"number": number} if number else {})}
        response = flask.jsonify(facts)
    else:
        page = flask.render_template("error.html", status=status, title=title, words=words, number=number)
        response = flask.make_response(page)
    response.status_code = status
    response.headers.extend(kept)
    return response


def wants_json() -> bool:
    """Whether a program asks: by the address, or because it says that it prefers JSON."""
    path = flask.request.path
    if path.endswith((".json", "/invocations", "/log", "/healthz")):
        return True
    accepts = flask.request.accept_mimetypes
    return accepts.best_match(["text/html", "application/json"]) == "application/json"
