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
    ("/<re:(a|b)(c):x>/<int:n>", "/ac/5", {"x": "ac", "n": 5}), ("/a.b", "/aXb", None), ("/a.b/<id>", "/aXb/1", None),
    ("/a.b(c)/<id>", "/a.b(c)/1", {"id": "1"}), ("no-slash", "/no-slash", {}), ("/x", "/x%0A", None),
]  # fmt: skip
"""What Microdot reads otherwise, or what no random pattern has."""


@rows("pattern, path, values", PATTERNS)
def test_patterns(serve, pattern, path, values):
    app = Microdot()

    @app.get(pattern)
    async def handler(request, **values):
        return values

    response = serve(app).get(path)
    assert (response.status, response.json if values is not None else None) == (404 if values is None else 200, values)


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


@rows("pattern", ["/<unknown:x>", "/<x"])
def test_malformed_patterns(pattern):
    with pytest.raises(ValueError, match="invalid URL"):
        URLPattern(pattern).match("/x")


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
