import pytest

from antiphon import App, Blueprint, Limits
from antiphon.features import CORS
from antiphon.handler.callables import describe
from antiphon.http.errors import Conflict, NotFound
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "other")


def echo(request):
    return {"endpoint": request.endpoint, "blueprint": request.blueprint, "params": dict(request.path_params)}


def answers(client, path, host=None, method="GET"):
    """The endpoint, the blueprint and the parameters; or the status."""
    response = client.request(method, path, headers={"host": host} if host else {})
    return tuple(response.json.values()) if response.status == 200 else response.status


def nested(*blueprints, **options):
    """An application with blueprints, each in the one before it."""
    app = App(**options)
    around = app
    for blueprint in blueprints:
        around.register(blueprint)
        around = blueprint
    return app


class TestPrefixes:
    @rows(
        "prefix, pattern, path, params",
        ("", "/x", "/x", {}),
        ("/shop", "/x", "/shop/x", {}),
        ("/shop", "", "/shop", {}),
        ("/shop", "/", "/shop/", {}),
        ("/<lang>", "/x", "/de/x", {"lang": "de"}),
        ("/<int:id>/<any(a,b):kind>", "/<name>", "/5/a/z", {"id": 5, "kind": "a", "name": "z"}),
        ("/v<int:version>", "/<path:rest>", "/v2/a/b", {"version": 2, "rest": "a/b"}),
        ("/<lang>", "", "/de", {"lang": "de"}),
        ("/café", "/x", "/caf%C3%A9/x", {}),
    )
    def test_stand_before_the_paths_of_the_routes(self, serving, style, prefix, pattern, path, params):
        blueprint = Blueprint("b", prefix=prefix)
        blueprint.get(pattern, name="r")(style(echo))
        assert answers(serving(nested(blueprint)), path) == ("b.r", "b", params)

    def test_of_nested_blueprints_follow_each_other(self, serving, style):
        shop, empty, admin = Blueprint("shop", prefix="/<shop>"), Blueprint("e"), Blueprint("admin", prefix="/admin")
        admin.get("/<int:id>", name="item")(style(echo))
        client = serving(nested(shop, empty, admin))
        assert answers(client, "/s/admin/5") == ("shop.e.admin.item", "shop.e.admin", {"shop": "s", "id": 5})
        assert answers(client, "/admin/5") == 404

    def test_may_be_others_where_the_blueprint_is_registered(self, serving, style, app):
        outer, inner = Blueprint("outer", prefix="/outer"), Blueprint("inner", prefix="/inner")
        inner.get("/x", name="x")(style(echo))
        outer.register(inner, prefix="/other")
        app.register(outer)
        app.register(inner, name="bare", prefix="")
        app.register(inner, name="own")
        client = serving(app)
        assert answers(client, "/outer/other/x")[0] == "outer.inner.x"
        assert answers(client, "/x")[0] == "bare.x"
        assert answers(client, "/inner/x")[0] == "own.x"
        assert answers(client, "/outer/inner/x") == 404

    @rows("prefix", ["/", "/shop/", "shop", "/a<", "/<path:p>", "/<x>/<x>", "/<a><b>"])
    def test_that_are_malformed_are_an_error_at_once(self, prefix):
        with pytest.raises(ValueError, match=r"prefix|path|'/"):
            Blueprint("b", prefix=prefix)
        with pytest.raises(ValueError, match=r"prefix|path|'/"):
            App().register(Blueprint("b"), prefix=prefix)

    def test_that_only_the_whole_shows_to_be_malformed_are_one_before_the_first_request(self):
        blueprint = Blueprint("b", prefix="/<id>")
        blueprint.get("/<id>")(echo)
        with pytest.raises(ValueError, match=r"several parameters named id.*echo"):
            nested(blueprint)._freeze()
        with pytest.raises(ValueError, match=r"no converter 'nope'.*blueprint 'b'"):
            nested(Blueprint("b", prefix="/<nope:x>"))._freeze()

    def test_that_are_empty_have_no_route_of_an_empty_path(self):
        blueprint = Blueprint("b")
        blueprint.get("")(echo)
        with pytest.raises(ValueError, match=r"must begin with a slash.*echo"):
            nested(blueprint)._freeze()


class TestHosts:
    def test_are_those_of_the_routes_that_name_none(self, serving, style):
        shop, inner = Blueprint("shop", host="shop.example.com"), Blueprint("inner", prefix="/inner")
        for blueprint in (shop, inner):
            blueprint.get("/x", name="x")(style(echo))
            blueprint.get("/y", name="y", host="<tenant>.example.org")(style(echo))
        client = serving(nested(shop, inner))
        assert answers(client, "/x", "shop.example.com")[0] == "shop.x"
        assert answers(client, "/inner/x", "shop.example.com")[0] == "shop.inner.x"
        assert answers(client, "/inner/y", "a.example.org") == ("shop.inner.y", "shop.inner", {"tenant": "a"})
        assert answers(client, "/x") == answers(client, "/y", "shop.example.com") == 404

    @rows("host", ["", "a b", "a:80", "<id>.com"])
    def test_that_are_malformed_are_an_error_at_once(self, host):
        with pytest.raises(ValueError, match=r"host|several parameters"):
            Blueprint("b", prefix="/<id>", host=host)
        with pytest.raises(ValueError, match=r"host|several parameters"):
            App().register(Blueprint("b", prefix="/<id>"), host=host)


class TestNames:
    def app(self):
        app = App()
        shop, admin = Blueprint("shop", prefix="/shop"), Blueprint("admin", prefix="/admin")
        admin.get("/items/<int:id>", name="item")(echo)
        shop.get("/", name="home")(echo)
        shop.register(admin)
        app.register(shop)
        app.register(admin, name="office", prefix="/office")
        app.get("/", name="home")(echo)
        return app

    def test_are_those_of_the_blueprints_then_the_route_s(self):
        app = self.app()
        for _ in range(2):
            assert app.url_for("shop.admin.item", id=5, q="a") == "/shop/admin/items/5?q=a"
            assert app.url_for("office.item", id=5) == "/office/items/5"
            assert (app.url_for("shop.home"), app.url_for("home")) == ("/shop/", "/")
            app._freeze()

    @rows("name", ["item", "admin.item", "shop.item", "office.admin.item"])
    def test_are_needed_whole(self, name):
        with pytest.raises(LookupError, match=f"no route is named '{name}'"):
            self.app().url_for(name, id=5)

    @rows("name", ["", "a.b", "."])
    def test_that_are_bad_are_refused(self, name):
        with pytest.raises(ValueError, match="must not be empty or contain a dot"):
            Blueprint(name)
        with pytest.raises(ValueError, match="must not be empty or contain a dot"):
            App().register(Blueprint("b"), name=name)

    def test_that_another_blueprint_has_are_refused(self, app):
        app.register(Blueprint("a"))
        app.register(Blueprint("b"), name="c")
        for blueprint, name in [(Blueprint("a"), None), (Blueprint("x"), "a"), (Blueprint("c"), None)]:
            with pytest.raises(ValueError, match=f"named '{name or blueprint.name}' is already registered here.*name="):
                app.register(blueprint, name=name)
        app.register(Blueprint("b"))

    def test_of_two_routes_that_are_one_name_both(self, app):
        def one(request): ...
        def two(request): ...

        blueprint = Blueprint("shop")
        blueprint.get("/a", name="item")(one)
        app.get("/b", name="shop.item")(two)
        app.register(blueprint)
        with pytest.raises(ValueError, match=r"named 'shop\.item'") as error:
            app._freeze()
        assert describe(one) in str(error.value)
        assert describe(two) in str(error.value)

    def test_that_begin_with_a_dot_are_of_the_same_blueprint(self, serving, style, app):
        shop, admin = Blueprint("shop", prefix="/shop"), Blueprint("admin", prefix="/admin")

        def relative(request):
            return request.url_for(".item", id=5)

        for scope in (app, shop, admin):
            scope.get("/items/<int:id>", name="item")(echo)
            scope.get("/relative")(style(relative))
            scope.errorhandler(404)(lambda request, error: request.url_for(".item", id=404))
        shop.register(admin)
        app.register(shop)
        client = serving(app)
        for prefix in ("", "/shop", "/shop/admin"):
            assert client.get(f"{prefix}/relative").text == f"{prefix}/items/5"
            assert client.get(f"{prefix}/nowhere").text == f"{prefix}/items/404"

    def test_that_begin_with_a_dot_want_a_request(self):
        with pytest.raises(LookupError, match=r"no route is named '\.item'; names that begin with a dot"):
            self.app().url_for(".item", id=5)


class TestRegistering:
    def test_ends_with_the_first_request(self, serving):
        shop, admin = Blueprint("shop"), Blueprint("admin")
        admin.get("/")(echo)
        app = nested(shop, admin)
        register, errorhandler = admin.get("/late"), admin.errorhandler(404)
        assert serving(app).get("/").status == 200
        for late in (
            lambda: admin.get("/x"),
            lambda: admin.before_request(echo),
            lambda: admin.after_request(echo),
            lambda: admin.errorhandler(500),
            lambda: admin.middleware(lambda request: (yield)),
            lambda: admin.converter("hex", str),
            lambda: admin.register(Blueprint("b")),
            lambda: register(echo),
            lambda: errorhandler(echo),
        ):
            with pytest.raises(RuntimeError, match="'admin' already serves requests: register before that"):
                late()
        with pytest.raises(RuntimeError, match="'shop' already serves"):
            shop.register(Blueprint("b"))
        with pytest.raises(RuntimeError, match="this app already serves"):
            app.register(Blueprint("b"))

    def test_twice_by_a_function_that_makes_apps_says_what_to_do(self, serving):
        shop = Blueprint("shop")

        def make_app():
            app = App()
            shop.use(CORS(["https://example.com"]))
            app.register(shop)
            return app

        assert serving(make_app()).get("/").status == 404
        with pytest.raises(
            RuntimeError, match=r"'shop' already serves.*makes several apps.*also has to make the blueprint"
        ):
            make_app()

    def test_may_be_of_one_blueprint_in_several_apps(self, serving):
        shop = Blueprint("shop")
        shop.use(CORS(["https://example.com"]))
        shop.get("/x")(echo)
        for _ in range(2):
            app = App()
            app.register(shop)
            response = serving(app).get("/x", headers={"origin": "https://example.com"})
            assert response.headers["access-control-allow-origin"] == "https://example.com"

    def test_may_still_be_done_after_a_plan_that_failed(self, serving):
        blueprint = Blueprint("b")
        app = nested(blueprint)
        blueprint.get("/<hex:x>", name="x")(echo)
        with pytest.raises(ValueError, match="no converter 'hex'"):
            app._freeze()
        app.converter("hex", lambda text: int(text, 16))
        blueprint.get("/y/z", name="y")(echo)
        client = serving(app)
        assert (answers(client, "/ff")[2], answers(client, "/y/z")[0]) == ({"x": 255}, "b.y")

    def test_of_a_blueprint_in_itself_is_refused(self):
        one, two = Blueprint("one"), Blueprint("two")
        app = nested(one, two)
        two.register(one, name="again")
        with pytest.raises(ValueError, match="blueprint 'one' is registered in itself"):
            app._freeze()
        direct = Blueprint("direct")
        direct.register(direct)
        with pytest.raises(ValueError, match="blueprint 'direct' is registered in itself"):
            nested(direct)._freeze()

    @rows("application", [App(), echo, None], ids=["app", "function", "None"])
    def test_of_what_is_no_blueprint_tells_how_to_mount_it(self, application):
        with pytest.raises(TypeError, match=r"is not a blueprint; mount an application: app\.mount\("):
            App().register(application)

    def test_takes_the_interface_that_all_handlers_want(self, style):
        inner = Blueprint("inner")
        inner.get("/")(style(echo))
        assert nested(Blueprint("outer"), inner).interface == ("asgi" if style.is_async else "wsgi")


class TestConverters:
    def test_of_the_app_may_come_after_the_blueprint(self, serving, style):
        blueprint = Blueprint("b", prefix="/<hex:n>", host="<hex:h>.com")
        blueprint.get("/<hex:m>.<ext>", name="r")(style(echo))
        app = nested(blueprint)
        app.converter("hex", lambda text: int(text, 16), lambda number: f"{number:x}")
        assert app.url_for("b.r", n=255, m=16, ext="x", h=10) == "//a.com/ff/10.x"
        client = serving(app)
        assert answers(client, "/ff/10.x", "a.com")[2] == {"n": 255, "m": 16, "ext": "x", "h": 10}
        assert answers(client, "/xy/10.x", "a.com") == 404

    def test_of_one_name_that_differ_are_refused_with_both_named(self):
        one, two = Blueprint("one"), Blueprint("two")
        app = nested(one, two)
        two.converter("hex", str)
        app.converter("hex", int)
        with pytest.raises(ValueError, match=r"the app and the blueprint 'one\.two' have different converters 'hex'"):
            app._freeze()


def recording(scope, name, called, other):
    """Have two of each kind of hook, and a middleware, note that they were called."""

    def note(what):
        return lambda *_: called.append(f"{name} {what}")

    scope.middleware(other.around(note("opens"), note("closes")))
    for number in (1, 2):
        scope.before_request(other(note(f"before {number}")))
        scope.after_request(other(note(f"after {number}")))


class TestHooks:
    @pytest.fixture
    def called(self):
        return []

    @pytest.fixture
    def app(self, called, style, other):
        app = App()
        shop, admin, blog = Blueprint("shop", prefix="/shop"), Blueprint("admin", prefix="/admin"), Blueprint("blog")
        for scope, name in ((app, "app"), (shop, "shop"), (admin, "admin"), (blog, "blog")):
            scope.get(f"/{name}", name="r")(style(lambda request: called.append("handler") or "x"))
            recording(scope, name, called, other)
        shop.register(admin)
        app.register(shop)
        app.register(blog)
        return app

    def test_are_called_from_the_app_inwards_and_back(self, app, called, serving):
        assert serving(app).get("/shop/admin/admin").status == 200
        assert called == [
            "app opens", "shop opens", "admin opens",
            "app before 1", "app before 2", "shop before 1", "shop before 2", "admin before 1", "admin before 2",
            "handler",
            "admin after 2", "admin after 1", "shop after 2", "shop after 1", "app after 2", "app after 1",
            "admin closes", "shop closes", "app closes",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("path", "names"),
        [("/app", {"app"}), ("/shop/shop", {"app", "shop"}), ("/blog", {"app", "blog"}), ("/nowhere", {"app"})],
    )
    def test_of_other_blueprints_are_not_called(self, app, called, serving, path, names):
        serving(app).get(path)
        assert {call.split()[0] for call in called} - {"handler"} == names

    @pytest.mark.parametrize("fails", [False, True])
    @pytest.mark.parametrize("name", ["app", "shop"])
    def test_before_that_answer_or_fail_skip_the_rest(self, called, serving, style, other, name, fails):
        def early(request):
            called.append("early")
            if fails:
                raise Conflict
            return "early", 409

        app, shop = App(), Blueprint("shop")
        (app if name == "app" else shop).before_request(other(early))
        recording(app, "app", called, other)
        recording(shop, "shop", called, other)
        shop.get("/")(style(lambda request: called.append("handler")))
        app.register(shop)
        assert serving(app).get("/").status == 409
        before = ["app before 1", "app before 2"] if name == "shop" else []
        after = ["shop after 2", "shop after 1", "app after 2", "app after 1", "shop closes", "app closes"]
        assert called == ["app opens", "shop opens", *before, "early", *after]


class Mine(Exception):
    pass


class MineAlone(Mine):
    pass


class TestErrorHandlers:
    @rows(
        "handled, error, answer",
        ({"app": [Mine], "shop": [Mine], "admin": [Mine]}, Mine, "admin Mine"),
        ({"app": [Mine], "shop": [Mine]}, Mine, "shop Mine"),
        ({"app": [Mine]}, Mine, "app Mine"),
        ({"app": [MineAlone], "shop": [Mine]}, MineAlone, "shop Mine"),
        ({"app": [404], "shop": [409]}, NotFound, "app 404"),
        ({"app": [404], "admin": [Exception]}, NotFound, "admin Exception"),
        ({"app": [Exception], "admin": [404]}, NotFound, "admin 404"),
        ({"shop": [404, NotFound]}, NotFound, "shop NotFound"),
        ({"shop": [500, Mine], "app": [MineAlone]}, MineAlone, "shop Mine"),
        ({"blog": [Mine, Exception, 500]}, Mine, None),
    )
    def test_are_asked_from_the_innermost_outwards(self, serving, style, other, handled, error, answer):
        app = App()
        scopes = {name: Blueprint(name) for name in ("shop", "admin", "blog")} | {"app": app}
        for name, keys in handled.items():
            for key in keys:
                text = f"{name} {getattr(key, '__name__', key)}"
                scopes[name].errorhandler(key)(other(lambda request, error, text=text: text))

        def fails(request):
            raise error

        scopes["admin"].get("/")(style(fails))
        scopes["blog"].get("/blog")(style(fails))
        scopes["shop"].register(scopes["admin"])
        app.register(scopes["shop"])
        app.register(scopes["blog"])
        response = serving(app).get("/")
        assert response.status == (404 if error is NotFound else 500)
        assert (None if response.content_type == "application/problem+json" else response.text) == answer


class TestLimits:
    def test_of_fields_and_query_count_too(self, serving, style):
        shop = Blueprint("shop", limits=Limits(fields=2, query=20))
        shop.route("/", ["GET", "POST"])(style(lambda request: f"{len(request.args)} {len(request.form)}"))
        client = serving(nested(shop, limits=Limits(fields=1, query=1)))
        assert client.get("/?a&b").text == "2 0"
        assert client.get("/?a&b&c").status == 414
        assert client.get("/?" + "a" * 21).status == 414
        assert client.post("/", form={"a": "1", "b": "2"}).text == "0 2"
        assert client.post("/", form={"a": "1", "b": "2", "c": "3"}).status == 413

    def test_hold_for_what_is_refused_below_the_prefix(self, serving, seen):
        shop = Blueprint("shop", prefix="/shop", limits=Limits(body=5))
        shop.middleware(loads_body=True)(lambda request: (yield))
        client = serving(nested(shop))
        assert client.post("/shop/nowhere", body=bytes(6)).status == 404

        def reads(request):
            seen.append(request.limits.body)
            yield

        shop = Blueprint("shop", prefix="/shop", limits=Limits(body=5))
        shop.middleware(reads)
        assert serving(nested(shop)).post("/shop/nowhere", body=b"x").status == 404
        assert seen == [5]


OUTWARDS = ("admin", "shop", "app")


@pytest.mark.once
class TestWhatIsBelowAPrefix:
    """Errors without a handler of their own: they pass what is around the blueprint below whose prefix they are."""

    @pytest.fixture
    def app(self, style, other):
        app = App()
        app.converter("broken", lambda text: {}[text])
        shop, admin = Blueprint("shop", prefix="/shop"), Blueprint("admin", prefix="/<int:id>")
        item, host = Blueprint("item", prefix="/things/<broken:x>"), Blueprint("host", prefix="/shop", host="a.com")
        for scope, name in ((app, "app"), (shop, "shop"), (admin, "admin"), (item, "item"), (host, "host")):

            def mark(request, response, name=name):
                response.headers.add("x-around", f"{name} {dict(request.path_params)}")

            def answer(request, error, name=name):
                return f"{name} {request.blueprint}"

            scope.middleware(other.around(after=mark))
            for status in (404, 405, 500):
                scope.errorhandler(status)(other(answer))
            scope.get("/here/<broken:key>")(style(lambda request: "x"))
            scope.get("/here")(style(lambda request: "x"))
        shop.register(admin)
        shop.register(item)
        app.register(shop)
        app.register(host)
        return app

    @rows(
        "method, path, host, answer",
            ("GET", "/nowhere", None, (404, "app None", ["app {}"])),
            ("GET", "/shopping", None, (404, "app None", ["app {}"])),
            ("GET", "/shop", None, (404, "shop shop", ["shop {}", "app {}"])),
            ("GET", "/shop/", None, (404, "shop shop", ["shop {}", "app {}"])),
            ("GET", "/shop/here/", None, (404, "shop shop", ["shop {}", "app {}"])),
            ("GET", "/shop/5/no", None, (404, "admin shop.admin", [f"{name} {{'id': 5}}" for name in OUTWARDS])),
            ("POST", "/here", None, (405, "app None", ["app {}"])),
            ("POST", "/shop/here", None, (405, "shop shop", ["shop {}", "app {}"])),
            ("OPTIONS", "/shop/here", None, (204, "", ["shop {}", "app {}"])),
            ("GET", "/shop/x", "a.com", (404, "host host", ["host {}", "app {}"])),
            ("GET", "/here/key", None, (500, "app None", ["app {}"])),
            ("GET", "/shop/here/key", None, (500, "shop shop", ["shop {}", "app {}"])),
            ("GET", "/shop/things/key/here", None, (500, "shop shop", ["shop {}", "app {}"])),
    )  # fmt: skip
    def test_passes_what_is_around_the_innermost_blueprint(self, app, serving, method, path, host, answer):
        response = serving(app).request(method, path, headers={"host": host} if host else {})
        assert (response.status, response.text, response.headers.getall("x-around")) == answer

    @pytest.mark.parametrize(("encoded_slashes", "shop"), [(True, "x/y"), (False, "x")])
    def test_has_the_parameters_of_the_prefix_as_routes_have_them(self, serving, interface, encoded_slashes, shop):
        app = App(encoded_slashes=encoded_slashes)
        shops = Blueprint("shops", prefix="/shops/<shop>")
        shops.errorhandler(404)(lambda request, error: request.path_params["shop"])
        app.register(shops)
        path, known = "/shops/x%2Fy/nowhere", "x" if interface == "rsgi" else shop  # which hides what was sent
        assert serving(app).get(path).text == known

    def test_answers_methods_of_several_blueprints_where_they_meet(self, serving):
        app = App()
        v1, v2 = Blueprint("v1", prefix="/items"), Blueprint("v2", prefix="/items")
        around = Blueprint("around")
        for blueprint, method in ((v1, "GET"), (v2, "PUT")):
            inner = Blueprint("same")
            inner.route("", [method])(echo)
            blueprint.register(inner)
            around.register(blueprint)
        for scope in (app, around, v1, v2):
            scope.errorhandler(405)(lambda request, error: str(request.blueprint))
        around.after_request(lambda request, response: response.headers.update({"x-around": "1"}))
        app.register(around)
        client = serving(app)
        assert answers(client, "/items", method="PUT")[1] == "around.v2.same"
        assert client.delete("/items").text == "around"
        response = client.options("/items")
        assert (response.headers["allow"], response.headers["x-around"]) == ("GET, HEAD, OPTIONS, PUT", "1")

    def test_is_refused_by_the_app_where_the_request_itself_is_bad(self, serving):
        shop = Blueprint("shop", prefix="/shop")
        shop.errorhandler(421)(lambda request, error: "shop")
        app = nested(shop, trusted_hosts=["example.com"])
        app.errorhandler(421)(lambda request, error: "app")
        assert serving(app).get("/shop/x").text == "app"

    def test_that_is_a_write_of_another_site_is_refused_by_the_route_s_own(self, serving):
        shop = Blueprint("shop")
        shop.errorhandler(403)(lambda request, error: "shop")
        shop.post("/")(echo)
        response = serving(nested(shop)).post("/", headers={"sec-fetch-site": "cross-site"})
        assert (response.status, response.text) == (403, "shop")


def test_a_feature_for_a_whole_application_is_named_as_the_blueprint_was_given_it():
    class Inner:
        def install(self, app):
            app.on_startup(lambda: None)

    class Outer:
        def install(self, app):
            app.use(Inner())

    with pytest.raises(TypeError, match="Outer is for a whole application, not for the blueprint 'shop'"):
        Blueprint("shop").use(Outer())
