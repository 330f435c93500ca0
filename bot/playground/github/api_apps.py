"""REST: Apps, installations, their tokens, and the deliveries of webhooks."""

from flask import Response, jsonify, request

from bot.playground.github import shapes, shapes_apps
from bot.playground.github.gate import api, asker, fields, gone, link, listed, made, number, open_repo, world
from bot.playground.github.grants import App, Hook, Installation
from bot.playground.github.problems import Problem, invalid, not_found
from bot.playground.github.records import Repo, User
from bot.playground.github.shapes import Json, iso


def _app() -> App:
    app = asker().app
    if app is None:
        raise Problem(401, "A JSON web token could not be decoded")
    return app


@api.get("/app")
def app() -> Json:
    return {**shapes_apps.app(_app()), "installations_count": len(_app().installations)}


@api.get("/apps/<slug>")
def app_by_slug(slug: str) -> Json:
    found = next((one for one in world().apps.values() if one.slug == slug), None)
    if found is None:
        raise not_found()
    return shapes_apps.app(found)


@api.get("/app/installations")
def installations() -> Response:
    return listed(_app().installations, shapes_apps.installation)


@api.get("/app/installations/<int:which>")
def installation(which: int) -> Json:
    return shapes_apps.installation(world().installation_of(_app(), which))


@api.post("/app/installations/<int:which>/access_tokens")
def access_token(which: int) -> tuple[Response, int]:
    home, wanted = world().installation_of(_app(), which), fields()
    token = world().installation_token(home, wanted.get("permissions"), _chosen(home, wanted))
    expires = iso(token.expires_at) if token.expires_at else None
    shape: Json = {"token": token.secret, "expires_at": expires, "permissions": dict(token.permissions)}
    shape["repository_selection"] = "all" if home.repos is None and token.repos is None else "selected"
    if token.repos is not None:
        shape["repositories"] = [shapes.repo(repo) for repo in token.repos]
    return made(shape)


def _chosen(home: Installation, wanted: Json) -> list[Repo] | None:
    names, ids = wanted.get("repositories"), wanted.get("repository_ids")
    if names is None and ids is None:
        return None
    covered = [repo for repo in world().repos.values() if home.covers(repo)]
    found = [repo for repo in covered if repo.name in (names or ()) or repo.id in (ids or ())]
    if len(found) < len(names or ()) + len(ids or ()):
        raise Problem(422, "There is at least one repository that does not exist or is not accessible.")
    return found


def _installed(app: App, account: User, repo: Repo | None = None) -> Json:
    for one in app.installations:
        if one.account is account and (repo is None or one.covers(repo)):
            return shapes_apps.installation(one)
    raise not_found()


@api.get("/repos/<owner>/<name>/installation")
def repo_installation(owner: str, name: str) -> Json:
    repo = world().repo_of(f"{owner}/{name}")
    return _installed(_app(), repo.owner, repo)


@api.get("/orgs/<login>/installation", endpoint="org_installation")
@api.get("/users/<login>/installation", endpoint="user_installation")
def account_installation(login: str) -> Json:
    return _installed(_app(), world().user_of(login))


def _app_hook() -> Hook:
    hook = _app().hook
    if hook is None:
        raise not_found()
    return hook


@api.get("/app/hook/config")
def hook_config() -> Json:
    hook = _app_hook()
    config = {"content_type": hook.content_type, "insecure_ssl": "0", "url": hook.url}
    return {**config, "secret": "********"} if hook.secret else config


@api.patch("/app/hook/config")
def change_hook_config() -> Json:
    hook, wanted = _app_hook(), fields()
    hook.url, hook.secret = str(wanted.get("url", hook.url)), str(wanted.get("secret", hook.secret))
    return hook_config()


def _deliveries(hook: Hook) -> Response:
    """Newest first; the next page is behind a cursor, as on GitHub. `status` is success (200 to 399) or failure."""
    size, cursor = number("per_page", 30, 100), request.args.get("cursor", "")
    found = list(reversed(hook.deliveries))
    ranges = {"success": range(200, 400), "failure": range(400, 600)}
    if (wanted := ranges.get(request.args.get("status", ""))) is not None:
        found = [one for one in found if one.status_code in wanted]
    if cursor:
        found = [one for one in found if cursor.isdigit() and one.id <= int(cursor)]
    response = jsonify([shapes_apps.delivery(one) for one in found[:size]])
    if len(found) > size:
        response.headers.update(link({"next": {"cursor": str(found[size].id)}}))
    return response


def _redeliver(hook: Hook, which: int) -> tuple[Json, int]:
    world().redeliver(world().delivery(hook, which))
    return {}, 202


@api.get("/app/hook/deliveries")
def app_deliveries() -> Response:
    return _deliveries(_app_hook())


@api.get("/app/hook/deliveries/<int:which>")
def app_delivery(which: int) -> Json:
    return shapes_apps.full_delivery(world().delivery(_app_hook(), which))


@api.post("/app/hook/deliveries/<int:which>/attempts")
def redeliver_to_app(which: int) -> tuple[Json, int]:
    return _redeliver(_app_hook(), which)


def _hooks(owner: str, name: str, access: str = "read") -> Repo:
    """A repository's hooks belong to its administrators, and to tokens that were made for them."""
    repo = open_repo(owner, name, "repository_hooks", access)
    token = asker().token
    if token is None or (token.installation is None and not world().may(token.user, repo, "admin")):
        raise not_found()
    if token.installation is None and not {"admin:repo_hook", "write:repo_hook", "repo"} & set(token.scopes):
        raise not_found()
    return repo


def _hook(repo: Repo, which: int) -> Hook:
    found = next((one for one in repo.hooks if one.id == which), None)
    if found is None:
        raise not_found()
    return found


@api.get("/repos/<owner>/<name>/hooks")
def hooks(owner: str, name: str) -> Response:
    repo = _hooks(owner, name)
    return listed(repo.hooks, lambda hook: shapes_apps.hook(hook, repo))


@api.post("/repos/<owner>/<name>/hooks")
def add_hook(owner: str, name: str) -> tuple[Response, int]:
    repo, wanted = _hooks(owner, name, "write"), fields()
    config = wanted.get("config") or {}
    if not str(config.get("url", "")).startswith(("http://", "https://")):
        raise invalid("Hook", "url")
    events, kind = wanted.get("events") or ["push"], str(config.get("content_type", "form"))
    hook = world().add_webhook(repo, config["url"], str(config.get("secret") or ""), events, kind)
    hook.active = bool(wanted.get("active", True))
    return made(shapes_apps.hook(hook, repo))


@api.get("/repos/<owner>/<name>/hooks/<int:which>")
def hook(owner: str, name: str, which: int) -> Json:
    repo = _hooks(owner, name)
    return shapes_apps.hook(_hook(repo, which), repo)


@api.patch("/repos/<owner>/<name>/hooks/<int:which>")
def change_hook(owner: str, name: str, which: int) -> Json:
    repo, wanted = _hooks(owner, name, "write"), fields()
    it, config = _hook(repo, which), wanted.get("config") or {}
    it.url, it.secret = str(config.get("url", it.url)), str(config.get("secret", it.secret))
    it.events, it.active = tuple(wanted.get("events", it.events)), bool(wanted.get("active", it.active))
    it.content_type = str(config.get("content_type", it.content_type))
    it.updated_at = world().now()
    return shapes_apps.hook(it, repo)


@api.delete("/repos/<owner>/<name>/hooks/<int:which>")
def delete_hook(owner: str, name: str, which: int) -> Response:
    repo = _hooks(owner, name, "write")
    repo.hooks.remove(_hook(repo, which))
    return gone()


@api.post("/repos/<owner>/<name>/hooks/<int:which>/pings")
def ping_hook(owner: str, name: str, which: int) -> Response:
    repo = _hooks(owner, name)
    world().ping(_hook(repo, which), repo)
    return gone()


@api.get("/repos/<owner>/<name>/hooks/<int:which>/deliveries")
def hook_deliveries(owner: str, name: str, which: int) -> Response:
    return _deliveries(_hook(_hooks(owner, name), which))


@api.get("/repos/<owner>/<name>/hooks/<int:which>/deliveries/<int:one>")
def hook_delivery(owner: str, name: str, which: int, one: int) -> Json:
    return shapes_apps.full_delivery(world().delivery(_hook(_hooks(owner, name), which), one))


@api.post("/repos/<owner>/<name>/hooks/<int:which>/deliveries/<int:one>/attempts")
def redeliver_to_hook(owner: str, name: str, which: int, one: int) -> tuple[Json, int]:
    return _redeliver(_hook(_hooks(owner, name), which), one)
