"""GitHub-flavoured Markdown as safe HTML: tables, task lists, alerts, mentions, issue and commit links."""

import re
from functools import lru_cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from bot.playground.github.sanitise import sanitise

EMOJI = {
    "white_check_mark": "✅", "x": "❌", "warning": "⚠️", "rocket": "🚀", "eyes": "👀", "hourglass": "⌛", "tada": "🎉",
    "hourglass_flowing_sand": "⏳", "chart_with_upwards_trend": "📈", "chart_with_downwards_trend": "📉", "bug": "🐛",
    "heavy_check_mark": "✔️", "red_circle": "🔴", "green_circle": "🟢", "yellow_circle": "🟡", "question": "❓",
    "information_source": "ℹ️", "bulb": "💡", "lock": "🔒", "robot": "🤖", "+1": "👍", "-1": "👎", "heart": "❤️",
    "laughing": "😄", "confused": "😕", "package": "📦", "no_entry": "⛔", "arrow_up": "⬆️", "arrow_down": "⬇️",
}  # fmt: skip
LINKS = re.compile(
    r"(?P<url>https?://[^\s<>\"']*[^\s<>\"'.,:;!?)\]*_~])"
    r"|(?<![\w/])(?P<other>[\w.-]+/[\w.-]+)?#(?P<number>\d{1,9})\b"
    r"|(?<![\w/@])@(?P<login>[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38})\b"
    r"|\b(?P<sha>[0-9a-f]{40})\b"
    r"|:(?P<emoji>[a-z0-9_+-]+):"
)
TASK = re.compile(r"\[([ xX])\]\s+")
ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*$")


@lru_cache(maxsize=2_048)
def markdown(text: str, repo: str = "", breaks: bool = True) -> str:
    """Markdown from anybody as safe HTML. `repo` is the web address that #12 and commits link into; `breaks`: line
    ends count, as in comments and unlike files."""
    parser = _parser(breaks)
    return sanitise(parser.render(text, {"repo": repo}))


@lru_cache(maxsize=2)
def _parser(breaks: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "breaks": breaks, "maxNesting": 50})
    parser.enable(["table", "strikethrough"])
    parser.core.ruler.push("github", _github)
    parser.add_render_rule("fence", _fence)
    return parser


def _fence(_self: object, tokens: list[Token], index: int, _options: object, _env: dict[str, str]) -> str:
    token = tokens[index]
    words = token.info.split()
    language = re.sub(r"[^\w+-]", "", words[0]) if words else ""
    code = f'<pre><code class="language-{language or "text"}">{escape(token.content)}</code></pre>\n'
    if language == "mermaid":
        return f'<figure class="mermaid"><figcaption>diagram (mermaid)</figcaption>{code}</figure>\n'
    return code


def _github(state: StateCore) -> None:
    for index, token in enumerate(state.tokens):
        if token.type != "inline" or not token.children:
            continue
        if index >= 2 and state.tokens[index - 2].type == "list_item_open":
            _task(state.tokens[index - 2], token.children)
        if index >= 2 and state.tokens[index - 2].type == "blockquote_open":
            _alert(state.tokens[index - 2], token.children)
        token.children = _linked(token.children, state.env.get("repo", ""))


def _raw(html: str) -> Token:
    token = Token("html_inline", "", 0)
    token.content = html
    return token


def _task(item: Token, children: list[Token]) -> None:
    if children[0].type == "text" and (found := TASK.match(children[0].content)):
        item.attrSet("class", "task")
        children[0].content = children[0].content[found.end() :]
        children.insert(0, _raw(f'<input type="checkbox"{" checked" if found[1] != " " else ""}> '))


def _alert(quote: Token, children: list[Token]) -> None:
    if children[0].type == "text" and (found := ALERT.match(children[0].content)):
        quote.attrSet("class", f"alert alert-{found[1].lower()}")
        children[0] = _raw(f"<strong>{found[1].capitalize()}</strong>")


def _linked(children: list[Token], repo: str) -> list[Token]:
    """Turn addresses, #12, @name, commits and :emoji: in plain text into what GitHub makes of them."""
    done: list[Token] = []
    depth = 0
    for token in children:
        if token.type in ("link_open", "link_close"):
            depth += 1 if token.type == "link_open" else -1
        if token.type == "text" and LINKS.search(token.content):
            done.append(_raw(_link_text(token.content, repo, linking=depth == 0)))
        else:
            done.append(token)
    return done


def _link_text(text: str, repo: str, linking: bool) -> str:
    parts, at = [], 0
    for found in LINKS.finditer(text):
        parts.append(escape(text[at : found.start()]))
        parts.append(_link(found, repo) if linking or found["emoji"] else escape(found[0]))
        at = found.end()
    return "".join(parts) + escape(text[at:])


def _link(found: re.Match[str], repo: str) -> str:
    text = escape(found[0])
    if found["emoji"]:
        return EMOJI.get(found["emoji"], text)
    if found["url"]:
        return f'<a href="{text}">{text}</a>'
    site, _, _ = repo.rpartition("/")
    site = site.rpartition("/")[0]
    if found["login"]:
        return f'<a class="mention" href="{site}/{escape(found["login"])}">{text}</a>'
    if not repo:
        return text
    if found["sha"]:
        return f'<a href="{repo}/commit/{found["sha"]}"><code>{found["sha"][:7]}</code></a>'
    home = f"{site}/{escape(found['other'])}" if found["other"] else repo
    return f'<a href="{home}/issues/{found["number"]}">{text}</a>'
