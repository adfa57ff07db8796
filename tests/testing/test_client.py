import asyncio
import gc
import sys
import threading
from contextvars import ContextVar
from pathlib import Path

import pytest

from antiphon import App
from antiphon.testing import AsyncClient, Client, ContractError
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("connect")


def echo(seen):
    """Answer with what was seen, a line for each part."""
    lines = [
        f"{seen.method} {seen.path}?{seen.query}",
        *[f"{name}: {value}" for name, value in sorted(seen.headers.items())],
    ]
    return 200, [("content-type", "text/plain")], ["\n".join(lines).encode(), b"\n\n", seen.body]


@rows("method", ["get", "head", "options", "post", "put", "patch", "delete", "query"])
def test_each_method_has_a_function(connect, method):
    response = getattr(connect(lambda seen: (200, [("x-method", seen.method)], [])), method)("/")
    assert response.status == 200
    assert response.headers["x-method"] == method.upper()


def test_a_response_has_status_headers_and_body(connect):
    response = connect(lambda seen: (404, [("X-One", "1"), ("x-one", "2")], [b"a", b"", b"b"])).get("/")
    assert response.status == 404
    assert response.reason == "Not Found"
    assert response.headers.items() == [("x-one", "1"), ("x-one", "2")]
    assert response.body == b"ab"
    assert response.url == "http://testserver/"
    assert response.history == []


def test_a_bare_get_sends_nothing_but_the_host(connect, seen):
    connect(lambda request: seen.append(request) or (200, [], [])).get("/")
    assert seen[0].headers == {"host": "testserver"}
    assert seen[0].body == b""
    assert seen[0].scheme == "http"
    assert seen[0].client == "127.0.0.1"
    assert seen[0].http_version == "1.1"


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_http_2_needs_no_length_for_a_body(interface):
    app = App()
    app.post("/")(lambda request: request.text)
    with Client(app, interface, http_version="2") as client:
        assert client.post("/", body=iter([b"abc"])).text == "abc"


def test_settings_of_the_client_reach_the_application(connect, seen):
    client = connect(
        lambda request: seen.append(request) or (200, [], []),
        base_url="https://shop.example:8443",
        client=("10.1.2.3", 4),
        http_version="1.0",
        headers={"accept": "text/html"},
    )
    client.headers["x-later"] = "yes"
    client.get("/")
    assert seen[0].scheme == "https"
    assert seen[0].client == "10.1.2.3"
    assert seen[0].http_version == "1.0"
    assert seen[0].headers == {"host": "shop.example:8443", "accept": "text/html", "x-later": "yes"}


def test_a_client_may_have_no_address(connect):
    assert connect(lambda seen: (200, [], [str(seen.client).encode()]), client=None).get("/").text == "None"


def test_json_is_sent_and_read(connect):
    response = connect(lambda seen: (200, [("content-type", "application/json")], [seen.body])).post(
        "/", json={"a": [1, None]}
    )
    assert response.json == {"a": [1, None]}
    assert response.request.headers["content-type"] == "application/json"


def test_json_may_be_null(connect):
    assert connect(echo).post("/", json=None).body.endswith(b"\n\nnull")


def test_a_form_is_sent_urlencoded(connect):
    response = connect(echo).post("/", form={"a": "1 &", "tags": ["x", "y"], "n": 3})
    assert response.body.endswith(b"\n\na=1+%26&tags=x&tags=y&n=3")
    assert "content-type: application/x-www-form-urlencoded\n" in response.text
    assert "content-length: 25\n" in response.text


def test_files_are_sent_in_parts_and_again_after_a_redirect(connect):
    def application(seen):
        return (307, [("location", "/there")], []) if seen.path == "/" else echo(seen)

    text = connect(application).post("/", form={"a": "1"}, files={"b": ("c.txt", b"content")}).text
    assert text.startswith("POST /there?\n")
    assert 'name="a"\r\n\r\n1\r\n' in text
    assert 'name="b"; filename="c.txt"\r\nContent-Type: text/plain\r\n\r\ncontent\r\n' in text
    assert "content-type: multipart/form-data; boundary=" in text


def test_an_iterator_that_blocks_is_sent_as_it_goes(connect):
    def chunks():
        for number in range(3):
            threading.Event().wait(0.01)
            yield b"%d" % number

    assert connect(echo).post("/", body=chunks()).body.endswith(b"\n\n012")


def test_a_large_body_arrives_whole(connect):
    body = bytes(range(256)) * 4096
    response = connect(lambda seen: (200, [], [seen.body])).post("/", body=body)
    assert response.body == body


def test_cookies_of_the_client_and_of_one_request(connect):
    client = connect(echo, cookies={"a": "1", "b": "2"})
    assert "cookie: a=1; b=3; c=4\n" in client.get("/", cookies={"b": "3", "c": "4"}).text
    assert "cookie: a=1; b=2\n" in client.get("/").text
    assert "cookie: own\n" in client.get("/", headers={"cookie": "own"}).text


@rows(
    "options, kept",
    ({}, True),
    ({"base_url": "http://localhost:8000"}, True),
    ({"base_url": "https://shop.example"}, True),
    ({"base_url": "http://shop.example"}, False),
)
def test_a_login_is_kept_as_browsers_do(connect, options, kept):
    def application(seen):
        if seen.path == "/login":
            cookie = "__Host-session=k7Qz; Max-Age=3600; Secure; HttpOnly; Path=/; SameSite=Lax"
            return 303, [("location", "/"), ("set-cookie", cookie)], []
        return 200, [], [seen.headers.get("cookie", "nobody").encode()]

    assert connect(application, **options).post("/login").text == ("__Host-session=k7Qz" if kept else "nobody")


def redirecting(seen):
    targets = {
        "/a": (302, "/b?x=1"),
        "/b": (307, "c"),
        "/loop": (302, "/loop"),
        "/away": (303, "https://other.example/end"),
        "/app": (302, "mailto:someone@example.com"),
    }
    if seen.path in targets:
        status, location = targets[seen.path]
        return status, [("location", location), ("set-cookie", f"from={seen.path[1:]}; Path=/")], [b"moved"]
    return echo(seen)


def test_redirects_can_be_left_alone(connect):
    assert connect(redirecting, follow_redirects=False).get("/a").status == 302
    assert connect(redirecting).get("/a", follow_redirects=False).location == "/b?x=1"
    assert connect(redirecting, follow_redirects=False).get("/a", follow_redirects=True).status == 200


def test_a_redirect_to_no_http_url_is_given_back(connect):
    assert connect(redirecting).get("/app").status == 302


def test_a_loop_of_redirects_ends(connect):
    with pytest.raises(RuntimeError, match="after 20"):
        connect(redirecting).get("/loop")


def test_another_host_gets_neither_credentials_nor_cookies(connect):
    client = connect(redirecting, cookies={"session": "secret"})
    text = client.post("/away", headers={"authorization": "Basic x"}, cookies={"one": "time"}, form={"a": "b"}).text
    assert text.startswith("GET /end?\n")
    assert text.endswith("host: other.example\n\n")


@rows(
    "chunks, complaint",
    ([b"1234"], "ended after 4 bytes, but the Content-Length is 5"),
    ([], "ended after 0 bytes, but the Content-Length is 5"),
    ([b"123", b"456"], "6 bytes were sent, but the Content-Length is 5"),
)
def test_a_wrong_content_length_is_an_error(connect, chunks, complaint):
    with pytest.raises(ContractError, match=complaint):
        connect(lambda seen: (200, [("content-length", "5")], chunks)).get("/")


@rows("status", [204, 304])
def test_a_status_without_a_body_must_have_none(connect, status):
    assert connect(lambda seen: (status, [], [])).get("/").body == b""
    with pytest.raises(ContractError, match="has no body, but 1 bytes were sent"):
        connect(lambda seen: (status, [], [b"x"])).get("/")


class Boom(Exception):
    pass


def fail(seen):
    raise Boom


def fail_late(seen):
    def chunks():
        yield b"one"
        raise Boom

    return 200, [], chunks()


@rows("application", [fail, fail_late])
def test_what_escapes_the_application_is_raised_with_its_traceback(connect, application):
    with pytest.raises(Boom) as raised:
        connect(application).get("/")
    assert raised.traceback[-1].path == Path(__file__)


def test_an_error_can_be_a_500(connect):
    response = connect(fail, raise_errors=False).get("/")
    assert response.status == 500
    assert response.text == "Internal Server Error"


def test_system_exit_in_the_application_leaves_the_client_usable(connect):
    def leave(seen):
        if seen.path == "/exit":
            raise SystemExit(3)
        return echo(seen)

    client = connect(leave)
    with pytest.raises(SystemExit):
        client.get("/exit")
    assert client.get("/").status == 200


def endless(seen):
    def chunks():
        while True:
            yield b"x" * 1000

    return 200, [], chunks()


def test_a_body_that_is_too_large_to_hold_is_an_error(connect):
    with pytest.raises(match="more than 5000 bytes"):
        connect(endless, max_body=5000).get("/")
    assert connect(lambda seen: (200, [], [b"x" * 5000]), max_body=5000).get("/").body == b"x" * 5000


def test_context_variables_of_the_test_are_seen_by_the_application(connect):
    variable = ContextVar("variable", default="unset")
    client = connect(lambda seen: (200, [], [variable.get().encode()]))
    assert client.get("/").text == "unset"
    token = variable.set("set")
    assert client.get("/").text == "set"
    variable.reset(token)


def test_without_a_timeout_wsgi_runs_on_the_thread_of_the_test(applications):
    client = Client(applications["wsgi"](lambda seen: (200, [], [b"%d" % threading.get_ident()])), "wsgi", timeout=None)
    assert client.get("/").text == str(threading.get_ident())
    with client.stream("GET", "/") as response:
        assert response.read() == str(threading.get_ident()).encode()


def test_with_a_timeout_the_application_runs_on_another_thread(applications, interface):
    client = Client(applications[interface](lambda seen: (200, [], [b"%d" % threading.get_ident()])), interface)
    assert client.get("/").text != str(threading.get_ident())
    client.close()


def test_the_async_client_sends_the_same_requests(applications, interface):
    async def scenario():
        client = AsyncClient(applications[interface](redirecting), interface, cookies={"a": "1"})
        response = await client.post("/a", form={"x": "y"}, params={"q": "1"})
        assert response.text.startswith("GET /c?\n")
        assert "cookie: a=1; from=b\n" in response.text
        assert [redirect.status for redirect in response.history] == [302, 307]
        assert (await client.head("/")).body == b""
        with pytest.raises(Boom):
            await AsyncClient(applications[interface](fail), interface).get("/")
        responses = await asyncio.gather(*[client.get(f"/{number}") for number in range(5)])
        assert [response.url.path for response in responses] == [f"/{number}" for number in range(5)]

    asyncio.run(scenario())


def test_cancelling_a_request_cancels_the_application():
    ended = []

    async def application(scope, receive, send):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def scenario():
        task = asyncio.create_task(AsyncClient(application).get("/"))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert ended == [True]


@rows("url", ["ftp://x", "testserver", "http://", "http://a/path", "http://a?q", "http://user@a"])
def test_a_base_url_is_scheme_and_host(url):
    with pytest.raises(ValueError, match="base_url"):
        Client(echo, base_url=url)


def test_an_unknown_interface_is_refused():
    with pytest.raises(ValueError, match="one of wsgi, asgi, rsgi, not 'cgi'"):
        Client(echo, "cgi")


def test_a_client_that_nobody_holds_stops_its_thread(applications):
    def threads():
        return [thread for thread in threading.enumerate() if thread.name.startswith("antiphon-testing")]

    gc.collect()  # or clients of other tests might go at the same time
    before = len(threads())
    client = Client(applications["asgi"](echo))
    client.get("/")
    assert len(threads()) == before + 1
    del client
    gc.collect()
    assert len(threads()) == before


def test_a_closed_client_can_be_used_again(connect):
    client = connect(echo)
    assert client.get("/").status == 200
    client.close()
    assert client.get("/").status == 200


@pytest.mark.processes
def test_importing_the_client_does_not_load_a_server():
    import subprocess

    code = "import sys, antiphon.testing; print([name for name in ('granian', 'msgspec') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
