"""Secrets come from elsewhere than app.yaml, and never show themselves."""

import copy
import json
import pickle
from pathlib import Path

import pytest

from bot.secrets import Secret
from tests.bot.app_yaml import AZURE, LEAST, PEM, Read, Wrong, failing, reading  # noqa: F401 (fixtures)


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
