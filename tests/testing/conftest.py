"""One small application in all three interfaces, written without the library's adapters."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest

from antiphon.testing import Client

INTERFACES = ["wsgi", "asgi", "rsgi"]


class Seen(NamedTuple):
    """A request as the application sees it, whatever the interface."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    scheme: str
    client: str | None
    http_version: str


Reply = tuple[int, list[tuple[str, str]], Iterable[bytes]]
Function = Callable[[Seen], Reply]


def as_wsgi(function: Function) -> Any:
    def application(environ, start_response):
        headers = {
            key[5:].lower().replace("_", "-"): value for key, value in environ.items() if key.startswith("HTTP_")
        }
        for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if key in environ:
                headers[key.lower().replace("_", "-")] = environ[key]
        seen = Seen(
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"].encode("latin-1").decode(),
            environ["QUERY_STRING"],
            headers,
            environ["wsgi.input"].read(),
            environ["wsgi.url_scheme"],
            environ.get("REMOTE_ADDR"),
            environ["SERVER_PROTOCOL"].removeprefix("HTTP/"),
        )
        status, fields, body = function(seen)
        start_response(f"{status} Some Phrase", fields)
        return body

    return application


def as_asgi(function: Function) -> Any:
    async def application(scope, receive, send):
        assert scope["type"] == "http"
        body = b""
        more = True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        seen = Seen(
            scope["method"],
            scope["path"],
            scope["query_string"].decode(),
            {name.decode(): value.decode("latin-1") for name, value in scope["headers"]},
            body,
            scope["scheme"],
            scope["client"] and scope["client"][0],
            scope["http_version"],
        )
        status, fields, chunks = function(seen)
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in fields]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})

    return application


def as_rsgi(function: Function) -> Any:
    async def application(scope, protocol):
        seen = Seen(
            scope.method,
            scope.path,
            scope.query_string,
            dict(scope.headers.items()),
            await protocol(),
            scope.scheme,
            scope.client.rpartition(":")[0] or None,
            "1.0" if scope.http_version == "1" else scope.http_version,
        )
        status, fields, chunks = function(seen)
        transport = protocol.response_stream(status, fields)
        for chunk in chunks:
            await transport.send_bytes(chunk)

    return application


WRAP = {"wsgi": as_wsgi, "asgi": as_asgi, "rsgi": as_rsgi}

Connect = Callable[..., Client]


@pytest.fixture(params=[*INTERFACES, "wsgi on the calling thread"])
def connect(request: pytest.FixtureRequest, open_client: Connect) -> Connect:
    """Make a client of a function, over each interface."""

    def make(function: Function, **options: Any) -> Client:
        interface = request.param[:4]
        if interface != request.param:
            options["timeout"] = None
        return open_client(WRAP[interface](function), interface, **({"timeout": 10.0} | options))

    return make


@pytest.fixture
def applications() -> dict[str, Callable[[Function], Any]]:
    """Functions that make an application of a function, by interface."""
    return WRAP
