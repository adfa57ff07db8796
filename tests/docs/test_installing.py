"""Nothing tells to install a release before there is one: a single switch turns all that does."""

import re
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

from antiphon.cli import new_project
from scripts import tables
from tests.environments.within import EXTRAS, is_installed_on
from tests.helpers.rows import rows
from tests.helpers.snippets import snippets_of

ROOT = Path(__file__).parents[2]
BY_NAME = re.compile(r"pip install [^`\n]*(?<![\w./-])antiphon(?![\w\[-])")
"""A command that takes Antiphon from an index. With an extra, pip leaves an Antiphon that is installed as it is."""
IMPORTED = re.compile(r"^ *(?:from|import) (\w+)", re.MULTILINE)


def test_nothing_but_what_the_switch_turns_installs_antiphon_by_its_name():
    folders = (ROOT / name for name in ("docs", "src/antiphon", "examples"))
    files = [ROOT / "README.md", *(path for folder in folders for path in folder.rglob("*.*") if path.is_file())]
    texts = {path: path.read_bytes().decode("utf-8", "ignore") for path in files if path.suffix != ".pyc"}
    assert [str(path) for path, text in texts.items() if BY_NAME.search(tables.PART.sub("", text))] == []


@rows("is_released, said", [(True, "pip install antiphon\n"), (False, "pip install ../antiphon\n")])
def test_the_switch_turns_the_pages(monkeypatch, is_released, said):
    monkeypatch.setattr(tables, "IS_RELEASED", is_released)
    assert said in tables.written((ROOT / "README.md").read_text())
    assert BY_NAME.search(tables.installing("antiphon")) if is_released else "source" in tables.installing("antiphon")


def test_the_status_says_what_the_package_declares():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["classifiers"]
    versions = [each.rpartition(" ")[2] for each in declared if re.search(r"Python :: 3\.\d", each)]
    assert f"Python {versions[0]} to {versions[-1]}, on Linux and macOS" in tables.status()
    front = (ROOT / "docs/index.md").read_text()
    assert f"Alpha · Python {versions[0]} to {versions[-1]} · Linux and macOS · {project['license']} licence" in front
    assert "Development Status :: 3 - Alpha" in declared
    assert {each for each in declared if "Windows" in each} == set()


def test_a_page_names_what_its_snippets_need_beside_the_package():
    always = {"antiphon", *sys.stdlib_module_names, "click", "granian", "itsdangerous", "markdown_it", "msgspec"}
    lacking = []
    for path in (ROOT / "docs").rglob("*.md"):
        text = path.read_text()
        for line, code, start in snippets_of(text):
            others = (each for each in IMPORTED.findall(code) if each not in always)
            needed = next((each for each in others if find_spec(each) is not None), "")  # others are the reader's
            section = text[: text.find("\n## ")] + text[text.rfind("\n## ", 0, start) : start]
            extras = {extra for extra, packages in EXTRAS.items() if needed in packages and f"[{extra}" in section}
            if needed and not extras and not is_installed_on(text, needed):
                lacking.append(f"{path.relative_to(ROOT)}:{line} imports {needed}")
    assert lacking == []


@rows("page", ["SECURITY.md", "CODE_OF_CONDUCT.md"])
def test_a_page_that_promises_an_answer_says_whether_there_is_an_address(page):
    is_public = "Source" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    text = " ".join((ROOT / page).read_text().split())
    assert bool(re.search(r"no (public )?address", text)) is not is_public


PLACES = [
    ('{"url": "file:///src/antiphon", "dir_info": {}}', "antiphon[templates] @ file:///src/antiphon"),
    (
        '{"url": "https://example.org/a.git", "vcs_info": {"vcs": "git", "commit_id": "e5f1"}}',
        "antiphon[templates] @ git+https://example.org/a.git@e5f1",
    ),
    (None, "antiphon[templates]>=0.1.0"),
]


@rows("is_released", [True, False])
@rows("recorded, required", PLACES)
def test_a_new_project_requires_what_can_be_installed(monkeypatch, tmp_path, recorded, required, is_released):
    class Distribution:
        def read_text(self, _):
            return recorded

    monkeypatch.setattr(new_project, "IS_RELEASED", is_released)
    monkeypatch.setattr(new_project, "distribution", lambda _: Distribution())
    assert new_project.requirement("[templates]") == (PLACES[-1][1] if is_released else required)
