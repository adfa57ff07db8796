"""`antiphon openapi --against`: the code of a git revision, read beside the current one."""

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from antiphon.cli.main import main

pytestmark = [pytest.mark.once, pytest.mark.processes]

SHOP = """
from dataclasses import dataclass
from antiphon import App, Request

app = App()


@dataclass
class New:
    name: str


@dataclass
class Lamp:
    name: str


@app.post("/lamps")
def add(request: Request) -> Lamp:
    return Lamp(request.json_as(New).name)
"""
REQUIRED = SHOP.replace("class New:\n    name: str", "class New:\n    name: str\n    note: str")


def git(*arguments, folder="."):
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-c", "protocol.file.allow=always", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(text="A commit"):
    git("add", "--all")
    git("commit", "--quiet", "-m", text)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A repository with an application on its branch main, in which the command runs."""
    inner = tmp_path / "repository"
    inner.mkdir()
    monkeypatch.chdir(inner)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (inner / "shop.py").write_text(SHOP)
    git("init", "--quiet", "--initial-branch=main")
    commit()
    yield inner
    forget()


def forget():
    for name in ("shop", "web", "web.shop", "prices"):
        sys.modules.pop(name, None)


def against(revision, *arguments, target="shop:app"):
    forget()
    return CliRunner().invoke(main, ["openapi", target, "--against", revision, *arguments], catch_exceptions=False)


def test_a_difference_has_its_line_and_what_to_do(folder):
    (folder / "shop.py").write_text(REQUIRED.replace("class Lamp:", "class Lamp:\n    colour: str"))
    result = against("main")
    assert result.stdout.splitlines() == [
        "BREAKS  POST /lamps body/note: new and required   shop.py:11   give it a default, or add /v2",
        "safe    POST /lamps 200/colour: new",
    ]
    assert (result.exit_code, result.stderr) == (1, "Changes that are not committed are included.\n")


def test_what_is_gone_has_the_line_that_had_it(folder):
    (folder / "shop.py").write_text(SHOP.replace("class Lamp:\n    name: str", "class Lamp:\n    colour: str"))
    assert "200/name: gone   shop.py:15 at main   keep it, or add /v2" in against("main").stdout
    (folder / "shop.py").write_text(SHOP.partition("@app.post")[0])
    assert "BREAKS  POST /lamps: gone, and was not deprecated   shop.py:18 at main   " in against("main").stdout


CODES = [("", 0), ("\n    note: str = ''", 0), ("\n    note: str", 1)]


@pytest.mark.parametrize(("more", "code"), CODES)
def test_the_worst_difference_decides(folder, more, code):
    (folder / "shop.py").write_text(SHOP.replace("class New:\n    name: str", f"class New:\n    name: str{more}"))
    assert against("main").exit_code == code


def test_what_is_unknown_is_not_safe(folder):
    (folder / "shop.py").write_text(SHOP.replace("request.json_as(New).name", "str(request.json)"))
    result = against("main")
    assert (result.exit_code, result.stdout[:23]) == (4, "unknown POST /lamps bod")


def test_the_common_ancestor_leaves_out_what_others_did(folder):
    git("checkout", "--quiet", "-b", "mine")
    (folder / "shop.py").write_text(
        SHOP + "\n\n@app.get('/mine')\ndef mine(request: Request) -> Lamp: return Lamp('')\n"
    )
    commit()
    git("checkout", "--quiet", "main")
    (folder / "shop.py").write_text(
        SHOP + "\n\n@app.get('/more')\ndef more(request: Request) -> Lamp: return Lamp('')\n"
    )
    commit()
    git("checkout", "--quiet", "mine")
    tip, base = against("main"), against("main...")
    assert (tip.exit_code, "GET /more: gone" in tip.stdout) == (1, True)
    assert "main has 1 commits that this branch lacks" in tip.stderr
    assert (base.exit_code, base.stdout, base.stderr) == (0, "safe    GET /mine: new\n", "")


def test_nothing_remains_and_no_hook_runs(folder):
    hook = folder / ".git/hooks/post-checkout"
    hook.write_text("#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    (folder / ".git/info/exclude").write_text("__pycache__\n")  # the app is imported, in this process, too
    status = git("status", "--porcelain")
    assert against("main").exit_code == 0
    assert (git("worktree", "list").count("\n"), git("status", "--porcelain"), (folder / "ran").exists()) == (
        0, status, False,
    )  # fmt: skip


def test_a_hook_of_git_can_run_it(folder, monkeypatch):
    """Git sets variables for its hooks, such as the index of the commit that is being made."""
    (folder / "shop.py").write_text(REQUIRED)
    git("add", "--all")
    staged = git("diff", "--cached", "--name-only")
    monkeypatch.setenv("GIT_DIR", str(folder / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(folder / ".git/index"))
    assert against("main").exit_code == 1
    assert git("diff", "--cached", "--name-only") == staged == "shop.py"


def test_an_app_in_a_folder_of_the_repository_is_read_there(folder, monkeypatch):
    """Its package is in src, from which this process imports it, as an editable installation does."""
    inner = folder / "services/web/src/web"
    inner.mkdir(parents=True)
    (inner / "__init__.py").touch()
    (inner / "shop.py").write_text(SHOP)
    commit("A service")
    (inner / "shop.py").write_text(REQUIRED)
    monkeypatch.chdir(folder / "services/web")
    sys.path.append(str(inner.parent))
    result = against("main", target="web.shop:app")
    assert (result.exit_code, "src/web/shop.py:11" in result.stdout) == (1, True)


def test_a_submodule_has_the_files_of_its_commit(folder, tmp_path, monkeypatch):
    library = tmp_path / "library"
    library.mkdir()
    (library / "prices.py").write_text("PRICE = int\n")
    for command in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "-m", "Prices")):
        git(*command, folder=library)
    git("submodule", "--quiet", "add", str(library), "library")
    text = "import sys\nsys.path.insert(0, 'library')\nimport prices\n" + SHOP
    (folder / "shop.py").write_text(text.replace("class Lamp:", "class Lamp:\n    price: prices.PRICE"))
    commit("With prices")
    (folder / "library/prices.py").write_text("PRICE = str\n")
    result = against("main")
    assert (result.exit_code, "200/price: integer is now string" in result.stdout) == (1, True), result.output
    git("submodule", "--quiet", "deinit", "--force", "library")
    (folder / "shop.py").write_text(SHOP)
    result = against("main")
    assert (result.exit_code, "These submodules are not checked out: library." in result.stderr) == (2, True)


MISTAKES = [
    (
        lambda folder: None,
        "mainn",
        "There is no revision 'mainn' in this repository: name a branch, a tag or a commit.",
    ),
    (lambda folder: None, "--output=x", "There is no revision '--output=x' in this repository"),
    (
        lambda folder: os.rename(folder / ".git", folder.parent / "gone"),
        "main",
        "--against needs a git repository, but ",
    ),
    (lambda folder: os.environ.update(PATH=""), "main", "git, which is not installed."),
]


@pytest.mark.parametrize(("change", "revision", "told"), MISTAKES)
def test_a_mistake_is_told(folder, monkeypatch, change, revision, told):
    monkeypatch.setenv("PATH", os.environ["PATH"])
    change(folder)
    result = against(revision)
    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr


def test_an_app_that_could_not_be_imported_is_told(folder):
    (folder / "shop.py").write_text("import missing_package\n" + SHOP)
    commit("Broken")
    (folder / "shop.py").write_text(SHOP)
    result = against("HEAD")
    start = "Error: shop:app can't be read at HEAD, with the packages that are installed now:\n"
    assert (result.exit_code, result.stderr.startswith(start)) == (2, True)
    assert "shop.py, line 1: import missing_package" in result.stderr


def test_an_app_in_a_folder_that_is_new_is_told(folder, monkeypatch):
    (folder / "new").mkdir()
    (folder / "new/shop.py").write_text(SHOP)
    monkeypatch.chdir(folder / "new")
    result = against("main")
    assert (result.exit_code, f"{folder / 'new'} does not exist at main" in result.stderr) == (2, True)


@pytest.mark.usefixtures("folder")
def test_options_that_contradict_are_told():
    result = against("main", "--check", "shop.py")
    assert (result.exit_code, "Leave out --check or --against." in result.stderr) == (2, True)
