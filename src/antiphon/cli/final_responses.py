"""The last responses of a worker that ends, which tell clients to send nothing more on their connections.

Otherwise a request may arrive on a connection at the moment when it is closed, and be lost. HTTP/2 has no such header.
"""

from functools import partial
from typing import Any

from antiphon.cli.interface import Interface
from antiphon.concurrency.draining import DRAINING


def with_final_responses(app: Any, interface: Interface) -> Any:
    """Return an application that adds `connection: close` to its responses as soon as the process drains.

    Its attribute `answer` is the callable that answers requests.
    """
    return {"wsgi": _WSGI, "asgi": _ASGI, "rsgi": _RSGI}[interface](app)


class _WSGI:
    def __init__(self, app: Any) -> None:
        self.answer = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if DRAINING.is_given and not environ["SERVER_PROTOCOL"].startswith("HTTP/2"):
            start_response = partial(_start, start_response)
        return self.answer(environ, start_response)


def _start(start_response: Any, status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
    return start_response(status, [*headers, ("connection", "close")], *exc_info)


class _ASGI:
    def __init__(self, app: Any) -> None:
        self.answer = app

    def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        if DRAINING.is_given and scope.get("http_version", "2") < "2":
            send = partial(_send, send)
        return self.answer(scope, receive, send)


async def _send(send: Any, message: Any) -> None:
    if message["type"] == "http.response.start":
        message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
    await send(message)


class _RSGI:
    def __init__(self, app: Any) -> None:
        self.answer = getattr(app, "__rsgi__", app)
        self.__rsgi_init__ = getattr(app, "__rsgi_init__", bool)
        self.__rsgi_del__ = getattr(app, "__rsgi_del__", bool)

    def __rsgi__(self, scope: Any, protocol: Any) -> Any:
        if DRAINING.is_given and scope.proto == "http" and not scope.http_version.startswith("2"):
            protocol = _Protocol(protocol)
        return self.answer(scope, protocol)


class _Protocol:
    """The protocol of a server, except for the headers of the response."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def __call__(self) -> Any:
        return self._protocol()

    def __aiter__(self) -> Any:
        return self._protocol.__aiter__()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._protocol, name)
        return partial(_respond, value) if name.startswith("response_") else value


def _respond(respond: Any, status: int, headers: list[tuple[str, str]], *content: Any) -> Any:
    return respond(status, [*headers, ("connection", "close")], *content)
