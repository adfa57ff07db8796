"""Which transport plays which interface."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, TypeAlias, get_args

from antiphon.testing.servers.asgi import ASGITransport
from antiphon.testing.servers.connection import Connection
from antiphon.testing.servers.exchange import Transport
from antiphon.testing.servers.wsgi import WSGITransport

Interface: TypeAlias = Literal["wsgi", "asgi", "rsgi"]


class HasRSGI(Protocol):
    """An RSGI application that is not itself called."""

    async def __rsgi__(self, scope: Any, protocol: Any, /) -> object: ...


Application: TypeAlias = Callable[..., Any] | HasRSGI
"""An application of the interface that the client is told."""


def make_transport(
    application: Any,
    interface: Interface,
    connection: Connection,
    extra: Mapping[str, object],
    *,
    on_thread: bool,
) -> Transport:
    """The server's side of an interface. Raises ValueError for what the interface does not know.

    ``on_thread`` is about WSGI: whether the application runs beside the thread that asks, or on that.
    """
    match interface:
        case "wsgi":
            return WSGITransport(application, connection, extra, on_thread=on_thread)
        case "asgi":
            return ASGITransport(application, connection, extra)
        case "rsgi":
            from antiphon.testing.servers.rsgi import RSGITransport

            if connection.root_path or extra:
                raise ValueError("RSGI knows no root_path, and nothing can be added to its scope")
            return RSGITransport(application, connection)
    raise ValueError(f"the interface is one of {', '.join(get_args(Interface))}, not {interface!r}")
