from contextvars import copy_context

import pytest

from antiphon import App, Blueprint, Limits, Redirect, Request, Response
from antiphon.features.security_headers import SecurityHeaders
from antiphon.handler.callables import describe
from antiphon.handler.drive import run_sync
from antiphon.http.head import RequestHead
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "other")


def echo(request):
    return {"method": request.method, "params": dict(request.path_params), "endpoint": request.endpoint}


class TestRoutes:
    @rows("path", ["/", "/plain/", "//plain", "/plain/x", "/Plain", "/%2Fplain", "/users/", "/users//"])
    def test_do_not_answer_elsewhere(self, serving, style, path):
        app = App()
        app.get("/plain")(style(echo))
        app.get("/users/<name>")(style(echo))
        response = serving(app).get(path)
        assert response.status == 404
        assert response.json["detail"].startswith("There is nothing at ")

    @rows("method", ["get", "post", "put", "patch", "delete"])
    def test_have_a_decorator_for_each_method(self, serving, method):
        app = App()
        getattr(app, method)("/x", name="named")(echo)
        client = serving(app)
        assert client.request(method.upper(), "/x").json == {
            "method": method.upper(), "params": {}, "endpoint": "named",
        }  # fmt: skip
        assert client.request("PROPFIND", "/x").status == 405

    def test_may_answer_several_methods_of_any_name(self, serving, app):
        app.route("/x", ["GET", "propfind"])(echo)
        client = serving(app)
        assert [client.request(method, "/x").status for method in ("GET", "PROPFIND", "POST")] == [200, 200, 405]


class TestMethods:
    @pytest.fixture
    def client(self, serving, style):
        app = App()
        app.get("/read")(style(lambda request: ("body", {"x-a": "1"})))
        app.post("/write")(style(lambda request: "body"))
        app.route("/both/<x>", ("PUT", "DELETE"))(style(lambda request: "body"))
        app.route("/own", ("GET", "OPTIONS", "HEAD"))(style(lambda request: (request.method, {"x-own": "1"})))
        return serving(app)

    @pytest.mark.parametrize(
        ("path", "allow"),
        [
            ("/read", "GET, HEAD, OPTIONS"),
            ("/write", "OPTIONS, POST"),
            ("/both/1", "DELETE, OPTIONS, PUT"),
            ("/own", "GET, HEAD, OPTIONS"),
        ],
    )
    def test_that_are_not_answered_are_a_405_with_those_that_are(self, client, path, allow):
        for method in ("PATCH", "get", "BREW"):
            response = client.request(method, path)
            assert (response.status, response.headers["allow"]) == (405, allow)
            assert method in response.json["detail"]

    @rows(
        "methods, allow",
        ((), "OPTIONS"),
        (("GET",), "GET, HEAD, OPTIONS"),
        (("GET", "PURGE", "DELETE"), "DELETE, GET, HEAD, OPTIONS, PURGE"),
    )
    def test_of_any_route_are_listed_for_options_of_all(self, style, methods, allow):
        app, shop = App(), Blueprint("shop", prefix="/shop/<x>")
        for method in methods:
            shop.route(f"/{method}", [method])(style(lambda request: "body"))
        app.register(shop)
        app.after_request(lambda request, response: response.headers.update({"x-seen": "1"}))
        for method, status in (("OPTIONS", 204), ("GET", 405)):
            request = Request(RequestHead(method, "*"))
            response = run_sync(app._handle(request), copy_context())
            assert (response.status, response.headers["x-seen"]) == (status, "1")
        response = run_sync(app._handle(Request(RequestHead("OPTIONS", "*"))), copy_context())
        assert (response.headers["allow"], response.body) == (allow, b"")

    def test_of_any_route_are_asked_for_at_the_origin(self, serving):
        app = App(trusted_hosts=["a.org"])
        app.get("/x", name="x")(echo)

        @app.after_request
        def tell(request, response):
            back = Response.back(request).headers["location"]
            urls = [request.url, request.url.target, request.url_for("x"), request.url_for("x", _absolute=True), back]
            return Response.json({"path": request.path, "raw_path": str(request.raw_path), "urls": urls})

        response = serving(app).options("*", headers={"host": "a.org", "referer": "http://a.org/from"})
        told = response.json
        assert (told["path"], told["raw_path"] in ("b'*'", "None")) == ("*", True)
        assert told["urls"] == ["http://a.org/", "/", "/x", "http://a.org/x", "/from"]

    def test_of_options_and_head_may_be_answered_otherwise(self, client):
        assert client.options("/own").text == "OPTIONS"
        assert client.head("/own").headers["content-length"] == "4"
        assert client.get("/own").text == "GET"

    def test_head_is_not_found_where_get_is_not(self, client):
        assert client.head("/nowhere").status == 404
        assert client.head("/write").status == 405


class TestRegistering:
    @rows("pattern", ["", "x", "/<", "/<a", "/<int:>", "/<nope:a>", "/<a>/<a>", "/x<a"])
    def test_a_malformed_path_is_an_error_at_once(self, pattern):
        with pytest.raises(ValueError):  # noqa: PT011 - the words are those of the pattern's own tests
            App().get(pattern)

    @rows(
        "register",
        lambda app: app.get("/late"),
        lambda app: app.route("/late", ["GET"]),
        lambda app: app.middleware(lambda request: (yield)),
        lambda app: app.middleware(loads_body=True),
        lambda app: app.before_request(echo),
        lambda app: app.after_request(echo),
        lambda app: app.errorhandler(404),
        lambda app: app.on_startup(echo),
        lambda app: app.on_shutdown(echo),
        ids=["get", "route", "middleware", "middleware with body", "before", "after", "error", "startup", "shutdown"],
    )
    def test_after_the_first_request_is_an_error(self, serving, register):
        app = App()
        serving(app).get("/")
        with pytest.raises(RuntimeError, match="before the first one"):
            register(app)

    @rows("option", ["limit", "method", "status"])
    def test_an_option_that_no_route_has_is_an_error_that_names_those_there_are(self, option):
        with pytest.raises(TypeError, match=rf"'{option}'.*limits") as refused:
            App().get("/x", **{option: None})
        assert "'/x'" in str(refused.value)

    @rows("register", ["get", "post", "route"])
    def test_a_decorator_without_its_path_is_an_error_that_says_so(self, register):
        with pytest.raises(TypeError, match="path must be text"):
            getattr(App(), register)(echo)

    @rows("feature, such_as", [(None, "CORS"), (5, "CORS"), (SecurityHeaders, "SecurityHeaders")], ids=repr)
    def test_an_object_that_is_not_a_feature_is_an_error_that_shows_one(self, feature, such_as):
        with pytest.raises(TypeError, match=rf"is not a feature.*install\(app\), such as {such_as}\("):
            App().use(feature)

    def test_a_function_that_never_yields_as_middleware_is_an_error(self):
        with pytest.raises(TypeError, match="never yields") as refused:
            App().middleware(echo)
        assert describe(echo) in str(refused.value)

    @rows("key", [None, "404", KeyboardInterrupt, BaseException, object, Redirect, ValueError("x"), 404.0], ids=repr)
    def test_an_error_handler_for_no_error_is_an_error(self, key):
        with pytest.raises(TypeError, match="status"):
            App().errorhandler(key)(echo)

    @rows("status", [200, 399, 600, 0, -404])
    def test_an_error_handler_for_no_errors_status_is_an_error(self, status):
        with pytest.raises(ValueError, match=str(status)):
            App().errorhandler(status)(echo)

    def test_two_error_handlers_for_one_error_are_an_error(self, app):
        app.errorhandler(404)(lambda request, error: echo(request))
        with pytest.raises(ValueError, match="404"):
            app.errorhandler(404)(lambda request, error: "x")


class TestLimits:
    @rows("wrong", [5, {"body": 1}, Limits, 0, ()], ids=repr)
    @rows(
        "give",
        lambda limits: App(limits=limits),
        lambda limits: Blueprint("shop", limits=limits),
        lambda limits: App().post("/", limits=limits),
        lambda limits: App().mount("/old", lambda environ, start_response: [], limits=limits),
        ids=["app", "blueprint", "route", "mount"],
    )
    def test_that_are_none_are_an_error_where_they_are_given(self, give, wrong):
        with pytest.raises(TypeError, match=r"^limits must be given as Limits\(body=\.\.\.\), not as "):
            give(wrong)

    def limited(self, style, app_limits, route_limits):
        app = App(limits=app_limits)

        @app.post("/", limits=route_limits)
        @style
        def handler(request):
            return {"size": len(request.body), "args": len(request.args)}

        return app

    @rows("chunked", [False, True], ids=["declared", "chunked"])
    @rows(
        "app_limits, route_limits, most",
        (Limits(body=10), None, 10),
        (None, Limits(body=10), 10),
        (Limits(body=5), Limits(body=10), 10),
        (Limits(body=10), Limits(query=5), 10),
        (Limits(body=0), None, 0),
        (Limits(body=100_000), None, 100_000),
        ids=["app", "route", "both", "another of the route", "none", "large"],
    )
    def test_bound_the_body(self, serving, style, chunked, app_limits, route_limits, most):
        client = serving(self.limited(style, app_limits, route_limits))

        def post(size):
            content = bytes(size)
            return client.post("/", body=iter([content[:7], content[7:]]) if chunked else content)

        assert post(most).json["size"] == most
        refused = post(most + 1)
        assert refused.status == 413
        assert refused.json["limit"] == "body"
        assert str(most) in refused.json["detail"]

    def test_of_the_app_bound_what_has_no_route_too(self, serving):
        app = App(limits=Limits(query=10))

        @app.before_request
        def looks(request):
            return {"args": len(request.args)}

        assert serving(app).get("/nowhere?" + "a" * 11).status == 414

    @pytest.mark.parametrize("around", ["hook", "handler"])
    def test_stay_those_of_the_route_where_one_request_has_others(self, serving, around):
        app = App(limits=Limits(query=10))

        def allows(request):
            request.limits = Limits(body=200_000)

        if around == "hook":
            app.before_request(allows)

        @app.post("/", limits=Limits(body=10, fields=2), receive="lazy")
        def handler(request):
            if around == "handler":
                allows(request)
            return {"size": len(request.body), "args": len(request.args)}

        client = serving(app)
        assert client.post("/?a=1&b=2", body=bytes(100_000)).json == {"size": 100_000, "args": 2}
        refused = [client.post(f"/?{query}", body=bytes(100_000)) for query in ("a&b&c", "a" * 11)]
        assert [(answer.status, answer.json["limit"]) for answer in refused] == [(414, "fields"), (414, "query")]
        assert client.post("/", body=bytes(200_001)).status == 413


BAD_PATHS = {
    "/%": "percent", "/%4": "percent", "/%zz": "percent", "/a%2": "percent", "/%00": "NUL", "/a%00b": "NUL",
    "/%ff": "UTF-8", "/%c3%28": "UTF-8", "/%ed%a0%80": "UTF-8", "/%c0%af": "UTF-8",
}  # fmt: skip


class TestBadPaths:
    @pytest.mark.parametrize(
        ("interface", "path", "why"),
        [
            (interface, path, why)
            for path, why in BAD_PATHS.items()
            for interface in ("wsgi", "asgi", "rsgi")
            if (interface, why) != ("rsgi", "percent")  # its path is decoded: nobody can tell what was sent
        ],
    )
    @rows("pattern", ["/", "/<name>", "/x/<name>"])
    def test_are_a_400_that_says_why_and_the_next_request_is_answered(self, serving, interface, pattern, path, why):
        app = App()
        app.get(pattern)(lambda request: "answered")
        client = serving(app)
        where = pattern.replace("/<name>", "") if "<" in pattern else ""
        response = client.get(where + path)
        assert response.status == 400
        assert why in response.json["detail"]
        assert client.get(pattern.replace("<name>", "good")).text == "answered"

    @pytest.mark.parametrize("interface", ["wsgi", "asgi"])  # over RSGI a path that is not UTF-8 has it, too
    def test_may_have_a_replacement_character_that_was_sent(self, serving, interface, app):
        app.get("/<name>")(lambda request: request.path_params["name"])
        assert serving(app).get("/%EF%BF%BD").text == "\ufffd"


class TestLifespan:
    @rows("key", ["pool", 0, None, list], ids=repr)
    def test_gives_the_app_nothing_but_dependencies(self, key):
        with pytest.raises(
            TypeError, match=r"app\[\.\.\.\] needs a dependency, not .*: a function below @app\.lifespan is one"
        ):
            App()[key]

    def test_plans_the_routes_before_the_first_request(self, serving, interface, app):
        app.get("/x")(echo)
        app.get("/x")(lambda request: "other")
        client = serving(app)
        begin = (lambda: client.get("/x")) if interface == "wsgi" else client.__enter__
        with pytest.raises(Exception, match="handled by both"):
            begin()
