"""`python -m benchmarks.interop`: the time of `Request.from_framework` and views, beside the framework's request."""

from collections.abc import Callable
from io import BytesIO
from time import process_time
from timeit import timeit
from typing import Any

from starlette.requests import Request as StarletteRequest
from werkzeug.wrappers import Request as WerkzeugRequest

from antiphon import Request, view

CALLS, ROUNDS = 20_000, 9


def environ(body: bytes = b"") -> dict[str, Any]:
    """Return the environ of a small request."""
    length = {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json"} if body else {}
    return length | {
        "REQUEST_METHOD": "POST" if body else "GET", "PATH_INFO": "/", "QUERY_STRING": "", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.input": BytesIO(body),
        "HTTP_HOST": "localhost", "HTTP_ACCEPT": "*/*", "HTTP_USER_AGENT": "benchmark",
    }  # fmt: skip


@view
def hello(_request: Request) -> str:
    """Answer a text."""
    return "Hello"


@view
def repeat(request: Request) -> str:
    """Answer the body."""
    return request.body.decode()


async def receive() -> dict[str, Any]:
    """Return a message without a body."""
    return {"type": "http.request", "body": b"", "more_body": False}


def cells() -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Return what is timed, and what is done beside it and subtracted."""
    sent = environ()
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")], "query_string": b""}
    given = WerkzeugRequest(sent)
    return {
        "Werkzeug's request of an environ": (lambda: WerkzeugRequest(sent, populate_request=False), tuple),
        "Request.from_framework an environ": (lambda: Request.from_framework({**sent}), lambda: {**sent}),
        "Request.from_framework an environ with a body": (
            lambda: Request.from_framework(environ(b"{}")),
            lambda: environ(b"{}"),
        ),
        "A view of an environ": (lambda: hello({**sent}), lambda: {**sent}),
        "A view of an environ with a body": (lambda: repeat(environ(b"{}")), lambda: environ(b"{}")),
        "Request.from_framework Werkzeug's, for the first time": (
            lambda: (sent.pop("antiphon.request", None), Request.from_framework(given)),
            lambda: sent.pop("antiphon.request", None),
        ),
        "Request.from_framework a scope": (lambda: Request.from_framework({**scope}, receive), lambda: {**scope}),
        "Request.from_framework Starlette's": (
            lambda: Request.from_framework(StarletteRequest({**scope}, receive)),
            lambda: StarletteRequest({**scope}, receive),
        ),
    }


def main() -> None:
    """Print the microseconds of each, in the quickest of some rounds."""
    seconds = {
        name: [min(timeit(each, timer=process_time, number=CALLS) for _ in range(ROUNDS)) for each in (call, beside)]
        for name, (call, beside) in cells().items()
    }
    for name, (whole, beside) in seconds.items():
        print(f"{name:45} {(whole - beside) / CALLS * 1e6:6.2f} us")


if __name__ == "__main__":
    main()
