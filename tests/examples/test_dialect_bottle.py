"""A dialect of Bottle, a package of its own in less than 400 lines: each case has the response of the original."""

import importlib
import sys
from pathlib import Path

import pytest

from antiphon.cli.compare import compare, parse_cases
from antiphon.testing import Client
from tests.helpers.example_packages import assert_imports_public_names_only, install
from tests.helpers.rows import rows

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "examples/dialect_bottle"
CASES = HERE / "bottle_shop.http"
FORM = "application/x-www-form-urlencoded"
IN_PARTS = "multipart/form-data; boundary=b"
OTHER_FIELDS = {"etag", "x-content-type-options", "content-disposition", "reason"}
"""Fields of files: Antiphon's ETag is a quoted one, it adds a field, and a file's name has quotes only if needed. Its
reason phrases are those of the statuses."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("static")
    (folder / "notes.txt").write_text("light\n")
    (folder.parent / "secret.txt").write_text("key\n")
    return folder


@pytest.fixture
def shop(folder, monkeypatch):
    """The program, on the dialect."""
    monkeypatch.setenv("FOLDER", str(folder))
    monkeypatch.syspath_prepend(PACKAGE)
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setitem(sys.modules, "bottle", importlib.import_module("antiphon_bottle"))
    monkeypatch.delitem(sys.modules, "bottle_shop", raising=False)
    return importlib.import_module("bottle_shop").app


@pytest.mark.processes
def test_each_case_is_answered_as_by_bottle(tmp_path, folder, monkeypatch):
    pytest.importorskip("bottle")
    site = install(PACKAGE, tmp_path)
    (site / "ujson.py").write_text("raise ImportError")  # else Bottle writes JSON with any ujson that is there
    monkeypatch.setenv("FOLDER", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.chdir(HERE)
    lines, is_same = compare(sys.executable, "bottle_shop:app", CASES, {"bottle"}, OTHER_FIELDS, ())
    assert is_same, "\n".join(lines)
    assert lines == ["45 of 45 cases have the same response."]


def asked(app, interface, case):
    client = Client(app, interface, follow_redirects=False, base_url="http://localhost")
    fields = [(name, value) for name, value in case["fields"] if name != "Content-Length"]
    response = client.request(case["method"], case["target"], headers=fields, body=case["body"].encode("latin-1"))
    return response.status, [each for each in response.headers.items() if each[0] != "date"], response.body


@rows("case", parse_cases(CASES.read_bytes(), CASES.name), ids=lambda case: f"{case['method']} {case['target']}")
def test_each_case_is_answered_alike_over_each_interface(shop, case):
    assert asked(shop, "wsgi", case) == asked(shop, "asgi", case) == asked(shop, "rsgi", case)


def test_it_has_less_than_400_lines_on_public_names():
    files = [*(PACKAGE / "antiphon_bottle").glob("*.py")]
    assert sum(len(file.read_text().splitlines()) for file in files) < 400
    assert_imports_public_names_only(PACKAGE)


@rows(
    "use, told",
    ("from antiphon_bottle import template", "bottle does not offer template: use Jinja2"),
    ("from antiphon_bottle import SimpleTemplate", "bottle does not offer SimpleTemplate"),
    ("import antiphon_bottle; antiphon_bottle.response.set_cookie('a', 'b', secret='c')", "signs no cookies"),
    ("import antiphon_bottle; antiphon_bottle.request.get_cookie('a', secret='c')", "reads no signed cookies"),
    ("import antiphon_bottle; antiphon_bottle.run(server='gunicorn')", "run.. has no server"),
)
def test_what_is_missing_says_so(shop, use, told):
    app = importlib.import_module("antiphon_bottle").Bottle(catchall=False)
    app.route("/", callback=lambda: exec(use, {}))
    with pytest.raises((ImportError, NotImplementedError, TypeError), match=told):
        Client(app, "wsgi").get("/")


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("path, content_type, body, status", [
    ("/upload", IN_PARTS, b"--b", 400),
    ("/form", FORM, b"&".join([b"a=1"] * 1001), 413),
    ("/form", "text/plain", b"&".join([b"a=1"] * 1001), 413),
])  # fmt: skip
def test_a_form_that_can_not_be_read_is_refused(shop, interface, path, content_type, body, status):
    response = Client(shop, interface).post(path, headers={"content-type": content_type}, body=body)
    assert response.status == status
    assert status != 400 or response.text.startswith("400: ")  # by the program's own handler


def test_a_stream_is_closed_when_it_has_been_sent(shop):
    app, seen = importlib.import_module("antiphon_bottle").Bottle(), []

    @app.route("/")
    def stream():
        try:
            yield "one"
            seen.append("went on")
            yield "two"
        finally:
            seen.append("closed")

    assert Client(app, "wsgi").get("/").text == "onetwo"
    assert seen == ["went on", "closed"]
