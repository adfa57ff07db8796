"""Commands of other packages, which the entry-point group `antiphon.commands` names."""

import sys

import pytest
from click.testing import CliRunner

from antiphon.cli.main import main
from tests.helpers import zygote

COMMAND = """
import click

@click.group()
def flags():
    "Switch features on and off."

@flags.command("list")
@click.argument("target", required=False)
def listed(target):
    "List the flags."
    from antiphon.cli import load_app
    print(*[route.name for route in load_app(target).routes])
"""
SHOP = """
from antiphon import App

app = App()
app.get("/", name="home")(lambda request: "here")
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write a package that brings commands, and have Python find it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "shop.py").write_text(SHOP)
    written = []

    def write(name="choir_flags", entry="flags = {}:flags", text=COMMAND):
        (tmp_path / f"{name}.py").write_text(text)
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[antiphon.commands]\n{entry.format(name)}\n")
        written.append(name)
        return tmp_path

    yield write
    for name in [*written, "shop"]:
        sys.modules.pop(name, None)


def run(*arguments):
    return CliRunner().invoke(main, arguments)


def test_one_is_called(package):
    package()
    assert run("flags", "list", "shop:app").output == "home\n"
    assert "Switch features on and off." in run("flags", "--help").output


def test_the_help_lists_it_after_those_of_antiphon(package):
    package()
    listed = [line.split()[0] for line in run("--help").output.partition("Commands:\n")[2].splitlines()]
    assert listed[-1] == "flags"
    assert "run" in listed


@pytest.mark.processes
@pytest.mark.once
def test_one_is_called_in_a_process_of_its_own_and_finds_the_app_that_is_here(package):
    folder = package()
    assert zygote.run("-m", "antiphon", "flags", "list", cwd=folder).stdout == "home\n"


@pytest.mark.parametrize("arguments", [("routes", "shop:app"), ("explain", "wrong-return"), ("run", "--help")])
def test_none_is_looked_for_where_another_is_called(package, monkeypatch, arguments):
    """So a package that is broken, or slow to load, is nothing to `antiphon run`."""
    package(text="raise ValueError")

    def look(**_):
        raise AssertionError

    monkeypatch.setattr("importlib.metadata.entry_points", look)
    assert run(*arguments).exit_code == 0
    with pytest.raises(AssertionError):
        CliRunner().invoke(main, ["flags"], catch_exceptions=False)


BROKEN = {
    "a mistake": ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "wrong syntax": ("def (", "SyntaxError"),
    "no such name": ("", "AttributeError: module 'choir_flags' has no attribute 'flags'"),
    "an end": ("raise SystemExit(3)", "It ended the process: SystemExit(3)"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_one_that_can_t_be_loaded_is_named_and_breaks_no_other(package, kind):
    text, told = BROKEN[kind]
    package(text=text)
    for arguments in (["flags"], ["flags", "list"], ["flags", "--help"]):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "Error: The command 'flags' of the package choir_flags can't be loaded:" in result.output
        assert told in result.output
    shown = run("--help")
    assert shown.exit_code == 0
    assert "flags    Can't be loaded: `antiphon flags` explains why." in shown.output
    assert run("explain", "wrong-return").exit_code == 0
    assert run("routes", "shop:app").exit_code == 0


@pytest.mark.processes
@pytest.mark.once
def test_an_app_is_served_where_one_can_t_be_loaded_and_nothing_of_it_is(package, antiphon):
    folder = package(text="open('loaded', 'w').close()\nraise ValueError\n")
    assert antiphon("shop:app").serving().get() == "here"
    assert not (folder / "loaded").exists()


def test_what_is_no_command_is_named(package):
    package(text="def flags(): pass")
    assert (
        "of the package choir_flags is of type function: choir_flags:flags must be a click command"
        in run("flags").output
    )


def test_two_of_one_name_are_refused_and_both_packages_named(package):
    package()
    package("other_flags")
    result = run("flags", "list")
    assert result.exit_code == 2
    assert "choir_flags and other_flags each add a command 'flags'" in result.output


def test_those_of_antiphon_are_not_replaced(package):
    package(entry="explain = {}:flags")
    assert "A handler returned None" in run("explain", "forgotten-return").output
    assert run("--help").output.count("  explain ") == 1


def test_an_unknown_one_is_a_mistake_as_ever(package):
    package()
    result = run("flogs")
    assert result.exit_code == 2
    assert "No such command 'flogs'" in result.output


@pytest.mark.parametrize(
    ("target", "told"),
    [("shop", "'shop' is not a target"), ("shop:nothing", "There is no 'nothing'"), ("shop:App", "shop:App")],
)
def test_an_app_that_can_t_be_loaded_ends_the_command_with_a_message(package, target, told):
    package()
    result = run("flags", "list", target)
    assert result.exit_code == 2
    assert told in result.output
    assert "Traceback" not in result.output


FEATURE = """
from antiphon import App, explained
from antiphon.embedding import Added

class Flags:
    def install(self, app: App) -> None:
        raise explained("flags.unknown-flag", LookupError("no such flag"))
"""
COMPLETE = {
    "choir/__init__.py": FEATURE,
    "choir/errors.md": "# Flags\n\n## unknown-flag\n\nIt is not known.\n",
    "choir/py.typed": "",
    "choir/command.py": COMMAND,
    "choir/pairs.py": "ROW = ()\n",
    "choir/locales/de.json": "{}",
    "choir-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: choir\nVersion: 1.0\n",
    "choir-1.0.dist-info/entry_points.txt": "[antiphon.commands]\nflags = choir.command:flags\n"
    "[antiphon.explanations]\nflags = choir\n[antiphon.pairs]\nflags = choir.pairs:ROW\n",
}
ENTRIES = "choir-1.0.dist-info/entry_points.txt"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("choir/py.typed", "", "choir is complete.\n"),
        ("choir/py.typed", None, "choir has no py.typed, so type checkers pass over its annotations\n"),
        ("choir/errors.md", None, "The explanations of choir can't be read: "),
        ("choir/errors.md", "# Flags\n\n## other\n\nText.\n", "__init__.py: no errors.md explains flags.unknown-flag"),
        ("choir/command.py", "flags = 1\n", "The command 'flags' of the package choir is of type int"),
        ("choir/pairs.py", "", "antiphon.pairs: choir.pairs:ROW can't be loaded: AttributeError"),
        ("choir/locales/de.json", "{", "de.json"),
        ("choir/more.py", "from antiphon.app.store import KINDS\n", "more.py: antiphon.app.store is not public"),
        ("choir/more.py", "from antiphon_choir.inner import KINDS\n", "choir is complete.\n"),
        (ENTRIES, "[antiphon.explanation]\nflags = choir\n", "antiphon.explanation is not a group of entry points"),
        (ENTRIES, "[antiphon.commands]\nflags = choirs:flags\n", "can't be loaded"),
    ],
)
def test_the_doctor_says_what_a_package_of_features_lacks(name, text, told, tmp_path, monkeypatch):
    for path, content in {**COMPLETE, name: text}.items():
        if content is not None:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    ended = run("doctor", "choir")
    for module in [each for each in sys.modules if each.partition(".")[0] == "choir"]:
        del sys.modules[module]
    assert told in ended.output.replace(f"{tmp_path}/", "")
    assert ended.exit_code == ("complete" not in told)
