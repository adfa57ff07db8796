"""Features in use: an app knows them, and one that can't be installed leaves nothing behind."""

import pytest

from antiphon import App, Blueprint, Dependency
from antiphon.adapters.exchange import Observer
from antiphon.embedding import KeyHandling, RouteKeys
from antiphon.testing import Client
from tests.helpers.rows import rows

NUMBER = Dependency[int]("number")
calls = []


class Feature:
    def __init__(self, register=lambda app: None, fails=False):
        self.register, self.fails = register, fails

    def install(self, app):
        self.register(app)
        if self.fails:
            raise ValueError("half-way")


class Other(Feature):
    pass


def note(*given):
    calls.append(given)


def around(request):
    calls.append(request)
    yield


def opened():
    calls.append("opened")
    yield 1


def numbered(request):
    yield 1


class Watching(Observer):
    def begin(self, exchange):
        calls.append(exchange)


REGISTRATIONS = {
    "a route": lambda app: app.get("/x")(lambda request: "x"),
    "a route of a blueprint that is registered": lambda app: app._registry.blueprints[0].blueprint.get("/x")(
        lambda request: "x"
    ),
    "a converter": lambda app: app.converter("year", int),
    "static files": lambda app: app.static("/static", __file__.rpartition("/")[0]),
    "middleware": lambda app: app.middleware(around),
    "middleware before routing": lambda app: app.middleware(before_routing=True)(around),
    "a hook before": lambda app: app.before_request(note),
    "a hook after": lambda app: app.after_request(lambda request, response: note(request)),
    "a finisher": lambda app: app.before_send(note),
    "an error handler": lambda app: app.errorhandler(KeyError)(lambda request, error: "gone"),
    "a blueprint": lambda app: app.register(Blueprint("more")),
    "a mounted app": lambda app: app.mount("/mounted", App()),
    "a lifespan": lambda app: app.lifespan(opened),
    "a function at startup": lambda app: app.on_startup(note),
    "a function at shutdown": lambda app: app.on_shutdown(note),
    "a value of requests": lambda app: app.provide(NUMBER, lambda request: 1),
    "a value that is awaited": lambda app: app.provide(NUMBER, lambda request: 1, blocking=True),
    "a value that is closed": lambda app: app.provide(NUMBER, numbered),
    "a shared value": lambda app: app.template_context(number=1),
    "a trusted origin": lambda app: app.trusted_origins.add(["https://other.example"]),
    "an observer": lambda app: app.observe(Watching()),
    "a key of routes": lambda app: app.handle_key(RouteKeys.idempotent, KeyHandling(around=lambda *_: note)),
    "the measure of heads": lambda app: app._measure_header_sections(),
    "a feature of its own": lambda app: app.use(Other()),
    "an attribute": lambda app: setattr(app, "number", 1),
}


def state_of(thing, known=()):
    """All that an object of the library holds, down to values of others."""
    if any(thing is each for each in known):
        return "..."
    known = [*known, thing]
    if isinstance(thing, dict):
        return {key: state_of(value, known) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [state_of(each, known) for each in thing]
    if type(thing).__module__.startswith("antiphon.") and hasattr(thing, "__dict__"):
        return {name: state_of(value, known) for name, value in vars(thing).items()}
    return thing


@pytest.fixture
def app():
    app = App()
    app.register(Blueprint("shop", prefix="/shop"))
    app.get("/")(lambda request: "here")
    calls.clear()
    return app


@rows("kind", REGISTRATIONS)
def test_one_that_fails_leaves_nothing_behind(app, kind):
    before = state_of(app)
    with pytest.raises(ValueError, match="half-way"):
        app.use(Feature(REGISTRATIONS[kind], fails=True))
    assert state_of(app) == before


@pytest.mark.parametrize("kind", REGISTRATIONS)
def test_what_this_compares_sees_each_kind(app, kind):
    before = state_of(app)
    app.use(Feature(REGISTRATIONS[kind]))
    assert state_of(app) != before


def test_one_that_fails_is_as_if_it_had_never_been_used(app):
    def install_all(app):
        for kind, register in REGISTRATIONS.items():
            if kind not in ("a value that is awaited", "a value that is closed"):  # NUMBER can be filled once
                register(app)

    with pytest.raises(ValueError, match="half-way"):
        app.use(Feature(install_all, fails=True))
    with Client(app) as client:
        assert client.get("/").text == "here"
        assert [client.get(path).status for path in ("/x", "/shop/x", "/mounted")] == [404] * 3
    assert calls == []


def test_an_app_that_it_mounted_is_where_it_was(app):
    below = App(secret_keys=["a secret key of some length"])
    below.get("/signed", signed_url=True, name="signed")(lambda request: "signed")
    with pytest.raises(ValueError, match="half-way"):
        app.use(Feature(lambda app: app.mount("/below", below), fails=True))
    assert Client(below).get(below.url_for("signed")).text == "signed"


def test_one_that_fails_takes_nothing_from_those_before_it(app):
    app.use(Feature(REGISTRATIONS["a shared value"]))
    with pytest.raises(ValueError, match="half-way"):
        app.use(Feature(lambda app: app.template_context(other=2), fails=True))
    app.get("/shared")(lambda request: [request.shared("number"), "other" in request.shared])
    assert Client(app).get("/shared").json == [1, False]


def test_one_of_a_blueprint_that_fails_leaves_nothing_behind(app):
    blueprint = Blueprint("more")
    before = state_of(blueprint)
    with pytest.raises(ValueError, match="half-way"):
        blueprint.use(Feature(REGISTRATIONS["a route"], fails=True))
    with pytest.raises(TypeError, match="for a whole application"):
        blueprint.use(Feature(lambda app: [REGISTRATIONS["a route"](app), app.template_context(number=1)]))
    assert state_of(blueprint) == before


def test_one_that_is_interrupted_leaves_nothing_behind(app):
    def interrupted(app):
        app.template_context(number=1)
        raise KeyboardInterrupt

    before = state_of(app)
    with pytest.raises(KeyboardInterrupt):
        app.use(Feature(interrupted))
    assert state_of(app) == before


def test_an_app_knows_them_in_their_order():
    first, inner, last = Feature(), Other(), Feature()
    first.register = lambda app: app.use(inner)
    app, blueprint = App(), Blueprint("shop")
    app.use(first)
    app.use(last)
    blueprint.use(Other())
    app.register(blueprint)
    assert app.features == (inner, first, last)
    assert app.find_feature(Other) is inner
    assert app.find_feature(Feature) is inner
    assert app.find_feature(App) is None
    assert [type(each) for each in blueprint.features] == [Other]
