"""The page for those who come from other frameworks: Antiphon's names in their second columns are there."""

import re
from pathlib import Path

import antiphon
import antiphon.features
import antiphon.testing
from antiphon.cli.main import main
from tests.helpers.rows import rows

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
PAGE = HOW_TO / "from-other-frameworks.md"
CELLS = [line.split(" | ")[1] for line in PAGE.read_text().splitlines() if line.startswith("| ")]
CODE = [code for cell in CELLS for code in re.findall(r"`([^`]*)`", cell)]
CLASSES = {"app": antiphon.App, "request": antiphon.Request, "Response": antiphon.Response}
ATTRIBUTES = {found for code in CODE for found in re.findall(r"\b(app|request|Response)\.(\w+)", code)}
CALLED = {found for code in CODE for found in re.findall(r"(?<![\w.@])([A-Za-z]\w*)\(", code)}
COMMANDS = {name for code in CODE for name in re.findall(r"^antiphon (\w+)", code)}


def test_the_tables_are_read():
    assert len(CELLS) > 90
    assert COMMANDS <= {*main.commands}


@rows("name, attribute", sorted(ATTRIBUTES), ids=".".join)
def test_an_attribute_is_there(name, attribute):
    assert hasattr(CLASSES[name], attribute)


@rows("name", sorted(CALLED))
def test_a_name_can_be_imported(name):
    assert any(hasattr(module, name) for module in (antiphon, antiphon.features, antiphon.testing))
