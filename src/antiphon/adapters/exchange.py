"""Exchanges (requests with their responses, as a server sees them) and the observers of exchanges."""

# ruff: noqa: SLF001 - an observation writes what its exchange shows to observers

from collections.abc import Awaitable, Callable, Iterable
from copy import copy
from time import perf_counter
from typing import NamedTuple, TypeAlias

from antiphon.concurrency.process import WaitOutcome
from antiphon.handler.contract import Handler, Steps
from antiphon.handler.failures import log_failure
from antiphon.http.errors import ClientDisconnected, InternalServerError
from antiphon.request.request import Request
from antiphon.request.route import whole_pattern
from antiphon.request.watching import unwatched
from antiphon.response.files import is_for_any_thread
from antiphon.response.message import Message
from antiphon.response.response import Response, seen

Fields: TypeAlias = Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]

_SWITCHED = 101
_LENGTH = ("content-length", b"content-length")


class Observer:
    """An object that sees every exchange, for logs, traces and metrics: ``app.observe(observer)``.

    Override the methods that you need. They are called on the thread or event loop where the server calls the
    application, so they must not block. An error in one of them is logged, and the request is still handled.
    """

    def begin(self, exchange: "Exchange") -> None:
        """Called when a request has arrived.

        Context variables that you set here are set in all code that handles the request.
        """

    def stream(self, exchange: "Exchange") -> None:
        """Called before the response begins if it is a stream or a WebSocket. Files aren't streams."""

    def sent(self, exchange: "Exchange") -> None:
        """Called when the response, including a whole stream, has been sent or cut off."""

    def end(self, exchange: "Exchange") -> None:
        """Called when nothing is running for the request any more, not even ``request.after_response`` functions.

        On an event loop, the context is that of ``begin``; over WSGI, that context no longer exists.
        """

    def waited(self, outcome: WaitOutcome, seconds: float) -> None:
        """Called when a request has waited for its turn in this process, which is overloaded: it begins, is refused, or
        its client has left.
        """


class Observers:
    """The observers of an application and the methods that they override."""

    def __init__(self, *observers: Observer) -> None:
        self.all: list[Observer] = []
        self.begin: list[Callable[[Exchange], None]] = []
        self.stream: list[Callable[[Exchange], None]] = []
        self.sent: list[Callable[[Exchange], None]] = []
        self.end: list[Callable[[Exchange], None]] = []
        self.waited: list[Callable[[WaitOutcome, float], None]] = []
        for observer in observers:
            self.add(observer)

    def add(self, observer: Observer) -> None:
        """Add an observer, which is called after earlier ones, unless it is already one of them."""
        if observer in self.all:
            return
        self.all.append(observer)
        for name in ("begin", "stream", "sent", "end", "waited"):
            if getattr(type(observer), name) is not getattr(Observer, name):
                getattr(self, name).append(getattr(observer, name))


class SocketUse(NamedTuple):
    """How a WebSocket was used: the numbers of messages ``received`` and ``sent``, and the final ``close_code``."""

    received: int
    sent: int
    close_code: int


class Exchange:
    """A request and its response, as the server sees them. Observers can't change them."""

    __slots__ = (
        "__weakref__",
        "_error",
        "_fields",
        "_is_disconnected",
        "_is_sent",
        "_method",
        "_path",
        "_request",
        "_response",
        "_seconds",
        "_size",
        "_status",
    )

    _request: Request
    _error: BaseException | None

    def __init__(self) -> None:
        self._method = self._path = ""
        self._response: Response | Message | None = None  # a message until somebody asks for the response
        self._status = self._size = 0
        self._fields: Fields = ()
        self._seconds = 0.0
        self._error = None
        self._is_disconnected = self._is_sent = False

    @property
    def request(self) -> Request:
        """The request."""
        return self._request

    @property
    def method(self) -> str:
        """The request's method as received."""
        return self._method

    @property
    def path(self) -> str:
        """The request's path as received: decoded, with the root path."""
        return self._path

    @property
    def response(self) -> Response | None:
        """The application's response; None before there is one, and for another framework's application."""
        self._response = self._response and seen(self._response)  # type: ignore[assignment]  # not awaited
        return self._response  # type: ignore[return-value]  # not a message any more

    @property
    def status(self) -> int:
        """The status that was sent, or would have been sent if the client had not disconnected first."""
        if self._status:
            return self._status
        if (response := self.response) is not None:
            return response.status
        return ClientDisconnected.status if self._is_disconnected else InternalServerError.status

    @property
    def body_size(self) -> int:
        """The number of bytes of the response's body or messages that the server has accepted; 0 for HEAD."""
        return 0 if self._method == "HEAD" else self._size

    @property
    def received_size(self) -> int:
        """The number of bytes received of the request's body, before decoding; 0 for another framework's request."""
        content = self._request._content
        if content is None:
            return 0
        return len(content) if isinstance(content, bytes) else content.received

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The header fields that were sent, as lowercase names and values; empty before they are sent."""
        return [(_text(name).lower(), _text(value)) for name, value in self._fields]

    @property
    def seconds(self) -> float:
        """The seconds from the request's head to the last byte of the response or its last message; 0 before that."""
        return self._seconds

    @property
    def error(self) -> BaseException | None:
        """The error that caused the response or cut it off; None if all went well."""
        response = self.response
        return response.error if self._error is None and response is not None else self._error

    @property
    def is_broken(self) -> bool:
        """True if an error cut the response short."""
        error = self._error
        return error is not None and (self.response is None or self.response.error is not error)

    @property
    def is_disconnected(self) -> bool:
        """True if the server reported that the client disconnected before the last byte was sent."""
        return self._is_disconnected

    @property
    def measures(self) -> tuple[tuple[str, str, int], float, int, int, bool]:
        """The method, route and status, the seconds, the sizes of both bodies, and True if the response wasn't
        completed.

        Reading these together is faster than reading them one by one.
        """
        request, method, content = self._request, self._method, self._request._content
        below = request._pattern_below
        return (
            (method, "" if below is None else request.route.pattern + below, self._status or self.status),
            self._seconds,
            0 if content is None else len(content) if type(content) is bytes else self.received_size,
            0 if method == "HEAD" else self._size,
            self._is_disconnected or (self._error is not None and self.is_broken),
        )

    @property
    def socket(self) -> SocketUse | None:
        """The message counts and close code of a WebSocket, once it is closed; None for all other requests."""
        connection = getattr(self._response, "connection", None) if self._status == _SWITCHED else None
        if connection is None or connection.closed is None:
            return None
        return SocketUse(connection.received, connection.sent, connection.closed.code)

    @property
    def route(self) -> str:
        """The pattern of the matched route, including mounts: ``/shop/items/<int:id>``. Empty if none matched."""
        return whole_pattern(self._request)


class Observation:
    """The observation of an exchange.

    It is separate because observers may keep the exchange, which refers to its error, whose traceback refers to the
    frames of adapters. Those frames refer only to the observation, which releases the exchange at its end, so no part
    of a request has to wait for the garbage collector.
    """

    __slots__ = ("_began", "_inner", "_last", "_observers", "exchange")

    def __init__(self, observers: Observers) -> None:
        self._observers = observers
        self.exchange = Exchange()
        self._inner: list[tuple[Exchange, Observers]] = []
        """The exchanges as the observers of mounted applications see them, each with its own request."""
        self._last = 0.0
        self._began = perf_counter()

    @property
    def seconds(self) -> float:
        """The seconds since the request's head."""
        return perf_counter() - self._began

    def begin(self, request: Request) -> None:
        """Tell the observers about the request. Called in its context."""
        exchange, head = self.exchange, request.head
        exchange._request = request
        exchange._method = head.method
        exchange._path = head.root_path + head.path
        request._observation = self
        if self._observers.begin:
            with unwatched(request):
                self._tell(self._observers.begin, exchange)

    def enter(self, request: Request, observers: Observers) -> None:
        """Also tell the observers of a mounted application, which handles the given request."""
        # A copy, because its observers see another request, with its own route.
        exchange = copy(self.exchange)
        exchange._request = request
        self._inner.append((exchange, observers))
        with unwatched(request):
            self._tell(observers.begin, exchange)

    def respond(self, response: Response) -> Response:
        """Record the application's response and return it."""
        self.exchange._response = response
        if (self._observers.stream or self._inner) and _is_stream(response):
            with unwatched(self.exchange.request):
                self._tell(self._observers.stream, self.exchange)
                for exchange, observers in self._inner:
                    self._tell(observers.stream, _as_in(exchange, self.exchange))
        return response

    def send_head(self, status: int, fields: Fields) -> None:
        """Record the head of the response."""
        exchange = self.exchange
        exchange._status, exchange._fields = status, fields

    def send_chunk(self, size: int) -> None:
        """Record that the server has accepted some bytes of the body."""
        self.exchange._size += size
        self._last = perf_counter()

    def send_whole(self, size: int) -> None:
        """Record that the server has accepted the whole body at once."""
        self.exchange._size = size
        self.sent()

    def send_file(self) -> None:
        """Record that the server itself sends the body. The head declares its length."""
        exchange = self.exchange
        exchange._size = next((int(value) for name, value in exchange._fields if name.lower() in _LENGTH), 0)

    def sent(self, *, at_last_chunk: bool = False) -> None:
        """Tell the observers that everything was sent, or that nothing more will be sent."""
        exchange = self.exchange
        if not exchange._is_sent:
            exchange._is_sent = True
            response, error = exchange._response, exchange._error
            if error is None and isinstance(response, Response):
                error = response.error
            if error is not None and isinstance(error, ClientDisconnected):
                exchange._is_disconnected = True
                exchange._status = error.status  # a client that is still there got a 400
            # Over RSGI nothing tells the end of a stream, so the time of its last chunk counts.
            exchange._seconds = ((at_last_chunk and self._last) or perf_counter()) - self._began
            self._tell(self._observers.sent, exchange)
            for inner, observers in self._inner:
                self._tell(observers.sent, _as_in(inner, exchange))

    def disconnected(self) -> None:
        """Record that the client has disconnected, unless everything was already sent."""
        exchange = self.exchange
        exchange._is_disconnected = exchange._is_disconnected or not exchange._is_sent

    def fail(self, error: BaseException) -> None:
        """Record the error that cuts the response off, unless everything was already sent."""
        if not self.exchange._is_sent:
            self.exchange._error = error

    def end(self) -> None:
        """Tell the observers that nothing is running for the request any longer. Later events are not recorded."""
        if not self.exchange._is_sent:
            self.sent()
        if self._observers.end:
            self._tell(self._observers.end, self.exchange)
        for exchange, observers in self._inner:
            self._tell(observers.end, _as_in(exchange, self.exchange))
        # Frames of the exchange's error may still refer to this object, but no longer to the exchange.
        self.exchange, self._observers, self._inner = _OVER, _NO_OBSERVERS, []

    def _tell(self, methods: list[Callable[[Exchange], None]], exchange: Exchange) -> None:
        for method in methods:
            try:
                method(exchange)
            except Exception as error:
                name = getattr(method, "__qualname__", method)
                log_failure(exchange.request, error, f": {name}", fault="got its response, but an observer failed")


def _as_in(inner: Exchange, outer: Exchange) -> Exchange:
    """Return a mounted application's exchange, with its own request and everything that the outer one knows by now."""
    request = inner._request
    # Without the first one, ``__weakref__``.
    for name in Exchange.__slots__[1:]:
        setattr(inner, name, getattr(outer, name))
    inner._request = request
    return inner


def _text(part: str | bytes) -> str:
    return part if isinstance(part, str) else part.decode("latin-1")


def _is_stream(response: Response) -> bool:
    body = response.body
    return not isinstance(body, bytes) and not is_for_any_thread(body)


_OVER = Exchange()
_OVER._is_sent = True
_NO_OBSERVERS = Observers()


class ObservedHandler(Observation):
    """A handler for one request, and the observation of the request and its response."""

    __slots__ = ("_handler", "unfinished")

    def __init__(self, handler: Handler, observers: Observers) -> None:
        self._observers = observers  # as in the class above, but without a call
        self.exchange = Exchange()
        self._inner = []
        self._last = 0.0
        self.unfinished = handler.unfinished
        self._handler = handler
        self._began = perf_counter()

    async def _handle(self, request: Request) -> Response:
        """Handle a request."""
        self.begin(request)
        return self.respond(await self._handler._handle(request))

    def _respond_on_thread(self, request: Request) -> Response | Message | Steps[Response]:
        """Handle a request on a server's thread."""
        self.begin(request)
        return self._note_response(self._handler._respond_on_thread(request))

    def _respond_on_loop(self, request: Request) -> Response | Message | Awaitable[Response]:
        """Handle a request on a server's loop."""
        self.begin(request)
        return self._note_response(self._handler._respond_on_loop(request))

    def _respond_to_handshake(self, request: Request) -> Response | Awaitable[Response]:
        """Handle the handshake of a WebSocket."""
        self.begin(request)
        return self._note_response(self._handler._respond_to_handshake(request))  # type: ignore[return-value]  # no message

    def _note_response(self, result: Response | Message | Awaitable[Response]) -> Response | Message | Steps[Response]:
        # Not in the methods above: a response's error refers to their frames, and these would refer to the response.
        if type(result) is tuple:
            self.exchange._response = result
            return result
        return self.respond(result) if isinstance(result, Response) else self._note_later(result)  # type: ignore[arg-type]

    async def _note_later(self, result: Awaitable[Response]) -> Response:
        return self.respond(await result)
