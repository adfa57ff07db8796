"""A dialect of web.py, a package of its own, in less than 400 lines: each case has the answer of the original."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon.cli.compare import PROGRAM, differences, parse_cases
from antiphon.testing import Client
from tests.helpers.example_packages import assert_imports_public_names_only, install
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "examples/dialect_webpy"
CASES = HERE / "webpy_shop.http"
ANSWERS = HERE / "webpy_shop.json"
"""The answers of web.py 0.76 under CPython 3.13, written by ``antiphon.cli.compare.answers``."""


@pytest.fixture(scope="module")
def web():
    sys.path.insert(0, str(PACKAGE))
    try:
        yield importlib.import_module("antiphon_webpy")
    finally:
        sys.path.remove(str(PACKAGE))


@pytest.mark.processes
def test_each_case_is_answered_as_by_web_py(tmp_path):
    site = install(PACKAGE, tmp_path)
    finished = subprocess.run(
        [sys.executable, PROGRAM, "webpy_shop:app.wsgifunc()", "web"], cwd=HERE, capture_output=True, text=True,
        input=json.dumps(parse_cases(CASES.read_bytes(), CASES.name)), env={**os.environ, "PYTHONPATH": str(site)},
        timeout=60, check=True,
    )  # fmt: skip
    cases = parse_cases(CASES.read_bytes(), CASES.name)
    pairs = zip(cases, json.loads(ANSWERS.read_text()), json.loads(finished.stdout), strict=True)
    found = {}
    for case, original, dialect in pairs:
        ignored = {"content-length", "set-cookie"}
        parts = [each for each in differences(original, dialect, ignored) if case["method"] != "HEAD"]
        if parts:
            found[case["target"]] = parts
    assert found == {}
    assert len(cases) > 30


def test_it_has_less_than_400_lines_on_public_names():
    files = [*(PACKAGE / "antiphon_webpy").glob("*.py")]
    assert sum(len(file.read_text().splitlines()) for file in files) < 400
    assert_imports_public_names_only(PACKAGE)


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_it_answers_over_each_interface(web, interface):
    class hello:
        def GET(self, name):
            web.header("X-Path", web.ctx.path)
            return f"Hello, {name or web.input(name='you').name}!"

    app = web.application(("/hello/(.*)", hello))
    response = Client(app, interface).get("/hello/?name=Ann")
    assert (response.text, response.headers["x-path"]) == ("Hello, Ann!", "/hello/")
    assert app.request("/hello/Zoe").data == b"Hello, Zoe!"
    assert app.request("/missing").status == "404 Not Found"


def test_processors_applications_below_and_hooks(web):
    order = []

    class page:
        def GET(self):
            order.append(web.ctx.homepath)
            return "below"

    below = web.application(("/page", page))
    below.add_processor(web.unloadhook(lambda: order.append("unloaded")))
    app = web.application(("/sub", below))
    app.add_processor(lambda handler: f"<{handler()}>")
    assert app.request("/sub/page").data == b"<below>"
    assert order == ["/sub", "unloaded"]


@rows("name, instead", [("template", "Jinja2"), ("database", "SQLAlchemy")])
def test_what_is_missing_says_what_to_use(web, name, instead):
    with pytest.raises(AttributeError, match=f"does not offer {name}: use {instead}"):
        getattr(web, name)


def test_a_body_that_is_too_large_is_not_a_failure_of_the_program(web):
    class form:
        def POST(self):
            return web.input().name

    fields = {"content-type": "multipart/form-data; boundary=b"}
    response = Client(web.application(("/", form)), "asgi").post("/", body=b"--b", headers=fields)
    assert response.status == 400
