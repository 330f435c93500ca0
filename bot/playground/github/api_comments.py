"""REST: comments on issues and pull requests, and reactions."""

from flask import Response, jsonify, request

from bot.playground.github import shapes
from bot.playground.github.api_issues import TALK, newer, since
from bot.playground.github.gate import api, fields, gone, listed, made, may, open_repo, settled, who, world
from bot.playground.github.problems import Problem
from bot.playground.github.records import Comment, Issue, Repo
from bot.playground.github.shapes import Json
from bot.playground.github.talk import check_comment


def _body() -> str:
    body = fields().get("body")
    check_comment(body)
    return str(body)


@api.get("/repos/<owner>/<name>/issues/<int:number>/comments")
def comments(owner: str, name: str, number: int) -> Response:
    it, start = world().issue(open_repo(owner, name, TALK), number), since()
    return listed(
        [one for one in it.comments if newer(one.updated_at, start) and settled(one.created_at)], shapes.comment
    )


@api.get("/repos/<owner>/<name>/issues/comments")
def all_comments(owner: str, name: str) -> Response:
    """Of the whole repository, by id unless `sort` says otherwise; `direction` counts only with `sort`."""
    home, start, by = open_repo(owner, name, TALK), since(), request.args.get("sort")
    found = [one for it in home.issues.values() for one in it.comments if newer(one.updated_at, start)]
    found = [one for one in found if settled(one.created_at)]
    found.sort(key=lambda one: (one.updated_at if by == "updated" else one.created_at, one.id))
    if by and request.args.get("direction", "desc") != "asc":
        found.reverse()
    return listed(found, shapes.comment)


@api.post("/repos/<owner>/<name>/issues/<int:number>/comments")
def add_comment(owner: str, name: str, number: int) -> tuple[Response, int]:
    home = open_repo(owner, name, TALK, "write")
    return made(shapes.comment(world().comment(who(), home, number, _body())))


@api.get("/repos/<owner>/<name>/issues/comments/<int:number>")
def comment(owner: str, name: str, number: int) -> Json:
    return shapes.comment(world().find_comment(open_repo(owner, name, TALK), number))


def _mine(owner: str, name: str, number: int) -> Comment:
    """A comment that the asker may change: their own, or any with write permission."""
    home = open_repo(owner, name, TALK, "write")
    it = world().find_comment(home, number)
    if it.user is not who() and not may(home, "write"):
        raise Problem(403, "Must have admin rights to Repository.")
    return it


@api.patch("/repos/<owner>/<name>/issues/comments/<int:number>")
def change_comment(owner: str, name: str, number: int) -> Json:
    it = _mine(owner, name, number)
    world().edit_comment(who(), it, _body())
    return shapes.comment(it)


@api.delete("/repos/<owner>/<name>/issues/comments/<int:number>")
def delete_comment(owner: str, name: str, number: int) -> Response:
    world().delete_comment(who(), _mine(owner, name, number))
    return gone()


def _reactions(to: Issue | Comment) -> Response:
    content = request.args.get("content")
    return listed([one for one in to.reactions if content in (None, one.content)], shapes.reaction)


def _react(to: Issue | Comment) -> tuple[Response, int]:
    """201 for a new reaction, 200 for one that was there."""
    reaction, new = world().react(who(), to, str(fields().get("content")))
    return jsonify(shapes.reaction(reaction)), 201 if new else 200


def _unreact(home: Repo, to: Issue | Comment, number: int) -> Response:
    for reaction in to.reactions:
        if reaction.id == number and reaction.user is not who() and not may(home, "admin"):
            raise Problem(403, "Must have admin rights to Repository.")
    world().unreact(to, number)
    return gone()


@api.get("/repos/<owner>/<name>/issues/<int:number>/reactions")
def issue_reactions(owner: str, name: str, number: int) -> Response:
    return _reactions(world().issue(open_repo(owner, name, TALK), number))


@api.post("/repos/<owner>/<name>/issues/<int:number>/reactions")
def react_to_issue(owner: str, name: str, number: int) -> tuple[Response, int]:
    return _react(world().issue(open_repo(owner, name, TALK, "write"), number))


@api.delete("/repos/<owner>/<name>/issues/<int:number>/reactions/<int:reaction>")
def unreact_to_issue(owner: str, name: str, number: int, reaction: int) -> Response:
    home = open_repo(owner, name, TALK, "write")
    return _unreact(home, world().issue(home, number), reaction)


@api.get("/repos/<owner>/<name>/issues/comments/<int:number>/reactions")
def comment_reactions(owner: str, name: str, number: int) -> Response:
    return _reactions(world().find_comment(open_repo(owner, name, TALK), number))


@api.post("/repos/<owner>/<name>/issues/comments/<int:number>/reactions")
def react_to_comment(owner: str, name: str, number: int) -> tuple[Response, int]:
    return _react(world().find_comment(open_repo(owner, name, TALK, "write"), number))


@api.delete("/repos/<owner>/<name>/issues/comments/<int:number>/reactions/<int:reaction>")
def unreact_to_comment(owner: str, name: str, number: int, reaction: int) -> Response:
    home = open_repo(owner, name, TALK, "write")
    return _unreact(home, world().find_comment(home, number), reaction)
