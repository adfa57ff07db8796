"""A whole application, written for Flask, of which only the imports are changed: it answers as under Flask."""

import re
import sys
from importlib import import_module
from pathlib import Path
from shutil import copytree

import pytest

PROGRAM = Path(__file__).parent / "programs" / "blog"
HIS = {"name": "bob", "password": "secret"}
HERS = {"name": "ada", "password": "secret"}
NOTE = {"title": "First <b>", "text": "1 & 2"}

VISIT = [
    ("bob", "GET", "/", None),
    ("bob", "GET", "/create", None),
    ("bob", "POST", "/create", NOTE),
    ("bob", "GET", "/auth/register", None),
    ("bob", "POST", "/auth/register", {"name": "", "password": ""}),
    ("bob", "POST", "/auth/register", {"name": "x"}),
    ("bob", "POST", "/auth/register", HIS),
    ("bob", "POST", "/auth/register", HIS),
    ("ada", "POST", "/auth/register", HERS),
    ("bob", "POST", "/auth/login", {**HIS, "password": "wrong"}),
    ("bob", "POST", "/auth/login", HIS),
    ("ada", "POST", "/auth/login", HERS),
    ("bob", "GET", "/", None),
    ("bob", "GET", "/create", None),
    ("bob", "POST", "/create", {**NOTE, "title": ""}),
    ("bob", "POST", "/create", NOTE),
    ("bob", "GET", "/", None),
    ("ada", "GET", "/", None),
    ("ada", "POST", "/1/update", NOTE),
    ("ada", "GET", "/7/update", None),
    ("bob", "GET", "/1/update", None),
    ("bob", "POST", "/1/update", {**NOTE, "title": "Changed"}),
    ("bob", "HEAD", "/", None),
    ("bob", "OPTIONS", "/1/update", None),
    ("bob", "PUT", "/1/update", None),
    ("bob", "GET", "/none", None),
    ("bob", "GET", "/static/style.css", None),
    ("bob", "POST", "/1/delete", None),
    ("bob", "GET", "/auth/logout", None),
    ("bob", "GET", "/", None),
]


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Loads the program with its imports changed, and makes an application with tables."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def load(dialects):
        name = f"blog_on_{'dialect' if dialects else 'flask'}"
        copytree(PROGRAM, tmp_path / name)
        for path in (tmp_path / name).glob("*.py"):
            path.write_text(re.sub(r"from (?=flask|werkzeug)", f"from {dialects}", path.read_text()))
        app = import_module(name).create_app(
            {"TESTING": True, "DATABASE": str(tmp_path / f"{name}.sqlite"), "SITE": "Notes & more"}
        )
        result = app.test_cli_runner().invoke(args=["init-db"])
        assert result.output == "The tables are there.\n", result.exception
        return app

    yield load
    for name in [name for name in sys.modules if name.startswith("blog_on_")]:
        del sys.modules[name]


def visit(app):
    clients = {name: app.test_client() for name in ("bob", "ada")}
    for who, method, path, form in VISIT:
        answer = clients[who].open(path, method=method, data=form, buffered=True)
        fields = {name: answer.headers.get(name) for name in ("Content-Type", "Location", "Vary", "Cache-Control")}
        fields["Allow"] = sorted(answer.headers.get("Allow", "").split(", "))
        body = answer.text if answer.status_code in (200, 201) or "You asked" in answer.text else None
        yield method, path, answer.status_code, fields, "Set-Cookie" in answer.headers, body


def test_the_blog_answers_as_under_flask(load):
    theirs, ours = [[*visit(load(dialects))] for dialects in ("", "antiphon.dialects.")]
    assert ours == theirs
    statuses = [status for _, _, status, *_ in ours]
    assert {200, 302, 400, 403, 404, 405} <= {*statuses}


def test_the_session_of_a_test_client_of_the_blog(load):
    app = load("antiphon.dialects.")
    flask = import_module("antiphon.dialects.flask")
    client = app.test_client()
    client.post("/auth/register", data=HIS)
    with client:
        client.post("/auth/login", data=HIS)
        assert flask.session["user_id"] == 1
        client.get("/")
        assert flask.g.user["name"] == "bob"
    with client.session_transaction() as session:
        del session["user_id"]
    assert b"Log in" in client.get("/").data
    with app.app_context():
        first = import_module("blog_on_dialect.database").connection()
        assert import_module("blog_on_dialect.database").connection() is first
    with pytest.raises(Exception, match="closed"):
        first.execute("SELECT 1")
