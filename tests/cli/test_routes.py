"""`antiphon routes`: the table, and the route that answers a URL."""

import re
import sys
from itertools import takewhile

import pytest
from click.testing import CliRunner

from antiphon.cli.main import main
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

SHOP = """
from antiphon import App, Blueprint

app, inner = App(redirect_slashes=True, trusted_hosts=["localhost"]), App()
admin = Blueprint("admin", prefix="/admin", host="<tenant>.example.com")


def legacy(environ, start_response): ...


@app.get("/")
def index(request): ...


@app.route("/notes/<int:id>/", ["GET", "PUT"])
def note(request, id): raise SystemExit("it is not called")


@admin.post("/users", name="add")
async def add_user(request): ...


@inner.get("/stock/<name>")
def stock(request): ...


app.register(admin)
app.mount("/store/<city>", inner)
app.mount("/old", legacy)
"""


@pytest.fixture
def routes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "routed", raising=False)
    (tmp_path / "routed.py").write_text(SHOP)

    def run(*arguments):
        result = CliRunner().invoke(main, ["routes", *arguments], catch_exceptions=False)
        return result.exit_code, [re.sub(r":\d+\)", ")", line) for line in result.output.splitlines()]

    return run


def test_the_table(routes):
    code, lines = routes("routed:app")
    assert code == 0
    assert [line.split(maxsplit=2) for line in lines] == [
        ["GET", "/", "index      index (routed.py)"],
        ["GET,PUT", "/notes/<int:id>/", "note       note (routed.py)"],
        ["POST", "<tenant>.example.com/admin/users", "admin.add  add_user (routed.py)"],
        ["GET", "/store/<city>/stock/<name>", "stock      stock (routed.py)"],
        ["*", "/old/...", "a WSGI application, legacy (routed.py)"],
    ]
    assert routes() == (code, lines)


@rows(
    "arguments, code, expected",
    (["/"], 0, ["GET  /  index  index (routed.py)"]),
    (["/notes/7/?a=b"], 0, ["GET,PUT  /notes/<int:id>/  note  note (routed.py)", "  id = 7"]),
    (["/notes/7/", "--method", "put"], 0, ["GET,PUT  /notes/<int:id>/  note  note (routed.py)", "  id = 7"]),
    (["/notes/7/", "--method", "OPTIONS"], 0, ["OPTIONS is handled by the app itself", "  id = 7"]),
    (["/notes/7"], 0, ["308: the path is redirected to its other form, with or without a trailing slash"]),
    (["/notes/x/"], 1, ["404 Not Found: There is nothing at /notes/x/."]),
    (["/", "--method", "POST"], 1, ["405 Method Not Allowed: POST is not allowed at /; GET, HEAD, OPTIONS are"]),
    (["/admin/users"], 1, ["404 Not Found: There is nothing at /admin/users."]),
    (["http://localhost/"], 0, ["GET  /  index  index (routed.py)"]),
    (["http://example.net/"], 1, ["421 Misdirected Request: This application does not serve example.net."]),
    (["/old/page"], 0, ["mounted at /old: a WSGI application, legacy (routed.py)"]),
    (
        ["/store/Rome/stock/tea%2Fpot"],
        0,
        ["mounted at /store/<city>: App", "GET  /stock/<name>  stock  stock (routed.py)", "  name = 'tea/pot'"],
    ),
    (["/store/Rome/x"], 1, ["mounted at /store/<city>: App", "404 Not Found: There is nothing at /store/Rome/x."]),
)
def test_what_answers_a_url(routes, arguments, code, expected):
    got, lines = routes("routed:app", *arguments)
    assert got == code
    assert list(takewhile(bool, lines)) == expected  # the facts about the route follow
    assert routes(*arguments) == (got, lines)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["routed:legacy"], "is of type function, whose routes are unknown"),
        (["http://:x/"], "is not a URL"),
        (["routed:app", "/", "/"], "extra argument"),
    ],
)
def test_what_has_no_routes(routes, arguments, words):
    code, lines = routes(*arguments)
    assert code == 2
    assert words in " ".join(lines)
