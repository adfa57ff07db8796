"""A Pyramid program moves to an app that has it mounted: its moved handlers run inside a request of the program."""

import asyncio
from importlib import import_module

import pytest

from antiphon import App, Blueprint, abort, current_request
from antiphon.testing import Client
from tests.helpers.rows import rows


class Policy:
    """A security policy that trusts the session."""

    def identity(self, request):
        return request.session.get("user")

    authenticated_userid = identity


class Shop:
    """A Pyramid program, mounted around a blueprint that has moved. It notes which callbacks are called."""

    def __init__(self, above):
        self.noted = []
        self.errors, session = (import_module(f"{above}pyramid.{name}") for name in ("httpexceptions", "session"))
        response = import_module(f"{above}pyramid.response").Response
        with import_module(f"{above}pyramid.config").Configurator() as config:
            config.set_session_factory(session.SignedCookieSessionFactory("a key of this program"))
            config.set_security_policy(Policy())
            config.add_request_method(lambda request: "milk", "shelf", reify=True)
            config.add_subscriber(self.begin, f"{above}pyramid.events.NewRequest")
            config.add_notfound_view(lambda request: response(f"Not here: {request.exception.detail}", status=404))
            views = {
                "session": lambda request: dict(request.session.items()),
                "queue": lambda request: request.session.flash("from old") or {},
                "told": lambda request: [*request.session.pop_flash(), *request.session.pop_flash("warning")],
                "outer": lambda request: [current_request().path],
            }
            for name, view in views.items():
                config.add_route(name, f"/{name}")
                config.add_view(view, route_name=name, renderer="json")
            self.old = config.make_wsgi_app()
        self.app, self.moved = App(), Blueprint("moved", prefix="/moved")
        self.app.register(self.moved)
        self.app.mount("", self.old, around=[self.moved])

    def begin(self, event):
        event.request.add_response_callback(lambda request, response: self.noted.append("response"))
        event.request.add_finished_callback(lambda request: self.noted.append("finished"))


@pytest.fixture(params=["", "antiphon.dialects."])
def above(request):
    return request.param


@pytest.fixture(params=["def", "async def"])
def style(request):
    def made(function):
        async def waiting(request):
            await asyncio.sleep(0)
            return function(request)

        return function if request.param == "def" else waiting

    return made


pytestmark = [pytest.mark.axes("interface", "style"), pytest.mark.filterwarnings("ignore:.*pkg_resources")]
interfaces = pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])
FACTS = {
    "request method": lambda request: request.framework.request.shelf,
    "matchdict": lambda request: request.framework.request.matchdict["name"],
    "route_url": lambda request: request.framework.request.route_url("told", _anchor="top"),
    "form": lambda request: request.framework.request.POST["item"] + request.form["item"],
    "identity": lambda request: request.session.update(user="ada") or request.framework.user,
    "request": lambda request: str(current_request() is request),
}


@interfaces
@rows(
    "fact, expected",
    ("request method", "milk"),
    ("matchdict", "x"),
    ("route_url", "http://testserver/told#top"),
    ("form", "teatea"),
    ("identity", "ada"),
    ("request", "True"),
)
def test_a_moved_handler_has_the_old_request(above, interface, style, fact, expected):
    shop = Shop(above)
    shop.moved.post("/<name>")(style(FACTS[fact]))
    response = Client(shop.app, interface).post("/moved/x", form={"item": "tea"})
    assert (response.status, response.text) == (200, expected)
    assert shop.noted == ["response", "finished"]


def raised(shop, kind):
    def handler(request):
        if kind == "abort":
            abort(404, "gone")
        raise {"raise": shop.errors.HTTPNotFound("gone"), "unknown": ValueError("gone")}[kind]

    return handler


@interfaces
@rows("kind, status, text", ("abort", 404, "Not here: gone"), ("raise", 404, "Not here: gone"), ("unknown", 500, None))
def test_an_error_gets_the_old_exception_view(above, interface, style, kind, status, text, quiet):
    shop = Shop(above)
    shop.moved.get("/x")(style(raised(shop, kind)))
    response = Client(shop.app, interface).get("/moved/x")
    assert response.status == status
    assert text is None or response.text == text
    assert shop.noted == ["response", "finished"]


@interfaces
def test_a_stream_ends_before_the_old_request_does(above, interface, style):
    shop = Shop(above)

    def chunks(given):
        for number in range(2):
            shop.noted.append(number)
            yield f"{number} {given.shelf}. "

    shop.moved.get("/x")(style(lambda request: chunks(request.framework.request)))
    assert Client(shop.app, interface).get("/moved/x").text == "0 milk. 1 milk. "
    assert shop.noted == ["response", 0, 1, "finished"]


@interfaces
def test_session_and_messages_cross_in_both_directions(above, interface, style):
    shop = Shop(above)

    def put(request):
        request.session["cart"] = [*request.session.get("cart", []), "tea"]
        request.flash("from new")
        request.flash("careful", "warning")
        return "put"

    shop.moved.post("/put")(style(put))
    shop.moved.get("/told")(style(lambda request: [[each.category, each.message] for each in request.flash.take()]))
    client = Client(shop.app, interface)
    client.post("/moved/put")
    assert client.get("/told").json == ["from new", "careful"]
    client.post("/moved/put")
    assert client.get("/moved/told").json == [["message", "from new"], ["warning", "careful"]]
    assert client.get("/session").json == {"cart": ["tea", "tea"]}
    client.get("/queue")
    assert client.get("/moved/told").json == [["message", "from old"]]
    assert client.get("/told").json == []


@interfaces
def test_what_is_current_in_a_mounted_program_is_the_request_around_it(above, interface):
    app = App()
    app.mount("/old", Shop(above).old)
    assert Client(app, interface).get("/old/outer").json == ["/old/outer"]
