"""REST: accounts, organisations, teams, the rate limit."""

from flask import Response, jsonify

from bot.playground.github import shapes
from bot.playground.github.gate import allowance, api, asker, counted, gone, is_app, listed, who, world
from bot.playground.github.problems import Problem, not_found
from bot.playground.github.records import Kind, Repo
from bot.playground.github.shapes import Json


@api.get("/user")
def me() -> Json:
    if is_app():
        raise Problem(403, "Resource not accessible by integration")
    return shapes.public_user(who())


@api.get("/users/<login>")
def user(login: str) -> Json:
    return shapes.public_user(world().user_of(login))


@api.get("/rate_limit")
def rate_limit() -> Json:
    limit, used, reset = allowance(world(), asker())
    core = {"limit": limit, "used": used, "remaining": max(0, limit - used), "reset": reset}
    return {"resources": {"core": core, "search": {**core}, "graphql": {**core}}, "rate": core}


@api.get("/meta")
def meta() -> Json:
    return {"verifiable_password_authentication": False, "installed_version": "3.19.0"}


def _visible(repo: Repo) -> bool:
    token = asker().token
    if token and token.installation:
        return token.installation.covers(repo) and (token.repos is None or repo in token.repos)
    return world().may(asker().user, repo, "read")


@api.get("/user/repos")
def my_repos() -> Response:
    me = who()
    mine = [repo for repo in world().repos.values() if world().level(me, repo) not in ("none", "read")]
    return listed(mine, lambda repo: shapes.repo(repo, world().level(me, repo)))


@api.get("/orgs/<login>/repos", endpoint="org_repos")
@api.get("/users/<login>/repos", endpoint="user_repos")
def repos(login: str) -> Response:
    owner = world().user_of(login)
    theirs = [repo for repo in world().repos.values() if repo.owner is owner and _visible(repo)]
    return listed(theirs, lambda repo: shapes.repo(repo, world().level(asker().user, repo)))


@api.get("/installation/repositories")
def installation_repos() -> Response:
    if not is_app():
        raise Problem(403, "You must authenticate with an installation access token in order to list repositories.")
    return counted([repo for repo in world().repos.values() if _visible(repo)], "repositories", shapes.repo)


@api.get("/orgs/<org>/members/<login>")
def member(org: str, login: str) -> Response:
    """204 for a member, 404 for anybody else."""
    home, person = world().user_of(org), world().user_of(login)
    if home.kind is Kind.ORGANIZATION and person.kind is Kind.USER and person.permission != "none":
        return gone()
    raise Problem(404, "User does not exist or is not a member of the organization")


@api.get("/orgs/<org>/teams/<slug>/memberships/<login>")
def team_membership(org: str, slug: str, login: str) -> Response:
    token = asker().token
    if token and token.installation and "members" not in token.permissions:
        raise Problem(403, "Resource not accessible by integration")
    who()
    if login.lower() not in world().teams.get((org.lower(), slug.lower()), set()):
        raise not_found()
    url = f"{world().site.api}/orgs/{org}/teams/{slug}/memberships/{login}"
    return jsonify({"url": url, "role": "member", "state": "active"})
