"""The page of metrics, and what is counted of requests, in one process."""

from contextlib import suppress

import pytest

from antiphon import App, Blueprint, Response, abort
from antiphon.features import Cache, MemoryStore, Metrics
from antiphon.testing import BrokenResponse, Client
from tests.helpers.figures import Figures
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]

OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;"
    "version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.fixture
def metrics():
    return Metrics("/metrics")


@pytest.fixture
def app(metrics):
    app = App(trusted_hosts=["shop.example"])
    app.use(metrics)
    app.get("/users/<int:number>")(lambda request, number: "x" * number)
    app.get(f"/{'r' * 200}")(lambda request: "x")

    @app.post("/upload")
    def upload(request):
        return str(len(request.body))

    @app.get("/fails")
    async def fails(request):
        raise LookupError("boom")

    @app.get("/down")
    def down(request):
        abort(502)

    @app.get("/ticks")
    def ticks(request):
        for _ in range(3):
            yield f"{Figures(metrics.text()).sum('antiphon_open_streams', kind='stream'):g},"

    @app.get("/breaks")
    def breaks(request):
        yield "some"
        raise LookupError("boom")

    @app.websocket("/live")
    async def live(request, socket):
        async for _ in socket:
            await socket.send(f"{Figures(metrics.text()).sum('antiphon_open_streams', kind='websocket'):g}")

    inner = App()
    inner.get("/items/<name>")(lambda request: "lamp")
    app.mount("/shop", inner)
    return app


@pytest.fixture
def client(app, interface):
    return Client(app, interface, base_url="http://shop.example", raise_errors=False)


@pytest.mark.parametrize(
    ("method", "path", "counted_method", "route", "status"),
    [
        ("GET", "/users/7?token=secret", "GET", "/users/<int:number>", 200),
        ("HEAD", "/users/7", "HEAD", "/users/<int:number>", 200),
        ("GET", "/shop/items/lamp", "GET", "/shop/items/<name>", 200),
        ("GET", "/missing/7", "GET", "", 404),
        ("DELETE", "/users/7", "DELETE", "", 405),
        ("BREW", "/users/7", "_OTHER", "", 405),
        ("GET", "/fails", "GET", "/fails", 500),
        ("GET", "/down", "GET", "/down", 502),
        ("GET", "/metrics", "GET", "/metrics", 200),
        ("GET", f"/{'r' * 200}", "GET", f"/{'r' * 199}", 200),
    ],
)
def test_requests_are_counted_by_method_route_and_status(client, metrics, method, path, counted_method, route, status):
    for _ in range(2):
        assert client.request(method, path).status == status
    page = Figures(metrics.text())
    assert page.requests(method=counted_method, route=route, status=str(status)) == page.requests() == 2
    assert page.sum("http_server_active_requests") == 0


def test_a_request_that_the_guard_refuses_is_counted_without_a_route(client, metrics):
    assert client.get("/users/7", headers={"host": "else.example"}).status == 421
    assert Figures(metrics.text()).requests(route="", status="421") == 1


def test_sizes_are_those_of_bodies(client, metrics):
    client.get("/users/2000")
    client.request("HEAD", "/users/2000")
    client.post("/upload", body=b"x" * 150)
    page = Figures(metrics.text())
    labels = {"http_request_method": "POST"}
    assert page.sum("http_server_request_body_size_bytes_sum", **labels) == 150
    assert page.sum("http_server_request_body_size_bytes_bucket", le="100.0", **labels) == 0
    assert page.sum("http_server_request_body_size_bytes_bucket", le="1000.0", **labels) == 1
    assert page.sum("http_server_response_body_size_bytes_sum") == 2003


def test_a_stream_is_open_until_its_end(client, metrics):
    assert client.get("/ticks").text == "1,1,1,"
    page = Figures(metrics.text())
    assert page.sum("antiphon_open_streams") == 0
    assert page.requests(route="/ticks", status="200") == 1
    assert page.sum("http_server_response_body_size_bytes_sum", http_route="/ticks") == 6


def test_a_websocket_is_open_until_its_end(client, metrics):
    with client.websocket("/live") as socket:
        socket.send("?")
        assert socket.receive() == "1"
    page = Figures(metrics.text())
    assert page.sum("antiphon_open_streams") == 0
    assert page.requests(route="/live", status="101") == 1


def test_a_stream_that_breaks_is_counted_as_such(client, metrics):
    with suppress(BrokenResponse):  # RSGI ends it like any other
        client.get("/breaks")
    page = Figures(metrics.text())
    assert page.sum("antiphon_http_broken_responses_total", by="error") == 1
    assert page.sum("antiphon_http_broken_responses_total", by="client") == 0
    assert page.sum("antiphon_open_streams") == 0


def test_answers_of_the_cache_are_counted(interface):
    app = App()
    metrics = Metrics()
    app.use(metrics)
    app.use(Cache(MemoryStore()))
    app.get("/")(lambda request: Response("page", headers={"cache-control": "public, max-age=60"}))
    client = Client(app, interface)
    for _ in range(3):
        client.get("/")
    page = Figures(metrics.text())
    assert page.sum("antiphon_cache_responses_total", outcome="hit") == 2
    assert page.sum("antiphon_cache_responses_total", outcome="miss") == 1


@pytest.mark.parametrize(
    ("accepted", "content_type"),
    [
        (None, PROMETHEUS),
        ("*/*", PROMETHEUS),
        ("text/plain", PROMETHEUS),
        ("text/html", PROMETHEUS),
        ("application/openmetrics-text", OPEN_METRICS),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", OPEN_METRICS),
        (PROMETHEUS_3, OPEN_METRICS),
    ],
)
def test_the_page_has_the_format_that_the_client_accepts(client, accepted, content_type):
    client.get("/users/7")
    page = client.get("/metrics", headers={} if accepted is None else {"accept": accepted})
    assert page.headers["content-type"] == content_type
    assert page.headers["cache-control"] == "no-store"
    figures = Figures(page.text)
    assert figures.requests(route="/users/<int:number>") == 1
    duration = figures.families["http_server_request_duration_seconds"]
    assert (duration.type, duration.unit) == ("histogram", "seconds" if content_type == OPEN_METRICS else "")


def test_the_page_may_be_guarded(interface):
    app = App()
    app.use(Metrics("/figures", before=lambda request: abort(403)))
    client = Client(app, interface)
    assert client.get("/figures").status == 403
    assert client.get("/metrics").status == 404


def test_the_application_shows_metrics_without_a_page(interface):
    app = App()
    metrics = Metrics(None)
    app.use(metrics)
    assert Client(app, interface).get("/metrics").status == 404
    assert metrics.text(open_metrics=True).endswith("# EOF\n")


def test_it_is_for_whole_applications():
    with pytest.raises(TypeError, match="not a blueprint"):
        Blueprint("pages").use(Metrics())


@rows("options", [{"max_series": 0}, {"size": 1000}])
def test_bounds_that_leave_no_room_are_refused(options):
    with pytest.raises(ValueError, match=r"max_series must be 1 or more|size must be 65536 or more"):
        Metrics(**options)
