"""Middleware that is opened before the route is sought."""

import asyncio
import threading

import pytest

from antiphon import App, Blueprint, Limits, Redirect, Request
from antiphon.http.errors import Conflict, NotFound
from tests.adapters.conftest import scope
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style", "other", "app", "refusing")]

METHODS = frozenset({"PUT", "PATCH", "DELETE"})


def by_header(request):
    method = request.headers.get("x-http-method-override", "").upper()
    if request.method == "POST" and method in METHODS:
        request.method = method


def by_form(request):
    method = request.form.get("_method", "").upper()
    if request.method == "POST" and method in METHODS:
        request.method = method


def below_api(request):
    if request.path.startswith("/api/"):
        request.path = request.path.removeprefix("/api")


def register(app, other, before=lambda request: None, after=lambda request, response: None, **options):
    app.middleware(other.around(before, after), before_routing=True, **options)


def tell(request):
    return {"method": request.method, "path": request.path, "params": dict(request.path_params), "text": request.text}


@pytest.fixture(params=[False, True], ids=["one style", "mixed"])
def app(request, style):
    app = App()
    app.route("/items/<id>", ["GET", "POST", "PUT", "DELETE"])(style(tell))
    if request.param:
        app.get("/waits")(waits)
        app.get("/blocks")(lambda request: "blocks")
    return app


async def waits(request):
    await asyncio.sleep(0)
    return "waits"


class TestRewriting:
    @pytest.mark.parametrize("blocking", [False, True])
    def test_the_method_by_a_header(self, app, serving, other, blocking):
        register(app, other, by_header, blocking=blocking)
        client = serving(app)
        for sent, method in [("put", "PUT"), ("DELETE", "DELETE"), ("TRACE", "POST"), ("", "POST")]:
            response = client.post("/items/5", body=b"text", headers={"x-http-method-override": sent})
            assert response.json == {"method": method, "path": "/items/5", "params": {"id": "5"}, "text": "text"}
        response = client.post("/items/5", headers={"x-http-method-override": "patch"})
        assert (response.status, response.headers["allow"]) == (405, "DELETE, GET, HEAD, OPTIONS, POST, PUT")

    def test_the_path(self, app, serving, other):
        register(app, other, below_api)
        client = serving(app)
        assert client.get("/api/items/a%20b").json["params"] == {"id": "a b"}
        assert client.get("/api/items/é").json["path"] == "/items/é"
        assert client.get("/items/5").json["path"] == "/items/5"
        response = client.get("/api/nowhere")
        assert (response.status, response.json["detail"]) == (404, "There is nothing at /nowhere.")

    def test_both_and_several_times(self, app, serving, other):
        register(app, other, by_header)
        register(app, other, below_api)
        register(app, other, below_api)
        response = serving(app).post("/api/api/items/5", headers={"x-http-method-override": "PUT"})
        assert (response.json["method"], response.json["path"]) == ("PUT", "/items/5")

    def test_leaves_what_was_sent(self, serving, interface, style, other):
        app = App()
        urls = []

        def rewrite(request):
            urls.append(request.url)
            below_api(request)

        register(app, other, rewrite)
        app.get("/items/<id>")(
            style(
                lambda request: {
                    "raw": request.raw_path and request.raw_path.decode(),
                    "url": request.url,
                    "args": request.args["q"],
                    "own": request.url_for("item", id=5),
                }
            )
        )
        app.get("/own/<id>", name="item")(tell)
        answer = serving(app).get("/api/items/5?q=a").json
        assert answer.pop("raw") in ((None, "/api/items/5") if interface != "asgi" else ("/api/items/5",))
        assert answer == {"url": "http://testserver/items/5?q=a", "args": "a", "own": "/own/5"}
        assert urls == ["http://testserver/api/items/5?q=a"]

    def test_the_path_of_which_a_part_was_sent_encoded(self, app, serving, interface, other):
        register(app, other, below_api)
        response = serving(app).get("/api/items/a%2Fb")
        assert response.status == 404 if interface == "rsgi" else response.json["params"] == {"id": "a/b"}

    @rows("name, value", [("method", "a b"), ("method", ""), ("path", "x"), ("path", "")], ids=repr)
    def test_to_what_is_malformed_is_an_error_where_it_is_done(self, name, value):
        app = App()
        errors = []

        @app.middleware(before_routing=True)
        def rewrite(request):
            with pytest.raises(ValueError, match=r"method|path") as error:
                setattr(request, name, value)
            errors.append(error)
            yield

        from antiphon.testing import Client

        assert Client(app).get("/").status == 404
        assert errors


def test_a_head_request_has_no_body_whatever_it_becomes(serving, style, other):
    app = App()
    app.get("/")(style(lambda request: request.method))
    register(app, other, lambda request: setattr(request, "method", "GET"))
    response = serving(app).head("/")
    assert (response.status, response.body) == (200, b"")


def test_a_get_request_has_its_body_whatever_it_becomes(serving, style, other):
    app = App()
    app.get("/")(style(lambda request: request.method))
    register(app, other, lambda request: setattr(request, "method", "HEAD"))
    assert serving(app).get("/").text == "HEAD"


class TestAround:
    def test_are_opened_first_and_closed_last(self, app, serving, style, other):
        called = []
        app.middleware(other.around(lambda request: called.append("inner"), lambda *_: called.append("inner closes")))
        for name in ("one", "two"):
            register(
                app, other, lambda request, name=name: called.append(name),
                lambda request, response, name=name: called.append(f"{name} closes"),
            )  # fmt: skip
        app.before_request(other(lambda request: called.append("before")))
        app.after_request(other(lambda request, response: called.append("after")))
        client = serving(app)
        for path in ("/items/5", "/nowhere"):
            called.clear()
            client.get(path)
            assert called == [
                "one", "two", "inner", "before", "after", "inner closes", "two closes", "one closes"
            ]  # fmt: skip

    def test_block_on_a_thread_where_that_is_said(self, serving, interface, style):
        app = App()
        threads = []

        @app.middleware(before_routing=True, blocking=True)
        def blocks(request):
            threads.append(threading.current_thread())
            with pytest.raises(RuntimeError, match="no running event loop"):
                asyncio.get_running_loop()
            yield
            with pytest.raises(RuntimeError, match="no running event loop"):
                asyncio.get_running_loop()

        app.get("/")(style(lambda request: "x"))
        app.get("/waits")(waits)
        client = serving(app)
        assert client.get("/").text == "x"
        assert client.get("/waits").text == "waits"
        assert len(threads) == 2

    @pytest.mark.parametrize("kind", ["returns", "raises", "redirects"])
    def test_may_answer_early(self, app, serving, other, kind):
        called = []

        def early(request):
            if kind == "raises":
                raise Conflict("early")
            if kind == "redirects":
                raise Redirect("/early", 307)
            return "early", 409

        register(app, other, after=lambda request, response: called.append(response.status))
        register(app, other, early)
        register(app, other, lambda request: called.append("never"))
        app.before_request(lambda request: called.append("never"))
        app.after_request(lambda request, response: called.append("never"))
        response = serving(app).get("/items/5")
        if kind == "redirects":
            assert (response.status, response.headers["location"]) == (307, "/early")
        else:
            assert (response.status, "early" in response.text) == (409, True)
        assert called == [response.status]

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize(
        ("error", "status", "logged"), [(NotFound("no"), 404, False), (LookupError("oh"), 500, True)], ids=str
    )
    def test_errors_are_answered_by_the_app(self, app, serving, other, caplog, when, error, status, logged, seen):
        def raises(request, *_):
            raise error

        app.errorhandler(type(error))(other(lambda request, error: f"handled {error!r}"))
        register(app, other, after=lambda request, response: seen.append(response.error))
        register(app, other, **{when: raises})
        response = serving(app).get("/items/5")
        assert (response.status, response.text) == (status, f"handled {error!r}")
        assert seen == [error]

    def test_that_read_the_body_hold_to_the_limits_of_the_app(self, serving, style, other):
        app = App(limits=Limits(body=30))
        app.post("/")(style(lambda request: str(len(request.body))))
        register(app, other, by_form, loads_body=True)
        client = serving(app)
        assert client.post("/", form={"a": "x" * 20}).text == "22"
        assert client.post("/", form={"a": "x" * 40}).status == 413


class TestARequestThatIsRefused:
    """What is wrong with a request before a route is sought is answered inside of all middleware, as without it."""

    @pytest.fixture(params=[False, True], ids=["", "before routing"])
    def refusing(self, request, other, style):

        def make(**options):
            app, blueprint, seen = App(**options), Blueprint("part", prefix="/part"), []

            def notes(name):
                return other.around(after=lambda request, response: seen.append((name, response.status)))

            if request.param:
                app.middleware(notes("outermost"), before_routing=True, loads_body=True)
            app.middleware(notes("app"), loads_body=True)
            app.after_request(other(lambda request, response: seen.append(("after", response.status))))
            blueprint.middleware(notes("part"))
            blueprint.post("/x")(style(lambda request: str(len(request.body))))
            app.post("/x")(style(lambda request: str(len(request.body))))
            app.register(blueprint)
            return app, seen, ["outermost"] * request.param

        return make

    @rows("path", ["/x", "/part/x", "/nowhere"])
    @rows("host, status", [("evil.example", 421), ("a b", 400)])
    def test_by_its_head(self, refusing, serving, path, host, status):
        app, seen, outermost = refusing(trusted_hosts=["testserver"])
        app.errorhandler(status)(lambda request, error: f"handled {error.status}")
        response = serving(app).post(path, headers={"host": host})
        assert (response.status, response.text) == (status, f"handled {status}")
        assert seen == [("after", status), ("app", status), *[(name, status) for name in outermost]]

    def test_may_be_answered_otherwise_by_a_hook(self, refusing, serving, other):
        app, seen, outermost = refusing(trusted_hosts=["example.com"])
        app.before_request(other(lambda request: ("early", 299)))
        assert serving(app).post("/x").status == 299
        assert len(seen) == 2 + len(outermost)


def test_a_body_that_is_too_large_for_the_app_is_refused_though_the_route_takes_it(serving, style, other):
    app, seen = App(limits=Limits(body=10)), []
    app.post("/", limits=Limits(body=100))(style(lambda request: seen.append("never")))
    app.middleware(other.around(after=lambda request, response: seen.append(response.status)))
    register(app, other, loads_body=True)
    assert serving(app).post("/", body=bytes(20)).json["limit"] == "body"
    assert seen == [413]


@pytest.mark.parametrize("reads", [False, True])
def test_a_body_that_came_too_slowly_is_not_waited_for_again(other, reads):
    app, received, seen = App(limits=Limits(timeout=0.01, rate=0)), [], []
    app.post("/")(lambda request: "never")
    app.middleware(other.around(after=lambda request, response: seen.append((response.status, len(received)))))
    register(app, other, loads_body=reads)

    async def receive():
        received.append(1)
        if len(received) > 1:
            await asyncio.sleep(0.5)
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"abc", "more_body": True}

    async def send(message):
        await asyncio.sleep(0)

    given = scope("POST", headers=[(b"host", b"example.com"), (b"content-length", b"6")])
    asyncio.run(app(given, receive, send))
    assert seen == [(408, 2)]


class TestElsewhere:
    @rows("name", ["method", "path"])
    @rows("where", ["middleware", "before", "handler", "after", "error", "closing"])
    def test_method_and_path_are_settled(self, serving, style, other, where, name):
        app = App()
        errors = []

        def sets(at):
            def set_it(request, *_):
                if at == where:
                    with pytest.raises(RuntimeError, match=r"@app\.middleware\(before_routing=True\)") as error:
                        setattr(request, name, "/x" if name == "path" else "PUT")
                    errors.append(error)

            return set_it

        app.middleware(other.around(sets("middleware")))
        register(app, other, after=sets("closing"))
        app.before_request(other(sets("before")))
        app.after_request(other(sets("after")))
        app.errorhandler(404)(other(sets("error")))

        @app.get("/")
        @style
        def handler(request):
            sets("handler")(request)
            raise NotFound

        assert serving(app).get("/").status in (404, 500)
        assert len(errors) == 1

    @pytest.mark.parametrize("name", ["method", "path"])
    def test_around_a_mounted_application_they_are_settled(self, serving, style, other, name):
        inner, app, errors = App(), App(), []
        inner.get("/x")(style(lambda request: f"{request.root_path} {request.path}"))
        app.mount("/old", inner)

        @app.before_request
        @other
        def sets(request):
            with pytest.raises(RuntimeError, match="before_routing") as error:
                setattr(request, name, "/y" if name == "path" else "PUT")
            errors.append(error)

        response = serving(app).get("/old/x")
        assert (response.status, response.text, len(errors)) == (200, "/old /x", 1)

    def test_of_a_mounted_application_are_its_own(self, serving, style, other):
        inner, app = App(), App()
        register(inner, other, by_header)
        register(inner, other, below_api)
        inner.put("/x")(style(lambda request: f"{request.root_path} {request.path} {request.url}"))
        app.mount("/old", inner)
        response = serving(app).post("/old/api/x", headers={"x-http-method-override": "PUT"})
        assert response.text == "/old /x http://testserver/old/x"

    def test_there_is_no_route_to_be_found(self):
        with pytest.raises(RuntimeError, match="before_routing"):
            Request.blank("/").path = "/x"

    def test_is_a_blueprint(self):
        for register in (Blueprint("b").middleware, Blueprint("b").middleware):
            with pytest.raises(ValueError, match="register this with the app"):
                register(before_routing=True)


class TestWritesOfOtherSites:
    @rows(
        "sent, becomes, status",
        [("GET", "DELETE", 403), ("POST", "PUT", 403), ("GET", "GET", 200), ("POST", "GET", 200)],
    )
    def test_are_those_of_the_method_that_it_has_become(self, serving, style, other, sent, becomes, status):
        app = App()
        app.route("/", ["GET", "PUT", "DELETE"])(style(lambda request: request.method))
        register(app, other, lambda request: setattr(request, "method", becomes))
        client = serving(app)
        assert client.request(sent, "/", headers={"sec-fetch-site": "cross-site"}).status == status
        assert client.request(sent, "/", headers={"sec-fetch-site": "same-origin"}).text == becomes


class TestBehindProxies:
    def test_the_client_is_the_one_that_they_tell(self, serving, interface, style, other, seen):
        app = App(trusted_proxies=["10.0.0.1"])

        def look(request):
            seen.append((request.ip, request.is_secure, request.url))
            below_api(request)

        register(app, other, look)
        app.get("/x")(style(lambda request: [request.ip, request.url]))
        extra = {"SERVER_SOFTWARE": "waitress"} if interface == "wsgi" else {}
        client = serving(app, client=("10.0.0.1", 1), extra=extra)
        headers = {"x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "https"}
        assert client.get("/api/x", headers=headers).json == ["192.0.2.1", "https://testserver/x"]
        assert seen == [("192.0.2.1", True, "https://testserver/api/x")]

    def test_a_host_that_is_not_answered_for_is_refused_before(self, serving, style, other, seen):
        app = App(trusted_hosts=["example.com"])
        register(
            app,
            other,
            lambda request: seen.append(request.host),
            lambda request, response: seen.append(response.status),
        )
        app.get("/")(style(lambda request: request.host))
        client = serving(app)
        assert client.get("/", headers={"host": "example.com"}).text == "example.com"
        assert client.get("/", headers={"host": "evil.example"}).status == 421
        assert seen[-1] == 421
