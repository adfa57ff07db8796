"""The tested servers, how each is started, and what it does differently from the others.

All else is as it should be: a ``Probe`` has its best answer, a ``BadInput`` its usual status.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Server(NamedTuple):
    """A server: its name, the arguments to Python that start it, and its differences.

    ``gaps`` has answers to probes and ``refusals`` answers to bad input, by name.
    """

    name: str
    command: tuple[str, ...]
    gaps: Mapping[str, str]
    refusals: Mapping[str, str] = MappingProxyType({})


def _granian(interface: str) -> tuple[str, ...]:
    return ("-m", "antiphon", "run", "{app}", "--interface", interface, "--port", "{port}")


def _uvicorn(parser: str, loop: str) -> tuple[str, ...]:
    return ("-m", "uvicorn", "{app}", "--http", parser, "--loop", loop, "--port", "{port}")


def _gunicorn(*options: str) -> tuple[str, ...]:
    # A connection on which a browser has yet to send anything keeps a sync worker for as long as it has at the end.
    settings = "--config", "python:tests.contract.gunicorn_settings", "--graceful-timeout", "5"
    return ("-m", "gunicorn", "{app}", *options, *settings, "--bind", "127.0.0.1:{port}")


ACCEPTED = "200"

_HIDDEN_PATH = {"A broken escape in the path": "404", "A broken escape in a path's parameter": ACCEPTED}
"""A broken escape cannot be told from an escaped percent sign where the path comes decoded."""
_HUNG_UP = {"A body that ends early": "closed", "Chunks that end early": "closed"}

_GRANIAN_REFUSALS = {"Content-Length beside chunks": ACCEPTED, "A query of 200 KiB": "431"}
_GRANIAN_BODIES = {"A chunk without a size": ACCEPTED, "Chunks that end early": ACCEPTED}
"""The application gets the chunks so far as if they were the whole body."""

_H11_REFUSALS = {"A header that is folded": ACCEPTED, "A version that does not exist": ACCEPTED}

_HIDDEN_TARGET = {"Host beside a whole URL": "the header's"}
"""The application sees only the path of a target that is a whole URL."""
_HIDDEN_USERINFO = {"A target with userinfo": ACCEPTED}

_WSGI_GAPS = {"Header in several lines": "joined"}
_GUNICORN_GAPS = _WSGI_GAPS | {
    "Cookie in two lines": "run together",
    "`X_Name` beside `X-Name`": "dropped",
    "`100 Continue`": "always",
}
_FAILS_LATE = {"Stream that fails at once": "200, cut"}
"""The head is sent before the first chunk is made."""
_NO_HINTS = {"Early Hints": "dropped"}

SERVERS: tuple[Server, ...] = (
    Server(
        "Granian, WSGI",
        _granian("wsgi"),
        _WSGI_GAPS
        | _NO_HINTS
        | _HIDDEN_TARGET
        | {
            "Raw path": "hidden", "`%2F` in the path": "a slash", "`X_Name` beside `X-Name`": "the same name",
            "Request header beyond ASCII": "emptied", "Response header beyond ASCII": "sent as UTF-8",
            "Client's port": "hidden", "Stream that fails midway": "ended", "Stream that fails at once": "200, ended",
        },
        _GRANIAN_REFUSALS | _HIDDEN_PATH | _HIDDEN_USERINFO | _GRANIAN_BODIES,
    ),
    Server(
        "Granian, ASGI",
        _granian("asgi"),
        _NO_HINTS | _FAILS_LATE | _HIDDEN_TARGET,
        _GRANIAN_REFUSALS | _HIDDEN_USERINFO,
    ),
    Server(
        "Granian, RSGI",
        _granian("rsgi"),
        _NO_HINTS
        | {
            "Raw path": "hidden", "`%2F` in the path": "a slash", "Request header beyond ASCII": "dropped",
            "Response header beyond ASCII": "sent as UTF-8", "Stream that fails midway": "ended",
            "Stream that fails at once": "200, ended",
        },
        _GRANIAN_REFUSALS | _HIDDEN_PATH | _GRANIAN_BODIES,
    ),
    Server(
        "Uvicorn, h11",
        _uvicorn("h11", "asyncio"),
        _NO_HINTS | _FAILS_LATE,
        _H11_REFUSALS
        | _HUNG_UP
        | {"A query of 200 KiB": "400", "A header of 1 MiB": "400", "10,000 headers of 1 MiB": "400"},
    ),
    Server(
        "Uvicorn, httptools",
        _uvicorn("httptools", "uvloop"),
        _NO_HINTS
        | _FAILS_LATE
        | _HIDDEN_TARGET
        | {"Space after a header's value": "kept", "Stream to HTTP/1.0": "in chunks"},
        _HUNG_UP
        | _HIDDEN_USERINFO
        | {
            "A query of 200 KiB": "400",
            "A method that nobody knows": "400",
            "A request line without a version": ACCEPTED,
        },
    ),
    Server(
        "Hypercorn",
        ("-m", "hypercorn", "{app}", "--bind", "127.0.0.1:{port}"),
        _NO_HINTS | _FAILS_LATE | {"`100 Continue`": "always"},
        _H11_REFUSALS | {"A query of 200 KiB": "431"},
    ),
    Server(
        "Gunicorn, sync",
        _gunicorn(),
        _GUNICORN_GAPS | {"Connection": "closed", "Pipelined requests": "one answered"},
    ),
    Server(
        "Gunicorn, gthread",
        _gunicorn("--worker-class", "gthread", "--threads", "8"),
        _GUNICORN_GAPS,
    ),
    Server("Gunicorn, gevent", _gunicorn("--worker-class", "gevent"), _GUNICORN_GAPS),
    Server(
        "Waitress",
        ("-m", "waitress", "--listen", "127.0.0.1:{port}", "{app}"),
        _GUNICORN_GAPS
        | _NO_HINTS
        | {
            "Slashes before the path": "made one",
            "Refused upload": "after its body",
            "Shutdown at SIGTERM": "not called",
            "Functions after a response, at SIGTERM": "are lost",
        },
        _HUNG_UP
        | {
            "A header that is folded": ACCEPTED,
            "Content-Length beside chunks": ACCEPTED,
            "A request line without a version": ACCEPTED,
            "A version that does not exist": ACCEPTED,
        },
    ),
)  # fmt: skip


def server(name: str) -> Server:
    """Return the server of this name."""
    return next(server for server in SERVERS if server.name == name)


DEBUGGED = server("Uvicorn, h11")._replace(command=_uvicorn("h11", "tests.contract.loops:debugged"))
"""A server on a loop in debug mode, with eager tasks, which makes no difference."""


_GRANIAN_SOCKETS = {
    "Fields and cookies of a 101": "dropped",
    "Streamed refusal": "403",
    "Compression": "none",
    "Handshake by HEAD": "101",
    "Message that never ends": "64 MiB",
}
_BROKEN_WITHOUT_CODE = {"Connection that breaks": "closed 1005"}

_16_MIB = {"Message that never ends": "16 MiB"}

WSGI_SOCKETS = {"GET without a handshake": "426"}
"""Over WSGI an application can't send Upgrade, which is the server's (PEP 3333)."""

SOCKET_SERVERS: tuple[Server, ...] = (
    Server(
        "Granian, ASGI",
        _granian("asgi"),
        _GRANIAN_SOCKETS
        | _BROKEN_WITHOUT_CODE
        | {"Two cookies of a refusal": "one", "Text that is not UTF-8": "1005", "Closed by the client": "the code"},
        {},
    ),
    Server(
        "Granian, RSGI",
        _granian("rsgi"),
        _GRANIAN_SOCKETS
        | {
            "Subprotocol": "none", "Two subprotocols in two lines": "none", "Refusal": "its status",
            "Two cookies of a refusal": "none", "Redirect": "303", "Message above the limit": "1005",
            "Text that is not UTF-8": "1005", "Closed by the handler": "1005", "Longest reason": "none",
            "Closed when the handler returns": "1005", "Closed by an error": "1005",
            "Closed by the client": "neither", "Closed by the client, in a `def` handler": "none",
            "End at SIGTERM": "1005",
        },
        {},
    ),
    Server(
        "Uvicorn, websockets",
        (*_uvicorn("h11", "asyncio"), "--ws", "websockets-sansio"),
        _16_MIB | _BROKEN_WITHOUT_CODE,
        {},
    ),
    Server(
        "Uvicorn, wsproto",
        (*_uvicorn("httptools", "uvloop"), "--ws", "wsproto"),
        _16_MIB | _BROKEN_WITHOUT_CODE | {"Text that is not UTF-8": "1006"},
        {},
    ),
    Server(
        "Hypercorn",
        ("-m", "hypercorn", "{app}", "--bind", "127.0.0.1:{port}"),
        _16_MIB
        | {
            "Text that is not UTF-8": "1006",
            "Closed by the client": "neither",
            "Closed by the client, in a `def` handler": "none",
            "End at SIGTERM": "nothing",
        },
        {},
    ),
    Server("Gunicorn, gthread", _gunicorn("--worker-class", "gthread", "--threads", "64"), WSGI_SOCKETS, {}),
    Server("Gunicorn, gevent", _gunicorn("--worker-class", "gevent"), WSGI_SOCKETS, {}),
    Server(
        "gevent",
        ("-m", "tests.contract.gevent_server", "{app}", "{port}"),
        WSGI_SOCKETS | {"End at SIGTERM": "nothing"},
        {},
    ),
    Server(
        "Werkzeug",
        ("-m", "tests.contract.werkzeug_server", "{app}", "{port}"),
        WSGI_SOCKETS | {"End at SIGTERM": "nothing"},
        {},
    ),
)  # fmt: skip
"""The servers that have WebSockets, and what they do differently there. ``gaps`` has answers to the cases."""

BY_ITSELF = SOCKET_SERVERS[0]._replace(command=("-m", "granian", "{app}", "--interface", "asgi", "--port", "{port}"))
"""Granian without `antiphon run`, which makes no difference."""
