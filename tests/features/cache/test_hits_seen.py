"""A hit is a response as any other for the access log, traces, durations, hooks and middleware around the cache."""

import logging

import pytest

from antiphon import App, Response
from antiphon.features import AccessLog, Cache
from antiphon.testing import Client
from tests.features.test_open_telemetry import Recorded
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.axes("interface")
TEXT = "0123456789" * 10

HITS = {
    "GET": ("GET", {}, 200, len(TEXT)), "HEAD": ("HEAD", {}, 200, 0),
    "a condition": ("GET", {"if-none-match": '"1"'}, 304, 0), "a part": ("GET", {"range": "bytes=0-9"}, 206, 10),
}  # fmt: skip
BODIES = {"in the store": lambda: TEXT, "in a file": lambda: iter([TEXT])}


class Site:
    """An app with all that looks at responses, and what they have seen of those to the page at /."""

    def __init__(self, interface, make):
        self.recorded = Recorded()
        self.calls = 0
        self.seen = {"hook": [], "middleware": [], "after the response": []}
        self.app = App()
        self.app.use(AccessLog())
        self.app.use(self.recorded.feature())
        self.app.middleware(self.around)
        self.app.use(Cache())
        self.app.after_request(self.hook)
        self.app.get("/pages/<name>")(self.page)
        self.make = make
        self.client = Client(self.app, interface)

    def around(self, request):
        request.after_response(self.seen["after the response"].append, request.path)
        response = yield
        self.seen["middleware"].append(response.status)

    def hook(self, request, response):
        self.seen["hook"].append(response.status)

    def page(self, request, name):
        self.calls += 1
        return Response(self.make(), headers={"cache-control": "max-age=60", "etag": '"1"'})


@pytest.fixture(params=BODIES.values(), ids=BODIES)
def site(interface, request, caplog):
    """A site whose page is stored, and at hand if it is small."""
    site = Site(interface, request.param)
    eventually(lambda: "hit" in site.client.get("/pages/a").headers["cache-status"] or None, "never stored")
    for _ in range(2):
        site.client.get("/pages/a")
    for seen in site.seen.values():
        seen.clear()
    caplog.set_level(logging.INFO, "antiphon.access")
    return site


@pytest.mark.parametrize(("method", "headers", "status", "size"), HITS.values(), ids=HITS)
def test_all_see_a_hit(site, caplog, method, headers, status, size):
    calls, spans = site.calls, len(site.recorded.spans)
    response = site.client.request(method, "/pages/a", headers=headers)
    assert (response.status, len(response.body), site.calls) == (status, size, calls)
    [record] = [record for record in caplog.records if record.name == "antiphon.access"]
    assert (record.method, record.status, record.bytes, record.route) == (method, status, size, "/pages/<name>")
    assert site.seen == {"hook": [status], "middleware": [status], "after the response": ["/pages/a"]}
    [span] = site.recorded.spans[spans:]
    assert span.name == f"{method} /pages/<name>"
    assert span.attributes["http.response.status_code"] == status
    counted = [
        point.count
        for point in site.recorded.durations
        if (point.attributes["http.request.method"], point.attributes["http.response.status_code"]) == (method, status)
    ]
    assert counted == [sum(each.name == span.name and _status(each) == status for each in site.recorded.spans)]


def _status(span):
    return span.attributes["http.response.status_code"]


def test_get_in_a_mounted_app_varies_by_what_is_read_over_each_version(interface):
    app, inner = App(), App()
    app.use(Cache())

    @inner.get("/page")
    def page(request):
        return Response(request.headers.get("x-note", "-"), headers={"cache-control": "max-age=60"})

    app.mount("/inner", inner)
    clients = [Client(app, interface, http_version=version) for version in ("1.1", "2")]
    assert [client.get("/inner/page").headers["vary"] for client in clients] == ["x-note", "x-note"]
