"""An application refuses writes from pages on other sites before its handlers see them, over each interface."""

import pytest

from antiphon import App
from antiphon.features.cors import CORS
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("connect")

OWN = "http://testserver"
OTHER = "https://elsewhere.example"


@pytest.fixture(params=["wsgi", "asgi", "rsgi"])
def connect(request):
    def connect(*features, **options):
        app = App(**options)
        for feature in features:
            app.use(feature)
        app.seen = []

        @app.middleware
        def mark(request):
            response = yield
            response.headers["x-marked"] = "yes"

        @app.route("/", ("GET", "POST", "DELETE"))
        def handler(request):
            app.seen.append(request.method)
            return "done"

        client = Client(app, interface=request.param, base_url=OWN)
        client.seen = app.seen
        return client

    return connect


@rows(
    "method, headers, status",
    ("GET", {"sec-fetch-site": "cross-site", "origin": OTHER}, 200), ("POST", {}, 200),
    ("POST", {"sec-fetch-site": "same-origin"}, 200), ("POST", {"sec-fetch-site": "none"}, 200),
    ("POST", {"origin": OWN}, 200), ("POST", {"sec-fetch-site": "cross-site"}, 403),
    ("POST", {"sec-fetch-site": "same-site"}, 403), ("POST", {"origin": OTHER}, 403),
    ("POST", {"origin": "null"}, 403), ("DELETE", {"sec-fetch-site": "cross-site", "origin": OTHER}, 403),
)  # fmt: skip
def test_a_write_from_another_site_is_refused(connect, method, headers, status):
    client = connect()
    response = client.request(method, "/", headers=headers)
    assert response.status == status
    assert response.headers["x-marked"] == "yes"
    assert client.seen == ([method] if status == 200 else [])


@pytest.mark.parametrize(
    "options", [{"trusted_origins": [OTHER]}, {"cross_site_writes": True}], ids=["trusted origin", "switched off"]
)
def test_it_passes_where_it_is_declared(connect, options):
    headers = {"sec-fetch-site": "cross-site", "origin": OTHER}
    assert connect(**options).post("/", headers=headers).status == 200


def test_the_origins_of_cors_may_write_and_no_others(connect):
    client = connect(CORS(origins=[OTHER]))
    allowed = client.post("/", headers={"sec-fetch-site": "cross-site", "origin": OTHER})
    assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (200, OTHER)
    refused = client.post("/", headers={"sec-fetch-site": "cross-site", "origin": "https://third.example"})
    assert refused.status == 403
    assert "access-control-allow-origin" not in refused.headers


def test_cors_for_everyone_lets_nobody_write(connect):
    assert connect(CORS(origins="*")).post("/", headers={"origin": OTHER}).status == 403


def test_what_has_no_route_is_not_found_whoever_asks(connect):
    assert connect().post("/nowhere", headers={"origin": OTHER}).status == 404


@rows("origins", [["*"], ["null"], ["elsewhere.example"], "https://a.example"])
def test_an_origin_that_is_none_is_an_error_at_once(origins):
    with pytest.raises(ValueError, match="origin"):
        App(trusted_origins=origins)
