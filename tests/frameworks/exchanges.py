"""Twenty-one requests, and the ways to send them to an application: in this process or on a server."""

import asyncio
import http.client
import re
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial

from antiphon import Request, get_response
from tests.frameworks import apps
from tests.frameworks.servers import START, uvicorn

PARTS = b"".join((
    b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nhi\r\n',
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n',
    b"a line\n" * 30_000,
    b"\r\n--x--\r\n",
))  # fmt: skip
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
MULTIPART = {"content-type": "multipart/form-data; boundary=x"}

EXCHANGES = {
    "query": ("GET", "/head?q=1&q=caf%C3%A9", {"accept-language": "de", "x-own": "yes"}, b""),
    "cookies": ("GET", "/cookies", {"cookie": "a=1; b=two"}, b""),
    "json": ("POST", "/order", JSON, b'{"item":"tea","count":2}'),
    "wrong field": ("POST", "/order", JSON, b'{"item":"tea","count":"x"}'),
    "malformed JSON": ("POST", "/order", JSON, b"{"),
    "wrong type": ("POST", "/order", {"content-type": "text/plain"}, b"tea"),
    "error page": ("POST", "/order", {**JSON, "accept": "text/html"}, b"[]"),
    "form": ("POST", "/form", FORM, b"a=1&b=%C3%A9&a=2"),
    "form in parts": ("POST", "/form", MULTIPART, PARTS),
    "upload": ("POST", "/upload", MULTIPART, PARTS),
    "bytes": ("POST", "/echo", {"content-type": "application/x-own"}, bytes(range(256))),
    "empty": ("POST", "/echo", {"content-type": "application/x-own"}, b""),
    "stream": ("GET", "/stream", {}, b""),
    "events": ("GET", "/events", {}, b""),
    "condition": ("GET", "/page", {"if-none-match": '"never"'}, b""),
    "file": ("GET", "/file", {}, b""),
    "range": ("GET", "/file", {"range": "bytes=4-13"}, b""),
    "error": ("GET", "/error", {}, b""),
    "failure": ("GET", "/failing", {}, b""),
    "nothing": ("GET", "/nothing", {}, b""),
    "parameter": ("GET", "/item/caf%C3%A9", {}, b""),
}
_SERVERS = {"server", "date", "connection", "keep-alive", "transfer-encoding", "alt-svc"}


def ask(app, interface, method, url, headers, body):
    """Send a request to an application, and return its answer as far as the application decides it."""
    length = {"content-length": str(len(body))} if method == "POST" else {}
    request = Request.blank(f"http://localhost{url}", method, {"host": "localhost", **headers, **length}, body)
    response = get_response(app, request, interface).freeze()
    return seen(response.status, response.headers.items(), response.body)


def ask_by_socket(port, method, url, headers, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, url, body or None, headers | {"host": "localhost"})
    response = connection.getresponse()
    answer = seen(response.status, response.getheaders(), response.read())
    connection.close()
    return answer


def seen(status, fields, body):
    """Return an answer as it can be compared: without what servers add, and random identifiers."""
    kept = sorted((name.lower(), _plain(value)) for name, value in fields if name.lower() not in _SERVERS)
    return (
        status,
        [field for field in kept if field[0] != "content-length" or status != 204],
        _plain(body.decode("latin-1")),
    )


def _plain(text):
    return re.sub("[0-9a-f]{32}", "ID", text)


@contextmanager
def served(start):
    """Run a server on a loop of its own: ``start`` is awaited there, and returns its port and what stops it."""
    ready = Future()

    async def serve():
        ended = asyncio.Event()
        try:
            port, stop = await start()
        except BaseException as error:
            ready.set_exception(error)
            raise
        ready.set_result((port, partial(asyncio.get_running_loop().call_soon_threadsafe, ended.set)))
        await ended.wait()
        await stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    port, end = ready.result(10)
    try:
        yield port
    finally:
        end()
        thread.join(10)


@contextmanager
def asking(app, name):
    """Yield a function that sends requests to the application of a framework, on its server if it has one."""
    if name.partition("_")[0] in START:
        with on_server(app, name) as port:
            yield partial(ask_by_socket, port)
    else:
        yield partial(ask, app, "wsgi" if name in WSGI else "asgi")


WSGI = {make.__name__ for make in apps.WSGI}


def on_server(app, name):
    """Return a context with the port of an application, on the server of its framework or on Uvicorn."""
    return served(lambda: START.get(name.partition("_")[0], uvicorn)(app))


@contextmanager
def asking_views(make, views):
    """Yield a function that sends requests to an application of a framework with these views."""
    with apps.application(make, views) as app, asking(app, make.__name__) as ask_app:
        yield ask_app


@contextmanager
def listening(make, views):
    """Yield the port of such an application."""
    with apps.application(make, views) as app, on_server(app, make.__name__) as port:
        yield port
