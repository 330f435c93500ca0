"""app.yaml as people get it wrong: every mistake at once, with its line, and never a secret in any of it."""

import copy
import json
import pickle
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.ports import Permission
from bot.secrets import Secret
from bot.settings import Mistakes, Settings, read_settings

SHIPPED = Path(__file__).parents[2] / "app.yaml"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIhunter2\n-----END RSA PRIVATE KEY-----\n"
ENVIRON = {
    "GITHUB_TOKEN": "hunter2-token",
    "GITHUB_WEBHOOK_SECRET": "hunter2-hook",
    "AZURE_DEVOPS_TOKEN": "hunter2-azure",
    "AZURE_DEVOPS_WEBHOOK_PASSWORD": "hunter2-password",
    "EMPTY": " \n",
    "LINES": "hunter2\nhunter2",
    "PEM": PEM.replace("\n", "\\n"),
    "DATABASE_PASSWORD": "hunter2@/:%",
    "DATABASE_URL": "postgresql://u:hunter2@h/db",
    "MYSQL": "mysql://u:hunter2@h/db",
}
LEAST = """\
public_url: https://bot.example.org
state: state
github:
  token: ${env:GITHUB_TOKEN}
  webhook_secret: ${env:GITHUB_WEBHOOK_SECRET}
projects:
  - repository: octo/bikes
"""
AZURE = """\
azure_devops:
  url: https://dev.azure.com/Fabrikam
  token: ${env:AZURE_DEVOPS_TOKEN}
  webhook: {username: u, password: "${env:AZURE_DEVOPS_WEBHOOK_PASSWORD}"}
"""
Read = Callable[..., Settings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reading(text: str, commands: tuple[str, ...] = ()) -> Settings:
        (tmp_path / "app.yaml").write_text(text)
        return read_settings(tmp_path / "app.yaml", ENVIRON, commands)

    return reading


@pytest.fixture
def wrong(read: Read) -> Callable[..., list[str]]:
    def failing(text: str, commands: tuple[str, ...] = ()) -> list[str]:
        with pytest.raises(Mistakes) as caught:
            read(text, commands)
        assert "hunter2" not in str(caught.value)
        return [f"{m.line}: {m.what}" for m in caught.value.mistakes]

    return failing


Wrong = Callable[..., list[str]]


def test_the_shipped_file_is_right_and_shows_the_defaults() -> None:
    shipped = read_settings(SHIPPED, ENVIRON)
    assert shipped.github is not None
    assert shipped.github.token == Secret("hunter2-token")
    assert shipped.github.webhook_secret == (Secret("hunter2-hook"),)
    assert shipped.azure_devops is not None
    assert shipped.azure_devops.url == "https://dev.azure.com/Fabrikam"
    assert shipped.state == SHIPPED.parent / "state"
    assert shipped.database is None
    assert shipped.projects[0].opens == ("boards", "github")
    assert shipped.permissions["promote"] is Permission.WRITE
    assert (shipped.two_people, shipped.sandbox, shipped.sweep) == (True, "auto", timedelta(minutes=5))
    for name, field in Settings.model_fields.items():
        assert re.search(rf"\n(# ?)?{name}:", SHIPPED.read_text()), f"app.yaml does not explain {name}"
        if not field.is_required() and name not in ("github", "azure_devops", "permissions"):
            assert getattr(shipped, name) == field.get_default(call_default_factory=True), (
                f"app.yaml shows another default for {name}"
            )


def test_every_key_is_explained_in_the_shipped_file() -> None:
    text = SHIPPED.read_text()
    schema = [Settings.model_fields[name].annotation for name in Settings.model_fields]
    seen = {Settings}
    for part in schema:
        for model in [part, *getattr(part, "__args__", ())]:
            fields = getattr(model, "model_fields", None)
            if fields and model not in seen:
                seen.add(model)
                schema += [field.annotation for field in fields.values()]
                assert all(f"{name}:" in text for name in fields), (model, [n for n in fields if f"{n}:" not in text])
    assert len(seen) >= 9


def test_what_is_commented_out_in_the_shipped_file_is_right_too(tmp_path: Path) -> None:
    text = SHIPPED.read_text().replace("  token: ${env:GITHUB_TOKEN}", "")
    keys = ["app", "id", "private_key", "installation", "header", "secret", "branch", "team", "area", "iteration"]
    for key in [*keys, "item_type", "problem_type", "seconds_between_writes", "commands_an_hour"]:
        text = text.replace(f"# {key}:", f"{key}:").replace(f"#   {key}:", f"  {key}:")
    text = text.replace("#people:", "people:").replace("#  mira:", "  mira:")
    (tmp_path / "app.yaml").write_text(text)
    (tmp_path / "github-app.pem").write_text(PEM)
    read = read_settings(tmp_path / "app.yaml", ENVIRON | {"AZURE_DEVOPS_WEBHOOK_SECRET": "x"})
    assert read.github is not None
    assert read.github.app is not None
    assert (read.github.app.id, read.github.app.installation) == (123456, 7890123)
    board = read.projects[0].board
    assert board is not None
    assert read.people == {"mira": "mira@example.com"}
    assert (board.area, board.problem_type) == ("Bikes\\Forecasting", "Bug")
    assert read.azure_devops is not None
    assert read.azure_devops.webhook.header == "X-Lifecycle-Secret"


def test_the_least_that_will_do(read: Read, tmp_path: Path) -> None:
    least = read(LEAST)
    assert (least.listen, least.state, least.azure_devops) == ("127.0.0.1:8000", tmp_path / "state", None)
    assert least.projects[0].opens == ("github",)
    assert least.limits.jobs_at_once == 2


def test_all_mistakes_are_told_at_once(wrong: Wrong) -> None:
    text = """\
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
    address = "expected an address that begins with http:// or https:// and has no ? or #"
    assert wrong(text) == [
        f"1: public_url: {address}",
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
        f"12: azure_devops.url: {address}",
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


@pytest.mark.parametrize(
    ("database", "url"),
    [
        ("${env:DATABASE_URL}", "postgresql+psycopg://u:hunter2@h/db"),
        ("postgres://u:${env:DATABASE_PASSWORD}@h/db", "postgresql+psycopg://u:hunter2%40%2F%3A%25@h/db"),
        ("postgresql+psycopg:///db?host=/run/pg", "postgresql+psycopg:///db?host=/run/pg"),
        ("postgresql://u@[::1]:5432/db", "postgresql+psycopg://u@[::1]:5432/db"),
    ],
)
def test_a_database_takes_its_password_from_elsewhere(database: str, url: str, read: Read) -> None:
    found = read(f"{LEAST}database: {database}\n").database
    assert found is not None
    assert found.reveal() == url


def test_secrets_come_from_files_beside_app_yaml(read: Read, wrong: Wrong, tmp_path: Path) -> None:
    text = LEAST.replace("${env:GITHUB_TOKEN}", "${file:keys/token}")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/token").write_bytes(b"hunter2\r\n")
    github = read(text).github
    assert github is not None
    assert github.token == Secret("hunter2")
    for content, told in [
        (b"\xff\xfe", "is not text in UTF-8"),
        (b"\n", "is empty"),
        (b"x" * 70_000, "is longer than"),
    ]:
        (tmp_path / "keys/token").write_bytes(content)
        assert told in wrong(text)[0]


def test_several_webhook_secrets_count_while_they_are_changed(read: Read) -> None:
    github = read(
        LEAST.replace("${env:GITHUB_WEBHOOK_SECRET}", '["${env:GITHUB_WEBHOOK_SECRET}", "${env:GITHUB_TOKEN}"]')
    ).github
    assert github is not None
    assert [secret.reveal() for secret in github.webhook_secret] == ["hunter2-hook", "hunter2-token"]


def test_an_app_key_may_come_from_the_environment_in_one_line(read: Read) -> None:
    github = read(LEAST.replace("token: ${env:GITHUB_TOKEN}", 'app: {id: 1, private_key: "${env:PEM}"}')).github
    assert github is not None
    assert github.app is not None
    assert github.app.private_key.reveal().rstrip() == PEM.rstrip()


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


def test_a_secret_never_shows_itself(read: Read) -> None:
    secret = Secret("hunter2")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>20}", "%s %r" % (secret, secret), repr([secret])]  # noqa: UP031
    assert "hunter2" not in "".join(shown)
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2") != Secret("hunter3")
    assert copy.deepcopy(secret) is copy.copy(secret) is secret
    for store in (pickle.dumps, json.dumps, hash):
        with pytest.raises(TypeError):
            store(secret)
    whole = read(f"{LEAST}{AZURE}database: ${{env:DATABASE_URL}}\n")
    assert "hunter2" not in f"{whole!r}{whole}{whole.model_dump()}{whole.github!r}"


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
