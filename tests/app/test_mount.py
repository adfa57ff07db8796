"""Where a mounted application is found, what it sees of the path, and what it is asked for."""

import pytest

from antiphon import App, Limits, Response, to_app
from antiphon.testing import Client
from tests.helpers.mountable_apps import KINDS, METHODS, wsgi
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "kind", "style")


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request):
    return request.param


def seen(response):
    assert response.status == 200, response.text
    return response.json["root"], response.json["path"]


def telling(name):
    return to_app(lambda request: Response.text(f"{name} {request.root_path}|{request.path}"))


@pytest.mark.once
class TestThePath:
    @rows(
        "prefix, path, root, below",
        ("/old", "/old/x", "/old", "/x"), ("/old", "/old/", "/old", "/"), ("/old", "/old/x//y", "/old", "/x//y"),
        ("/old", "/old/old/x/", "/old", "/old/x/"), ("/old", "/old/caf%C3%A9", "/old", "/café"),
        ("/caf\u00e9", "/caf%C3%A9/caf%C3%A9", "/caf\u00e9", "/café"), ("/old", "/old/a%20b%25", "/old", "/a b%"),
        ("/old/shop", "/old/shop/x", "/old/shop", "/x"), ("", "/", "", "/"), ("", "/x/y", "", "/x/y"),
    )  # fmt: skip
    def test_is_parted_at_the_prefix(self, serving, kind, prefix, path, root, below):
        app = App()
        app.mount(prefix, kind.make())
        assert seen(serving(app).get(path)) == (root, below)

    def test_of_the_prefix_itself_is_a_slash_to_ours_and_empty_to_others_who_redirect_by_that(self, serving, kind, app):
        app.mount("/old", kind.make())
        assert seen(serving(app).get("/old")) == ("/old", "" if kind.foreign else "/")

    def test_that_only_begins_like_the_prefix_is_not_below_it(self, serving, kind, app):
        app.mount("/old", kind.make())
        client = serving(app)
        assert [client.get(path).status for path in ("/older", "/ol", "/", "/x/old", "/OLD/x")] == [404] * 5


@pytest.mark.once
class TestEncodedSlashes:
    """They stay in their segment, where the server tells what was sent: in RSGI it does not."""

    @pytest.fixture(params=["wsgi", "asgi"])
    def interface(self, request):
        """Those of which the test client's servers tell it."""
        return request.param

    @rows(
        "prefix, path, root, below, params",
        ("/shops/<shop>", "/shops/x%2Fy/users/a", "/shops/x/y", "/users/a", {"shop": "x/y"}),
        ("/shops/<shop>", "/shops/x%2fy/", "/shops/x/y", "/", {"shop": "x/y"}),
        ("/shops/<shop>", "/shops/x/a%2Fb", "/shops/x", "/a/b", {"shop": "x"}),
        ("/shops/<shop>", "/shops/%C3%A9%2Fy/a%2Fb", "/shops/é/y", "/a/b", {"shop": "é/y"}),
        ("/<a>/<b>/c", "/1%2F2/3%2F4/c/d", "/1/2/3/4/c", "/d", {"a": "1/2", "b": "3/4"}),
        ("/<a>-<b>", "/x%2Fy-z/a", "/x/y-z", "/a", {"a": "x/y", "b": "z"}),
    )
    def test_part_no_prefix(self, serving, kind, prefix, path, root, below, params):
        app, seen_outside = App(), []
        app.middleware(note_params(seen_outside))
        app.mount(prefix, kind.make())
        assert seen(serving(app).get(path)) == (root, below)
        assert seen_outside == [params]

    @rows("path", ["/a%2Fb", "/a%2Fb/x", "/a%2Fb%2Fx", "/%2Fa/b", "/a/b%2Fx"])
    def test_make_no_prefix(self, serving, kind, path):
        app = App()
        app.mount("/a/b", kind.make())
        app.mount("/a/b/<int:c>", kind.make())
        assert serving(app).get(path).status == 404

    def test_are_parted_from_others_where_the_app_says_so(self, serving, kind):
        app, seen_outside = App(encoded_slashes=False), []
        app.middleware(note_params(seen_outside))
        app.mount("/shops/<shop>", kind.make())
        assert seen(serving(app).get("/shops/x%2Fy/users")) == ("/shops/x", "/y/users")
        assert seen_outside == [{"shop": "x"}]

    def test_that_the_server_hides_are_like_the_others(self, kind):
        with Client(self.shops(kind), "rsgi", timeout=10.0) as client:
            assert seen(client.get("/shops/x%2Fy/users")) == ("/shops/x", "/y/users")

    def shops(self, kind):
        app = App()
        app.mount("/shops/<shop>", kind.make())
        return app

    def test_stay_in_mounts_in_mounts(self, serving, kind):
        outer, middle = App(), App()
        outer.mount("/shops/<shop>", middle)
        middle.mount("/<part>", kind.make())
        path = "/shops/x%2Fy/1%2F2/a%2Fb/c"
        assert seen(serving(outer).get(path)) == ("/shops/x/y/1/2", "/a/b/c")

    def test_stay_as_far_as_each_of_them_says(self, serving, kind):
        outer, middle = App(), App(encoded_slashes=False)
        outer.mount("/shops/<shop>", middle)
        middle.mount("/<part>", kind.make())
        assert seen(serving(outer).get("/shops/x%2Fy/1%2F2/a")) == ("/shops/x/y/1", "/2/a")

    def test_stay_for_the_routes_inside(self, serving, style):
        outer, inner = App(), App()
        outer.mount("/shops/<shop>", inner)
        routes = {"/users/<name>": "a", "/users/<name>/edit": "b", "/y/users/<name>": "another tenant's"}
        for pattern, answer in routes.items():
            inner.get(pattern)(
                style(lambda request, answer=answer: [answer, request.path_params["name"], request.raw_path.decode()])
            )
        client = serving(outer)
        for path, answer in {
            "/shops/x%2Fy/users/z": ["a", "z"],
            "/shops/x%2Fy/users/z%2Fedit": ["a", "z/edit"],
            "/shops/x%2Fy/users/z%2F/edit": ["b", "z/"],
        }.items():
            assert client.get(path).json == [*answer, path]

    @rows("path", ["/shops/x%2Fy/users/z", "/shops/x%2Fy/users/a%2Fb", "/shops/x%2Fy/", "/shops/x%2Fy"])
    def test_stay_in_urls_and_redirects_inside(self, serving, path):
        outer, inner = App(), App(redirect_slashes=True)
        outer.mount("/shops/<shop>", inner)
        inner.get("/", name="home")(lambda request: request.url_for("user", name="a"))
        inner.get("/users/<name>", name="user")(lambda request: request.url_for("user", name="a"))
        client = serving(outer)
        assert client.get(path).text == "/shops/x%2Fy/users/a"
        assert client.get("/shops/x%2Fy/users/a%2Fb/").location == "/shops/x%2Fy/users/a%2Fb"

    def test_of_a_path_that_was_rewritten_do_not_count(self, serving, kind, app):
        @app.middleware(before_routing=True)
        def rewrite(request):
            request.path = "/shops/x/y/z"
            yield

        app.mount("/shops/<shop>", kind.make())
        assert seen(serving(app).get("/a%2Fb")) == ("/shops/x", "/y/z")


@pytest.mark.once
class TestMisleadingRootPaths:
    """Browsers would take a host, or another path, for them: what redirects to its root path would lead there."""

    @rows(
        "prefix, path",
        ("/<shop>", "/%5Cevil.example/items"), ("/<shop>", "/%5Cevil.example"), ("/<shop>", "/%09/items"),
        ("/<shop>", "/a%0D%0Ab/items"), ("/<shop>", "/%7F/items"), ("/<shop>/<part>", "/a/%2e%2E/items"),
        ("/<shop>/<part>", "/%2E/b/items"), ("/<a>-<b>", "/%5Cevil.example-b/items"),
    )  # fmt: skip
    def test_are_not_there(self, serving, kind, prefix, path):
        app = App()
        app.mount(prefix, kind.make())
        assert serving(app).get(path).status == 404

    @pytest.mark.parametrize("interface", ["wsgi", "asgi"])
    @rows(
        "prefix, path",
        ("/<shop>", "/%2Fevil.example/items"), ("/<shop>", "/%2f%2fevil.example/items"), ("/<shop>", "/%2F/items"),
        ("/shops/<shop>", "/shops/%2F/items"), ("/shops/<shop>", "/shops/x%2F%2Fy/items"),
        ("/shops/<shop>", "/shops/x%2F..%2F../items"), ("/<a>-<b>", "/%2Fevil.example-b/items"),
    )  # fmt: skip
    def test_are_not_there_where_slashes_hide(self, serving, kind, prefix, path):
        app = App()
        app.mount(prefix, kind.make())
        assert serving(app).get(path).status == 404

    def test_are_none_inside_of_others_either(self, serving, kind):
        outer, inner = App(), App()
        outer.mount("", inner)
        inner.mount("/<shop>", kind.make())
        assert serving(outer).get("/%5Cevil.example/items").status == 404

    def test_are_no_matter_of_the_path_below(self, serving, app):
        app.mount("", telling("all"))
        app.mount("/<shop>", telling("shop"))
        client = serving(app)
        answers = {path: client.get(path).text for path in ("//evil.example/x", "/a/%5Cx", "/a//x", "/a/../x")}
        assert answers == {
            "//evil.example/x": "all |//evil.example/x",
            "/a/%5Cx": "shop /a|/\\x",
            "/a//x": "shop /a|//x",
            "/a/../x": "shop /a|/../x",
        }


def note_params(noted):
    """Middleware that notes the parameters that the outer request has."""

    def note(request):
        yield
        noted.append(dict(request.path_params))

    return note


class TestBelowARootPath:
    @pytest.fixture(params=["wsgi", "asgi"])
    def interface(self, request):
        """RSGI knows none."""
        return request.param

    def test_urls_begin_with_both(self, serving, style):
        outer, inner = App(), App()
        outer.mount("/old", inner)
        inner.get("/x", name="x")(style(lambda request: [request.url_for("x"), request.url]))
        response = serving(outer, root_path="/root").get("/root/old/x")
        assert response.json == ["/root/old/x", "http://testserver/root/old/x"]


@pytest.mark.once
class TestNestedMounts:
    def nested(self, kind):
        outer, middle, inner = App(), App(), App()
        outer.mount("/a", middle)
        middle.mount("/b", inner)
        inner.mount("/c", kind.make())
        return outer

    @pytest.mark.parametrize(("path", "below"), [("/a/b/c/d", "/d"), ("/a/b/c/", "/"), ("/a/b/c/a/b/c", "/a/b/c")])
    def test_part_the_path_one_after_the_other(self, serving, kind, path, below):
        assert seen(serving(self.nested(kind)).get(path)) == ("/a/b/c", below)


class TestURLs:
    def test_inside_begin_with_the_root_path(self, serving, style):
        outer, middle, inner = App(), App(), App()
        outer.mount("/a b", middle)
        middle.mount("/<name>", inner)

        @inner.get("/item/<int:id>")
        @style
        def item(request):
            return [request.url_for("item", id=2), request.url_for("item", id=2, _absolute=True), request.url]

        urls = serving(outer).get("/a%20b/%C3%BC/item/1?q=1").json
        path = "/a%20b/%C3%BC/item"
        assert urls == [f"{path}/2", f"http://testserver{path}/2", f"http://testserver{path}/1?q=1"]

    def test_of_the_outer_app_know_its_own_routes_only(self, serving):
        outer, inner = App(), App()
        outer.mount("/old", inner)
        names = []

        @outer.middleware
        def note(request):
            yield
            names.append(request.url_for("outside"))
            with pytest.raises(LookupError):
                request.url_for("inside")

        @outer.get("/outside")
        def outside(request):
            return ""

        @inner.get("/inside")
        def inside(request):
            with pytest.raises(LookupError):
                request.url_for("outside")
            assert (request.app, request.endpoint) == (inner, "inside")
            return "inside"

        assert serving(outer).get("/old/inside").text == "inside"
        assert names == ["/outside"]


class TestWhoAnswers:
    def test_a_route_wins_over_a_mount_and_a_method_that_it_lacks_is_refused(self, serving, kind, app):
        app.mount("/old", kind.make())
        app.mount("", kind.make())

        @app.get("/old/x")
        def literal(request):
            return "literal"

        @app.get("/old/y/<name>")
        def pattern(request):
            return "pattern"

        client = serving(app)
        assert [client.get(path).text for path in ("/old/x", "/old/y/z")] == ["literal", "pattern"]
        assert [client.post(path).status for path in ("/old/x", "/old/y/z")] == [405, 405]
        assert seen(client.get("/old/y/z/more")) == ("/old", "/y/z/more")
        assert seen(client.get("/elsewhere")) == ("", "/elsewhere")

    def test_the_longest_prefix_wins(self, serving, app):
        for prefix in ("/a/b", "", "/a", "/<x>/b/c"):
            app.mount(prefix, telling(prefix))
        client = serving(app)
        answers = {path: client.get(path).text for path in ("/", "/a", "/a/bb", "/a/b/x", "/a/b/c/d", "/z/b/c")}
        assert answers == {
            "/": " |/", "/a": "/a /a|/", "/a/bb": "/a /a|/bb", "/a/b/x": "/a/b /a/b|/x",
            "/a/b/c/d": "/<x>/b/c /a/b/c|/d", "/z/b/c": "/<x>/b/c /z/b/c|/",
        }  # fmt: skip

    def test_a_mount_at_a_host_answers_for_that_one(self, serving, app):
        app.mount("/old", telling("one"), host="one.example")
        app.mount("/old", telling("sub"), host="<sub>.two.example")
        app.mount("/old", telling("all"))
        client = serving(app)
        hosts = ("one.example", "a.two.example", "three.example")
        answers = [client.get("/old/x", headers={"host": host}).text for host in hosts]
        assert answers == ["one /old|/x", "sub /old|/x", "all /old|/x"]

    def test_a_route_that_redirects_to_its_other_form_wins_over_a_mount(self, serving):
        app = App(redirect_slashes=True)
        app.mount("", telling("all"))
        app.get("/x/")(lambda request: "x")
        client = serving(app)
        assert (client.get("/x").status, client.get("/y").text) == (308, "all |/y")


@pytest.mark.once
class TestMethods:
    @rows("method", METHODS)
    def test_are_all_handed_on(self, serving, kind, method):
        app = App()
        app.mount("/old", kind.make())
        assert serving(app).request(method, "/old/x").json["method"] == method


@pytest.mark.once
class TestMounting:
    @rows(
        "prefix, application, options, error, message",
        *((prefix, wsgi, {}, ValueError, r".+") for prefix in ("/old/", "old", "/<path:x>", "/<")),
        ("/", wsgi, {}, ValueError, 'to cover all paths, use ""'),
        *(("/old", each, {}, TypeError, "is not an application") for each in (None, "shop:app", 1, App, dict)),
        ("/old", App(), {"limits": Limits(body=1)}, TypeError, r"limits its requests itself: App\(limits=\.\.\.\)"),
        ("/old", wsgi, {"limits": Limits(body=1), "receive": "stream"}, TypeError, "limits them itself"),
        ("/old", wsgi, {"receive": "lazy"}, ValueError, "'load' or 'stream', not 'lazy'"),
        ("/old", wsgi, {"interface": "foo"}, ValueError, "'wsgi' or 'asgi', not 'foo'"),
    )
    def test_mistakes_are_told(self, prefix, application, options, error, message):
        with pytest.raises(error, match=message):
            App().mount(prefix, application, **options)

    @rows("prefix", ["", "/old", "/<name>"])
    def test_two_at_one_prefix_are_refused(self, prefix):
        app = App()
        app.mount(prefix, wsgi)
        app.mount(prefix, App(), host="shop.example.com")
        with pytest.raises(ValueError, match=f"already mounted at {prefix or '/'}"):
            app.mount(prefix, App())
        with pytest.raises(ValueError, match=f"already mounted at shop.example.com{prefix}"):
            app.mount(prefix, App(), host="SHOP.example.com")

    def test_two_whose_prefixes_match_the_same_paths_are_refused(self, app):
        app.mount("/<name>", wsgi)
        app.mount("/<shop>", wsgi)
        with pytest.raises(ValueError, match="match the same paths"):
            app._freeze()

    def test_an_application_is_not_mounted_in_itself_at_whatever_depth(self):
        outer, middle, inner = App(), App(), App()
        outer.mount("/a", middle)
        middle.mount("/b", inner)
        for application in (inner, middle, outer):
            with pytest.raises(ValueError, match="in itself"):
                inner.mount("/c", application)

    def test_nothing_is_mounted_once_requests_are_served(self, serving, app):
        serving(app).get("/")
        with pytest.raises(RuntimeError, match="already"):
            app.mount("/old", wsgi)

    def test_the_interface_can_be_said_where_it_does_not_show(self, serving, app):
        def asgi_that_looks_like_wsgi(scope, receive, send):
            return KINDS["an ASGI function"].make()(scope, receive, send)

        app.mount("/old", asgi_that_looks_like_wsgi, interface="asgi")
        assert seen(serving(app).get("/old/x")) == ("/old", "/x")

    def test_an_async_one_has_the_whole_served_over_asgi(self, kind, app):
        app.get("/")(lambda request: "")
        app.mount("/old", kind.make())
        assert app.interface == ("asgi" if kind.is_async else "wsgi")
        outermost = App()
        outermost.mount("", app)
        assert outermost.interface == app.interface


@rows("server", ["wsgi", "asgi"])
def test_a_failure_before_a_route_of_a_mounted_app_is_logged_with_its_traceback(server, caplog):
    inner, app = App(), App()
    inner.converter("bad", lambda segment: {}[segment])
    inner.get("/<bad:name>")(lambda request: "x")
    app.mount("/shop", inner)
    with Client(app, server) as client:
        assert client.get("/shop/lamp").status == 500
    (record,) = caplog.records
    _, error, traceback = record.exc_info
    assert type(error.__cause__) is KeyError
    assert traceback is not None
