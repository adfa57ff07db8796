"""The page of the command has each command, each option, its variables and its default."""

from pathlib import Path

import click

from antiphon.cli.main import main
from tests.helpers.rows import rows

PAGE = (Path(__file__).parents[2] / "docs/reference/command.md").read_text()
OPTIONS = [
    (name, option)
    for name, command in main.commands.items()
    for option in command.params
    if isinstance(option, click.Option)
]


@rows("command, option", OPTIONS, ids=lambda part: getattr(part, "name", part))
def test_an_option_has_a_row(command, option):
    section = PAGE.partition(f"\n## antiphon {command}\n")[2].partition("\n## ")[0]
    [row] = [line for line in section.splitlines() if line.startswith(f"| `{option.opts[0]}` |")]
    assert all(f"`{variable}`" in row for variable in option.envvar or [])
    if isinstance(option.default, str | int | float):
        assert row.endswith(f"| {option.default:g} |" if isinstance(option.default, float) else f"| {option.default} |")


@rows("command", main.commands)
def test_a_command_has_a_section(command):
    assert f"\n## antiphon {command}\n" in PAGE
