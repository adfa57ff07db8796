"""Examples that run in pages of the site: their commands as requests, and answers as the pages show them."""

import json
import re
import sys
import tarfile
from io import BytesIO

import pytest

from scripts import docs_site, docs_source
from scripts.playground import fetch, in_page
from scripts.playground.examples import RUN_PAGES, NotRunError, examples, request
from tests.helpers.rows import rows
from tests.helpers.tutorial import differs

REQUEST_ID = re.compile("[0-9a-f]{32}")
COMMANDS = [
    ("curl localhost:8000", "GET", "/", {}, "", "", False),
    ("curl 'localhost:8000?by=Bob'", "GET", "/?by=Bob", {}, "", "", False),
    ("curl http://localhost:8000/a", "GET", "/a", {}, "", "", False),
    ("curl -s localhost:8000/a | grep '<p>'", "GET", "/a", {}, "", "<p>", False),
    ("curl -s localhost:8000/a | python3 -m json.tool --indent 2", "GET", "/a", {}, "", "", True),
    ("curl localhost:8000 -H 'Accept: text/html'", "GET", "/", {"Accept": "text/html"}, "", "", False),
    (
        *("curl localhost:8000 --json '{\"a\": 1}'", "POST", "/"),
        *({"content-type": "application/json", "accept": "application/json"}, '{"a": 1}', "", False),
    ),
]


@rows("command, method, target, headers, body, only, is_indented", COMMANDS)
def test_a_command_of_curl_is_a_request(command, method, target, headers, body, only, is_indented):
    assert request(command) == {
        **{"command": command, "method": method, "target": target, "headers": headers},
        **{"body": body, "only": only, "is_indented": is_indented},
    }


@rows("command", ["antiphon run guestbook:app", "curl -F a=b localhost:8000", "curl localhost:8000 | sort", "curl"])
def test_a_command_that_is_no_such_request_does_not_run(command):
    with pytest.raises(NotRunError):
        request(command)


@pytest.fixture
def _as_in_a_page(tmp_path, monkeypatch):
    """Let an example change the folder, the path and the modules of this process, until the test has ended."""
    monkeypatch.setattr(in_page, "FOLDER", tmp_path / "example")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "example")
    for name in RUN_PAGES.values():
        sys.modules.pop(name, None)
    yield
    for name in RUN_PAGES.values():
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("_as_in_a_page")
@pytest.mark.parametrize(("page", "count"), [*zip(RUN_PAGES, (1, 4, 3), strict=True)], ids=lambda each: str(each)[-15:])
def test_the_answers_are_those_that_the_page_shows(page, count):
    found = list(examples(page))
    for step, example in found:
        answers = json.loads(in_page.run(json.dumps(example)))
        assert [each["command"] for each in answers] == [command for command, _ in step.commands]
        for answer, (command, shown) in zip(answers, step.commands, strict=True):
            assert differs(answer["body"], REQUEST_ID.sub("...", shown)) is None, command
    assert len(found) == count


@pytest.mark.usefixtures("_as_in_a_page")
def test_an_example_that_fails_shows_its_own_lines_of_the_traceback():
    example = {"module": "lamps", "files": {"lamps.py": "import antiphon\napp = 1 / 0\n"}, "requests": []}
    (answer,) = json.loads(in_page.run(json.dumps(example)))
    first, place, line, *_, last = answer["body"].splitlines()
    assert first == "Traceback (most recent call last):"
    assert place.endswith('lamps.py", line 2, in <module>')
    assert (line.strip(), last) == ("app = 1 / 0", "ZeroDivisionError: division by zero")


def test_the_front_page_has_few_lines_of_code():
    ((_, example),) = examples(docs_site.DOCS / "index.md")
    assert sum(1 for line in example["files"]["lamps.py"].splitlines() if line) <= 15


@pytest.mark.processes
@pytest.mark.parametrize("fetched", [True, False])
def test_a_page_has_places_for_buttons_only_where_pyodide_was_fetched(fetched, tmp_path, monkeypatch):
    monkeypatch.setattr(docs_site, "STAGED", tmp_path)
    monkeypatch.setattr(docs_site, "is_fetched", lambda: fetched)
    text = docs_site.page(docs_site.DOCS / "index.md")
    assert ('```\n\n<div class="run" data-example="index-1.json"></div>' in text) is fetched
    assert (tmp_path / "playground/index-1.json").exists() is fetched


def test_another_package_than_the_pinned_one_is_refused(tmp_path):
    package = tmp_path / "pyodide.tgz"
    with tarfile.open(package, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("package/pyodide.mjs"), BytesIO())
    with pytest.raises(fetch.ChangedError, match="not the file that was pinned"):
        fetch.unpack(package)


def test_what_was_fetched_in_other_versions_does_not_count(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "FETCHED", tmp_path)
    assert not fetch.is_fetched()
    (tmp_path / "pinned").write_text("pyodide@0.1")
    assert not fetch.is_fetched()
    (tmp_path / "pinned").write_text(fetch.pinned())
    assert fetch.is_fetched()


# The repository and the versions


@rows(
    "remote, address",
    ("https://github.com/owner/name.git", "https://github.com/owner/name"),
    ("git@github.com:owner/name.git", "https://github.com/owner/name"),
    ("ssh://git@codeberg.org/owner/na.me", "https://codeberg.org/owner/na.me"),
    ("/srv/git/name.git", None),
    ("", None),
)
def test_the_address_of_a_remote_is_that_which_a_browser_finds(remote, address):
    assert docs_source.address(remote) == address


def test_a_page_can_be_edited_where_its_repository_is_known(monkeypatch):
    monkeypatch.setattr(docs_source, "repository", lambda: "https://github.com/owner/name")
    text = docs_site.page(docs_site.DOCS / "how-to/health.md")
    assert '<a href="https://github.com/owner/name/edit/main/docs/how-to/health.md">Edit this page</a>' in text
    monkeypatch.setattr(docs_source, "repository", lambda: None)
    assert "Edit this page" not in docs_site.page(docs_site.DOCS / "how-to/health.md")


def test_a_published_site_is_beside_other_versions_and_the_newest_comes_first(tmp_path):
    site, folder = tmp_path / "site", tmp_path / "public"
    site.mkdir()
    (site / "versions.json").write_text("[]")
    (site / "index.html").write_text("")
    for version in ("0.9.0", "0.10.0", "0.2.0"):
        docs_site.publish(site, folder, version)
    assert [each["version"] for each in json.loads((folder / "versions.json").read_text())] == [
        "0.10.0",
        "0.9.0",
        "0.2.0",
    ]
    assert (folder / "0.9.0/index.html").exists()
    assert "url=0.10.0/" in (folder / "index.html").read_text()
