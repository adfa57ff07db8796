import pytest

from antiphon import App, Blueprint, Response
from antiphon.app.planning.cross_site import check_cross_site
from antiphon.features.cors import CORS
from antiphon.http.errors import Forbidden
from antiphon.request.request import Request
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "client")]

SHOP = "https://shop.example.com"
EVIL = "https://evil.example"
ALLOW = "access-control-allow-"


@pytest.fixture
def serving(interface, open_client):
    return lambda cors: open_client(app_with(cors), interface, raise_errors=False)


def app_with(cors):
    app = App()
    cors.install(app)

    @app.get("/")
    def index(request):
        return "index"

    @app.get("/async")
    async def waits(request):
        return Response("async", 200, {"vary": "cookie"})

    @app.get("/stream")
    def stream(request):
        return iter(["a", "b"])

    @app.get("/fails")
    def fails(request):
        raise LookupError("boom")

    @app.get("/forbidden")
    def forbidden(request):
        raise Forbidden("no")

    @app.get("/font")
    def font(request):
        return Response("font", 200, {"access-control-allow-origin": "*"})

    return app


def cors_fields(response):
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


class TestAResponse:
    @rows(
        "path, status",
        [("/", 200), ("/async", 200), ("/stream", 200), ("/forbidden", 403), ("/missing", 404), ("/fails", 500)],
    )
    def test_may_be_read_by_an_allowed_origin_whatever_it_is(self, serving, path, status):
        response = serving(CORS([SHOP])).get(path, headers={"origin": SHOP})
        assert response.status == status
        assert cors_fields(response) == {ALLOW + "origin": SHOP}
        assert "origin" in response.headers.getall("vary")

    @rows("origin", [None, EVIL, "null", SHOP + ".evil.example", SHOP + ":8443", "http://shop.example.com"])
    @rows("path", ["/", "/missing"])
    def test_names_no_other_origin(self, serving, origin, path):
        response = serving(CORS([SHOP], credentials=True)).get(path, headers={"origin": origin} if origin else {})
        assert cors_fields(response) == {}
        assert "origin" in response.headers.getall("vary")

    def test_keeps_what_it_varies_by_already(self, serving):
        assert serving(CORS([SHOP])).get("/async").headers.getall("vary") == ["cookie", "origin"]

    @rows("origin", [None, SHOP, EVIL, "null"])
    def test_is_the_same_for_everyone_when_everyone_may_read_it(self, serving, origin):
        response = serving(CORS("*")).get("/", headers={"origin": origin} if origin else {})
        assert cors_fields(response) == {ALLOW + "origin": "*"}
        assert "vary" not in response.headers

    def test_exposes_headers_and_takes_credentials_where_declared(self, serving):
        cors = CORS([SHOP], expose=["x-total", "etag"], credentials=True)
        assert cors_fields(serving(cors).get("/", headers={"origin": SHOP})) == {
            ALLOW + "origin": SHOP, ALLOW + "credentials": "true", "access-control-expose-headers": "x-total, etag",
        }  # fmt: skip

    def test_that_says_itself_who_may_read_it_stays_as_it_is(self, serving):
        response = serving(CORS([SHOP], credentials=True)).get("/font", headers={"origin": SHOP})
        assert cors_fields(response) == {ALLOW + "origin": "*"}


def preflight(client, origin=SHOP, path="/", method="PUT", **headers):
    return client.options(path, headers={"origin": origin, "access-control-request-method": method} | headers)


class TestAPreflight:
    @pytest.mark.parametrize("path", ["/", "/async", "/missing"])
    def test_of_an_allowed_origin_is_told_what_it_may_do(self, serving, path):
        response = preflight(serving(CORS([SHOP])), path=path)
        assert (response.status, response.body) == (204, b"")
        assert cors_fields(response) == {
            ALLOW + "origin": SHOP, ALLOW + "methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
            ALLOW + "headers": "authorization, content-type", "access-control-max-age": "600",
        }  # fmt: skip
        assert response.headers["vary"] == "origin"

    def test_is_told_of_all_that_was_declared(self, serving):
        cors = CORS([SHOP], methods=["get", "PURGE"], headers=["X-Token"], credentials=True, max_age=0)
        assert cors_fields(preflight(serving(cors))) == {
            ALLOW + "origin": SHOP, ALLOW + "credentials": "true", ALLOW + "methods": "GET, PURGE",
            ALLOW + "headers": "authorization, content-type, X-Token", "access-control-max-age": "0",
        }  # fmt: skip

    def test_of_anyone_is_answered_alike_when_everyone_is_allowed(self, serving):
        response = preflight(serving(CORS(["*"], headers=["*", "authorization"])), EVIL)
        assert response.headers[ALLOW + "origin"] == "*"
        assert response.headers[ALLOW + "headers"] == "authorization, content-type, *"
        assert "vary" not in response.headers

    @pytest.mark.parametrize(
        ("headers", "allowed"),
        [
            ([], "authorization, content-type"),
            (["if-match"], "authorization, content-type, if-match"),
            (["Content-Type", "x-a", "AUTHORIZATION"], "authorization, content-type, x-a"),
        ],
    )
    def test_is_told_of_headers_besides_those_for_logins_and_json(self, serving, headers, allowed):
        response = preflight(serving(CORS([SHOP], headers=headers)))
        assert response.headers[ALLOW + "headers"] == allowed

    @rows("origin", [EVIL, "null", "*", SHOP + "/"])
    def test_of_another_origin_is_refused(self, serving, origin):
        response = preflight(serving(CORS([SHOP], credentials=True)), origin)
        assert response.status == 403
        assert cors_fields(response) == {}
        assert "origin" in response.headers.getall("vary")
        assert origin in response.json["detail"]

    @pytest.mark.parametrize(
        "headers", [{}, {"origin": SHOP}, {"access-control-request-method": "PUT"}], ids=["neither", "origin", "method"]
    )
    def test_is_told_from_other_requests_with_options(self, serving, headers):
        response = serving(CORS([SHOP])).options("/", headers=headers)
        assert response.headers["allow"] == "GET, HEAD, OPTIONS"

    def test_calls_nothing_inside(self, serving):
        called = []
        app = app_with(CORS([SHOP]))
        app.before_request(lambda request: called.append(request.path))
        client = serving(CORS([SHOP]))
        client = Client(app, client.interface)
        assert preflight(client).status == 204
        assert called == []
        client.close()


PARTNER = "https://partner.example"
PATHS = ["/", "/shop/item", "/shop/nowhere", "/shop/fails", "/shop/admin/item", "/other/item", "/nowhere"]


async def waits_for_item(request):
    return "item"


async def waits_and_fails(request):
    raise LookupError("boom")


def item(request):
    return "item"


def fails(request):
    raise LookupError("boom")


class TestABlueprintsOwn:
    """Whose are its paths, also where it fails or has nothing, and those of the blueprints in it."""

    @pytest.fixture(params=[(item, fails), (waits_for_item, waits_and_fails)], ids=["def", "async def"])
    def client(self, request, interface):
        item, fails = request.param
        app, shop, admin, other = App(), Blueprint("shop"), Blueprint("admin"), Blueprint("other")
        shop.use(CORS([SHOP], credentials=True))
        admin.use(CORS([PARTNER]))
        for routes in (app, shop, admin, other):
            routes.route("/" if routes is app else "/item", ["GET", "PUT"])(item)
        shop.get("/fails")(fails)
        shop.register(admin, prefix="/admin")
        app.register(shop, prefix="/shop")
        app.register(other, prefix="/other")
        client = Client(app, interface, raise_errors=False, timeout=10.0)
        yield client
        client.close()

    def test_lets_its_responses_be_read_and_no_others(self, client):
        responses = {path: client.get(path, headers={"origin": SHOP}) for path in PATHS}
        assert [response.status for response in responses.values()] == [200, 200, 404, 500, 200, 200, 404]
        assert [path for path, response in responses.items() if cors_fields(response)] == PATHS[1:5]
        assert all(response.headers.getall("vary") for path, response in responses.items() if path in PATHS[1:5])

    def test_answers_its_preflights_and_no_others(self, client):
        answers = {path: preflight(client, path=path) for path in PATHS}
        assert [path for path, response in answers.items() if cors_fields(response)] == PATHS[1:5]
        assert {answers[path].status for path in PATHS[1:5]} == {204}
        assert preflight(client, EVIL, "/shop/item").status == 403
        assert cors_fields(preflight(client, EVIL, "/shop/item")) == {}

    @rows(
        "origin, written",
        [(SHOP, ["/shop/item", "/shop/admin/item"]), (PARTNER, ["/shop/admin/item"]), (EVIL, []), ("null", [])],
    )
    def test_lets_its_origins_write_to_it_and_nowhere_else(self, client, origin, written):
        headers = {"origin": origin, "sec-fetch-site": "cross-site"}
        paths = ["/", "/shop/item", "/shop/admin/item", "/other/item"]
        assert [path for path in paths if client.put(path, headers=headers).status == 200] == written

    def test_leaves_the_origins_of_the_app_trusted_there(self, interface):
        app, shop = App(trusted_origins=[PARTNER]), Blueprint("shop")
        shop.use(CORS([SHOP]))
        shop.put("/item")(lambda request: "item")
        app.register(shop)
        client = Client(app, interface, timeout=10.0)
        for origin, status in ((PARTNER, 200), (SHOP, 200), (EVIL, 403)):
            headers = {"origin": origin, "sec-fetch-site": "cross-site"}
            assert client.put("/item", headers=headers).status == status
        client.close()

    def test_goes_with_it_under_every_name_that_it_is_registered_by(self, interface):
        app, shop = App(), Blueprint("shop")
        app.register(shop, prefix="/one")
        app.register(shop, name="two", prefix="/two")
        shop.use(CORS([SHOP]))
        shop.put("/item")(lambda request: "item")
        client = Client(app, interface, timeout=10.0)
        for path in ("/one/item", "/two/item"):
            response = client.put(path, headers={"origin": SHOP, "sec-fetch-site": "cross-site"})
            assert (response.status, response.headers[ALLOW + "origin"]) == (200, SHOP)
        client.close()


class TestOrigins:
    CORS = CORS([SHOP, "HTTPS://API.example.com:443", "https://*.example.org", "http://*.localhost:5173", "null"])

    @rows(
        "origin",
        SHOP, "https://api.example.com", "https://a.example.org", "https://a.b-c.example.org",
        "http://a.localhost:5173", "null",
    )  # fmt: skip
    def test_are_exact_or_match_a_pattern(self, origin):
        assert origin in self.CORS

    @rows(
        "origin",
            "", "*", None, "https://example.org", "https://.example.org", "https://aexample.org", "https://a.exampleXorg",
            "https://a.example.org:8443", "http://a.example.org", "https://a.example.org.evil.example",
            "https://evil.example/.example.org", "https://evil.example#.example.org", "https://e:1@a.example.org",
            "https://a.example.org\n", "xhttps://a.example.org", "http://a.localhost", "https://*.example.org",
    )  # fmt: skip
    def test_are_no_others(self, origin):
        assert origin not in self.CORS

    def test_are_matched_in_linear_time(self):
        assert "https://" + ".example.org" * 100_000 + "!" not in self.CORS

    def test_may_be_trusted_with_writes_but_not_null(self):
        def write(origin):
            return Request.blank("https://here.example/", "POST", {"origin": origin, "sec-fetch-site": "cross-site"})

        check_cross_site(write("https://a.example.org"), self.CORS)
        for origin in (EVIL, "null"):
            with pytest.raises(Forbidden):
                check_cross_site(write(origin), self.CORS)

    @pytest.mark.parametrize("origin", ["null", "https://a.example.org"])
    def test_are_answered_by_name(self, serving, origin):
        assert serving(self.CORS).get("/", headers={"origin": origin}).headers[ALLOW + "origin"] == origin


@rows(
    "declared, message",
    ({"origins": SHOP}, "origins must be a list"),
    ({"origins": ["shop.example.com"]}, "an origin must be a scheme, a host"),
    ({"origins": [SHOP + "/"]}, "an origin must be a scheme, a host"),
    ({"origins": ["https://shop.*"]}, "a pattern must be like"),
    ({"origins": ["https://*.*.example.com"]}, "a pattern must be like"),
    ({"origins": ["https://a.*.example.com"]}, "a pattern must be like"),
    ({"origins": ["*://a.example.com"]}, "a pattern must be like"),
    ({"origins": ["https://*.com"]}, "anyone's hosts"),
    ({"origins": ["https://*.example.com/"]}, "an origin must be a scheme, a host"),
    ({"origins": "*", "credentials": True}, r'browsers refuse "\*"'),
    ({"origins": [SHOP, "*"], "credentials": True}, r'browsers refuse "\*"'),
    ({"origins": [SHOP], "headers": ["*"], "credentials": True}, r'browsers refuse "\*"'),
    ({"origins": [SHOP], "methods": ["*"], "credentials": True}, r'browsers refuse "\*"'),
    ({"origins": [SHOP], "expose": ["*"], "credentials": True}, r'browsers refuse "\*"'),
    ({"origins": [SHOP], "methods": "GET"}, "methods must be a list"),
    ({"origins": [SHOP], "headers": "x-a"}, "headers must be a list"),
    ({"origins": [SHOP], "expose": ["x-a, x-b"]}, "cannot be one of expose"),
    ({"origins": [SHOP], "headers": ["a\r\nb"]}, "cannot be one of headers"),
    ({"origins": [SHOP], "max_age": -1}, "number of seconds"),
    ({"origins": [SHOP], "max_age": 1.5}, "number of seconds"),
)
def test_what_makes_no_sense_is_refused_where_it_is_declared(declared, message):
    with pytest.raises(ValueError, match=message):
        CORS(**declared)
