"""Tests with a real browser: forms are read as they were filled in, and a form that is too large is answered."""

import hashlib
import json
import os

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import SERVERS, server
from tests.helpers.served.forms import LIMIT

pytestmark = pytest.mark.processes

IN_PARTS, URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"

BUILD = """(fields, attributes) => {
  const form = document.createElement("form");
  for (const [name, value] of Object.entries(attributes)) form.setAttribute(name, value);
  for (const [name, value] of fields) {
    const field = document.createElement("textarea");
    [field.name, field.value] = [name, value];
    form.append(field);
  }
  for (const name of ["chosen", "not chosen"]) {
    const field = document.createElement("input");
    [field.type, field.name, field.multiple] = ["file", name, true];
    form.append(field);
  }
  document.body.append(form);
}"""
FETCH = """async () => {
  const form = document.forms[0];
  const response = await fetch(form.action, {method: "POST", body: new FormData(form)});
  return [response.status, await response.text()];
}"""
NAME_CHARSET = """() => {
  const field = document.createElement("input");
  [field.type, field.name] = ["hidden", "_charset_"];
  document.forms[0].append(field);
}"""

FIELDS = [
    ["plain", "value"],
    ["ü☃😀", "é\u200e😀"],
    ['a"quote', "'\"'"],
    ["back\\slash; c=d", "&=+;%"],
    ["percent %41%0A", "%41%0A"],
    [" space ", "  "],
    ["\x01\t\x7f", "\x00\x01\t\x7f"],
    ["twice", "1"],
    ["twice", "2"],
    ["empty", ""],
    ["lines", "one\ntwo\r\nthree"],
    ["looks", '--boundary\r\nContent-Disposition: form-data; name="looks"\r\n\r\n'],
]
READ = [[name, value.replace("\r\n", "\n").replace("\n", "\r\n")] for name, value in FIELDS]
"""The fields as they are read: browsers send CRLF at the end of each line."""

FILES = {
    "plain.png": b"\x89PNG\r\n\x1a\n",
    "ü☃ 'a\"b';c=\\d%41.txt": b"--boundary--\r\n",
    "empty": b"",
    "large.bin": bytes(range(256)) * 12_000,
}


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def site(request):
    with ServerProcess(request.param.command, "tests.helpers.served.forms:app") as process:
        yield f"http://127.0.0.1:{process.port}"


@pytest.fixture
def page(browser, site):
    page = browser.open(f"{site}/")
    yield page
    page.close()


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in FILES]


@pytest.fixture(scope="module")
def too_large(tmp_path_factory):
    """The path of a file of many times the limit."""
    path = tmp_path_factory.mktemp("files") / "too large.bin"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 40 * LIMIT)
    return path


def form_of(page, path, enctype, fields=FIELDS, **attributes):
    """Make a form in the page."""
    page.run(BUILD, fields, {"method": "post", "action": path, "enctype": enctype} | attributes)


def check_files(report, paths):
    """Check the reported files: the chosen ones, and an empty one for the input without a file."""
    kinds = ["image/png", "text/plain", "application/octet-stream", "application/octet-stream"]
    chosen = [
        ["chosen", path.name, kind, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()]
        for path, kind in zip(paths, kinds, strict=True)
    ]
    none = ["not chosen", "", "application/octet-stream", 0, hashlib.sha256().hexdigest()]
    assert report["files"] == [*chosen, none]


over_some = pytest.mark.parametrize(
    "site", [server("Granian, ASGI"), server("Gunicorn, gthread")], ids=lambda server: server.name, indirect=True
)
each_handler = pytest.mark.parametrize("handler", ["def", "async"])


@over_some
@each_handler
class TestAForm:
    @pytest.mark.parametrize("is_fetched", [False, True], ids=["submitted", "fetched"])
    def test_in_parts_is_read_as_it_was_filled_in(self, page, paths, handler, is_fetched):
        form_of(page, f"/{handler}/told", IN_PARTS)
        page.choose("[name=chosen]", *paths)
        if is_fetched:
            status, text = page.run(FETCH)
        else:
            page.submit()
            status, text = page.status, page.text
        assert status == 200
        report = json.loads(text)
        assert report["fields"] == READ
        check_files(report, paths)

    def test_urlencoded_is_read_as_it_was_filled_in(self, page, paths, handler):
        form_of(page, f"/{handler}/told", URLENCODED)
        page.choose("[name=chosen]", *paths)
        page.submit()
        names = [["chosen", path.name] for path in paths]
        assert json.loads(page.text) == {"fields": [*READ, *names, ["not chosen", ""]], "files": []}

    @pytest.mark.parametrize(("enctype", "name"), [(IN_PARTS, "two%0D%0Alines"), (URLENCODED, "two\r\nlines")])
    def test_has_names_of_several_lines_as_browsers_escape_them(self, page, handler, enctype, name):
        form_of(page, f"/{handler}/told", enctype, fields=[["two\nlines", "value"]])
        page.submit()
        assert json.loads(page.text)["fields"][0] == [name, "value"]

    @pytest.mark.parametrize("enctype", [IN_PARTS, URLENCODED])
    def test_of_another_charset_is_read_by_what_it_says_of_it(self, page, handler, enctype):
        fields = [["naïve €", "Grüße, “quoted”"]]
        form_of(page, f"/{handler}/told", enctype, fields=fields, **{"accept-charset": "windows-1252"})
        page.run(NAME_CHARSET)
        page.submit()
        assert json.loads(page.text)["fields"][-1] == ["_charset_", "windows-1252"]
        assert json.loads(page.text)["fields"][0] == fields[0]


@pytest.mark.usefixtures("site")
@pytest.mark.axes("handler")
@each_handler
class TestTooMuch:
    def test_is_answered_by_a_page_to_a_form_that_is_submitted(self, page, site, handler, too_large):
        form_of(page, f"/{handler}/limited", IN_PARTS)
        page.choose("[name=chosen]", too_large)
        page.submit()
        assert (page.url, page.status, page.title) == (f"{site}/{handler}/limited", 413, "413 Content Too Large")

    def test_is_answered_by_a_problem_to_a_form_that_is_fetched(self, page, handler, too_large):
        form_of(page, f"/{handler}/limited", IN_PARTS)
        page.choose("[name=chosen]", too_large)
        status, text = page.run(FETCH)
        problem = json.loads(text)
        assert (status, problem["limit"], problem["maximum"]) == (413, "body", LIMIT)
