"""WebSockets with Quart's ``@app.websocket``. Views access their socket as ``websocket``."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from antiphon import Request as NativeRequest
from antiphon import WebSocket, WebSocketClosed, from_wsgi
from antiphon.dialects.flask.dispatch import waits
from antiphon.dialects.flask.globals import SOCKET, current_app, request
from antiphon.dialects.flask.helpers import abort
from antiphon.dialects.werkzeug.datastructures import Headers
from antiphon.dialects.werkzeug.exceptions.base import HTTPException
from antiphon.embedding import (
    ForeignSockets,
    check_cross_site,
    environ_request,
    is_on_loop,
    make_environ,
    run_async,
    split_list,
)
from antiphon.http import HTTPError
from antiphon.http.headers import field_name
from antiphon.types import TrustedOrigins

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon import Response as NativeResponse
    from antiphon.dialects.flask.app import Flask
    from antiphon.websockets.connection import Connection

View = Callable[..., Any]

NORMAL, POLICY_VIOLATION, FAILED = 1000, 1008, 1011

_NO_SERVER = "This server does not support WebSockets: serve the application with `antiphon run --interface asgi`."


class Websocket:
    """The WebSocket of the current view, with its handshake request's attributes.

    An ``async def`` view awaits its methods. In a ``def`` view, they block. After the client has disconnected, they
    raise CancelledError in an ``async def`` view, and WebSocketClosed in a ``def`` view.
    """

    def __init__(self, connection: "Connection", socket: WebSocket) -> None:
        self._connection = connection
        self._socket = socket
        self._view: asyncio.Task[Any] | None = None
        """The task of an ``async def`` view."""
        self._has_left = False
        """True if the view knows that its client has disconnected."""
        self._is_cancelled = False
        """True if a concurrent task has cancelled the view because of that."""

    def __getattr__(self, name: str) -> Any:
        return getattr(request, name)

    @property
    def requested_subprotocols(self) -> list[str]:
        """The subprotocols that the client offers, most preferred first (RFC 6455 §1.9)."""
        return split_list(request.headers.get("Sec-WebSocket-Protocol", ""))

    def accept(self, headers: "Mapping[str, str] | Iterable[Any] | None" = None, subprotocol: str | None = None) -> Any:
        """Accept the handshake with 101 if it hasn't been accepted. The first message also does so."""
        if not self._connection.is_demanded:
            self._connection.fields = [(field_name(name), value) for name, value in Headers(headers or ())]
            self._connection.subprotocol = subprotocol
        return self._called(self._socket.accept)

    def receive(self) -> Any:
        """Wait for the next message: text as ``str``, binary data as ``bytes``."""
        return self._called(self._socket.receive)

    def send(self, data: str | bytes) -> Any:
        return self._called(partial(self._socket.send, data))

    def receive_json(self) -> Any:
        """Wait for the next message and decode its JSON. Raises ValueError if it is not JSON."""
        return self._called(self._socket.receive, current_app.json.loads)

    def send_json(self, *args: Any, **kwargs: Any) -> Any:
        """Send JSON: a single argument, or several positional or keyword arguments as a list or an object.

        Raises TypeError if positional and keyword arguments are mixed."""
        if args and kwargs:
            raise TypeError("send_json() accepts positional or keyword arguments, not both")
        return self.send(current_app.json.dumps(args[0] if len(args) == 1 else args or kwargs))

    def close(self, code: int = NORMAL, reason: str = "") -> Any:
        """Close the socket. A handshake that is not yet accepted is refused with 403."""
        if not self._connection.is_demanded:
            abort(403)
        return self._called(partial(self._socket.close, code, reason))

    def _called(self, call: Callable[[], Any], read: Callable[[Any], Any] | None = None) -> Any:
        if is_on_loop():
            return self._awaited(call(), read)
        result = call()
        return result if read is None else read(result)

    async def _awaited(self, steps: Awaitable[Any], read: Callable[[Any], Any] | None) -> Any:
        try:
            result = await steps
        except WebSocketClosed as end:
            self._leave()
            raise asyncio.CancelledError(str(end)) from end
        return result if read is None else read(result)

    def _leave(self) -> None:
        """Cancel the view, even if it is waiting for something else while one of its tasks waits for the client."""
        view = self._view
        if view is not None and view is not asyncio.current_task() and not self._has_left:
            self._is_cancelled = view.cancel()
        self._has_left = True

    async def talk(self, view: View, values: Mapping[str, Any]) -> Any:
        """Call an ``async def`` view. If its client disconnects, the view ends without an error."""
        self._view = asyncio.current_task()
        try:
            result = await view(**values)
        except asyncio.CancelledError:
            if not self._has_left:
                raise
            result = ""
        if self._is_cancelled and self._view is not None:
            self._view.uncancel()
        if result is None and not self._connection.is_demanded:
            await self._socket.accept()
        return "" if result is None else result

    def talk_on_thread(self, view: View, values: Mapping[str, Any]) -> Any:
        """Call a ``def`` view. If its client disconnects, the view ends without an error."""
        try:
            result = view(**values)
            if result is None and not self._connection.is_demanded:
                self._socket.accept()
        except WebSocketClosed:
            result = None
        return "" if result is None else result


def socket_view(view: View) -> View:
    """Return the function that the dispatcher calls for a WebSocket view. It is always the same for a view."""
    made: View | None = getattr(view, "__socket_view__", None)
    if made is None:
        made = _awaited_view(view) if waits(view) else _blocking_view(view)
        made.is_of_socket = True  # type: ignore[attr-defined]  # the handshake recognizes it by this
        view.__socket_view__ = made  # type: ignore[attr-defined]
    return made


def _awaited_view(view: View) -> View:
    @wraps(view)
    async def talk(**values: Any) -> Any:
        return await _socket().talk(view, values)

    return talk


def _blocking_view(view: View) -> View:
    @wraps(view)
    def talk(**values: Any) -> Any:
        return _socket().talk_on_thread(view, values)

    return talk


def _socket() -> Websocket:
    socket: Websocket | None = request.environ.get(SOCKET)
    if socket is None:
        abort(501, _NO_SERVER)
    return socket


def refuse_other_sites(environ: "WSGIEnvironment", trusted: Iterable[str]) -> None:
    """Raise Forbidden for a WebSocket handshake from another site's page, unless its origin is trusted."""
    if environ["HTTP_UPGRADE"].lower() != "websocket":
        return
    try:
        check_cross_site(environ_request(environ), TrustedOrigins(trusted), is_handshake=True)
        return
    except HTTPError as error:
        status, detail = error.status, error.detail
    abort(status, f"{detail} Add the origin to TRUSTED_ORIGINS to allow it.")  # here, so that both errors are freed


class SocketViews:
    """The sockets of an application's views. Some views wait on the loop, and the others use one thread each."""

    def __init__(self, app: "Flask") -> None:
        self._app = app
        self._on_loop = ForeignSockets(partial(self._talk, False), cancels=True)
        self._on_threads = ForeignSockets(partial(self._talk, True), blocks=True)

    def find(self, native: NativeRequest) -> ForeignSockets | None:
        """Return the group of sockets for a handshake; None if its view is not ``@app.websocket``."""
        app = self._app
        try:
            adapter = app.create_url_adapter(app.request_class(make_environ(native)))
            rule: Any = None if adapter is None else adapter.match(return_rule=True)[0]
        except HTTPException:
            return None
        view = None if rule is None else app.view_functions.get(rule.endpoint)
        if view is None or not hasattr(view, "is_of_socket"):
            return None
        return self._on_threads if self._blocks(view) else self._on_loop

    def _blocks(self, view: View) -> bool:
        return not waits(view) or self._app.syncs_itself or "wsgi_app" in self._app.overrides

    async def _talk(self, blocks: bool, native: NativeRequest, connection: "Connection") -> "NativeResponse":
        app, environ = self._app, make_environ(native)
        socket = WebSocket(connection, blocks=blocks)
        environ[SOCKET] = Websocket(connection, socket)
        response: NativeResponse
        if blocks:
            handler = from_wsgi(app.respond_to_environ, lambda _: environ)
            response = await ForeignSockets.on_own_thread(
                lambda request, _: handler(request), native, socket, {}, connection
            )
        else:
            response = await run_async(app.respond_by_environ(native, environ, None))
        if connection.is_demanded:
            await connection.end(_end_for(response.status))
        return response


def _end_for(status: int) -> int:
    """Return the close code for the status that a view ended with."""
    if status < 400:
        return NORMAL
    return POLICY_VIOLATION if status < 500 else FAILED
