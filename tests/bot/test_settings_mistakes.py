"""app.yaml as people get it wrong: every mistake at once, with its line, and never a secret in any of it."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.ports import Permission
from bot.settings import Mistakes, read_settings
from tests.bot.app_yaml import AZURE, ENVIRON, LEAST, Read, Wrong, failing, reading  # noqa: F401 (fixtures)

ADDRESS = "expected an address that begins with http:// or https:// and has no ? or #"
ALL_WRONG = """\
public_url: bot.example.org
listen: 8000
state: ~/state
database: mysql://h/db
github:
  url: https://me:hunter2@github.example.org
  tokn: hunter2
  webhook_secret: hunter2
  app: {id: no, private_key: "${env:GITHUB_TOKEN}"}
  token: ${env:NOT_THERE}
azure_devops:
  url: https://dev.azure.com/Fabrikam?x=1
  token: ${file:nowhere}
  webhook: {username: u}
projects:
  - repository: bikes
  - repository: octo/bikes
    retrain_items: [boards, slack]
  - repository: Octo/Bikes
    board: Bikes
permissions: {train: everybody, Promote: read}
two_people: perhaps
sandbox: yes
limits: {jobs_at_once: 0, memory_mb: lots}
sweep: 5
"""
ALL_TOLD = [
    f"1: public_url: {ADDRESS}",
    "2: listen: expected text; put quotes around it",
    "3: state: expected a folder, from the root or from where this file is; `~` is not understood",
    '4: database: expected postgresql://USER@HOST/NAME, or "" for SQLite in the state folder',
    "5: github: expected either token or app",
    "6: github.url: expected an address without user and password; they have their own keys",
    "7: github.tokn is not a key that belongs here; did you mean `token`?",
    "8: github.webhook_secret: a secret does not belong into this file: keep it elsewhere and write ${env:NAME} "
    "or ${file:PATH}",
    "9: github.app.id: expected a whole number",
    "9: github.app.private_key: expected the private key that GitHub made for the App, a PEM file",
    "10: github.token: the environment variable NOT_THERE is not set",
    f"12: azure_devops.url: {ADDRESS}",
    "13: azure_devops.token: the file nowhere cannot be read: No such file or directory",
    "14: azure_devops.webhook: username needs password beside it",
    "16: projects.0.repository: expected OWNER/NAME such as octo/bikes",
    "18: projects: retrain_items names boards, but this project has no board",
    "18: projects.1.retrain_items.1: expected 'boards' or 'github'",
    "19: projects: this repository stands here twice",
    "20: projects.2.board: expected a mapping, `key: value` lines",
    "21: permissions.train: expected read, write, maintain, admin",
    "21: permissions.Promote: expected a command's name such as train, without the slash",
    "22: two_people: expected yes or no",
    "23: sandbox: expected 'auto', 'require' or 'off'",
    "24: limits.jobs_at_once: expected at least 1",
    "24: limits.memory_mb: expected a whole number",
    "25: sweep: expected a length of time such as 30s, 5m, 2h or 1d",
]


def test_all_mistakes_are_told_at_once(wrong: Wrong) -> None:
    assert wrong(ALL_WRONG) == ALL_TOLD


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("listen: 127.0.0.1", "8: listen: expected HOST:PORT such as"),
        ("listen: 127.0.0.1:99999", "8: listen: expected HOST:PORT such as"),
        ("listen: '::1:80'", "8: listen: expected HOST:PORT such as"),
        ("database: postgresql://u:hunter2@h/db", "8: database: a secret does not belong into this file"),
        ("database: postgresql://h/db?password=hunter2", "8: database: a secret does not belong into this file"),
        ("database: postgresql://u:hunter2${env:DATABASE_PASSWORD}@h/db", "8: database: a secret does not belong"),
        ("database: postgresql://h", "8: database: expected an address that names a database"),
        ("database: postgresql://[h/db", "8: database: a secret does not belong into this file"),
        ("database: ${env:MYSQL}", "8: database: expected postgresql://"),
        ("database: ${env:NOT_THERE}", "8: database: the environment variable NOT_THERE is not set"),
        ("database: [1]", "8: database: expected postgresql://"),
        ("public_urll: x", "8: public_urll is not a key that belongs here; did you mean `public_url`?"),
        ("state: x", "8: the key state stands twice"),
        ("sweep: 0m", "8: sweep: expected a length of time"),
        ("permissions: {train: none}", "8: permissions.train: expected read, write, maintain, admin"),
        ("sandbox: hunter2", "8: sandbox: expected 'auto', 'require' or 'off'"),
        ("azure_devops:", ""),
    ],
)
def test_each_mistake_has_a_sentence(line: str, told: str, read: Read, wrong: Wrong) -> None:
    if told:
        assert wrong(f"{LEAST}{line}\n")[0].startswith(told)
    else:
        assert read(f"{LEAST}{line}\n").azure_devops is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("${env:GITHUB_TOKEN}", "hunter2", "4: github.token: a secret does not belong into this file"),
        ("${env:GITHUB_TOKEN}", "x${env:GITHUB_TOKEN}", "4: github.token: a secret does not belong into this file"),
        ("${env:GITHUB_TOKEN}", "${env:hunter2}", "4: github.token: expected ${env:NAME} with the name of an environ"),
        ("${env:GITHUB_TOKEN}", "${env:EMPTY}", "4: github.token: the environment variable EMPTY is empty"),
        ("${env:GITHUB_TOKEN}", "${env:LINES}", "4: github.token: the environment variable LINES holds a line break"),
        ("${env:GITHUB_TOKEN}", "${file:.}", "4: github.token: the file . cannot be read: Is a directory"),
        ("${env:GITHUB_TOKEN}", "[hunter2]", "4: github.token: expected ${env:NAME} or ${file:PATH}"),
        ("${env:GITHUB_TOKEN}", "12345", "4: github.token: expected ${env:NAME} or ${file:PATH}"),
        ("  token: ${env:GITHUB_TOKEN}\n", "", "3: github: expected either token or app"),
        ("  webhook_secret: ${env:GITHUB_WEBHOOK_SECRET}\n", "", "3: github.webhook_secret is missing"),
        ("${env:GITHUB_WEBHOOK_SECRET}", "[]", "5: github.webhook_secret: expected 1 or more entries"),
        ("${env:GITHUB_WEBHOOK_SECRET}", "", "5: github.webhook_secret: expected ${env:NAME} or ${file:PATH}"),
        ("  - repository: octo/bikes\n", "  []\n", "6: projects: expected 1 or more entries"),
        ("octo/bikes", "{hunter2: 1}", "7: projects.0.repository: expected text"),
        (
            "octo/bikes\n",
            "octo/bikes\n    board: {project: B}\n",
            "8: projects: a board needs the section azure_devops",
        ),
        ("github:\n", "gitub:\n", "1: expected github or azure_devops, or both"),
        ("public_url: https", "public_url: ftp", "1: public_url: expected an address"),
        ("https://bot.example.org", "https://bot.example.org:port", "1: public_url: expected an address"),
        ("https://bot.example.org", "https://[bot", "1: public_url: expected an address"),
    ],
)
def test_each_change_of_the_least_file_has_a_sentence(old: str, new: str, told: str, wrong: Wrong) -> None:
    assert old in LEAST
    assert wrong(LEAST.replace(old, new))[0].startswith(told)


@pytest.mark.parametrize(
    ("webhook", "told"),
    [
        ("{}", "azure_devops.webhook: expected username and password, or header and secret"),
        ("{header: X-A}", "azure_devops.webhook: header needs secret beside it"),
        ('{secret: "${env:GITHUB_TOKEN}"}', "azure_devops.webhook: secret needs header beside it"),
        ('{header: "X A", secret: "${env:GITHUB_TOKEN}"}', "azure_devops.webhook.header: expected a header's name"),
    ],
)
def test_azure_devops_needs_something_to_know_its_hooks_by(webhook: str, told: str, wrong: Wrong) -> None:
    start = AZURE[: AZURE.index("  webhook")]
    assert wrong(f"{LEAST}{start}  webhook: {webhook}\n")[0].startswith(f"11: {told}")
    assert wrong(f"{LEAST}{start}")[0] == "8: azure_devops.webhook is missing"


def test_permissions_are_only_for_commands_that_exist(read: Read, wrong: Wrong) -> None:
    text = f"{LEAST}permissions:\n  train: maintain\n  fly: write\n"
    assert read(text).permissions["train"] is Permission.MAINTAIN
    assert wrong(text, ("train", "promote")) == [
        "10: permissions: there is no command of that name; known are promote, train"
    ]


def test_a_file_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    def told(path: Path) -> str:
        with pytest.raises(Mistakes) as caught:
            read_settings(path, {})
        return str(caught.value)

    assert told(tmp_path / "no.yaml").startswith(f"{tmp_path}/no.yaml:1: there is no such file; copy lifecycle-bot's")
    assert "cannot be read: Is a directory" in told(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes(b"a: \xff")
    assert told(tmp_path / "bytes.yaml").endswith("this is not text in UTF-8")
    assert "cannot be read" in told(Path("a\0b"))


TOP = [
    "public_url",
    "listen",
    "state",
    "database",
    "github",
    "azure_devops",
    "projects",
    "permissions",
    "limits",
    "sweep",
]
INNER = ["token", "webhook_secret", "app", "private_key", "webhook", "repository", "board", "retrain_items", "train"]
PLACES = TOP + INNER
SPITE = "hunter2" * 5
VALUES = st.sampled_from(["${env:GITHUB_TOKEN}", "${env:}", "${file:\0}", SPITE, "https://x", "a/b"])
GARBAGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(PLACES) | VALUES, inner, max_size=6),
    max_leaves=20,
)


@given(data=GARBAGE, more=st.dictionaries(st.sampled_from(PLACES), GARBAGE, max_size=8))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_only_ever_mistakes(data: object, more: dict[str, object], tmp_path: Path) -> None:
    for shape in (data, yaml.safe_load(LEAST) | more):
        (tmp_path / "app.yaml").write_text(yaml.safe_dump(shape, allow_unicode=True), "utf-8")
        try:
            read_settings(tmp_path / "app.yaml", ENVIRON, ["train"])
        except Mistakes as error:
            told = str(error)
        else:
            told = ""
        assert "hunter2hunter2" not in told
