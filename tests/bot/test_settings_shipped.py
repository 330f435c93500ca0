"""The app.yaml that is shipped is right and explains every key; and the least that will do."""

import re
from datetime import timedelta
from pathlib import Path

from bot.ports import Permission
from bot.secrets import Secret
from bot.settings import Settings, read_settings
from tests.bot.app_yaml import ENVIRON, LEAST, PEM, Read, reading  # noqa: F401 (fixtures)

SHIPPED = Path(__file__).parents[2] / "app.yaml"


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
