"""An app.yaml that is right, what it refers to, and what reading one comes to: settings or mistakes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.settings import Mistakes, Settings, read_settings

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
Wrong = Callable[..., list[str]]


@pytest.fixture(name="read")
def reading(tmp_path: Path) -> Read:
    def read(text: str, commands: tuple[str, ...] = ()) -> Settings:
        (tmp_path / "app.yaml").write_text(text)
        return read_settings(tmp_path / "app.yaml", ENVIRON, commands)

    return read


@pytest.fixture(name="wrong")
def failing(read: Read) -> Wrong:
    def wrong(text: str, commands: tuple[str, ...] = ()) -> list[str]:
        with pytest.raises(Mistakes) as caught:
            read(text, commands)
        assert "hunter2" not in str(caught.value)
        return [f"{m.line}: {m.what}" for m in caught.value.mistakes]

    return wrong
