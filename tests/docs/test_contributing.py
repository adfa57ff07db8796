"""The commands of CONTRIBUTING.md: what they name is there."""

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONSOLE = re.search(r"```console\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)[1]
COMMANDS = [shlex.split(line, comments=True) for line in CONSOLE.splitlines()]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_names_what_is_there(command):
    program, *arguments = command
    if program == "make":
        assert f"\n{arguments[0]}:" in (ROOT / "Makefile").read_text()
    elif program.endswith("/python"):
        assert find_spec(arguments[1])
    else:
        assert (ROOT / program).is_file()
    paths = [word.rpartition("=")[2] for word in arguments if "/" in word]
    assert [path for path in paths if not (ROOT / path).exists()] == []
    if "-k" in arguments:
        named = re.findall(r"def test_\w*", (ROOT / paths[0]).read_text())
        assert any(arguments[-1] in name for name in named)
