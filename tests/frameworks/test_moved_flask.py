"""A Flask program moves to an app that has it mounted, step by step, and at each step its visitors notice nothing."""

import asyncio
from contextlib import suppress
from importlib import import_module

import pytest

from antiphon import App, Blueprint, Response, abort, current_request
from antiphon.features import CookieStore, Sessions
from antiphon.testing import Client
from tests.helpers.rows import rows

KEY = "the key that both apps have"
PACKAGES = ("flask", "antiphon.dialects.flask")


@pytest.fixture(params=PACKAGES)
def flask(request):
    return import_module(request.param)


class Shop:
    """A Flask program, mounted around a blueprint that has moved. It notes what Flask calls."""

    def __init__(self, flask, **config):
        self.flask, self.noted = flask, []
        self.old = old = flask.Flask("old")
        old.config.update({"SECRET_KEY": KEY, **config})
        old.add_url_rule("/", "home", lambda: "Hello")
        old.add_url_rule("/session", "session", lambda: dict(flask.session))
        old.add_url_rule("/queue", "queue", lambda: flask.flash("from old", "info") or "queued")
        old.add_url_rule("/told", "told", lambda: flask.get_flashed_messages(with_categories=True))
        old.before_request(self.before)
        old.after_request(self.after)
        old.teardown_request(lambda error: self.noted.append(f"request: {error!r}"))
        old.teardown_appcontext(lambda error: self.noted.append(f"app: {error!r}"))
        old.register_error_handler(404, lambda error: (f"Not here: {error.description}", 404))
        old.register_error_handler(LookupError, lambda error: (f"Looked up: {error}", 400))
        self.app, self.moved = App(), Blueprint("moved", prefix="/moved")
        self.app.register(self.moved)
        self.app.mount("", old, around=[self.moved])

    def before(self):
        self.flask.g.shelf = "milk"
        self.noted.append("before")
        if "stop" in self.flask.request.args:
            return "stopped", 418
        if "deny" in self.flask.request.args:
            self.flask.abort(404, "denied")
        if "forbid" in self.flask.request.args:
            self.flask.abort(403)
        return None

    def after(self, response):
        self.noted.append("after")
        response.headers["X-Endpoint"] = self.flask.request.endpoint or "none"
        return response

    def client(self, interface="wsgi"):
        return Client(self.app, interface, follow_redirects=False)


AROUND = ["before", "after", "request: None", "app: None"]


@pytest.fixture(params=["def", "async def"])
def style(request):
    """Return a function that makes a ``def`` handler, or an ``async def`` one, of what it returns."""

    def made(function):
        async def waiting(request):
            await asyncio.sleep(0)
            return function(request)

        return function if request.param == "def" else waiting

    return made


pytestmark = pytest.mark.axes("interface", "style")
interfaces = pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])


def facts(shop):
    flask = shop.flask
    return {
        "g": lambda request: flask.g.shelf,
        "app": lambda request: str(flask.current_app.name),
        "endpoint": lambda request: f"{flask.request.endpoint} {flask.request.blueprint}",
        "url_for": lambda request: flask.url_for("home", _anchor="top", _external=True),
        "template": lambda request: flask.render_template_string("{{ g.shelf }} {{ request.path }}"),
        "form": lambda request: f"{flask.request.form['item']} {request.form['item']}",
        "session": lambda request: f"{request.session['user']} {flask.session['user']}",
        "framework": lambda request: f"{request.framework.session['user']} {request.framework.request.path}",
        "request": lambda request: str(current_request() is request),
    }


@interfaces
@rows(
    "fact, expected",
    ("g", "milk"),
    ("app", "old"),
    ("endpoint", "moved.handler moved"),
    ("url_for", "http://testserver/#top"),
    ("template", "milk /moved/x"),
    ("form", "tea tea"),
    ("session", "ada ada"),
    ("framework", "ada /moved/x"),
    ("request", "True"),
)
def test_a_moved_handler_runs_inside_the_old_request(flask, interface, style, fact, expected):
    shop = Shop(flask)
    shop.old.before_request(lambda: flask.session.setdefault("user", "ada") and None)
    shop.moved.post("/x", name="handler")(style(facts(shop)[fact]))
    response = shop.client(interface).post("/moved/x", form={"item": "tea"})
    assert (response.status, response.text) == (200, expected)
    assert (response.headers["x-endpoint"], shop.noted) == ("moved.handler", AROUND)
    assert not flask.has_app_context()


def raised(shop, kind):
    def handler(request):
        if kind == "abort":
            abort(404, "gone")
        if kind == "flask.abort":
            shop.flask.abort(404, "gone")
        raise {"lookup": LookupError("gone"), "unknown": ValueError("gone")}[kind]

    return handler


@interfaces
@rows(
    "kind, status, text, told",
    ("abort", 404, "Not here: gone", None),
    ("flask.abort", 404, "Not here: gone", None),
    ("lookup", 400, "Looked up: gone", None),
    ("unknown", 500, None, ValueError("gone")),
)
def test_an_error_gets_the_old_error_handler_and_ends_the_old_request(
    flask, interface, style, kind, status, text, told, quiet
):
    shop = Shop(flask)
    shop.moved.get("/x")(style(raised(shop, kind)))
    response = shop.client(interface).get("/moved/x")
    assert response.status == status
    assert text is None or response.text == text
    assert shop.noted == ["before", "after", f"request: {told!r}", f"app: {told!r}"]


@interfaces
@rows("query", "stop", "deny", "forbid")
def test_an_old_hook_refuses_a_moved_request_as_its_own(flask, interface, query):
    shop = Shop(flask)
    shop.moved.get("/x")(lambda request: "no")
    names = ("content-type", "content-length", "vary", "cache-control")
    own, moved = (shop.client(interface).get(f"{path}?{query}") for path in ("/", "/moved/x"))
    assert (moved.status, moved.body) == (own.status, own.body)
    assert [moved.headers.get(name) for name in names] == [own.headers.get(name) for name in names]


@interfaces
@rows("query, status, text", ("stop", 418, "stopped"), ("deny", 404, "Not here: denied"))
def test_an_old_hook_refuses_a_request_before_its_handler(flask, interface, style, query, status, text):
    shop = Shop(flask)
    shop.moved.get("/x")(style(lambda request: shop.noted.append("handler") or "no"))
    response = shop.client(interface).get(f"/moved/x?{query}")
    assert (response.status, response.text, shop.noted) == (status, text, AROUND)


@interfaces
def test_hosts_that_the_old_program_does_not_trust_are_refused(flask, interface, style):
    shop = Shop(flask, TRUSTED_HOSTS=["shop.example.com"])
    shop.moved.get("/x")(style(lambda request: shop.noted.append("handler") or flask.url_for("home")))
    for host, status, noted in (("evil.example.com", 400, AROUND), ("shop.example.com", 200, ["before", "handler"])):
        response = Client(shop.app, interface, base_url=f"http://{host}").get("/moved/x")
        assert (response.status, shop.noted[: len(noted)]) == (status, noted)
        assert response.status == Client(shop.app, interface, base_url=f"http://{host}").get("/").status
        shop.noted.clear()


@interfaces
@rows("made", "redirect", "response", "native", "empty")
def test_responses_of_either_side_pass_the_old_hooks(flask, interface, style, made):
    shop = Shop(flask)
    returned = {
        "redirect": lambda request: flask.redirect("/"),
        "response": lambda request: flask.make_response("made", 201, {"X-Own": "1"}),
        "native": lambda request: Response.html("made", 201, {"X-Own": "1"}),
        "empty": lambda request: Response(None, 204),
    }
    shop.moved.get("/x")(style(returned[made]))
    response = shop.client(interface).get("/moved/x")
    expected = {"redirect": (302, "/"), "response": (201, None), "native": (201, None), "empty": (204, None)}[made]
    assert (response.status, response.headers.get("location")) == expected
    assert response.headers["x-endpoint"].startswith("moved.")
    assert shop.noted == AROUND


@interfaces
def test_a_stream_ends_before_the_old_request_does(flask, interface, style):
    shop = Shop(flask)

    def chunks():
        for number in range(2):
            shop.noted.append(number)
            yield f"{number} {shop.flask.g.shelf}. "

    async def achunks():
        for chunk in chunks():
            await asyncio.sleep(0)
            yield chunk

    shop.moved.get("/def")(style(lambda request: chunks()))
    shop.moved.get("/async")(style(lambda request: achunks()))
    for path in ("/moved/def", "/moved/async"):
        assert shop.client(interface).get(path).text == "0 milk. 1 milk. "
        assert shop.noted == ["before", "after", 0, 1, "request: None", "app: None"]
        shop.noted.clear()


@interfaces
@rows("end", "leaves", "fails")
def test_a_stream_that_is_cut_off_ends_the_old_request(flask, interface, style, end, quiet):
    shop = Shop(flask)

    async def achunks():
        while True:
            await asyncio.sleep(0)
            yield "more"
            if end == "fails":
                raise ValueError("no more")

    shop.moved.get("/x")(style(lambda request: achunks()))
    with shop.client(interface) as client, suppress(Exception), client.stream("GET", "/moved/x") as response:
        for _ in response:
            if end == "leaves":
                break
    assert shop.noted[-2:] == ["request: None", "app: None"]


@interfaces
def test_routes_that_are_not_inside_cost_nothing_and_say_what_they_miss(flask, interface, style, quiet):
    shop = Shop(flask)
    shop.app.get("/outside")(style(lambda request: str(flask.has_request_context())))
    shop.app.get("/session")(style(lambda request: request.session["user"]))
    client = shop.client(interface)
    assert client.get("/outside").text == "False"
    assert shop.noted == []
    with pytest.raises(RuntimeError, match=r"around=\[blueprint of the route\]"):
        Client(shop.app, interface, raise_errors=True).get("/session")


@interfaces
def test_an_app_inside_passes_its_mount_and_its_blueprints_once(flask, interface, style):
    shop = Shop(flask)
    app = App()
    app.register(shop.moved)
    shop.moved.get("/x")(style(lambda request: flask.g.shelf))
    app.mount("", shop.old, around=[app])
    client = Client(app, interface)
    for path, text in (("/moved/x", "milk"), ("/", "Hello")):
        assert client.get(path).text == text
        assert shop.noted == AROUND
        shop.noted.clear()


@rows("given", "wsgi application", "routes")
def test_around_takes_flask_or_pyramid_and_routes(given):
    flask = import_module("flask")
    app, old = App(), flask.Flask("old")
    application, around = (lambda environ, start: [], app) if given == "wsgi application" else (old, old)
    with pytest.raises(TypeError, match="around needs an application of Flask, Pyramid or their dialects"):
        app.mount("", application, around=[around])


# The session and its cookie


@interfaces
def test_flash_messages_cross_in_both_directions(flask, interface, style):
    shop = Shop(flask)
    shop.moved.post("/queue")(style(lambda request: request.flash("from new", "warning") or "queued"))
    shop.moved.get("/told")(style(lambda request: [[each.category, each.message] for each in request.flash.take()]))
    client = shop.client(interface)
    client.post("/moved/queue")
    assert client.get("/told").json == [["warning", "from new"]]
    assert client.get("/moved/told").json == []
    client.get("/queue")
    assert client.get("/moved/told").json == [["info", "from old"]]
    assert client.get("/told").json == []


@interfaces
@rows(
    "config, permanent",
    ({}, False),
    ({}, True),
    ({"SESSION_COOKIE_SAMESITE": "Strict", "SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_PATH": "/"}, True),
    ({"SESSION_COOKIE_NAME": "visitor", "SESSION_COOKIE_HTTPONLY": False}, False),
)
def test_one_policy_for_the_cookie(flask, interface, style, config, permanent):
    shop = Shop(flask, **config)

    def write(request):
        flask.session.permanent = permanent
        request.session["user"] = "ada"
        return "written"

    shop.moved.post("/write")(style(write))
    shop.old.add_url_rule("/write", "write", lambda: write(current_request()), methods=["POST"])
    client = shop.client(interface)
    attributes = []
    for path in ("/moved/write", "/write"):
        name, _, rest = Client(shop.app, interface).post(path).headers["set-cookie"].partition("=")
        attributes.append((name, sorted(each for each in rest.split("; ")[1:] if not each.startswith("Expires"))))
    assert attributes[0] == attributes[1]
    assert client.get("/").headers.get("set-cookie") is None


@interfaces
def test_the_session_is_that_of_the_old_program(flask, interface, style):
    shop = Shop(flask)

    def put(request):
        request.session.setdefault("cart", []).append("tea")
        request.session.modified = True
        return "put"

    shop.moved.post("/put")(style(put))
    shop.moved.post("/clear")(style(lambda request: request.session.clear() or "cleared"))
    client = shop.client(interface)
    for kept in ({"cart": ["tea"]}, {"cart": ["tea", "tea"]}):
        client.post("/moved/put")
        assert client.get("/session").json == kept
    client.post("/moved/clear")
    assert client.get("/session").json == {}


@interfaces
def test_a_program_without_a_key_has_no_session(flask, interface, style):
    shop = Shop(flask, SECRET_KEY=None)
    shop.moved.get("/x")(style(lambda request: request.session["user"]))
    with pytest.raises(RuntimeError, match="the mounted application has no sessions, or no key"):
        Client(shop.app, interface, raise_errors=True).get("/moved/x")


@interfaces
def test_what_is_current_in_a_mounted_program_is_the_request_around_it(flask, interface):
    old = flask.Flask("old")
    old.add_url_rule("/x", "x", lambda: current_request().path)
    app = App()
    app.mount("/old", old)
    assert Client(app, interface).get("/old/x").text == "/old/x"


@interfaces
@rows("path", "/", "/visitor", "/moved")
def test_a_mounted_program_tells_caches_the_same_for_each_method(flask, interface, path):
    old = flask.Flask("old")
    old.secret_key = KEY
    old.add_url_rule("/", "home", view_func=lambda: "Hello")
    old.add_url_rule("/visitor", "visitor", view_func=lambda: flask.session.get("user", "nobody"))
    old.add_url_rule("/moved", "moved", view_func=lambda: flask.redirect("/"))
    app = App(secret_keys=[KEY])
    app.mount("", old)
    app.use(Sessions(CookieStore(app.secret_keys), cookie="session"))

    alone, client = old.test_client(), Client(app, interface, follow_redirects=False)
    for method in ("GET", "HEAD", "OPTIONS"):
        own, mounted = alone.open(path, method=method).headers, client.request(method, path).headers
        names = ("Cache-Control", "Vary", "Content-Length")
        assert [mounted.get(name) for name in names] == [own.get(name) for name in names], method
