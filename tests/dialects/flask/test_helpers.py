"""Helpers of views: URLs, redirects, errors, responses; settings of the environment; root paths."""

import sys

import pytest

from antiphon.dialects.flask import Blueprint, Flask, abort, make_response, redirect, url_for
from antiphon.dialects.flask.helpers import _split_blueprint_path, get_debug_flag, get_load_dotenv, get_root_path
from antiphon.dialects.werkzeug.exceptions import HTTPException, NotFound
from antiphon.dialects.werkzeug.routing import BuildError
from antiphon.dialects.werkzeug.wrappers import Response as WerkzeugResponse
from tests.helpers.rows import rows


def make_app():
    app = Flask(__name__)
    app.add_url_rule("/", "index", lambda: "")
    app.add_url_rule("/users/<int:id>", "user", lambda **_: "", methods=["GET", "POST"])
    part = Blueprint("part", __name__, url_prefix="/part")
    part.add_url_rule("/", "index", lambda: url_for(".list"))
    part.add_url_rule("/list", "list", lambda: url_for("index"))
    app.register_blueprint(part)
    return app


@pytest.fixture
def app():
    return make_app()


@rows(
    "endpoint, values, url",
    ("index", {}, "/"),
    ("user", {"id": 7}, "/users/7"),
    ("user", {"id": 7, "q": "a b", "tag": ["x", "y"], "none": None}, "/users/7?q=a+b&tag=x&tag=y"),
    ("user", {"id": 7, "_anchor": "a b"}, "/users/7#a%20b"),
    ("user", {"id": 7, "_method": "POST"}, "/users/7"),
    ("index", {"_external": True}, "http://localhost/"),
    ("index", {"_scheme": "https"}, "https://localhost/"),
    ("part.list", {}, "/part/list"),
    ("static", {"filename": "a/b.css"}, "/static/a/b.css"),
)
def test_url_of_an_endpoint(app, endpoint, values, url):
    with app.test_request_context():
        assert url_for(endpoint, **values) == url


def test_a_dot_means_the_blueprint_of_the_request(app):
    client = app.test_client()
    assert client.get("/part/").text == "/part/list"
    assert client.get("/part/list").text == "/"


def test_urls_outside_of_requests_are_whole_and_need_a_server_name(app):
    with app.app_context(), pytest.raises(RuntimeError, match="SERVER_NAME"):
        url_for("index")
    app.config["SERVER_NAME"] = "shop.example"
    with app.app_context():
        assert url_for("index") == "http://shop.example/"
        assert url_for("index", _external=False) == "/"
        assert url_for("index", _scheme="https") == "https://shop.example/"


def test_what_no_rule_builds_is_an_error_unless_a_handler_builds_it(app):
    with app.test_request_context():
        with pytest.raises(BuildError):
            url_for("none")
        with pytest.raises(ValueError, match="_external"):
            url_for("index", _scheme="https", _external=False)
        app.url_build_error_handlers.append(lambda error, endpoint, values: f"/{endpoint}?{values['x']}")
        assert url_for("none", x=1) == "/none?1"


def test_defaults_of_urls(app):
    app.url_defaults(lambda endpoint, values: values.setdefault("id", 3) if endpoint == "user" else None)
    with app.test_request_context():
        assert url_for("user") == "/users/3"


@pytest.mark.feature("flask-066")
@rows("code", [301, 302, 303, 307, 308])
def test_redirect_is_a_response(code):
    app = make_app()
    app.add_url_rule("/away", "away", lambda: redirect(url_for("user", id=1), code))
    answer = app.test_client().get("/away")
    assert (answer.status_code, answer.location) == (code, "/users/1")
    assert redirect("/x").status_code == 302  # outside of applications, too


def test_the_application_makes_redirects_and_errors(app):
    app.redirect = lambda location, code: (location, code)
    app.aborter = lambda code, *args: (_ for _ in ()).throw(KeyError(code))
    with app.app_context():
        assert redirect("/x", code=307) == ("/x", 307)
        assert isinstance(redirect("/x", Response=WerkzeugResponse), WerkzeugResponse)
        with pytest.raises(KeyError):
            abort(404)
    with pytest.raises(NotFound):
        abort(404)


def test_abort_with_words_or_a_response(app):
    with app.app_context():
        with pytest.raises(NotFound, match="no such note"):
            abort(404, "no such note")
        with pytest.raises(HTTPException) as raised:
            abort(WerkzeugResponse("gone", 410))
    assert raised.value.get_response().status_code == 410


@pytest.mark.feature("flask-067", "flask-068")
@rows(
    "given, status, text",
    ((), 200, ""),
    (("text",), 200, "text"),
    (("text", 201), 201, "text"),
    ((("text", 202),), 202, "text"),
    (({"a": 1},), 200, '{"a":1}\n'),
    ((redirect("/x"),), 302, None),
)
def test_make_response(given, status, text):
    app = make_app()

    def view():
        response = make_response(*given)
        response.set_cookie("seen", "yes")
        return response

    app.add_url_rule("/made", "made", view)
    answer = app.test_client().get("/made")
    assert (answer.status_code, answer.headers["Set-Cookie"]) == (status, "seen=yes; Path=/")
    if text is None:
        assert answer.location == "/x"
    else:
        assert answer.text == text


@rows(
    "value, debug, dotenv",
    [(None, False, True), ("", False, True), ("0", False, True), ("No", False, True), ("1", True, False)],
)
def test_flags_of_the_environment(monkeypatch, value, debug, dotenv):
    for name in ("FLASK_DEBUG", "FLASK_SKIP_DOTENV"):
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    assert get_debug_flag() is debug
    assert get_load_dotenv(True) is dotenv


def test_root_path_of_a_module(tmp_path, monkeypatch):
    (tmp_path / "root_of_one.py").write_text("")
    (tmp_path / "root_of_many").mkdir()
    (tmp_path / "root_of_many" / "__init__.py").write_text("")
    (tmp_path / "root_of_none").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir("/")
    assert get_root_path("root_of_one") == str(tmp_path)
    assert get_root_path("root_of_many") == str(tmp_path / "root_of_many")
    assert get_root_path("there_is_no_such_module") == "/"
    with pytest.raises(RuntimeError, match="root_of_none"):
        get_root_path("root_of_none")
    assert "root_of_one" not in sys.modules


def test_blueprints_in_a_name():
    assert _split_blueprint_path("a.b.c") == ["a.b.c", "a.b", "a"]
