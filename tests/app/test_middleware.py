import asyncio
from operator import attrgetter

import pytest

from antiphon import App, Request, Response
from antiphon.handler.callables import describe
from antiphon.http.errors import Forbidden, NotFound, UnprocessableContent
from antiphon.testing import Client
from tests.app.conftest import STYLES
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "other")


def app_with(style, called=None):
    called = [] if called is None else called
    app = App()
    error = LookupError("boom")
    app.raised = error

    @app.get("/")
    @style
    def handler(request):
        called.append("handler")
        return Response("handler", 200, {"x-handler": "1"})

    @app.get("/fails")
    @style
    def fails(request):
        raise error

    @app.get("/missing")
    @style
    def missing(request):
        raise NotFound("by the handler")

    @app.post("/typed")
    @style
    def typed(request):
        raise UnprocessableContent("wrong fields")

    @app.get("/stream")
    @style
    def stream(request):
        return iter([b"a", b"b"])

    return app


class TestAnEarlyAnswer:
    def early(self, other, how, answer):

        def returns(request):
            return answer
            yield

        def yields(request):
            yield answer

        def raises(request):
            raise Forbidden("early")
            yield

        async def yields_waiting(request):
            await asyncio.sleep(0)
            yield answer

        async def raises_waiting(request):
            await asyncio.sleep(0)
            raise Forbidden("early")
            yield

        ways = {"return": returns, "yield": yields, "raise": raises}
        if other.is_async:
            ways = {"return": yields_waiting, "yield": yields_waiting, "raise": raises_waiting}
        return ways[how]

    @rows("how", ["return", "yield", "raise"])
    @rows("answer", [("early", 403), Response("early", 403)], ids=["tuple", "response"])
    def test_goes_out_through_what_was_opened(self, serving, style, other, how, answer):
        called = []
        app = app_with(style, called)
        app.middleware(other.around(lambda request: called.append("opens"), lambda request, r: called.append(r.status)))
        app.middleware(self.early(other, how, answer))
        app.middleware(other.around(lambda request: called.append("never")))
        app.before_request(lambda request: called.append("never"))
        response = serving(app).get("/")
        assert response.status == 403
        assert b"early" in response.body
        assert called == ["opens", 403]

    def test_is_sent_to_the_one_that_yielded_it(self, serving, style, seen):
        app = app_with(style)

        @app.middleware
        def around(request):
            response = yield "early"
            seen.append(response.body)
            response.headers["x-a"] = "1"

        response = serving(app).get("/")
        assert (response.text, response.headers["x-a"]) == ("early", "1")
        assert seen == [b"early"]

    def test_of_nonsense_is_named_in_the_log(self, serving, style, other, caplog):
        app = app_with(style)
        around = app.middleware(self.early(other, "yield", 5))
        assert serving(app).get("/").status == 500
        assert describe(around) in caplog.text

    @pytest.mark.parametrize("waits", [False, True])
    def test_of_nothing_at_all_lets_nobody_through(self, serving, style, waits, caplog):
        called = []
        app = app_with(style, called)

        def blocking(request):
            if request.path != "/":
                yield

        async def waiting(request):
            if request.path != "/":
                yield

        around = app.middleware(waiting if waits else blocking)
        assert serving(app).get("/").status == 500
        assert called == []
        assert f"{describe(around)} ended before its yield, without a response" in caplog.text

    def test_is_not_what_an_iteration_of_its_own_ends_by(self, serving, style, caplog):
        app = app_with(style)

        @app.middleware
        def stray(request):
            raise StopAsyncIteration("its own")
            yield

        assert serving(app).get("/").status == 500
        assert "StopAsyncIteration: its own" in caplog.text
        assert "ended before its yield" not in caplog.text


class TestTheResponse:
    def test_may_be_changed(self, serving, style, other):
        app = app_with(style)

        def changes(request, response):
            response.headers["x-a"] = "1"
            response.body = "changed"

        app.middleware(other.around(after=changes))
        response = serving(app).get("/")
        assert (response.text, response.headers["x-a"], response.headers["x-handler"]) == ("changed", "1", "1")
        assert response.headers["content-length"] == "7"

    @pytest.mark.parametrize("instead", [Response("other", 202), ("other", 202)], ids=["response", "tuple"])
    def test_may_be_replaced_for_what_is_around(self, serving, style, other, instead, seen):
        app = app_with(style)
        app.middleware(other.around(after=lambda request, response: seen.append(response.status)))
        app.middleware(other.around(after=lambda request, response: instead))
        response = serving(app).get("/")
        assert (response.status, response.text) == (202, "other")
        assert seen == [202]

    @rows("returned, sent", (None, "yielded"), ("returned", "returned"))
    def test_may_be_replaced_by_a_yield_too_but_one_that_is_returned_goes_before(self, serving, style, returned, sent):
        app = app_with(style)

        @app.middleware
        def around(request):
            yield
            yield "yielded"
            return returned

        assert serving(app).get("/").text == sent

    def test_that_replaces_a_failure_keeps_its_error(self, serving, style, other, seen):
        app = app_with(style)
        app.middleware(other.around(after=lambda request, response: seen.append(response.error)))
        app.middleware(other.around(after=lambda request, response: Response("calm")))
        assert serving(app).get("/fails").text == "calm"
        assert seen == [app.raised]

    def test_that_replaces_several_failures_has_the_error_of_each(self, serving, style, other, seen):
        app = app_with(style)
        instead = Response("instead", 503)
        app.middleware(other.around(after=lambda request, response: seen.append(response.error)))
        app.after_request(other(lambda request, response: instead))
        client = serving(app)
        assert [client.get(path).text for path in ("/fails", "/missing", "/")] == ["instead"] * 3
        assert [type(error) for error in seen] == [LookupError, NotFound, type(None)]


class TestErrors:
    @rows(
        "method, path, size, status",
        ("GET", "/nowhere", 0, 404), ("PUT", "/", 0, 405), ("POST", "/typed", (16 << 20) + 1, 413),
        ("POST", "/typed", 0, 422), ("GET", "/fails", 0, 500), ("GET", "/missing", 0, 404),
        ("OPTIONS", "/", 0, 204), ("HEAD", "/", 0, 200),
    )  # fmt: skip
    def test_all_pass_the_middleware(self, serving, style, other, method, path, size, status):
        seen = []
        app = app_with(style)

        def after(request, response):
            seen.append(response.status)
            response.headers["x-passed"] = "1"

        app.middleware(other.around(after=after))
        response = serving(app).request(method, path, body=bytes(size))
        assert response.status == status
        assert response.headers["x-passed"] == "1"
        assert seen == [status]

    def test_while_it_opens_pass_what_is_around(self, serving, style, other, caplog, seen):
        error = LookupError("boom")
        app = app_with(style)

        def fails(request):
            raise error

        app.middleware(other.around(after=lambda request, response: seen.append((response.status, response.error))))
        app.middleware(other.around(fails))
        assert serving(app).get("/").status == 500
        assert seen == [(500, error)]
        assert len(caplog.records) == 1


class TestTheBody:
    @rows("size", [5, 200_000])
    @rows("chunked", [False, True])
    def test_is_there_for_middleware_that_says_so(self, serving, style, other, size, chunked):
        sizes = []
        app = App()
        app.post("/")(style(lambda request: str(len(request.body))))
        app.middleware(loads_body=True)(other.around(lambda request: sizes.append(len(request.body))))
        content = bytes(size)
        response = serving(app).post("/", body=iter([content]) if chunked else content)
        assert response.text == str(size)
        assert sizes == [size]

    @pytest.mark.parametrize("name", ["accept", "cookie", "x-forwarded-for"])
    def test_that_is_small_is_there_for_all_though_a_header_comes_twice(self, serving, style, other, name, app):
        bodies = []
        app.post("/")(style(lambda request: "x"))
        app.middleware(other.around(lambda request: bodies.append(request.body)))
        assert serving(app).post("/", body=b"hello", headers=[(name, "a=1"), (name, "b=2")]).status == 200
        assert bodies == [b"hello"]

    @pytest.mark.parametrize("waits", [False, True], ids=["sends it", "waits to be asked for it"])
    def test_that_is_large_is_not_kept_when_a_hook_refuses_the_request(self, serving, style, other, waits, app):
        app.post("/")(style(lambda request: "x"))
        asked, before, contents = [], [], []

        def refuse(request):
            before.append([*asked])
            contents.append(request.content)
            return "refused", 403

        app.middleware(other.around(refuse))

        def chunks():
            for number in range(10):
                asked.append(number)
                yield bytes(100_000)

        headers = {"content-length": "1000000"} | ({"expect": "100-continue"} if waits else {})
        response = serving(app).post("/", body=chunks(), headers=headers)
        assert response.status == 403
        assert (before, contents[0].size) == ([[]], 0)
        assert asked == ([] if waits else [*range(10)])

    @pytest.mark.parametrize("path", ["/", "/nowhere", "/fails"])
    def test_that_is_small_may_be_read_by_what_comes_after(self, serving, style, other, path, app, seen):
        app.post("/")(style(lambda request: "x"))

        @app.post("/fails")
        @style
        def fails(request):
            raise LookupError

        app.after_request(other(lambda request, response: seen.append(request.body)))
        app.errorhandler(Exception)(other(lambda request, error: (seen.append(request.body), "x")[1]))
        serving(app).post(path, body=b"hello")
        assert set(seen) == {b"hello"}

    @rows("handler", STYLES, ids=attrgetter("name"))
    @rows("hook", STYLES, ids=attrgetter("name"))
    @rows("error_handler", STYLES, ids=attrgetter("name"))
    def test_that_is_small_may_be_read_over_wsgi_where_there_is_no_route(self, handler, hook, error_handler):
        app = App()
        app.get("/")(handler(lambda request: "x"))
        app.after_request(hook(lambda request, response: None))
        app.errorhandler(404)(error_handler(lambda request, error: request.body))
        with Client(app, "wsgi") as client:
            assert client.post("/nowhere", body=b"hello").body == b"hello"


class Later:
    """An answer that waits before it is there."""

    def __response__(self, request):
        async def respond():
            await asyncio.sleep(0)
            return Response("later")

        return respond()


@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
def test_an_answer_that_waits_is_awaited_where_middleware_gives_it_early(interface, app):
    @app.middleware
    def early(request):
        return Later()
        yield

    @app.get("/")
    async def page(request):
        raise AssertionError("the handler is not called")

    assert Client(app, interface).get("/").text == "later"


DROPPING = {
    "passes": "yield",
    "cleans up": "try:\n  yield\n finally:\n  called.append('cleaned')",
    "returns another": "yield\n return 'other'",
    "yields another": "yield\n yield 'other'",
    "yields again": "yield\n yield\n yield",
    "fails": "yield\n raise ValueError",
    "adds a hook": "request.on_response(mark)\n yield",
    "adds a hook late": "yield\n request.on_response(mark)",
    "adds a hook and returns another": "yield\n request.on_response(mark)\n return Response('other', 201)",
    "depends on a header": "yield\n request.accept.best(['text/html'])",
    "adds a cookie": "request.on_response(lambda _, response: response.set_cookie('a', 'b'))\n yield",
}


@rows("body", DROPPING.values(), ids=DROPPING)
def test_what_drops_the_response_makes_the_same_of_it_as_what_takes_it(interface, style, body):
    def outcome(yields):
        called = []

        def mark(request, response):
            called.append(response.status)
            response.headers["x-marked"] = "yes"

        app = app_with(style)
        app.get("/text")(style(lambda request: "text"))
        for name, inside in (("outer", "yield"), ("tested", body), ("inner", "yield")):
            defined = {"called": called, "mark": mark, "Response": Response}
            code = inside.replace("yield\n", f"{yields}\n") if "\n" in inside else inside.replace("yield", yields)
            exec(f"def {name}(request):\n {code}\n called.append('{name}')", defined)
            app.middleware(defined[name])
        client = Client(app, interface, raise_errors=False)
        for response in [client.get(path) for path in ("/text", "/", "/fails", "/stream")]:
            text = f"{response.status} {[*response.headers.items()]} {response.text}"
            called.append(text.replace(response.headers.get("x-request-id", "-"), "-"))
        return app._freeze().find(Request.blank("/text"))[0].is_unseen, called

    (is_unseen, made), (is_other_unseen, expected) = outcome("yield"), outcome("_ = yield")
    assert (made, is_unseen, is_other_unseen) == (expected, True, False)
