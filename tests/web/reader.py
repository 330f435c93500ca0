"""Reads a page as a person does (its words and links) and as a browser does (its tags)."""

from html.parser import HTMLParser

from flask.testing import FlaskClient


class Text(HTMLParser):
    """The words of a page, and every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def links(self) -> list[str]:
        return [attrs["href"] or "" for tag, attrs in self.tags if tag == "a" and "href" in attrs]


def read(client: FlaskClient, path: str, status: int = 200) -> Text:
    answer = client.get(path)
    assert answer.status_code == status, answer.text[:500]
    return Text(answer.text)
