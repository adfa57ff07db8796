"""The client, the builder of environs and the runner of commands, for tests of applications."""

import pytest

from antiphon.dialects.flask import Flask, g, has_request_context, jsonify, request, session
from antiphon.dialects.flask.globals import _cv_app
from antiphon.dialects.flask.testing import EnvironBuilder
from antiphon.dialects.werkzeug.test import EnvironBuilder as WerkzeugBuilder
from antiphon.dialects.werkzeug.test import create_environ
from antiphon.dialects.werkzeug.wrappers import Request as WerkzeugRequest
from tests.helpers.rows import rows


def make_app():
    app = Flask(__name__)
    app.secret_key = "a secret"

    @app.route("/", methods=["GET", "POST"])
    def index():
        g.seen = request.args.get("q", "nothing")
        session.setdefault("visits", 0)
        session["visits"] += 1
        return jsonify(q=g.seen, visits=session["visits"], agent=request.headers.get("User-Agent"), url=request.url)

    @app.route("/away")
    def away():
        from antiphon.dialects.flask import redirect

        return redirect("/?q=redirected")

    return app


@pytest.fixture
def app():
    return make_app()


@pytest.fixture
def client(app):
    return app.test_client()


def test_requests_of_all_kinds_are_opened(client):
    builder = WerkzeugBuilder("/?q=builder")
    given = ["/?q=path", builder, create_environ("/?q=environ"), WerkzeugRequest(create_environ("/?q=request"))]
    assert [client.open(each).json["q"] for each in given] == ["path", "builder", "environ", "request"]
    assert builder.environ_base is None
    assert client.get("/", query_string={"q": "query"}).json["q"] == "query"
    assert client.get("away").status_code == 302
    assert client.get("/away", follow_redirects=True).json["q"] == "redirected"


def test_a_session_is_changed_between_requests(app, client):
    with client.session_transaction() as changed:
        changed["visits"] = 9
    assert client.get("/").json["visits"] == 10
    with client.session_transaction("/", base_url="http://localhost/") as found:
        assert found["visits"] == 10
    with pytest.raises(TypeError, match="use_cookies"), app.test_client(use_cookies=False).session_transaction():
        pass


def test_a_session_that_can_t_be_opened_is_an_error(app):
    app.session_interface.__class__  # noqa: B018
    app.session_interface = type("Closed", (type(app.session_interface),), {"open_session": lambda *_: None})()
    with pytest.raises(RuntimeError, match="did not open"), app.test_client().session_transaction():
        pass


def test_the_context_of_the_last_request_stays_within_the_with_block(app, client):
    with client:
        client.get("/?q=first")
        assert (request.args["q"], g.seen, session["visits"]) == ("first", "first", 1)
        client.get("/?q=second")
        assert (request.args["q"], session["visits"]) == ("second", 2)
        with pytest.raises(RuntimeError, match="nest"), client:
            pass
    assert not has_request_context()


def test_a_block_of_a_client_may_outlast_the_context_that_its_requests_share(app, client):
    ends = []
    app.teardown_appcontext(lambda error: ends.append(g.pop("seen", None)))
    with client, app.app_context():
        client.get("/?q=first")
        client.get("/?q=second")
        assert (g.seen, request.args["q"], ends) == ("second", "second", [])
    assert (_cv_app.get(), ends) == (None, ["second"])


def test_a_context_that_requests_have_shared_has_none_of_them_left(app, client):
    with app.app_context():
        with client:
            assert client.get("/away", follow_redirects=True).json["q"] == request.args["q"] == "redirected"
        assert not has_request_context()


@rows("again", [0, 1, 2])
def test_a_context_may_end_before_requests_inside_it(app, again):
    context, one, other = app.app_context(), app.test_request_context("/one"), app.test_request_context("/other")
    for each in (context, *[context] * again, one, other):
        each.push()
    context.pop()
    assert request.path == "/other"
    for each in (other, one, *[context] * again):
        each.pop()
    assert _cv_app.get() is None


def test_a_base_url_is_given_once(app):
    with pytest.raises(AssertionError, match="subdomain"):
        EnvironBuilder(app, base_url="http://a", subdomain="b")


def test_json_is_written_and_read_as_the_application_does(app, client):
    app.json.default = lambda value: "written"

    @app.post("/echo")
    def echo():
        return request.get_json()

    assert client.post("/echo", json={"a": object()}).json == {"a": "written"}
