"""What people look at: the blueprint of the pages, who is typing, and the pages about people, Apps and deliveries."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, redirect, render_template, request
from markupsafe import Markup
from werkzeug.wrappers.response import Response as AnyResponse

from bot.playground.github.gate import world
from bot.playground.github.grants import App, CheckRun
from bot.playground.github.markup import markdown
from bot.playground.github.problems import Problem, not_found
from bot.playground.github.records import Kind, Label, Repo, User

pages = Blueprint("github_pages", __name__)
COOKIE = "playground_as"
LOCAL = {"127.0.0.1", "localhost", "[::1]"}
POLICY = (
    "default-src 'none'; style-src 'self'; style-src-attr 'unsafe-inline'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' http: https:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HUES = (212, 262, 152, 28, 340, 190, 48, 300)


@pages.before_request
def _same_origin() -> None:
    """Take forms from these pages alone: no other site may type here, and no name that merely points here."""
    site = urlsplit(world().site.url)
    host = request.host.rpartition(":")[0] or request.host
    if request.host != site.netloc and host not in LOCAL:
        raise Problem(403, f"This page is at {world().site.url}, not at {request.host}.")
    if request.method == "POST":
        source = request.headers.get("Origin") or request.headers.get("Referer") or ""
        if urlsplit(source).netloc != request.host:
            raise Problem(403, "This form was not sent from a page of the playground.")


@pages.after_request
def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def people() -> list[User]:
    return [user for user in world().users.values() if user.kind is Kind.USER]


def typing() -> User | None:
    """Whoever the reader last typed as."""
    names = {user.login: user for user in people()}
    return names.get(request.cookies.get(COOKIE, "")) or next(iter(names.values()), None)


def writer() -> User:
    """The person chosen in a form. Raises Problem 422 for anybody but a person."""
    user = world().user_of(request.form.get("as", ""))
    if user.kind is not Kind.USER:
        raise Problem(422, "Only people type here; Apps use the API.")
    return user


def back(address: str, user: User | None = None) -> AnyResponse:
    """Send the browser on after a form, and remember who typed."""
    response = redirect(address, 303)
    if user:
        response.set_cookie(COOKIE, user.login, samesite="Strict", httponly=True)
    return response


def show(template: str, **facts: Any) -> str:
    return render_template(template, world=world(), people=people(), typing=typing(), **facts)


def trouble(status: int, message: str) -> tuple[str, int]:
    return render_template("github_trouble.html", status=status, message=message), status


def find_repo(owner: str, name: str) -> Repo:
    return world().repo_of(f"{owner}/{name}")


def tabs(repo: Repo) -> dict[str, int]:
    """How many are open, for the tabs of a repository's pages."""
    still_open = [issue for issue in repo.issues.values() if issue.state == "open"]
    pulls = sum(issue.pull is not None for issue in still_open)
    return {"issues": len(still_open) - pulls, "pulls": pulls}


@pages.app_template_filter("gfm")
def gfm(text: str | None, repo: Repo | None = None, breaks: bool = True) -> Markup:
    # Safe: markdown() ends in the sanitiser.
    return Markup(markdown(text or "", repo.web if repo else "", breaks))  # noqa: S704


@pages.app_template_filter("when")
def when(at: datetime | None) -> Markup:
    if at is None:
        return Markup("")
    text = at.strftime("%d %b, %H:%M:%S").lstrip("0")
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(at.isoformat(), at.strftime("%c"), text)


@pages.app_template_filter("tint")
def tint(label: Label) -> str:
    return f"#{label.color}" if re.fullmatch(r"[0-9a-fA-F]{6}", label.color) else "#8b949e"


@pages.app_template_filter("check_state")
def check_state(run: CheckRun) -> str:
    return run.conclusion or run.status


@pages.app_template_filter("path")
def path(address: str) -> str:
    """An address of this site without its host, so that pages work under localhost as well."""
    return address.removeprefix(world().site.url) or "/"


@pages.app_template_filter("urlpath")
def urlpath(text: str) -> str:
    return quote(text)


@pages.get("/")
def home() -> str:
    hooks = [app for app in world().apps.values() if app.hook]
    return show("github_home.html", repos=list(world().repos.values()), apps=hooks, chaos=world().courier.chaos)


@pages.get("/<login>")
def person(login: str) -> str:
    user = world().user_of(login)
    theirs = [repo for repo in world().repos.values() if repo.owner is user]
    return show("github_person.html", user=user, repos=theirs)


@pages.get("/avatars/<int:number>.svg")
def avatar(number: int) -> Response:
    user = next((one for one in world().users.values() if one.id == number), None)
    if user is None:
        raise not_found()
    hue, corner = HUES[number % len(HUES)], 32 if user.kind is Kind.USER else 14
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="{corner}" '
        f'fill="hsl({hue} 55% 45%)"/><text x="32" y="43" font-family="sans-serif" font-size="32" text-anchor="middle" '
        f'fill="#fff">{Markup.escape(user.login[0].upper())}</text></svg>'
    )
    return Response(svg, mimetype="image/svg+xml", headers={"Cache-Control": "max-age=3600"})


def _app(slug: str) -> App:
    found = next((app for app in world().apps.values() if app.slug == slug), None)
    if found is None:
        raise not_found()
    return found


@pages.get("/apps/<slug>")
def app(slug: str) -> str:
    """An App and its deliveries, newest first."""
    found = _app(slug)
    return show("github_app.html", app=found, deliveries=found.hook.deliveries[:-51:-1] if found.hook else [])


@pages.post("/apps/<slug>/redeliver")
def redeliver(slug: str) -> AnyResponse:
    found = _app(slug)
    if found.hook is None:
        raise not_found()
    world().redeliver(world().delivery(found.hook, request.form.get("delivery", 0, type=int)))
    return back(f"/apps/{slug}")
