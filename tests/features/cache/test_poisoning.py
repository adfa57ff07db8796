"""Fields and forms of requests that are no part of a key must not choose what others get."""

import pytest

from antiphon import App, Response
from antiphon.features import Cache
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

UNKEYED = [
    {"x-forwarded-host": "evil.example"}, {"x-forwarded-proto": "nothttps"}, {"x-forwarded-port": "1"},
    {"x-forwarded-prefix": "/evil"}, {"x-forwarded-for": "6.6.6.6"}, {"x-forwarded-scheme": "evil"},
    {"forwarded": "host=evil.example"}, {"x-original-url": "/evil"}, {"x-rewrite-url": "/evil"},
    {"x-http-method-override": "POST"}, {"x-host": "evil.example"}, {"origin": "https://evil.example"},
    {"user-agent": "evil"}, {"x-anything": "evil"},
]  # fmt: skip


def reflecting():
    """Return an app whose pages show all that a careless handler may."""
    app = App()
    app.use(Cache())

    @app.middleware(before_routing=True)
    def override(request):
        request.method = request.headers.get("x-http-method-override", request.method)
        yield

    @app.route("/<path:path>", ("GET", "POST"))
    def page(request, path):
        shown = [request.method, path, request.raw_path, request.query_string, str(request.url), request.text]
        shown += [request.headers.get(name) for fields in UNKEYED for name in fields]
        response = Response(repr(shown))
        response.cache_for(60, public=True)
        return response

    return app


@rows("fields", UNKEYED, ids=lambda fields: next(iter(fields)))
def test_a_field_that_a_page_shows_is_not_shown_to_others(fields, interface):
    client = Client(reflecting(), interface, headers={"user-agent": "mine"})
    poisoned = client.get("/page", headers=fields)
    fresh = Client(reflecting(), interface, headers={"user-agent": "mine"}).get("/page").text
    assert poisoned.text != fresh
    assert client.get("/page").text == fresh


@rows(
    "poisoned, asked",
        ("/a%2Fb", "/a/b"), ("/a/b?x=1&y=2", "/a/b?y=2&x=1"), ("/a/b?", "/a/b"), ("/a/b?x=%61", "/a/b?x=a"),
        ("/A/b", "/a/b"), ("/a//b", "/a/b"), ("/%61/b", "/a/b"), ("/a/b?utm_source=evil", "/a/b"),
        ("/a/b%0A", "/a/b"), ("/a/b;x=1", "/a/b"),
)  # fmt: skip
def test_another_form_of_a_url_is_another_url(poisoned, asked, interface):
    client = Client(reflecting(), interface)
    client.get(poisoned)
    assert client.get(asked).text == Client(reflecting(), interface).get(asked).text


def test_another_host_is_another_site(interface):
    app = reflecting()
    Client(app, interface, base_url="http://evil.example").get("/page")
    for base in ("http://testserver", "https://testserver", "http://TESTSERVER", "http://testserver:81"):
        alone = Client(reflecting(), interface, base_url=base).get("/page").text
        assert Client(app, interface, base_url=base).get("/page").text == alone


def test_the_body_of_a_get_is_neither_answered_from_the_cache_nor_stored(interface):
    client = Client(reflecting(), interface)
    poisoned = client.request("GET", "/page", body=b"evil")
    assert "evil" in poisoned.text
    assert "evil" not in client.get("/page").text
    assert "evil" in client.request("GET", "/page", body=b"evil").text


def test_a_method_that_is_overridden_counts(interface):
    client = Client(reflecting(), interface)
    first = client.get("/page")
    assert client.post("/page", headers={"x-http-method-override": "GET"}).text != first.text
    client.get("/page", headers={"x-http-method-override": "POST"})
    assert client.get("/page").text == first.text
