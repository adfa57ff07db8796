"""The connections of a worker: how many may be open, and which are closed.

| a connection | is closed |
|---|---|
| that has not begun a request, or has none for `IDLE` seconds | always |
| without a request | while the worker is full: those that have waited longest first |
| with a request, an open stream or a WebSocket | never |

A worker is full when as many connections are open as it may have, or as many requests, of which a connection may send
many at once (HTTP/2). It then responds to all requests but probes with 503. While many requests are open, it also
refuses those with large headers, since each keeps its headers in memory.

Granian closes a connection without a request only over HTTP/1, and only once it has received a byte.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from threading import Event, Thread
from typing import Any

from antiphon.adapters.asgi import ASGIHead
from antiphon.adapters.connection import (
    OpenConnection,
    accepted_at,
    close,
    progress,
    reserved_for_probes,
    room_for_connections,
)
from antiphon.adapters.rsgi import RSGIHead
from antiphon.adapters.servable import Servable
from antiphon.adapters.servers.granian import IDLE
from antiphon.adapters.wsgi import WSGIHead
from antiphon.cli.interface import Interface
from antiphon.cli.workers.loop_shedding import refuse_asgi, refuse_rsgi
from antiphon.cli.workers.observed import WrappedProtocol
from antiphon.cli.workers.shedding import TEXT, classifier
from antiphon.concurrency.process import DRAINING
from antiphon.features.logs.formats import escaped

_RARELY, _OFTEN = 1.0, 0.1
"""Seconds between two looks at all connections: usually, and while more than half of the maximum are open."""
_SHARE = 10
"""The number of times that a pause is at least as long as the look before it."""
_FREED = 20
"""The share of its connections that a full worker closes at once, and from which it is almost full, as a divisor."""
_MANY = 128
"""The number of open requests above which the size of headers is limited further."""
_ALL_HEADERS, _LEAST_HEADERS = 32 << 20, 16 << 10
"""The bytes of headers that the open requests may keep together, and that each of them may keep in any case."""
_FIELD = 200
"""The bytes that a field takes in Python, in addition to its name and value."""
_SLOW = 16 << 10
"""The bytes that a client receives in `IDLE` seconds if it is still receiving a response that is complete."""
_TURN = 1.0
"""The maximum number of seconds to wait for the event loop before idle connections are closed."""
_REPORT = 60.0
"""Seconds between two log messages."""

_NAMED = 10
"""The number of requests to name when a worker ends before they have."""

_logger = logging.getLogger("antiphon")


class Connections:
    """The connections that a worker accepted at a listening socket, and the requests that are open on them."""

    def __init__(self, listener: socket.socket, most: int, closes_idle: bool) -> None:
        self._address: Any = listener.getsockname()
        self._has_peers = listener.family in (socket.AF_INET, socket.AF_INET6)
        room = room_for_connections()
        reserve = reserved_for_probes(room)
        self.most = max(1, min(most or room, room - reserve))
        """The maximum number of connections."""
        self._reason = "--max-connections" if self.most == most else "ulimit -n"
        self.accepted = self.most + min(reserve, max(64, self.most // _FREED))
        """The number of connections that the server may accept."""
        self._closes_idle = closes_idle and self._has_peers
        self.open: dict[int, tuple[Any, Any, float]] = {}
        """The client of each open request, as the interface writes it; its head, until a response begins; its begin."""
        self.recent: set[Any] = set()
        """The clients that sent requests since the last look."""
        self.unchecked = min(_MANY, self.most - 1)
        """The number of open requests up to which requests are not checked; negative while the worker is full."""
        self._since: dict[tuple[int, int], tuple[float, int]] = {}
        """For each idle connection, the time since when, and the bytes that its client had received by then."""
        self._number = 0
        """The number of connections at the last look."""
        self._reported = 0.0

    def start(self, threads: int, loop: asyncio.AbstractEventLoop | None) -> None:
        """Look at the connections from now on, on a thread. ``threads`` is the number of requests at once over WSGI."""
        self._loop, self._threads = loop, threads
        Thread(target=self._look_for_ever, name="antiphon-connections", daemon=True).start()

    def has_room(self) -> bool:
        """Return False while the worker is almost full, so that others should get new connections."""
        return max(self._number, len(self.open)) < self.most - self.most // _FREED

    def refuses(self, fields: Iterable[tuple[str | bytes, str | bytes]]) -> bool:
        """Return True if a request with these header fields is to be refused, unless it is a probe."""
        number = len(self.open)
        if self.unchecked < 0 or number >= self.most:
            self._report(number)
            return True
        size = sum(_FIELD + len(name) + len(value) for name, value in fields)
        return size > max(_LEAST_HEADERS, _ALL_HEADERS // (number or 1))

    def begin(self, key: int, client: Any, head: Any) -> None:
        """Record an open request, with its head (an environ or a scope) if it must not be cut off without a word."""
        self.open[key] = client, head, time.monotonic()
        self.recent.add(client)

    def has_begun_response(self, key: int) -> None:
        """Record that what is left of a request is its response, which ends with the worker."""
        if (found := self.open.get(key)) and found[1] is not None:
            self.open[key] = found[0], None, found[2]

    def unfinished(self) -> list[str]:
        """Return the method, path and seconds of requests without a response, longest first: at most `_NAMED`."""
        now = time.monotonic()
        waiting = sorted((began, _target(head)) for _, head, began in [*self.open.values()] if head is not None)
        named = [f"{target} after {now - began:.1f} s" for began, target in waiting[:_NAMED]]
        return [*named, f"and {len(waiting) - _NAMED} more"] if len(waiting) > _NAMED else named

    def tell_unfinished(self) -> None:
        """Log the requests that the end of the worker cuts off."""
        for each in self.unfinished():
            _logger.warning("cut off, since the worker ends: %s", each)

    def _look_for_ever(self) -> None:
        pause = _RARELY
        while not DRAINING.is_given:
            time.sleep(pause)
            began = time.monotonic()
            with suppress(NotImplementedError):  # a system that doesn't list connections
                number = self._look(began)
                pause = _OFTEN if number > self.most / 2 else _RARELY
            pause = max(pause, _SHARE * (time.monotonic() - began))

    def _look(self, now: float) -> int:
        """Close what is idle; return the number of connections."""
        connections = accepted_at(self._address)
        number = len(connections)
        idle = self._idle(connections, now) if self._has_peers else []
        if number >= self.most:
            self._report(number)
            excess = number - self.most + max(1, self.most // _FREED)
            chosen = sorted((each for each in idle if self._since[each.file][0] < now), key=self._importance)[:excess]
        else:
            chosen = [each for each in idle if self._is_over(each, now)] if self._closes_idle else []
        self._number = number - self._close(chosen)
        self.unchecked = -1 if self._number >= self.most else min(_MANY, self.most - 1)
        return number

    def _idle(self, connections: list[OpenConnection], now: float) -> list[OpenConnection]:
        """Return the connections without a request, and record since when they have none."""
        recent, self.recent = self.recent, set()
        idle = self._without_request(connections, recent)
        since = self._since
        self._since = {each.file: since.get(each.file) or (now, progress(each.descriptor)[0]) for each in idle}
        return idle

    def _without_request(self, connections: list[OpenConnection], recent: set[Any]) -> list[OpenConnection]:
        busy = {_comparable(client) for client in [*recent, *(client for client, _, _ in [*self.open.values()])]}
        return [each for each in connections if busy.isdisjoint((each.peer[:2], (each.peer[0], 0)))]

    def _importance(self, connection: OpenConnection) -> tuple[bool, float]:
        """Return the key by which a full worker sorts idle connections. Clients that still receive data come last."""
        return progress(connection.descriptor)[1] > 0, self._since[connection.file][0]

    def _close(self, idle: list[OpenConnection]) -> int:
        """Close those connections that still have no request; return how many."""
        if not idle or not self._is_current():
            return 0
        idle = self._without_request(idle, self.recent)
        for each in idle:
            close(each)
        return len(idle)

    def _is_over(self, connection: OpenConnection, now: float) -> bool:
        """Return True if a connection has been idle for too long, and its client is not receiving a response."""
        began, before = self._since[connection.file]
        if now - began < IDLE:
            return False
        received, unsent = progress(connection.descriptor)
        if received - before >= _SLOW or (unsent and not received):  # systems that count nothing tell 0
            self._since[connection.file] = now, received
            return False
        return True

    def _is_current(self) -> bool:
        """Return False if requests may have arrived that the application has not begun."""
        if self._loop is None:
            return len(self.open) < self._threads
        turned = Event()
        with suppress(RuntimeError):  # it is closed
            self._loop.call_soon_threadsafe(self._loop.call_soon, turned.set)
        return turned.wait(_TURN)

    def _report(self, number: int) -> None:
        now = time.monotonic()
        if now - self._reported > _REPORT:
            self._reported = now
            _logger.warning(
                "this worker has %d connections or requests, and may have %d (%s): connections without a request are"
                " closed, and if there are none, requests get 503",
                number,
                self.most,
                self._reason,
            )


def _comparable(client: Any) -> Any:
    """Return a client's address, as an interface writes it, as a host and a port; the port is 0 if it is unknown."""
    if isinstance(client, str):  # RSGI
        host, _, port = client.rpartition(":")
        client = host.strip("[]"), port
    return (client[0], int(client[1] or 0)) if client else client


def _target(head: Any) -> str:
    """Return the method and the path of an environ or a scope. A path can't forge a line of a log."""
    if not isinstance(head, dict):  # RSGI
        return f"{escaped(head.method)} {escaped(head.path)}"
    if "REQUEST_METHOD" not in head:
        return f"{escaped(head['method'])} {escaped(head['path'])}"
    path = (head.get("SCRIPT_NAME", "") + head.get("PATH_INFO", "")).encode("latin-1", "replace")
    return f"{escaped(head['REQUEST_METHOD'])} {escaped(path.decode(errors='replace'))}"


def counted(app: Any, program: Any, interface: Interface, connections: Connections) -> Any:
    """Return an application that records its open requests, and refuses requests while the worker is full.

    The program that is served tells which requests are never refused.
    """
    return {"wsgi": _WSGI, "asgi": _ASGI, "rsgi": _RSGI}[interface](app, program, connections)


class _Counted:
    def __init__(self, app: Any, program: Any, connections: Connections) -> None:
        self._app = app
        self._program = program
        self._connections = connections

    def _refuses(self, fields: Any, head: Callable[[], Any] | None) -> bool:
        if not self._connections.refuses(fields):
            return False
        classify = classifier(self._program)
        return classify is None or head is None or not classify(head()).is_exempt


class _WSGI(_Counted):
    def __call__(self, environ: Any, start_response: Any) -> Any:
        connections, key = self._connections, id(environ)
        if len(connections.open) > connections.unchecked:
            fields = [each for each in environ.items() if each[0].startswith("HTTP_")]
            if self._refuses(fields, partial(WSGIHead, environ)):
                start_response("503 Service Unavailable", _refusal(environ["SERVER_PROTOCOL"].removeprefix("HTTP/")))
                return [TEXT.encode()]
        connections.begin(key, (environ.get("REMOTE_ADDR"), None), environ)
        body: Any = ()
        try:
            body = self._app(environ, start_response)
        finally:
            if not hasattr(body, "close"):
                del connections.open[key]
        connections.has_begun_response(key)
        return _Body(body, environ, connections.open) if hasattr(body, "close") else body


class _Body:
    """The body of a WSGI response, whose request is open until it is closed."""

    def __init__(self, body: Any, environ: Any, requests: dict[int, Any]) -> None:
        self._body = body
        self._environ = environ  # another object may not get its id
        self._requests = requests

    def __iter__(self) -> Any:
        return iter(self._body)

    def close(self) -> None:
        try:
            self._body.close()
        finally:
            self._requests.pop(id(self._environ), None)


class _ASGI(_Counted):
    def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        if scope["type"] == "lifespan":
            return self._app(scope, receive, send)
        if len(self._connections.open) > self._connections.unchecked:
            head = partial(ASGIHead, scope, receive, send) if scope["type"] == "http" else None
            if self._refuses(scope["headers"], head):
                return refuse_asgi(_refusal(scope["http_version"]), scope, send)
        return self._count(scope, receive, send)

    async def _count(self, scope: Any, receive: Any, send: Any) -> None:
        connections, key = self._connections, id(scope)
        connections.begin(key, scope["client"], scope if scope["type"] == "http" else None)
        try:
            await self._app(scope, receive, partial(_send, send, partial(connections.has_begun_response, key)))
        finally:
            del connections.open[key]


def _send(send: Any, tell: Callable[[], None], message: Any) -> Any:
    tell()
    return send(message)


class _RSGI(_Counted):
    def __init__(self, app: Any, program: Any, connections: Connections) -> None:
        super().__init__(app, program, connections)
        self.__rsgi_init__ = getattr(app, "__rsgi_init__", bool)
        self.__rsgi_del__ = getattr(app, "__rsgi_del__", bool)
        self._app = getattr(app, "__rsgi__", app)
        self._ends_streams = isinstance(program, Servable)  # so that none is open when unfinished requests are told

    def __rsgi__(self, scope: Any, protocol: Any) -> Any:
        if len(self._connections.open) > self._connections.unchecked:
            head = partial(RSGIHead, scope, protocol) if scope.proto == "http" else None
            if self._refuses(scope.headers.items(), head):
                return refuse_rsgi(_refusal(scope.http_version), scope, protocol)
        return self._count(scope, protocol)

    async def _count(self, scope: Any, protocol: Any) -> None:
        connections, key = self._connections, id(scope)
        connections.begin(key, scope.client, scope if scope.proto == "http" else None)
        if not self._ends_streams:
            protocol = _Protocol(protocol, partial(connections.has_begun_response, key))
        try:
            await self._app(scope, protocol)
        finally:
            del connections.open[key]


class _Protocol(WrappedProtocol):
    """A server's protocol that tells when a response begins."""

    def __init__(self, protocol: Any, tell: Callable[[], None]) -> None:
        super().__init__(protocol)
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        if name.startswith("response_"):
            self._tell()
        return getattr(self._protocol, name)


def _refusal(http_version: str) -> list[tuple[str, str]]:
    """Return the header fields of a response to a refused request."""
    closing = [("connection", "close")] if http_version < "2" else []
    return [("content-type", "text/plain"), ("content-length", str(len(TEXT))), ("retry-after", "1"), *closing]
