import pytest

from antiphon import App, HTTPError, Response, abort
from antiphon.handler.callables import describe
from antiphon.handler.errors import set_debug_page
from antiphon.http.errors import Conflict, NotFound, Unauthorized
from antiphon.testing import Client
from tests.adapters.conftest import environ
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "other")


@pytest.fixture(params=[False, True], ids=["", "debug"])
def debug(request):
    set_debug_page((lambda request, error, response: None) if request.param else None)
    yield request.param
    set_debug_page(None)


class Broken(Exception):
    pass


class VeryBroken(Broken):
    pass


class Teapot(HTTPError):
    status = 418


ERRORS = {
    "/very": VeryBroken("very"), "/broken": Broken("broken"), "/value": ValueError("value"), "/teapot": Teapot("tea"),
    "/conflict": Conflict("both"), "/missing": NotFound("missing"), "/key": KeyError("key"),
    "/timeout": TimeoutError("late"),
}  # fmt: skip


def app_with(style, other, keys=()):
    """An application whose paths fail, with a handler for each key that answers with the key."""
    app = App()
    app.seen = []
    for path, error in ERRORS.items():

        def fails(request, error=error):
            raise error.with_traceback(None)  # else it had those of all tests before

        app.get(path)(style(fails))
    for key in keys:

        def handles(request, error, key=key):
            app.seen.append(error)
            return str(getattr(key, "__name__", key))

        app.errorhandler(key)(other(handles))
    return app


@pytest.mark.once
@rows(
    "keys, path, handled_by, status",
    ([Broken], "/broken", "Broken", 500),
    ([Broken], "/very", "Broken", 500),
    ([Broken, VeryBroken], "/very", "VeryBroken", 500),
    ([VeryBroken, Broken], "/very", "VeryBroken", 500),
    ([Exception, Broken], "/very", "Broken", 500),
    ([Exception], "/value", "Exception", 500),
    ([Exception], "/missing", "Exception", 404),
    ([Exception], "/nowhere", "Exception", 404),
    ([OSError], "/timeout", "OSError", 500),
    ([LookupError], "/key", "LookupError", 500),
    ([404], "/missing", "404", 404),
    ([404], "/nowhere", "404", 404),
    ([404, NotFound], "/missing", "NotFound", 404),
    ([404, HTTPError], "/missing", "404", 404),
    ([404, Exception], "/missing", "404", 404),
    ([HTTPError], "/conflict", "HTTPError", 409),
    ([HTTPError, Exception], "/conflict", "HTTPError", 409),
    ([418], "/teapot", "418", 418),
    ([Teapot, 418], "/teapot", "Teapot", 418),
    ([500], "/value", "500", 500),
    ([500, Exception], "/value", "500", 500),
    ([500, ValueError], "/value", "ValueError", 500),
    ([500, Broken], "/very", "Broken", 500),
    ([500, Exception, Broken], "/very", "Broken", 500),
    ([405], "/broken", None, 500),
    ([HTTPError], "/broken", None, 500),
)
def test_the_most_specific_handler_answers_with_the_errors_status(
    serving, style, other, keys, path, handled_by, status
):
    app = app_with(style, other, keys)
    response = serving(app).get(path)
    assert response.status == status
    if handled_by is None:
        assert response.content_type == "application/problem+json"
    else:
        assert response.text == handled_by
        assert path == "/nowhere" or app.seen == [ERRORS[path]]


@rows(
    "answer, status, body",
    ("text", 404, b"text"),
    ({"a": 1}, 404, b'{"a":1}'),
    (b"bytes", 404, b"bytes"),
    (("text", {"x-a": "1"}), 404, b"text"),
    (("text", 200), 200, b"text"),
    (("text", 410), 410, b"text"),
    (("text", 200, {"x-a": "1"}), 200, b"text"),
    ((None, 204), 204, b""),
    (Response("text", 418), 418, b"text"),
    (Response("text", 200), 200, b"text"),
    (Response("text"), 404, b"text"),
    (Response.html("<p>text"), 404, b"<p>text"),
    (Response.json(1), 404, b"1"),
    ((Response("text"), {"x-a": "1"}), 404, b"text"),
    ((Response("text", 410), {"x-a": "1"}), 410, b"text"),
    ((Response("text", 410), 451), 451, b"text"),
    (Response.redirect("/"), 303, b""),
    ids=repr,
)
def test_what_a_handler_returns_has_the_errors_status_unless_it_says_another(
    serving, style, other, answer, status, body
):
    app = app_with(style, other)
    app.errorhandler(404)(other(lambda request, error: answer))
    response = serving(app).get("/missing")
    assert (response.status, response.body) == (status, body)


def test_a_handler_that_returns_nothing_on_purpose_has_the_errors_status(serving, other, app):
    def nothing(request, error) -> None:
        pass

    app.errorhandler(404)(other(nothing))
    response = serving(app).get("/missing")
    assert (response.status, response.body) == (404, b"")


def test_one_response_may_answer_several_errors(serving, other):
    app, page = App(), Response.html("<p>Sorry.")
    app.get("/")(lambda request: "")
    app.errorhandler(HTTPError)(other(lambda request, error: page))
    client = serving(app)
    refused = client.post("/")
    assert (client.get("/missing").status, refused.status, refused.headers["allow"]) == (404, 405, "GET, HEAD, OPTIONS")
    assert (page.status, page.has_own_status) == (200, False)


def test_one_response_with_a_status_of_its_own_may_answer_several_errors(serving, other):
    app, page = App(), Response("No.", 405)
    app.get("/a")(lambda request: "")
    app.post("/b")(lambda request: "")
    app.errorhandler(405)(other(lambda request, error: page))
    client = serving(app)
    assert client.post("/a").headers["allow"] == "GET, HEAD, OPTIONS"
    assert client.get("/b").headers["allow"] == "OPTIONS, POST"
    assert ("allow" in page.headers, page.error) == (False, None)


class TestAHandlerThatFails:
    @pytest.mark.parametrize(("raised", "status"), [(ValueError("again"), 500), (Conflict("again"), 409)], ids=repr)
    def test_is_answered_as_if_there_were_none(self, serving, style, other, raised, status, caplog, seen):
        app = app_with(style, other)
        app.after_request(lambda request, response: seen.append(response.error))

        @app.errorhandler(Exception)
        @other
        def fails(request, error):
            raise raised

        response = serving(app).get("/broken")
        assert response.status == status
        assert response.content_type == "application/problem+json"
        assert seen == [raised]
        assert raised.__context__ is ERRORS["/broken"]
        assert len(caplog.records) == (status == 500)

    def test_by_what_it_returns_is_named_in_the_log(self, serving, style, other, caplog):
        app = app_with(style, other)

        @app.errorhandler(Broken)
        @other
        def forgets(request, error):
            pass

        assert serving(app).get("/broken").status == 500
        assert describe(forgets) in caplog.text


class TestProblemDetails:
    @pytest.mark.parametrize(
        "answer",
        [
            lambda error: error.problem(),
            lambda error: (error.problem() | {"more": 1}, 409),
            lambda error: (error.problem(), {"x-a": "1"}),
        ],
        ids=["alone", "with more", "with headers"],
    )
    def test_are_answered_as_what_they_are(self, serving, style, answer, app):
        app.errorhandler(404)(style(lambda request, error: answer(error)))
        response = serving(app).get("/nowhere")
        assert response.content_type == "application/problem+json"
        assert (response.json["title"], response.json["status"]) == ("Not Found", 404)


class TestWhatNobodyHandles:
    def test_has_another_id_for_each_request(self, serving, style, other):
        client = serving(app_with(style, other))
        assert client.get("/missing").headers["x-request-id"] != client.get("/missing").headers["x-request-id"]


@pytest.mark.parametrize("key", [500, Exception])
def test_an_unexpected_error_is_logged_though_a_handler_makes_a_page_of_it(serving, style, other, key, caplog):
    serving(app_with(style, other, [key])).get("/value")
    assert [record.exc_info[1] for record in caplog.records] == [ERRORS["/value"]]


@pytest.mark.parametrize("key", [ValueError, 404, HTTPError])
def test_an_error_that_was_expected_is_not_logged(serving, style, other, key, caplog):
    client = serving(app_with(style, other, [key]))
    client.get("/value" if key is ValueError else "/missing")
    assert caplog.records == []


@rows("leaving", [KeyboardInterrupt, SystemExit])
class TestWhatEndsTheProcess:
    def app(self, leaving, *, closing_fails):
        app = App()
        app.seen = []

        @app.middleware
        def around(request):
            response = yield
            app.seen.append(response.error)
            if closing_fails:
                raise Broken

        @app.get("/")
        def leaves(request):
            raise leaving

        app.errorhandler(Exception)(lambda request, error: "handled")
        return app

    @rows("closing_fails", [False, True])
    def test_leaves_when_the_middleware_has_closed(self, leaving, closing_fails):
        from antiphon.adapters.wsgi import call_wsgi

        app = self.app(leaving, closing_fails=closing_fails)
        with pytest.raises(leaving):
            call_wsgi(app, environ(), lambda status, headers: None)
        assert [type(error) for error in app.seen] == [leaving]


@rows(
    "answer, allow, challenges",
    ("text", "GET, HEAD, OPTIONS", ["Basic", "Bearer"]),
    (("text", {"x-a": "1"}), "GET, HEAD, OPTIONS", ["Basic", "Bearer"]),
    (("text", {"allow": "GET", "www-authenticate": "Own"}), "GET", ["Own"]),
    (("text", 200), None, []),
    (Response("text", 404), None, []),
    ids=repr,
)
def test_the_errors_headers_go_with_its_status(serving, style, other, answer, allow, challenges):
    app = App()

    @app.get("/")
    @style
    def refuses(request):
        raise Unauthorized(headers=[("www-authenticate", "Basic"), ("www-authenticate", "Bearer")])

    app.errorhandler(405)(other(lambda request, error: answer))
    app.errorhandler(401)(other(lambda request, error: answer))
    client = serving(app)
    assert client.put("/").headers.get("allow") == allow
    assert client.get("/").headers.getall("www-authenticate") == challenges


@rows(
    "status, name, value, fix",
    (401, "www-authenticate", "Bearer", 'abort(401, challenge="Bearer")'),
    (405, "allow", "OPTIONS, POST", None),
    (407, "proxy-authenticate", "Bearer", 'abort(407, challenge="Basic")'),
    (426, "upgrade", None, 'abort(426, upgrade="TLS/1.3")'),
)
@rows("handled", [False, True])
def test_an_error_without_its_header_gets_what_is_known_and_debug_says_where(
    serving, interface, style, other, status, name, value, fix, handled, debug, caplog
):
    app = App()

    @style
    def refuses(request):
        abort(status, "Who are you?")

    app.get("/")(refuses)
    app.post("/")(style(lambda request: "posted"))
    app.get("/own")(style(lambda request: ("Who?", status, {name: "Own"})))
    if handled:
        app.errorhandler(status)(other(lambda request, error: "Who?"))
    client = serving(app)
    refused, own = client.get("/"), client.get("/own")
    assert refused.status == status
    if status < 407 or interface != "wsgi":  # which forbids fields of a connection (PEP 3333)
        assert (refused.headers.get(name), own.headers[name]) == (value, "Own")
    said = [record.getMessage() for record in caplog.records if "without" in record.getMessage()]
    assert len(said) == (debug and fix is not None)
    for line in said:
        assert describe(refuses) in line
        assert f"{__file__}:" in line.partition("raised at ")[2]
        assert fix in line


@rows(
    "refused, allow",
    ("GET", "OPTIONS, POST, PUT"),
    ("HEAD", "OPTIONS, POST, PUT"),
    ("POST", "GET, HEAD, OPTIONS, PUT"),
    ("PUT", "GET, HEAD, OPTIONS, POST"),
)
@rows("prefix", ["", "/mounted"])
def test_a_405_of_a_handler_lists_the_other_methods_of_its_path(serving, style, refused, allow, prefix):
    app, outer = App(), App()
    app.route("/x/<int:item>", methods=["GET", "POST"])(style(lambda request, item: abort(405)))
    app.put("/x/<int:item>")(style(lambda request, item: abort(405)))
    outer.mount("/mounted", app)
    response = serving(outer if prefix else app).request(refused, f"{prefix}/x/1")
    assert (response.status, response.headers["allow"]) == (405, allow)


def test_a_handler_may_abort_with_each_status(serving, style, app):
    app.get("/<int:status>")(style(lambda request, status: abort(status, "no")))
    client = serving(app)
    assert {status: client.get(f"/{status}").status for status in range(400, 600)} == {n: n for n in range(400, 600)}


def test_a_whole_response_of_the_errors_status_has_its_headers_too(serving, style, other, app):
    app.get("/")(style(lambda request: "x"))
    app.errorhandler(405)(other(lambda request, error: Response("text", 405)))
    assert serving(app).put("/").headers["allow"] == "GET, HEAD, OPTIONS"


def test_problem_details_that_are_returned_have_their_status(app):
    @app.errorhandler(ValueError)
    def handle(request, error):
        return HTTPError(409, str(error)).problem()

    @app.get("/raised")
    def raised(request):
        raise ValueError("x")

    @app.get("/returned")
    def returned(request):
        return HTTPError(404, "y").problem() | {"more": 1}

    for path, status in (("/raised", 409), ("/returned", 404)):
        response = Client(app).get(path)
        assert (response.status, response.json["status"]) == (status, status)
        assert response.content_type == "application/problem+json"
