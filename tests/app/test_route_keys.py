"""Keys of routes as options: what a value may be, what it needs, and what is done for the routes that have it."""

import pytest

from antiphon import App, Blueprint, RouteKey, abort
from antiphon.embedding import KeyHandling, RouteKeys
from antiphon.testing import Client
from tests.helpers.rows import rows


def in_words(given):
    if not isinstance(given, str):
        raise TypeError(f"rate must be text, not {given!r}")
    number, _, period = given.partition("/")
    if period not in ("s", "h"):
        raise ValueError(f"rate must end with /s or /h, not {given!r}")
    return int(number), period


COUNT, FLAG, RATE = (RouteKey[int]("count"), RouteKey[str]("flag"), RouteKey[tuple[int, str]]("rate", parse=in_words))
EITHER, NAMES, SHARE = RouteKey[bool | str]("either"), RouteKey[list[str]]("names"), RouteKey[float]("share")


@rows(
    "key, value, error",
    [
        (COUNT, "five", "count must be int, not 'five': '/'"),
        (FLAG, 1, "flag must be str, not 1: '/'"),
        (EITHER, 1.5, "either must be bool"),
        (SHARE, "half", "share must be float, not 'half'"),
        (RATE, 5, "rate must be text, not 5: '/'"),
        (RATE, "5/day", "rate must end with /s or /h, not '5/day': '/'"),
    ],
)
def test_a_value_of_another_kind_is_refused_where_the_route_is_registered(key, value, error):
    with pytest.raises((TypeError, ValueError), match=error):
        App().get("/", meta={key: value})(lambda request: "")
    with pytest.raises((TypeError, ValueError), match=error.replace("'/'", "the blueprint 'shop'")):
        Blueprint("shop", meta={key: value})


def test_values_that_fit_are_as_the_key_parses_them():
    given = {COUNT: 5, EITHER: "x", SHARE: 1, NAMES: ["a"], RATE: "5/h"}
    app = App()
    app.get("/", meta=given)(lambda request: "")
    assert {key: app.routes[0].meta[key] for key in given} == given | {RATE: (5, "h")}


class Quotas:
    """A feature as another package would write it, with what it counts in a dict."""

    def __init__(self):
        self.used = {}

    def install(self, app):
        app.handle_key(QUOTA, KeyHandling(around=self.around))

    def around(self, route, handler):
        most = route.meta[QUOTA]

        def counted(request):
            self.used[route.name] = used = self.used.get(route.name, 0) + 1
            if used > most:
                abort(429)
            return handler(request)

        async def acounted(request):
            return await counted(request)

        return acounted if route.hook.is_async else counted


QUOTA = RouteKey[int]("quota", needs="Quotas()")


def make_shop():
    shop = Blueprint("shop", prefix="/shop", meta={QUOTA: 1})
    shop.get("/one", name="one")(lambda request: "one")
    shop.get("/free", meta={QUOTA: None})(lambda request: "free")

    @shop.get("/two", meta={QUOTA: 2})
    async def two(request):
        return "two"

    return shop


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("place", ["app", "blueprint"])
def test_a_feature_is_around_the_handlers_of_routes_with_its_key(place, interface):
    app, shop, quotas = App(), make_shop(), Quotas()
    (app if place == "app" else shop).use(quotas)
    app.register(shop)
    client = Client(app, interface)
    assert [client.get("/shop/one").status for _ in range(3)] == [200, 429, 429]
    assert [client.get("/shop/two").status for _ in range(3)] == [200, 200, 429]
    assert [client.get("/shop/free").status for _ in range(3)] == [200, 200, 200]
    assert quotas.used == {"shop.one": 3, "shop.two": 3}


def test_a_key_without_its_feature_is_an_error_at_start():
    app = App()
    app.register(make_shop())
    with pytest.raises(RuntimeError, match=r"has quota=1, which needs app.use\(Quotas\(\)\)"):
        Client(app).get("/shop/free")


def test_two_features_cannot_handle_one_key():
    app = App()
    app.use(Quotas())
    with pytest.raises(ValueError, match="already handles the quota routes"):
        app.use(Quotas())


def test_a_key_has_functions_of_its_own():
    def loud(route, handler):
        return lambda request: f"{handler(request)}{'!' * route.meta[LOUD]}"

    def quiet(request):
        seen.append(request.route.meta[LOUD])

    seen, LOUD = [], RouteKey[int]("loud", before=quiet, around=loud)
    app = App()
    app.get("/", meta={LOUD: 2})(lambda request: "here")
    app.get("/plain")(lambda request: "plain")
    client = Client(app)
    assert [client.get("/").text, client.get("/plain").text, seen] == ["here!!", "plain", [2]]


def test_the_options_of_features_are_keys():
    app = App()
    app.get("/", redirect_slashes=False, priority="low", takes=dict, tool=False)(lambda request: "")
    meta = app.routes[0].meta
    assert {key.name: meta[key] for key in meta} == {"redirect_slashes": False, "priority": "low", "takes": dict}
    assert meta[RouteKeys.redirect_slashes] is False


def test_a_key_is_parsed_once_for_each_route():
    parsed, once = [], RouteKey[str]("once", parse=lambda given: parsed.append(given) or given)
    App().get("/", meta={once: "a"})(lambda request: "")
    assert parsed == ["a"]


def test_what_a_key_does_by_itself_does_not_replace_its_feature():
    key = RouteKey[bool]("both", needs="Both()", around=lambda route, handler: lambda request: f"({handler(request)})")

    def outermost(route):
        def around(request):
            response = yield
            response.headers["seen"] = route.name

        return around

    app = App()
    app.get("/", name="home", meta={key: True})(lambda request: "here")
    with pytest.raises(RuntimeError, match=r"needs app.use\(Both\(\)\)"):
        Client(app).get("/")
    app.handle_key(key, KeyHandling(outermost=outermost))
    response = Client(app).get("/")
    assert (response.text, response.headers["seen"]) == ("(here)", "home")
