"""Requests that are passed on to another server, over sockets."""

import threading

import pytest

from antiphon.dialects.werkzeug import serving
from antiphon.dialects.werkzeug.middleware.http_proxy import ProxyMiddleware
from antiphon.dialects.werkzeug.test import Client
from antiphon.dialects.werkzeug.wrappers import Request, Response
from tests.helpers.rows import rows


@Request.application
def behind(request):
    sent = [
        request.method, request.environ["REQUEST_URI"], request.host, request.headers.get("X-Own", "-"),
        request.headers.get("Connection", "-"), request.get_data(as_text=True), request.headers.get("X-Client", "-"),
    ]  # fmt: skip
    response = Response(" ".join(sent), 201 if request.method == "POST" else 200, {"X-From": "behind"})
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


@pytest.fixture(scope="module")
def port():
    server = serving.make_server("127.0.0.1", 0, behind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.port
    server.shutdown()
    thread.join(5)


def proxied(port, **options):
    target = {"target": f"http://127.0.0.1:{port}/base/"} | options
    return ProxyMiddleware(Response("in front"), {"/api/": target}, chunk_size=3)


@rows(
    "options, path, target, host, own",
    ({}, "/api/x?q=%20", "/base/api/x?q=%20", "127.0.0.1:{}", "-"),
    ({"remove_prefix": True}, "/api/x", "/base/x", "127.0.0.1:{}", "-"),
    ({"remove_prefix": True}, "/api/%C3%BC%20b", "/base/%C3%BC%20b", "127.0.0.1:{}", "-"),
    ({"host": None}, "/api/", "/base/api/", "front.example", "-"),
    ({"host": "other.example"}, "/api/", "/base/api/", "other.example", "-"),
    ({"headers": {"X-Own": "a", "X-Client": "b"}}, "/api/", "/base/api/", "127.0.0.1:{}", "a"),
)
def test_a_request_below_a_path_is_passed_on(port, options, path, target, host, own):
    client = Client(proxied(port, **options))
    headers = {"X-Client": "c", "Keep-Alive": "5", "Connection": "keep-alive"}
    answer = client.post(path, "http://front.example", data="body of 15 byte", headers=headers)
    mine = "b" if options.get("headers") else "c"
    assert answer.status_code == 201
    assert answer.text == f"POST {target} {host.format(port)} {own} close body of 15 byte {mine}"
    assert answer.headers.getlist("Set-Cookie") == ["a=1; Path=/", "b=2; Path=/"]
    assert (answer.headers["X-From"], "Connection" in answer.headers) == ("behind", False)


@rows("path", ["/", "/api", "/apis/x"])
def test_other_requests_are_answered_in_front(port, path):
    assert Client(proxied(port)).get(path).text == "in front"


@rows("target", ["http://127.0.0.1:1", "http://no-such-host.invalid/", "https://127.0.0.1:1/"])
def test_a_target_that_cannot_be_reached_is_a_bad_gateway(target):
    application = ProxyMiddleware(Response("in front"), {"/": {"target": target}})
    assert Client(application).get("/x").status_code == 502


def test_a_target_has_a_known_scheme():
    with pytest.raises(RuntimeError, match="ftp://h/"):
        Client(ProxyMiddleware(Response(), {"/": {"target": "ftp://h/"}})).get("/")
