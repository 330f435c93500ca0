"""Our hidden markers in comments and issue texts, and how a long text is cut to what GitHub takes (pure)."""

import re

LIMIT = 65_536  # GitHub counts characters in some places and bytes in others; counting bytes satisfies both
CUT = "*The rest is left out: it is longer than GitHub takes.*"
END = "<!-- lifecycle-bot end -->"
LINKS = "<!-- lifecycle-bot links -->"
LINKS_END = "<!-- lifecycle-bot end links -->"
RAW = re.compile(r"^ {0,3}</?(details|summary)\b", re.IGNORECASE)  # HTML up to a blank line: no fence begins in it
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")


def comment(marker: str, text: str) -> str:
    """A comment's body: the marker first, so that neither a cut nor an unclosed code block can swallow it."""
    head = _hidden("", marker) + "\n"
    return head + fit(disarm(text), LIMIT - len(head.encode()))


def carries(body: str | None, marker: str) -> bool:
    """Whether a comment of ours carries `marker`: on its first line, where no quoted text can be."""
    return (body or "").startswith(_hidden("", marker))


def block(marker: str, text: str) -> str:
    """The part of an issue's text that is ours."""
    begin = _hidden("begin ", marker)
    return f"{begin}\n{fit(disarm(text), LIMIT - 8_192)}\n{END}"  # the rest is for what people and links add


def holds(body: str | None, marker: str) -> bool:
    """Whether an issue's text holds our block of that marker."""
    return _hidden("begin ", marker) in (body or "")


def with_block(body: str, text: str) -> str:
    """`body` with the text of our block replaced; appended under a fresh block where people took ours away."""
    start = body.find("<!-- lifecycle-bot begin ")
    stop = body.find(END, start)
    if start < 0 or stop < 0:
        return f"{body.rstrip()}\n\n{block('restored', text)}".lstrip()
    before, after = body[: body.index("-->", start) + 3], body[stop:]
    room = LIMIT - len(f"{before}\n\n{after}".encode())  # what people wrote is never cut, our text is
    return f"{before}\n{fit(disarm(text), max(room, 1_000))}\n{after}"


def with_link(body: str, url: str, title: str) -> str:
    """`body` with the link in our list of links, at most once; unchanged where it is there."""
    start, stop = body.find(LINKS), body.find(LINKS_END)
    line = f"- [{_plain(title)}]({_address(url)})"
    if start < 0 or stop < start:
        return f"{body.rstrip()}\n\n{LINKS}\n**Linked**\n\n{line}\n{LINKS_END}"
    if f"]({_address(url)})" in body[start:stop]:
        return body
    return f"{body[:stop].rstrip()}\n{line}\n{body[stop:]}"


def same(one: str | None, other: str) -> bool:
    """Whether two texts read the same; GitHub may trim ends and browsers send CRLF."""
    return (one or "").replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def fit(text: str, limit: int) -> str:
    """`text` if it has at most `limit` bytes of UTF-8, else its first whole lines with what they left open closed."""
    if len(text.encode()) <= limit:
        return text
    kept = text.encode()[: limit - 400].decode(errors="ignore")
    kept = kept[: kept.rfind("\n")] if "\n" in kept else kept
    details = "\n</details>" * min(10, max(0, kept.count("<details") - kept.count("</details>")))
    return f"{kept}{_closing(kept)}{details}\n\n{CUT}"


def disarm(text: str) -> str:
    """Text from elsewhere cannot pass for a marker of ours."""
    return text.replace("<!-- lifecycle-bot", "&lt;!-- lifecycle-bot")


def _hidden(word: str, marker: str) -> str:
    return f"<!-- lifecycle-bot {word}{marker.replace('%', '%25').replace('--', '-%2D').replace('>', '%3E')} -->"


def _closing(text: str) -> str:
    """What closes the code block that `text` ends in."""
    fence, raw = "", False
    for line in text.splitlines():
        raw = bool(line.strip()) and (raw or (not fence and RAW.match(line) is not None))
        match = None if raw else FENCE.match(line)
        if match is None:
            continue
        if not fence:
            fence = match[1]
        elif match[1].startswith(fence) and not match[2].strip():
            fence = ""
    return f"\n{fence[:100]}" if fence else ""


def _plain(title: str) -> str:
    words = " ".join(title.split())
    return re.sub(r"([\\\[\]`*_<>|])", r"\\\1", words).replace("@", "@\N{ZERO WIDTH SPACE}")


def _address(url: str) -> str:
    return url.translate({ord(" "): "%20", ord("("): "%28", ord(")"): "%29", ord("<"): "%3C", ord(">"): "%3E"})
