"""Helpers of views: URLs, redirects, errors, responses; settings of the environment; root paths."""

import sys

import pytest

from antiphon.dialects.flask import Blueprint, Flask, abort, make_response, redirect, url_for
from antiphon.dialects.flask.helpers import get_root_path
from antiphon.dialects.werkzeug.exceptions import NotFound
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
