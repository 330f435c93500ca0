"""What the documents say is what there is."""

import re
from pathlib import Path

from bot.commands import COMMANDS
from bot.grammar import help_text
from lifecycle import read_project

ROOT = Path(__file__).parent.parent


def test_every_command_is_documented_as_it_is() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert help_text(COMMANDS) in text
    for command in COMMANDS:
        assert help_text(COMMANDS, command.name).replace("### ", "## ", 1) in text


def test_the_example_of_lifecycle_yaml_can_be_read() -> None:
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert example is not None
    assert list(read_project(example[1]).models) == ["bike-demand"]


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert not broken


def test_the_schema_versions_that_starting_expects_are_the_newest_migrations() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from bot.storage import SCRIPTS, newest

    for name, folder in SCRIPTS.items():
        config = Config()
        config.set_main_option("script_location", str(folder))
        assert ScriptDirectory.from_config(config).get_current_head() == newest(name)
