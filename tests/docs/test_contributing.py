"""The commands of CONTRIBUTING.md and of the page for maintainers name what is there, and its first hour goes as it says."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.helpers.rows import rows


ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
MAINTAIN = (ROOT / "MAINTAINING.md").read_text()
COMMANDS = [
    shlex.split(line, comments=True)
    for block in re.findall(r"```console\n(.*?)```", PAGE + MAINTAIN, re.DOTALL)
    for line in block.splitlines()
]
FIRST_HOUR = PAGE.partition("## Your first hour")[2].partition("\n## ")[0]


@rows("command", COMMANDS, ids=" ".join)
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


PROSE = {
    path.name: re.sub(r"```.*?```|\n\| not \| but \|.*?\n\n", "", path.read_text(), flags=re.DOTALL)
    for path in (ROOT / "CONTRIBUTING.md", ROOT / "MAINTAINING.md", *sorted((ROOT / "docs/maintainers").glob("*.md")))
}
OF_EXAMPLES = {"FakeMailer", "Mailer"}
FILE = re.compile(r"[\w./-]*\w\.(?:py|pyi|c|md|txt|toml|csv|tsv)|[\w./-]+/")
NAME = re.compile(r"(_\w+|[A-Za-z]*[A-Z]\w*|[a-z]+_[a-z_]+)(?:\(.*\))?")


@rows("page", sorted({*PROSE} - {"dependencies.md"}))  # it names those of others
def test_what_prose_names_is_there(page, files, words):
    named = {*re.findall(r"`([^`\n]+)`", PROSE[page])} - OF_EXAMPLES
    assert [each for each in named if FILE.fullmatch(each) and f"/{each.strip('/')}\n" not in files] == []
    assert [each for each in named if (name := NAME.fullmatch(each)) and name[1].encode() not in words] == []


@pytest.fixture(scope="module")
def files():
    """The paths of all files and folders, each on a line."""
    folders = "benchmarks", "docs", "examples", "fuzz", "scripts", "src", "tests"
    found = [*ROOT.iterdir(), *(path for folder in folders for path in (ROOT / folder).rglob("*"))]
    return "".join(f"/{path.relative_to(ROOT)}\n" for path in found)


@pytest.fixture(scope="module")
def words():
    """The names in our code without dialects, and in what configures it."""
    code = [path for path in (ROOT / "src/antiphon").rglob("*.py") if "dialects" not in path.parts]
    code += [*(ROOT / "scripts").glob("*.py"), *(ROOT / "tests/helpers").glob("*.py"), ROOT / "pyproject.toml"]
    in_names = bytes(byte if chr(byte).isalnum() or byte == ord("_") else 32 for byte in range(256))
    return {word for path in code for word in path.read_bytes().translate(in_names).split()}


@pytest.mark.processes
def test_the_first_hour_sees_a_test_fail_and_pass(tmp_path):
    for name in (
        "src/antiphon",
        "tests/http",
        "tests/helpers",
        "tests/conftest.py",
        "tests/contract/servers.py",
        "tests/once.txt",
        "tests/skips.txt",
        "pyproject.toml",
    ):
        copy = shutil.copy if (ROOT / name).is_file() else shutil.copytree
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, tmp_path / name)
    of_tests, of_source = re.findall(r"`((?:src|tests)/\S+?\.py)`.*?\n```diff\n(.*?)```", FIRST_HOUR, re.DOTALL)
    change(tmp_path / of_tests[0], of_tests[1])
    [told] = re.findall(r"```text\n(.*)\n```", FIRST_HOUR)
    command = next(words for words in COMMANDS if words[-1] == of_tests[0])
    assert told in run(command, tmp_path, failing=True)
    change(tmp_path / of_source[0], of_source[1])
    run(command, tmp_path, failing=False)


def change(path, diff):
    lines = diff.splitlines(keepends=True)
    old, new = ("".join(line[1:] for line in lines if line[0] in marks) for marks in (" -", " +"))
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def run(command, folder, *, failing):
    environment = os.environ | {"PYTHONPATH": str(folder / "src")}
    done = subprocess.run([sys.executable, *command[1:]], cwd=folder, env=environment, capture_output=True, text=True)
    assert (done.returncode == 1) == failing, done.stdout
    return done.stdout
