import pytest

from antiphon import App, Blueprint, Limits, Request
from antiphon.handler.callables import describe
from antiphon.http.head import RequestHead
from antiphon.testing import Client
from tests.helpers.driving import drive
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style")


def echo(request):
    return {"endpoint": request.endpoint, "params": dict(request.path_params)}


def answers(app, serving):
    """A function that gets a path: the endpoint and the parameters, or the status."""
    client = serving(app)

    def get(path, host=None, method="GET"):
        response = client.request(method, path, headers={"host": host} if host else {})
        return (response.json["endpoint"], response.json["params"]) if response.status == 200 else response.status

    return get


@rows(
    "path, said",
    *((path, path) for path in ("x/admin/keys", "admin/keys", "x/shops/a/keys")),
    ("/admin/a\0", "NUL at byte 8"),
    ("/shops/a\0/keys", "NUL at byte 8"),
)
def test_a_target_that_is_no_path_reaches_nobody(path, said):
    app, shop = App(), App()
    app.get("/admin/<name>")(lambda request: "kept")
    shop.get("/keys")(lambda request: "kept")
    app.mount("/shops/<shop>", shop)
    _, response = drive(app._handle(Request(RequestHead(path=path, raw_path=path.encode()))))
    assert response.status == 400
    assert said in response.error.detail


@rows("name", ["hex", "int", "any", "Bad"])
def test_a_converter_that_there_is_already_is_an_error(name):
    app = App()
    app.converter("hex", str)
    with pytest.raises(ValueError, match="converter"):
        app.converter(name, str)


def test_a_converter_that_fails_is_a_500_whose_cause_is_logged(serving, caplog, app):
    app.converter("broken", lambda text: {}[text])
    app.get("/<broken:x>")(echo)
    assert serving(app).get("/key").status == 500
    assert "KeyError: 'key'" in caplog.text


def test_defaults_are_parameters_that_the_path_may_override(serving, style, app):
    handler = style(echo)
    app.get("/list", defaults={"page": 1, "kind": "a"})(handler)
    app.get("/all/list", defaults={"page": 7})(handler)
    app.get("/list/<int:page>", defaults={"page": 1, "kind": "b"})(handler)
    app.post("/list", name="post")(handler)
    get = answers(app, serving)
    assert get("/list") == ("echo", {"page": 1, "kind": "a"})
    assert get("/all/list")[1] == {"page": 7}
    assert get("/list/3")[1] == {"page": 3, "kind": "b"}
    assert get("/list", method="POST") == ("post", {})
    assert serving(app).head("/list").status == 200
    assert serving(app).request("PUT", "/list").headers["allow"] == "GET, HEAD, OPTIONS, POST"


@rows(
    "pattern, path, named",
    ("/users/<id>", "/users/7", "has the parameters id"),
    ("/users/<id>/<page>", "/users/7/2", "has the parameters id, page"),
    ("/users/<id>.<form>", "/users/7.txt", "has the parameters id, form"),
    ("/users", "/users", "has no parameters"),
)
def test_a_parameter_that_a_route_has_not_is_a_key_error_with_those_that_it_has(serving, pattern, path, named, caplog):
    app = App()

    @app.get(pattern, name="users")
    def handler(request):
        assert request.path_params.get("typo") is None
        with pytest.raises(KeyError, match=rf"there is no parameter 'typo': the route .*{named}"):
            request.path_params["typo"]
        return request.path_params["typo"]

    assert serving(app).get(path).status == 500
    assert f"KeyError: \"there is no parameter 'typo': the route {named}\"" in caplog.text


def test_defaults_are_not_shared_between_requests(serving, app):
    @app.get("/list", defaults={"page": 1})
    def changes(request):
        request.path_params["page"] += 1
        return {"page": request.path_params["page"]}

    client = serving(app)
    assert [client.get("/list").json["page"] for _ in range(2)] == [2, 2]


def test_query_is_a_method(serving, app):
    app.query("/search")(lambda request: request.text)
    client = serving(app)
    assert client.request("QUERY", "/search", body=b"what").text == "what"
    assert client.get("/search").headers["allow"] == "OPTIONS, QUERY"


def by_json(request):
    return request.json_as(dict)


def by_form_or_json(request):
    return request.form["q"] if request.media_type != "application/json" else request.json["q"]


def by_text(request):
    return request.text


def by_patch(request):
    return request.patched({"a": 1})


@rows(
    "handler, options, accepted",
    (by_json, {}, "application/json"),
    (by_patch, {}, "application/json-patch+json, application/merge-patch+json"),
    (by_form_or_json, {}, "application/x-www-form-urlencoded, multipart/form-data, application/json"),
    (by_text, {}, None),
    (by_text, {"takes": dict}, "application/json"),
    (by_text, {"takes": {"form": dict}}, "application/x-www-form-urlencoded, multipart/form-data"),
)
@pytest.mark.parametrize("method", ["PATCH", "QUERY"])
def test_options_tell_the_media_types_that_a_query_or_patch_may_have(method, handler, options, accepted):
    app = App()
    app.route("/search", [method], **options)(handler)
    app.get("/search")(by_text)
    response = Client(app).options("/search")
    assert (response.status, response.headers.get(f"accept-{method.lower()}")) == (204, accepted)
    assert response.headers["allow"] == ", ".join(sorted(["GET", "HEAD", "OPTIONS", method]))


class TestHosts:
    @pytest.fixture
    def app(self, style):
        app = App()
        handler = style(echo)
        app.get("/", name="any")(handler)
        app.get("/", name="api", host="API.example.com")(handler)
        app.get("/", name="tenant", host="<tenant>.example.com")(handler)
        app.post("/x/<int:id>", name="both", host="<tenant>.example.com")(handler)
        app.get("/shared", name="shared", defaults={"a": 1})(handler)
        return app

    def test_of_a_route_win_over_none(self, app, serving):
        get = answers(app, serving)
        assert get("/", "api.example.com") == ("api", {})
        assert get("/", "API.Example.COM:8080") == ("api", {})
        assert get("/", "Ann.example.com") == ("tenant", {"tenant": "ann"})
        assert get("/", "example.com") == ("any", {})
        assert get("/", "a.b.example.com") == ("any", {})
        assert get("/shared", "api.example.com") == ("shared", {"a": 1})
        assert get("/x/5", "ann.example.com", "POST") == ("both", {"tenant": "ann", "id": 5})
        assert get("/x/5", "other.org", "POST") == 404

    def test_are_found_whatever_the_case_of_a_route_s_labels(self, serving):
        app = App()
        app.get("/", name="numbered", host="API-<int:n>.<Tenant>.Example.com")(echo)
        get = answers(app, serving)
        assert get("/", "Api-5.ann.EXAMPLE.com") == ("numbered", {"n": 5, "Tenant": "ann"})
        assert app.url_for("numbered", n=5, Tenant="ann") == "//api-5.ann.example.com/"
        assert app.routes[0].host == "API-<int:n>.<Tenant>.Example.com"

    def test_allow_the_methods_of_their_own_routes(self, app, serving):
        client = serving(app)
        response = client.get("/x/5", headers={"host": "ann.example.com"})
        assert (response.status, response.headers["allow"]) == (405, "OPTIONS, POST")
        response = client.options("/", headers={"host": "api.example.com"})
        assert (response.status, response.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
        assert client.head("/", headers={"host": "api.example.com"}).status == 200

    @rows("host", ["", "a:80", "a b", "<a", "<id>.example.com"])
    def test_that_are_malformed_are_an_error_at_once(self, host):
        with pytest.raises(ValueError):  # noqa: PT011 - the words are those of the pattern's own tests
            App().get("/<id>", host=host)


class TestSlashes:
    @rows("of_the_app", [True, False])
    @rows("of_the_route", [True, False, None])
    def test_lead_to_the_other_form_where_that_is_wanted(self, serving, style, of_the_app, of_the_route):
        app = App(redirect_slashes=of_the_app)
        for pattern in ("/a", "/b/", "/c/<x>", "/d/<x>/"):
            app.get(pattern, redirect_slashes=of_the_route)(style(echo))
        client = serving(app)
        for path, other in [("/a/", "/a"), ("/b", "/b/"), ("/c/é/", "/c/%C3%A9"), ("/d/1", "/d/1/")]:
            response = client.get(f"{path}?q=a%20b&c")
            if of_the_app if of_the_route is None else of_the_route:
                assert (response.status, response.headers["location"]) == (308, f"{other}?q=a%20b&c")
            else:
                assert response.status == 404

    def test_lead_only_where_exactly_the_other_form_is_answered(self, serving):
        app = App(redirect_slashes=True)
        for pattern in ("/", "/a", "/both", "/both/", "/x/<int:n>"):
            app.get(pattern)(echo)
        client = serving(app)
        for path in ("/a//", "//", "//a", "/c", "/c/", "/x/y/", "/x/"):
            assert client.get(path).status == 404, path
        assert [client.get(path).status for path in ("/both", "/both/", "/")] == [200, 200, 200]
        assert [client.request(method, "/a/").status for method in ("HEAD", "POST")] == [308, 404]

    @pytest.mark.parametrize("interface", ["wsgi", "asgi"])
    def test_keep_the_root_path_and_encoded_slashes(self, serving, interface):
        app = App(redirect_slashes=True, encoded_slashes=True)
        app.get("/x/<y>")(echo)
        client = serving(app, root_path="/r t")
        response = client.get("/r%20t/x/a%20b/")
        assert (response.status, response.headers["location"]) == (308, "/r%20t/x/a%20b")
        if interface == "asgi":
            assert client.get("/r%20t/x/a%2Fb/").headers["location"] == "/r%20t/x/a%2Fb"

    def test_pass_the_middleware(self, serving):
        app = App(redirect_slashes=True)
        app.after_request(lambda request, response: response.headers.update({"x-seen": "1"}))
        app.get("/a")(echo)
        assert serving(app).get("/a/").headers["x-seen"] == "1"


class TestEncodedSlashes:
    """The test client's WSGI server gives no raw path, as PEP 3333 has none; this plays servers that do."""

    def get(self, app, sent, path, root_path=""):
        from antiphon import Request
        from antiphon.handler.drive import run_sync
        from antiphon.http.head import RequestHead

        head = RequestHead("GET", path, raw_path=sent, root_path=root_path)
        from contextvars import copy_context

        response = run_sync(app._handle(Request(head)), copy_context())
        return response.body.decode() if response.status == 200 else response.status

    @pytest.fixture
    def app(self):
        app = App()
        for pattern in ("/a/b", "/a/b/", "/users/<name>", "/p/<path:p>/x", "/<a>/<b>/<c>"):
            app.get(pattern)(lambda request, pattern=pattern: f"{pattern} {[*request.path_params.values()]}")
        return app

    @rows(
        "sent, path, answer",
        (b"/a/b", "/a/b", "/a/b []"), (b"/a%2Fb", "/a/b", 404), (b"/a%2fb", "/a/b", 404), (b"/a/b%2F", "/a/b/", 404),
        (None, "/a/b", "/a/b []"), (b"/users/a%2Fb", "/users/a/b", "/users/<name> ['a/b']"),
        (b"/users%2Fa", "/users/a", 404), (None, "/users/a/b", "/<a>/<b>/<c> ['users', 'a', 'b']"),
        (b"/p/a%2Fb/c/x", "/p/a/b/c/x", "/p/<path:p>/x ['a/b/c']"),
        (b"/p/%2Fetc/x", "/p//etc/x", "/<a>/<b>/<c> ['p', '/etc', 'x']"),
        (b"/1/%C3%A9%2f/3", "/1/é//3", "/<a>/<b>/<c> ['1', 'é/', '3']"), (b"/other%2Fpath", "/a/b", "/a/b []"),
    )  # fmt: skip
    def test_stay_inside_their_segment_where_the_server_tells(self, app, sent, path, answer):
        assert self.get(app, sent, path) == answer
        if sent:
            assert self.get(app, b"/r%2Ft/s" + sent, path, "/r/t/s") == answer

    def test_are_slashes_like_the_others_where_that_is_wanted(self):
        app = App(encoded_slashes=False)
        app.get("/a/b")(lambda request: "found")
        app.get("/users/<name>")(lambda request: "found")
        assert self.get(app, b"/a%2Fb", "/a/b") == "found"
        assert self.get(app, b"/users/a%2Fb", "/users/a/b") == 404

    def test_of_a_server(self, app, serving, interface):
        assert serving(app).get("/users/a%2Fb").status == 200
        if interface == "asgi":
            assert serving(app).get("/users/a%2Fb").text == "/users/<name> ['a/b']"
            assert serving(app).get("/a%2Fb").status == 404


class TestRefusals:
    @rows("registry", [App, lambda: Blueprint("shop")], ids=["app", "blueprint"])
    @rows(
        "options, error, message",
        ({"receive": "later"}, ValueError, "receive must be 'load', 'lazy' or 'stream', not 'later': '/'"),
        ({"limits": 7}, TypeError, "limits must be given as Limits"),
        ({"nme": "x"}, TypeError, "a route has no option 'nme', only name, host, "),
        ({"response_model": int}, TypeError, "no option 'response_model'; use the handler's annotation, "),
        ({"status_code": 201}, TypeError, "no option 'status_code'; use the handler's result: return value, 201"),
        ({"tags": ["a"]}, TypeError, "no option 'tags'; use meta={OpenAPI.TAGS: \\[tag\\]}"),
        ({"summary": "a"}, TypeError, "no option 'summary'; use the handler's docstring"),
        ({"response_class": str}, TypeError, "no option 'response_class'; use the handler's result: .*html"),
        ({"dependencies": []}, TypeError, "no option 'dependencies'; use before="),
        ({"endpoint": "a"}, TypeError, "no option 'endpoint'; use name="),
        ({"strict_slashes": False}, TypeError, "no option 'strict_slashes'; use redirect_slashes="),
        ({"methods": "GET"}, ValueError, r"such as \('GET',\)"),
        ({"methods": ()}, ValueError, "a route needs at least one method: '/'"),
        ({"methods": ("G T",)}, ValueError, "a method must be a token, not 'G T'"),
    )
    def test_are_raised_before_a_handler_is_registered(self, registry, options, error, message):
        with pytest.raises(error, match=message):
            registry().route("/", **options)

    @rows("method", ["get", "post", "put", "patch", "delete"])
    def test_name_the_fix_for_methods_of_a_route_for_one_method(self, method):
        message = f"app.{method} is for one method: leave out methods, or write @app.route(path, methods): '/a'"
        with pytest.raises(TypeError) as refused:
            getattr(App(), method)("/a", methods=["GET"])
        assert str(refused.value) == message


class TestConflicts:
    def refused(self, first, second):
        def one(request):
            pass

        def two(request):
            pass

        app = App()
        app.get(first[0], **first[1])(one)
        app.get(second[0], **second[1])(two)
        with pytest.raises(ValueError) as error:  # noqa: PT011 - its words are compared
            app._freeze()
        assert describe(one) in str(error.value)
        assert describe(two) in str(error.value)
        return str(error.value)

    @rows("one, two", [("a.com", "a.com"), ("a.com", "A.com"), ("<t>.com", "<t>.com"), ("<t>.com", "<u>.com")])
    def test_of_paths_are_told_by_host(self, one, two):
        assert "com/x" in self.refused(("/x", {"host": one}), ("/x", {"host": two}))

    @rows("one, two", [("/x", "/x"), ("/<a>", "/<str:a>"), ("/<a>", "/<b>"), ("/u/<int:a>/x", "/u/<int:b>/x")])
    def test_of_paths_are_told_by_their_names(self, one, two):
        self.refused((one, {}), (two, {}))


def test_routes_can_be_looked_at():
    def user(request):
        pass

    app = App(limits=Limits(body=5))
    app.get("/users/<int:id>")(user)
    app.route("/x", ["get", "POST"], name="n", host="<t>.a.com", defaults={"a": 1}, limits=Limits(body=7))(user)
    one, two = app.routes
    line = user.__code__.co_firstlineno
    assert str(one) == f"GET  /users/<int:id>  user (test_routes.py:{line})"
    assert str(two) == f"GET,POST  <t>.a.com/x  n (test_routes.py:{line})"
    assert (two.pattern, two.methods, two.name, two.handler) == ("/x", ("GET", "POST"), "n", user)
    assert (two.host, two.defaults, two.limits.body) == ("<t>.a.com", {"a": 1}, 7)
