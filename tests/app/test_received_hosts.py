"""A request has one Host, and that is a host (RFC 9112 §3.2): any other is a 400 before a handler runs."""

import pytest

from antiphon import App
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "app")

MISSING, SEVERAL, MALFORMED = ("There is no Host.", "There is more than one Host.", "The requested host is malformed.")


@pytest.fixture(params=[False, True], ids=["", "before routing"])
def app(request):
    """An application that answers with the host, and has what its middleware saw in ``seen``."""
    app, seen = App(), []

    @app.middleware(before_routing=request.param)
    def note(request):
        seen.append((yield).status)

    @app.get("/")
    def host(request):
        return request.host

    app.seen = seen
    return app


@rows(
    "hosts, detail",
    (["a.example", "b.example"], SEVERAL), (["a.example", "a.example"], SEVERAL), (["a.example,b.example"], SEVERAL),
    (["", "a.example"], SEVERAL), ([""], MISSING), (["user@a.example"], MALFORMED),
    (["user:password@a.example:80"], MALFORMED), (["@a.example"], MALFORMED), (["a b/c@"], MALFORMED),
    (["http://a.example"], MALFORMED), (["a.example:x"], MALFORMED), (["a.example:65536"], MALFORMED),
    (["[::1"], MALFORMED), ([":80"], MALFORMED),
)  # fmt: skip
def test_others_are_refused_inside_of_the_middleware(app, serving, hosts, detail):
    app.seen.clear()
    client = serving(app)
    for _ in range(2):
        answer = client.get("/", headers=[("host", host) for host in hosts])
        assert (answer.status, answer.json["detail"]) == (400, detail)
    assert app.seen == [400, 400]


@pytest.mark.parametrize(
    ("sent", "host"), [("A.example:8000", "a.example"), ("[::1]:80", "::1"), ("a_b.example", "a_b.example")]
)
def test_one_host_is_answered(app, serving, sent, host):
    client = serving(app)
    assert [client.get("/", headers={"host": sent}).text for _ in range(2)] == [host, host]


@pytest.mark.once
def test_an_environ_that_a_program_has_made_needs_no_host(app):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "a.example", "SERVER_PORT": "80"}
    statuses = []
    body = app({**environ, "wsgi.url_scheme": "http"}, lambda status, fields: statuses.append(status))
    assert (statuses, list(body)) == (["200 OK"], [b"a.example"])
