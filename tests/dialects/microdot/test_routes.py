"""Which handler answers a path and a method."""

import asyncio

import pytest

from antiphon.dialects.microdot import Microdot, URLPattern
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "query"])
def test_the_other_methods(app, serve, method):
    @getattr(app, method)("/x")
    async def handler(request):
        return request.method

    client = serve(app)
    assert getattr(client, method)("/x").text == method.upper()
    assert client.get("/x").status == 405


PATTERNS = [
    ("/users/<id>", "/users/a%20b", {"id": "a b"}),
    ("/users/<id>", "/users/", None),
    ("/users/<id>", "/users/a/b", None),
    ("/users/<string:id>/x", "/users/a/x", {"id": "a"}),
    ("/<int:n>", "/-12", {"n": -12}),
    ("/<int:n>", "/1.5", None),
    ("/f/<path:p>", "/f/a/b.txt", {"p": "a/b.txt"}),
    ("/f/<path:p>/end", "/f/a/b/end", {"p": "a/b"}),
    ("/<re:[a-c]+:letters>", "/abc", {"letters": "abc"}),
    ("/<re:[a-c]+:letters>", "/abd", None),
    ("/<re:(a|b)(c):x>/<int:n>", "/ac/5", {"x": "ac", "n": 5}),
    ("/a.b", "/aXb", None),
    ("/a.b", "/a.b", {}),
    ("/a.b/<id>", "/aXb/1", None),
    ("/a.b(c)/<id>", "/a.b(c)/1", {"id": "1"}),
    ("no-slash", "/no-slash", {}),
    ("/", "/", {}),
    ("/x", "/x/", None),
    ("/x", "/x%0A", None),
]


@rows("pattern, path, values", PATTERNS)
def test_patterns(serve, pattern, path, values):
    app = Microdot()

    @app.get(pattern)
    async def handler(request, **values):
        return values

    response = serve(app).get(path)
    assert (response.status, response.json if values is not None else None) == (404 if values is None else 200, values)


def test_the_first_route_that_fits_answers(app, serve):
    for pattern in ("/<name>", "/ada", "/<int:number>"):
        app.get(pattern)(lambda request, pattern=pattern, **values: pattern)
    app.post("/ada")(lambda request: "posted")
    client = serve(app)
    assert [client.get(path).text for path in ("/ada", "/7")] == ["/<name>", "/<name>"]
    assert client.post("/ada").text == "posted"
    assert client.put("/ada").status == 405


@pytest.fixture
def types(monkeypatch):
    """Those that are registered are forgotten after the test."""
    monkeypatch.setattr(URLPattern, "segment_patterns", dict(URLPattern.segment_patterns))
    monkeypatch.setattr(URLPattern, "segment_parsers", dict(URLPattern.segment_parsers))


@pytest.mark.usefixtures("types")
def test_types_of_one_s_own(app, serve):
    URLPattern.register_type("hex", "[0-9a-f]+", lambda value: int(value, 16) or None)
    URLPattern.register_type("word")
    app.get("/<hex:n>")(lambda request, n: str(n))
    app.get("/w/<word:w>")(lambda request, w: w)
    client = serve(app)
    assert client.get("/ff").text == "255"
    assert client.get("/0").status == 404
    assert client.get("/w/x").text == "x"


def statuses(client, *requests):
    return [client.request(method, path).status for method, path in requests]


@pytest.mark.usefixtures("types")
def test_a_parser_that_raises_fails_the_requests_that_come_to_it(app, serve):
    URLPattern.register_type("hex", parser=lambda value: int(value, 16))
    app.get("/users/active")(lambda request: "active")
    app.get("/users/<hex:user_id>")(lambda request, user_id: str(user_id))
    app.get("/users/late")(lambda request: "late")
    client = serve(app)
    assert [client.get(path).text for path in ("/users/active", "/users/ff")] == ["active", "255"]
    failing = [("GET", "/users/late"), ("POST", "/users/active"), ("OPTIONS", "/users/active"), ("GET", "/users/xyz")]
    assert statuses(client, *failing, ("GET", "/none")) == [500, 500, 500, 500, 404]


def test_a_malformed_pattern_fails_the_requests_that_come_to_it(app, serve):
    app.get("/ok")(lambda request: "ok")
    app.get("/<name>.txt")(lambda request, name: name)
    app.get("/late")(lambda request: "late")
    client = serve(app)
    assert statuses(client, ("GET", "/ok"), ("POST", "/ok"), ("GET", "/late"), ("GET", "/a.txt")) == [
        200, 500, 500, 500,
    ]  # fmt: skip


@pytest.mark.usefixtures("types")
def test_a_parser_is_asked_at_each_request(app, serve):
    users = set()
    URLPattern.register_type("user", parser=lambda name: [name] if name in users else None)

    @app.get("/<user:name>")
    async def known(request, name):
        name.append("known")
        return name

    app.get("/ada")(lambda request: "a stranger")
    app.post("/ada")(lambda request: "posted")
    client = serve(app)
    assert client.get("/ada").text == "a stranger"
    users.add("ada")
    assert [client.get("/ada").json for _ in range(2)] == [["ada", "known"]] * 2
    assert client.post("/ada").text == "posted"
    assert statuses(client, ("PUT", "/ada")) == [405]
    users.clear()
    assert client.get("/ada").text == "a stranger"


@rows("pattern", ["/<unknown:x>", "/<x"])
def test_malformed_patterns(pattern):
    with pytest.raises(ValueError, match="invalid URL"):
        URLPattern(pattern).match("/x")


def test_routes_may_be_added_at_any_time(app, serve):
    client = serve(app)
    assert client.get("/late").status == 404
    app.get("/late")(lambda request: "here")
    assert client.get("/late").text == "here"


@pytest.mark.parametrize(
    "change",
    [
        lambda app, other: app.url_map.reverse(),
        lambda app, other: app.url_map.__setitem__(slice(None), other.url_map * 2),
        lambda app, other: setattr(app, "url_map", other.url_map * 2),
    ],
    ids=["reversed", "replaced in place", "replaced"],
)
def test_routes_may_be_changed_at_any_time(app, serve, change):
    app.get("/")(lambda request: "first")
    app.get("/")(lambda request: "second")
    other = Microdot()
    other.get("/")(lambda request: "second")
    client = serve(app)
    assert client.get("/").text == "first"
    change(app, other)
    assert client.get("/").text == "second"


def test_a_segment_may_be_named_as_a_parameter_of_ours(app, serve):
    app.get("/plain/<function>")(lambda request, function: function)

    @app.get("/async/<function>")
    async def handler(request, function):
        return function

    client = serve(app)
    assert [client.get(f"/{colour}/x").text for colour in ("plain", "async")] == ["x", "x"]


def test_options_tells_the_methods(app, serve):
    app.get("/x")(lambda request: "")
    app.post("/x")(lambda request: "")
    client = serve(app)
    assert client.options("/x").headers["allow"] == "GET, POST, HEAD, OPTIONS"
    assert client.options("/none").headers["allow"] == "OPTIONS"
    app.route("/own", methods=["GET", "HEAD", "OPTIONS"])(lambda request: "")
    assert client.options("/own").headers["allow"] == "GET, HEAD, OPTIONS"
    app.options_handler = None
    app.route("/x", methods=["OPTIONS"])(lambda request: "mine")
    assert client.options("/x").text == "mine"


def test_the_values_of_a_request_are_its_own(app, serve):
    @app.get("/a")
    @app.get("/a/<x>")
    async def handler(request, **values):
        request.url_args["seen"] = True
        return values

    client = serve(app)
    for path, values in (("/a", {}), ("/a/1", {"x": "1"})) * 2:
        assert client.get(path).json == values


def test_of_many_routes_the_first_that_fits_answers(app, serve):
    for number in range(300):
        app.get(f"/{number}")(lambda request, number=number: f"literal {number}")
        if number % 100 == 50:
            app.get(f"/<re:{number // 100}..:x>")(lambda request, x, number=number: f"variable {number}")
    client = serve(app)
    assert [client.get(path).text for path in ("/49", "/149", "/151", "/199", "/250", "/299")] == [
        "literal 49", "literal 149", "variable 150", "variable 150", "literal 250", "variable 250",
    ]  # fmt: skip


def test_an_application_may_find_routes_in_its_own_way(serve):
    class WithFallback(Microdot):
        def find_route(self, req):
            found, prefix, subapp = super().find_route(req)
            return (self.fallback if found == 404 else found), prefix, subapp

        async def fallback(self, request):
            return f"nothing at {request.path}"

    assert serve(WithFallback()).get("/nowhere").text == "nothing at /nowhere"


async def waiting(request):
    return "waiting"


def plain(request):
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
    return "plain"


@pytest.mark.parametrize("way", ["listed", "of a class", "set"])
def test_plain_handlers_that_are_found_otherwise_may_block(serve, way):
    class Finding(Microdot):
        def find_route(self, req):
            return plain, "", None

    app = Finding() if way == "of a class" else Microdot()
    app.get("/waiting")(waiting)
    if way == "listed":
        app.url_map.append((["GET"], URLPattern("/plain"), plain, "", None))
    elif way == "set":
        app.find_route = lambda req: (plain, "", None)
    assert [serve(app).get("/plain").text for _ in range(2)] == ["plain", "plain"]


def test_routes_may_be_a_list_that_the_program_keeps(app, serve):
    mine = app.url_map = []
    client = serve(app)
    assert client.get("/").status == 404
    for handler in (waiting, plain):
        mine[:] = [(["GET"], URLPattern("/"), handler, "", None)]
        assert client.get("/").text == handler.__name__


def test_routes_are_an_application_s_own(serve):
    class Listing(Microdot):
        url_map = []  # noqa: RUF012

    app = Listing()
    app.get("/")(waiting)
    assert serve(app).get("/").text == "waiting"
    assert Listing.url_map == []


class Loose(URLPattern):
    def match(self, path):
        return {"found": path} if path.lower() == self.url_pattern else None


class OfItsOwn:
    def match(self, path):
        return {"found": path} if path == "/own" else None


def test_patterns_may_be_a_program_s_own(app, serve):
    async def handler(request, found=""):
        return f"found {found}"

    app.get("/here")(handler)
    app.url_map[:0] = [(["GET"], pattern, handler, "", None) for pattern in (Loose("/here"), OfItsOwn())]
    client = serve(app)
    texts = [client.get(path).text for path in ("/HERE", "/here", "/own")]
    assert texts == ["found /HERE", "found /here", "found /own"]
    assert client.get("/other").status == 404


def test_a_pattern_shows_what_it_was_made_of():
    assert repr(URLPattern("/users/<int:id>")) == "URLPattern: /users/<int:id>"
