"""A dialect of Bottle, a package of its own: an unchanged program answers as with Bottle, on public names alone."""

import importlib
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from antiphon.testing import Client
from tests.helpers.example_packages import assert_imports_public_names_only
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

PACKAGE = Path(__file__).parents[2] / "examples/dialect_bottle"
PROGRAM = Path(__file__).parent / "bottle_shop.py"
FORM = "application/x-www-form-urlencoded"
PARTS = (
    b"--b\r\nContent-Disposition: form-data; name=title\r\n\r\nGr\xc3\xbcn\r\n"
    b'--b\r\nContent-Disposition: form-data; name=file; filename="lamp.txt"\r\nContent-Type: text/plain\r\n\r\noil\r\n'
    b"--b--\r\n"
)
ASKED = [
    ("GET", "/", {}, b""),
    ("HEAD", "/", {}, b""),
    ("GET", "/lamps/7", {}, b""),
    ("GET", "/lamps/x", {}, b""),
    ("DELETE", "/lamps/7", {}, b""),
    ("PATCH", "/lamps/7", {}, b""),
    ("GET", "/prices/1.5", {}, b""),
    ("GET", "/prices/1.5.2", {}, b""),
    ("GET", "/codes/ab12", {}, b""),
    ("GET", "/files/deep/down.txt", {}, b""),
    ("GET", "/query?q=gr%C3%BCn&q=blau&n=3&m=x", {}, b""),
    ("POST", "/form?a=1", {"content-type": FORM}, b"a=2&name=Zo%C3%AB"),
    ("POST", "/form", {"content-type": "text/plain"}, b"a=2"),
    ("POST", "/upload", {"content-type": "multipart/form-data; boundary=b"}, PARTS),
    ("POST", "/json", {"content-type": "application/json"}, b'{"n": [1, "\xc3\xbc"]}'),
    ("POST", "/json", {"content-type": "application/json"}, b'{"n": '),
    ("POST", "/json", {"content-type": "application/json"}, b""),
    ("POST", "/json", {"content-type": "text/plain"}, b"{}"),
    ("PUT", "/body", {}, b"whole"),
    ("GET", "/cookies", {"cookie": 'seen=yes; other="a b"'}, b""),
    ("GET", "/header", {"x-colour": "red", "authorization": "Basic WsO2OnNlY3JldA=="}, b""),
    ("GET", "/redirect", {}, b""),
    ("GET", "/moved", {}, b""),
    ("GET", "/forbidden", {}, b""),
    ("GET", "/teapot", {}, b""),
    ("GET", "/raised", {}, b""),
    ("GET", "/failing", {}, b""),
    ("GET", "/list", {}, b""),
    ("GET", "/stream", {}, b""),
    ("GET", "/none", {}, b""),
    ("GET", "/empty", {}, b""),
    ("GET", "/bytes", {}, b""),
    ("GET", "/static/notes.txt", {}, b""),
    ("GET", "/static/none.txt", {}, b""),
    ("GET", "/static/../secret.txt", {}, b""),
    ("GET", "/missing", {}, b""),
]
COMPARED = ("content-type", "content-length", "location", "allow", "x-hook", "x-made", "last-modified")


def shop(bottle, folder):
    """The program, with the modules of Bottle or of the dialect."""
    program = PROGRAM.read_text()
    namespace = {"__name__": "shop", "FOLDER": str(folder)}
    before, sys.modules["bottle"] = sys.modules.get("bottle"), bottle
    try:
        exec(compile(program, str(PROGRAM), "exec"), namespace)
    finally:
        if before is None:
            del sys.modules["bottle"]
        else:
            sys.modules["bottle"] = before
    return namespace["app"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("static")
    (folder / "notes.txt").write_text("light\n")
    (folder.parent / "secret.txt").write_text("key\n")
    return folder


@pytest.fixture(scope="module")
def dialect(folder):
    sys.path.insert(0, str(PACKAGE))
    try:
        yield shop(importlib.import_module("antiphon_bottle"), folder)
    finally:
        sys.path.remove(str(PACKAGE))


@pytest.fixture(scope="module")
def original(folder):
    """The program on Bottle with the standard library's JSON, in place of which it takes any ujson that is there."""
    pytest.importorskip("bottle")
    with patch.dict(sys.modules, {"ujson": None}):
        del sys.modules["bottle"]
        return shop(importlib.import_module("bottle"), folder)


def answer(app, interface, asked, **options):
    method, target, headers, body = asked
    client = Client(app, interface, follow_redirects=False, base_url="http://localhost", **options)
    response = client.request(method, target, headers=headers, body=body)
    fields = {name: (response.headers.get(name) or "").lower() for name in COMPARED}
    cookies = [sorted(value.lower().replace('""', "").split("; ")) for value in response.headers.getall("set-cookie")]
    return response.status, fields, cookies, response.body


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("asked", ASKED, ids=lambda asked: f"{asked[0]} {asked[1]}")
def test_a_program_is_answered_as_by_bottle(dialect, original, interface, asked):
    assert answer(dialect, interface, asked) == answer(original, "wsgi", asked)


def test_it_imports_public_places_only():
    assert_imports_public_names_only(PACKAGE)


@rows(
    "use, told",
    [
        (
            "from antiphon_bottle import template",
            "antiphon_bottle does not offer template: use Jinja2",
        ),
        ("from antiphon_bottle import SimpleTemplate", "antiphon_bottle does not offer SimpleTemplate"),
        ("import antiphon_bottle; antiphon_bottle.response.set_cookie('a', 'b', secret='c')", "signs no cookies"),
        ("import antiphon_bottle; antiphon_bottle.request.get_cookie('a', secret='c')", "reads no signed cookies"),
        ("import antiphon_bottle; antiphon_bottle.run(server='gunicorn')", "run.. has no server"),
    ],
)
def test_what_is_missing_says_so(dialect, use, told):
    app = importlib.import_module("antiphon_bottle").Bottle(catchall=False)
    app.route("/", callback=lambda: exec(use, {}))
    with pytest.raises((ImportError, NotImplementedError, TypeError), match=told):
        Client(app, "wsgi").get("/")


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_a_form_that_can_not_be_read_is_refused(dialect, interface):
    answered = answer(
        dialect, interface, ("POST", "/upload", {"content-type": "multipart/form-data; boundary=b"}, b"--b")
    )
    assert (answered[0], answered[3][:5]) == (400, b"400: ")
    too_many = b"&".join([b"a=1"] * 1001)
    assert answer(dialect, interface, ("POST", "/form", {"content-type": FORM}, too_many))[0] == 413
