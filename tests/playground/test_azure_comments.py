"""The discussion of a work item, through the real client: formats, pages, versions, deletion, revisions."""

from typing import Any

import pytest
import requests
from azure.devops.exceptions import AzureDevOpsServiceError
from azure.devops.v7_1.work_item_tracking.models import CommentCreate, CommentUpdate

from bot.playground.azure.markup import clean, render
from tests.playground.azure_fixtures import World, agile_world, auth, op  # noqa: F401 (a fixture)


@pytest.fixture
def number(world: World) -> int:
    item = world.wit().create_work_item([op("/fields/System.Title", "Talk")], "Bikes", "Task")
    return int(item.id)


def test_a_comment_is_a_revision_and_is_counted(world: World, number: int) -> None:
    wit = world.wit()
    comment = wit.add_comment(CommentCreate(text="**hello**"), "Bikes", number)
    assert (comment.work_item_id, comment.version, comment.text) == (number, 1, "**hello**")
    assert comment.created_by.unique_name == "bot@example.com"
    item = wit.get_work_item(number)
    assert (item.rev, item.fields["System.CommentCount"]) == (2, 1)
    assert item.comment_version_ref.comment_id == comment.id
    assert wit.get_updates(number)[-1].fields["System.History"].new_value == "**hello**"


def test_markdown_is_rendered_with_tables_and_html_is_cleaned(world: World, number: int) -> None:
    wit = world.wit()
    table = "| a | b |\n|---|---|\n| 1 | <script>alert(1)</script>x |"
    made = wit.add_work_item_comment(CommentCreate(text=table), "Bikes", number, "markdown")
    read = wit.get_comment("Bikes", number, made.id, expand="renderedText")
    assert read.format == "markdown"
    assert "<table>" in read.rendered_text
    assert "script" not in read.rendered_text
    assert read.text == table
    plain = wit.add_comment(CommentCreate(text="<div>/train</div>"), "Bikes", number)
    assert plain.format == "html"
    assert wit.get_comment("Bikes", number, plain.id).rendered_text is None


def test_pages_newest_first_unless_asked(world: World, number: int) -> None:
    wit = world.wit()
    for text in "abcde":
        wit.add_comment(CommentCreate(text=text), "Bikes", number)
    first = wit.get_comments("Bikes", number, top=2)
    assert ([comment.text for comment in first.comments], first.total_count, first.count) == (["e", "d"], 5, 2)
    wit.add_comment(CommentCreate(text="f"), "Bikes", number)
    second = wit.get_comments("Bikes", number, top=2, continuation_token=first.continuation_token)
    assert [comment.text for comment in second.comments] == ["c", "b"]
    last = wit.get_comments("Bikes", number, top=2, continuation_token=second.continuation_token)
    assert ([comment.text for comment in last.comments], last.continuation_token) == (["a"], None)
    assert [comment.text for comment in wit.get_comments("Bikes", number, order="asc").comments] == list("abcdef")


def test_an_edit_is_a_version_and_no_revision(world: World, number: int) -> None:
    wit = world.wit()
    comment = wit.add_comment(CommentCreate(text="first"), "Bikes", number)
    edited = wit.update_comment(CommentUpdate(text="second"), "Bikes", number, comment.id)
    assert (edited.text, edited.version, wit.get_work_item(number).rev) == ("second", 2, 2)
    versions = wit.get_comment_versions("Bikes", number, comment.id)
    assert [version.text for version in versions] == ["first", "second"]


def test_a_deleted_comment_is_gone_and_no_longer_counted(world: World, number: int) -> None:
    wit = world.wit()
    comment = wit.add_comment(CommentCreate(text="oops"), "Bikes", number)
    wit.delete_comment("Bikes", number, comment.id)
    with pytest.raises(AzureDevOpsServiceError, match="does not exist"):
        wit.get_comment("Bikes", number, comment.id)
    assert wit.get_work_item(number).fields["System.CommentCount"] == 0
    kept = wit.get_comments("Bikes", number, include_deleted=True).comments
    assert [(one.text, one.is_deleted) for one in kept] == [("oops", True)]


def test_a_comment_can_come_with_a_change(world: World, number: int) -> None:
    said = {"format": "Markdown", "text": "moving *on*"}
    wit = world.wit()
    item = wit.update_work_item([op("/fields/System.State", "Active"), op("/fields/System.History", said)], number)
    assert (item.rev, item.fields["System.CommentCount"]) == (2, 1)
    assert "System.History" not in item.fields
    comment = wit.get_comments("Bikes", number).comments[0]
    assert (comment.text, comment.format) == ("moving *on*", "markdown")


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "  "}, [], "x"])
def test_an_empty_comment_is_refused(world: World, number: int, body: Any) -> None:
    url = f"{world.url}/Bikes/_apis/wit/workItems/{number}/comments?api-version=7.1-preview.4"
    answer = requests.post(url, json=body, headers=auth(world.token), timeout=5)
    assert (answer.status_code, "message" in answer.json()) == (400, True)
    assert world.wit().get_work_item(number).rev == 1


@pytest.mark.parametrize(
    ("dirty", "good"),
    [
        ("<b onclick=x()>a</b>", "<b>a</b>"),
        ("<script>x()</script>y", "y"),
        ("<a href='java\tscript:x()'>a</a>", '<a rel="nofollow noopener noreferrer">a</a>'),
        ("<a href='https://e.com/?a=1&b=2'>a</a>", None),
        ("<img src=x onerror=y()>", '<img src="x">'),
        ("<div><b>open", "<div><b>open</b></div>"),
        ("</div><p>x</p></p>", "<p>x</p>"),
        ("<svg><a href=x>q</a></svg>1 < 2 & 3", "1 &lt; 2 &amp; 3"),
        ("<!-- x --><?php x ?><![CDATA[x]]>t", "t"),
        ('<td style="text-align:right">1</td>', '<td style="text-align:right">1</td>'),
        ('<td style="background:url(//e)">1</td>', "<td>1</td>"),
        ("<iframe src=https://e.com></iframe>z", "z"),
    ],
)
def test_the_allow_list(dirty: str, good: str | None) -> None:
    if good is None:
        good = '<a href="https://e.com/?a=1&amp;b=2" rel="nofollow noopener noreferrer">a</a>'
    assert clean(dirty) == good
    assert clean(clean(dirty)) == good


def test_html_inside_markdown_goes_through_it_too() -> None:
    assert "onload" not in render('hello <svg onload="x()"> *you*', "markdown")
    assert "<em>you</em>" in render("<!-- marker -->\n\nhello *you*", "markdown")
    assert "marker" not in render("<!-- marker -->\n\nhello *you*", "markdown")
