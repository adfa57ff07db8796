"""`antiphon new`: projects that are right at once, and what is in the way of one."""

import http.client
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from antiphon import Request
from antiphon.cli.main import main
from antiphon.features.openapi.document import Info, make_document
from antiphon.testing import Client
from tests.contract.process import ServerProcess
from tests.helpers.processes import RUN
from tests.helpers.rows import rows
from tests.helpers.small_disks import small_files

pytestmark = pytest.mark.once

PROGRAMS = Path(sys.executable).parent
KEPT = "This was here before."
UNTYPED = """
import pytest


@pytest.fixture
def name():
    return "Ada"


def greeting(name, word="Hello"):
    return f"{word}, {name}!"


def test_a_greeting(name, tmp_path: object) -> None:
    assert greeting(name) == "Hello, Ada!"


def test_another(name):
    assert greeting(name, word="Bye") == "Bye, Ada!"
"""
"""Tests as the tutorial writes them: some without annotations."""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*arguments):
    return CliRunner().invoke(main, ["new", *arguments])


def run(folder, *command):
    return subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("template", "app", "path", "shown", "passed"),
    [
        ("pages", "make_app", "/login", "<h1>Log in</h1>", 2),
        ("accounts", "make_app", "/login", "choose a new password", 6),
        ("api", "app", "/openapi.json", "/orders/total", 2),
        ("agent", "app", "/llms.txt", "- order: Order something", 6),
    ],
)
def test_a_project_passes_its_own_tests_and_serves(folder, template, app, path, shown, passed, monkeypatch):
    assert new("My-shop", "--template", template).exit_code == 0
    project = folder / "My-shop"
    tests = run(project, "pytest")
    assert (tests.returncode, f"{passed} passed" in tests.stdout) == (0, True), tests.stdout + tests.stderr
    monkeypatch.chdir(project)
    settings = dict(re.findall(r"^ENV (\w+)=(\S+)$", (project / "Dockerfile").read_text(), re.MULTILINE))
    assert (float(settings["ANTIPHON_GRACE"]) < 10, settings["ANTIPHON_PRODUCTION"]) == (True, "1")
    for name, value in (settings | {"TRUSTED_HOSTS": "127.0.0.1"}).items():
        monkeypatch.setenv(name, value)
    with ServerProcess(RUN, f"my_shop.app:{app}") as process:
        connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=60)
        connection.request("GET", path)
        assert shown in connection.getresponse().read().decode()
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200  # as the Dockerfile asks
        connection.close()


def test_a_login_of_a_project_reads_its_user_once(folder, monkeypatch):
    new("tills")
    monkeypatch.syspath_prepend(str(folder / "tills"))
    pages, app = import_module("tills.pages"), import_module("tills.app").make_app()
    read, find_user = [], pages.find_user
    monkeypatch.setattr(pages, "find_user", lambda name: read.append(name) or find_user(name))
    Client(app).post("/login", form={"name": "Ada", "password": "an oboe in the rain", "is_new": "on"})
    assert read == ["Ada"]


@rows("template, prefix", ("api", "/orders"), ("agent", "/api"))
def test_the_document_of_a_project_is_strict(tmp_path, template, prefix, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = f"strict_{template}"
    new(name, "--template", template)
    monkeypatch.chdir(tmp_path / name)
    monkeypatch.syspath_prepend(str(tmp_path / name))
    document = make_document(import_module(f"{name}.app").app, Info(name))
    assert any(path.startswith(prefix) for path in document.content["paths"])
    assert document.unknown == []


@pytest.mark.processes
@rows("template", ["pages", "accounts", "api", "agent"])
def test_a_project_is_formatted_and_typed(folder, template):
    pytest.importorskip("mypy")
    project = folder / f"my-{template}"
    new(project.name, "--template", template)
    for command in (["format", "--check"], ["check"]) if shutil.which("ruff", path=PROGRAMS) else ():
        found = run(project, "ruff", *command, "--no-cache")
        assert found.returncode == 0, found.stdout + found.stderr
    (project / "tests/test_more.py").write_text(UNTYPED)
    found = run(project, "mypy", "--cache-dir", "../types")  # which knows Antiphon: that takes longer than a project
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("template", ["pages", "accounts", "api", "agent"])
def test_a_project_has_its_files_and_its_names(folder, template):
    told = new("my-shop", "--template", template).output
    assert "with the package my_shop" in told
    texts = {each.relative_to(folder).as_posix(): each.read_text() for each in folder.rglob("*") if each.is_file()}
    for name in (
        ".dockerignore", ".github/workflows/ci.yml", ".gitignore", "AGENTS.md", "Dockerfile", "README.md",
        "my_shop/app.py", "pyproject.toml", "tests/test_app.py",
    ):  # fmt: skip
        assert f"my-shop/{name}" in texts
    assert not [
        name for name, text in texts.items() if re.search("project.name|antiphon-version|template$", name + text)
    ]


def test_the_notes_for_tools_name_what_there_is():
    new("my-shop")
    notes = Path("my-shop/AGENTS.md").read_text()
    assert len(notes.splitlines()) <= 45
    assert {*re.findall(r"\bantiphon (\w+)", notes)} <= {*main.commands}
    pages = re.findall(r"antiphon docs ([a-z][\w-]*)", notes)
    assert [name for name in pages if CliRunner().invoke(main, ["docs", name]).exit_code] == []
    for kind in re.findall(r"antiphon explain ([\w-]+)", notes):
        assert CliRunner().invoke(main, ["explain", kind]).exit_code == 0
    ours = " ".join(re.findall(r"\| ([^|]+) \|$", notes, re.MULTILINE))
    assert [name for name in re.findall(r"`request\.(\w+)", ours) if not hasattr(Request, name)] == []


def test_an_empty_folder_is_filled():
    Path("shop").mkdir()
    assert new("shop").exit_code == 0
    assert Path("shop/README.md").exists()


def make_full_folder():
    Path("shop").mkdir()
    Path("shop/app.py").write_text(KEPT)


@pytest.mark.parametrize(
    "before",
    [make_full_folder, lambda: Path("shop").write_text(KEPT), lambda: Path("shop").symlink_to("elsewhere")],
    ids=["full folder", "file", "dangling link"],
)
def test_what_is_there_is_never_overwritten(folder, before):
    before()
    seen = sorted(folder.rglob("*"))
    result = new("shop")
    assert (result.exit_code, "already exists" in result.output) == (2, True)
    assert sorted(folder.rglob("*")) == seen
    assert {each.read_text() for each in seen if each.is_file()} <= {KEPT}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("class", "'class' is a Python keyword"),
        ("test", "'test' would hide"),
        ("Tests", "'tests' would hide"),
        ("json", "'json' would hide"),
        ("antiphon", "'antiphon' would hide"),
        ("../shop", "'../shop' can't be"),
        ("7up", "'7up' can't be"),
        ("my--shop", "'my--shop' can't be"),
        ("schön", "'schön' can't be"),
        ("", "'' can't be"),
        ("a" * 61, "up to 60 letters"),
    ],
)
def test_a_name_that_no_package_can_have_is_told(folder, name, told):
    result = new(name)
    assert (result.exit_code, told in result.output) == (2, True), result.output
    assert not list(folder.iterdir())


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs the users of POSIX")
@pytest.mark.parametrize("room", [0, 600], ids=["no room", "room for some files"])
def test_a_full_disk_leaves_nothing(folder, room):
    with small_files(room):
        result = new("shop")
    assert (result.exit_code, "can't be written: File too large" in result.output) == (3, True), result.output
    assert not list(folder.iterdir())


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which not even root can write")
def test_a_folder_without_the_right_to_write_is_told(monkeypatch):
    monkeypatch.chdir("/proc")
    result = new("shop")
    assert (result.exit_code, "can't be written" in result.output) == (3, True), result.output
