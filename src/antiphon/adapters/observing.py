"""Observed applications, Antiphon's and others: an exchange records what they receive and send over each interface."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from antiphon.adapters.asgi import ASGIHead, ObservedSend, Receive, Scope, Send
from antiphon.adapters.exchange import Observation, Observers
from antiphon.adapters.rsgi import CLOSED, RSGIHead
from antiphon.adapters.wsgi import WSGIBody, WSGIHead, call_wsgi
from antiphon.handler.contract import ThreadHandler
from antiphon.handler.scope import reset_current_request, set_current_request
from antiphon.http.head import Head
from antiphon.request.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


# WSGI


def serve_observed_wsgi(
    handler: ThreadHandler, environ: "WSGIEnvironment", start_response: "StartResponse", observation: Observation
) -> Iterable[bytes]:
    """Handle a WSGI server's request with a handler. A response that isn't streamed is recorded as sent when
    returned.
    """
    try:
        result = call_wsgi(handler, environ, start_response, observation)
    except BaseException as error:
        observation.fail(error)
        observation.end()
        raise
    if type(result) is list:
        observation.send_whole(len(result[0]) if result else 0)
    elif isinstance(result, WSGIBody):
        return ObservedBody(result, observation)
    else:
        observation.send_file()
    observation.end()
    return result


def observe_wsgi(
    application: Callable[..., Iterable[bytes]],
    environ: "WSGIEnvironment",
    start_response: "StartResponse",
    observation: Observation,
) -> Iterable[bytes]:
    """Call another framework's WSGI application. An in-memory body is recorded as sent when returned."""

    def start(status: str, fields: list[tuple[str, str]], *failure: Any) -> Any:
        observation.send_head(int(status[:3]), fields)
        write = start_response(status, fields, *failure)
        return _Write(write, observation) if write is not None else None

    try:
        result = application(environ, start)
    except BaseException as error:
        observation.fail(error)
        observation.end()
        raise
    # Anything else may still run code, and fail.
    if not isinstance(result, list | tuple):
        return ObservedBody(result, observation)
    observation.send_chunk(sum(map(len, result)))
    observation.end()
    return result


class _Write:
    """The function that WSGI's start_response returns."""

    def __init__(self, write: Callable[[bytes], object], observation: Observation) -> None:
        self._write = write
        self._observation = observation

    def __call__(self, data: bytes) -> None:
        self._write(data)
        self._observation.send_chunk(len(data))


class ObservedBody:
    """The streamed body of a WSGI response. If a server closes it early, the client has left."""

    def __init__(self, body: Iterable[bytes], observation: Observation) -> None:
        self._body = body
        self._observation = observation
        self._iterator: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if self._iterator is None:
                self._iterator = iter(self._body)
            chunk = next(self._iterator)
        except StopIteration:
            self._observation.sent()
            raise
        except BaseException as error:
            self._fail(error)
            raise
        self._observation.send_chunk(len(chunk))
        return chunk

    def close(self) -> None:
        """Close the body and end the exchange."""
        if self._observation.exchange.error is None:
            self._observation.disconnected()
        try:
            getattr(self._body, "close", tuple)()
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            self._observation.end()

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, ConnectionError):  # raised by a body that reads the request's body, if that was cut off
            self._observation.disconnected()
        self._observation.fail(error)


# ASGI


async def observe_asgi(
    application: Callable[[Scope, Receive, Send], Awaitable[object]],
    scope: Scope,
    receive: Receive,
    send: Send,
    observation: Observation,
) -> None:
    """Call an ASGI application with a request. If it returns without the last message, the client has left."""
    try:
        await application(scope, receive, ObservedSend(send, observation))
        observation.disconnected()
    except BaseException as error:
        _broken_off(observation, error)
        raise
    finally:
        observation.end()


def _broken_off(observation: Observation, error: BaseException) -> None:
    from asyncio import CancelledError

    if isinstance(error, CancelledError):
        observation.disconnected()
    observation.fail(error)


# RSGI


async def observe_rsgi(
    application: Callable[[Any, Any], Awaitable[object]], scope: Any, protocol: Any, observation: Observation
) -> None:
    """Call an RSGI application with a request."""
    observed = ObservedProtocol(protocol, observation)
    try:
        await application(scope, observed)
    except BaseException as error:
        _broken_off(observation, error)
        raise
    finally:
        observation.sent(at_last_chunk=True)  # nothing else shows that a stream has ended
        observation.end()


class ObservedProtocol:
    """The protocol of an RSGI request."""

    def __init__(self, inner: Any, observation: Observation) -> None:
        self._inner = inner
        self.observation = observation

    def __call__(self) -> Any:
        return self._inner()

    def __aiter__(self) -> Any:
        return aiter(self._inner)

    async def client_disconnect(self) -> None:
        """Wait until the client disconnects."""
        await self._inner.client_disconnect()
        self.observation.disconnected()

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        """Send a response without a body."""
        # Before the record: what the server refuses was not sent.
        self._inner.response_empty(status, headers)
        self.observation.send_head(status, headers)
        self.observation.send_whole(0)

    def response_str(self, status: int, headers: list[tuple[str, str]], body: str) -> None:
        """Send a response with text."""
        self._inner.response_str(status, headers, body)
        self.observation.send_head(status, headers)
        self.observation.send_whole(len(body.encode()))

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Send a response with bytes."""
        self._inner.response_bytes(status, headers, body)
        self.observation.send_head(status, headers)
        self.observation.send_whole(len(body))

    def response_file(self, status: int, headers: list[tuple[str, str]], file: str) -> None:
        """Send a file."""
        self._inner.response_file(status, headers, file)
        self.observation.send_head(status, headers)
        self.observation.send_file()
        self.observation.sent()

    def response_file_range(self, status: int, headers: list[tuple[str, str]], file: str, start: int, end: int) -> None:
        """Send a part of a file."""
        self._inner.response_file_range(status, headers, file, start, end)
        self.observation.send_head(status, headers)
        self.observation.send_whole(end - start)

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> "ObservedTransport":
        """Begin a response in chunks."""
        transport = self._inner.response_stream(status, headers)
        self.observation.send_head(status, headers)
        return ObservedTransport(transport, self.observation)


class ObservedTransport:
    """The transport of a streamed RSGI response. Granian ends the response when its own transport is no longer
    referenced.
    """

    def __init__(self, inner: Any, observation: Observation) -> None:
        self._inner = inner
        self._observation = observation

    async def send_bytes(self, data: bytes) -> None:
        """Send a chunk of bytes."""
        await self._send(self._inner.send_bytes(data), len(data))

    async def send_str(self, data: str) -> None:
        """Send a chunk of text."""
        await self._send(self._inner.send_str(data), len(data.encode()))

    async def _send(self, sending: Awaitable[object], size: int) -> None:
        try:
            await sending
        except Exception as error:
            if type(error).__name__ == CLOSED:
                self._observation.disconnected()
            raise
        self._observation.send_chunk(size)


def with_observers(application: Any, interface: Literal["wsgi", "asgi", "rsgi"], observers: Observers) -> Any:
    """Return an application that reports another application's exchanges to observers. For an ``App``, use ``observe``.

    During calls to that application, ``current_request`` returns a request without a body.
    """
    kinds = {"wsgi": WSGIWithObservers, "asgi": ASGIWithObservers, "rsgi": RSGIWithObservers}
    return kinds[interface](application, observers)


@contextmanager
def _observation(observers: Observers, head: Head) -> Iterator[Observation]:
    """Begin the exchange for a request without a body. It is the current request inside the block."""
    observation = Observation(observers)
    request = Request(head, b"")
    token = set_current_request(request)
    try:
        observation.begin(request)
        yield observation
    finally:
        reset_current_request(token)


class WSGIWithObservers:
    """An observed WSGI application."""

    def __init__(self, application: Any, observers: Observers) -> None:
        self._application = application
        self._observers = observers

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        with _observation(self._observers, WSGIHead(environ)) as observation:
            return observe_wsgi(self._application, environ, start_response, observation)


class ASGIWithObservers:
    """An observed ASGI application."""

    def __init__(self, application: Any, observers: Observers) -> None:
        self._application = application
        self._observers = observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        with _observation(self._observers, ASGIHead(scope, receive, send)) as observation:
            await observe_asgi(self._application, scope, receive, send, observation)


class RSGIWithObservers:
    """An observed RSGI application."""

    def __init__(self, application: Any, observers: Observers) -> None:
        self._application = application
        self._call = getattr(application, "__rsgi__", application)
        self._observers = observers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._application, name)  # such as __rsgi_init__

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        if scope.proto != "http":
            await self._call(scope, protocol)
            return
        with _observation(self._observers, RSGIHead(scope, protocol)) as observation:
            await observe_rsgi(self._call, scope, protocol, observation)
