"""Exchanges: a request and its response as a server sees them, and the observers that are told of each."""

from collections.abc import Awaitable, Callable, Iterable
from time import perf_counter
from typing import NamedTuple, TypeAlias

from antiphon.handler.contract import Handler, Steps, log_failure
from antiphon.http.errors import ClientDisconnected, InternalServerError
from antiphon.request.request import Request
from antiphon.request.route import whole_pattern
from antiphon.response.response import Response

Fields: TypeAlias = Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]

_SWITCHED = 101
_LENGTH = ("content-length", b"content-length")


class Observer:
    """An object that is told of each exchange, for logs, traces and metrics: ``app.observe(observer)``.

    Override the methods that you need. They are called where the server calls the application, on its thread or its
    event loop, so none may block. An error in one of them is logged, and the request is answered all the same.
    """

    def begin(self, exchange: "Exchange") -> None:
        """Note that a request has come. Context variables that are set here are set in all that answers it."""

    def sent(self, exchange: "Exchange") -> None:
        """Note that the response was sent, its stream to the end, or that it was broken off."""

    def end(self, exchange: "Exchange") -> None:
        """Note that nothing runs for the request any more: what ``request.after_response`` was given has been called.

        On an event loop the context is that of ``begin``; over WSGI that context is gone, with what was set in it.
        """


class Observers:
    """The observers of an application, and those of their methods that do something."""

    def __init__(self, *observers: Observer) -> None:
        self.all: list[Observer] = []
        self.begin: list[Callable[[Exchange], None]] = []
        self.sent: list[Callable[[Exchange], None]] = []
        self.end: list[Callable[[Exchange], None]] = []
        for observer in observers:
            self.add(observer)

    def add(self, observer: Observer) -> None:
        """Add an observer, which is told after those before it."""
        self.all.append(observer)
        for name in ("begin", "sent", "end"):
            if getattr(type(observer), name) is not getattr(Observer, name):
                getattr(self, name).append(getattr(observer, name))


class _Seen:
    """The facts of one exchange so far: an ``Observation`` notes them, an ``Exchange`` tells them."""

    request: Request
    method = ""
    path = ""
    response: Response | None = None
    status = 0
    fields: Fields = ()
    size = 0
    seconds = 0.0
    error: BaseException | None = None
    is_disconnected = False
    is_sent = False


class SocketUse(NamedTuple):
    """The use of a WebSocket: messages that were ``received`` and ``sent``, and the ``close_code`` of its end."""

    received: int
    sent: int
    close_code: int


class Exchange:
    """A request and its response, as the server sees them. Observers can't change it."""

    __slots__ = ("__weakref__", "_seen")

    def __init__(self, seen: _Seen) -> None:
        self._seen = seen

    @property
    def request(self) -> Request:
        """The request."""
        return self._seen.request

    @property
    def method(self) -> str:
        """The request's method as it came."""
        return self._seen.method

    @property
    def path(self) -> str:
        """The request's path as it came: decoded, with the root path."""
        return self._seen.path

    @property
    def response(self) -> Response | None:
        """The response that the application gave; None before that, and if the application is not Antiphon's."""
        return self._seen.response

    @property
    def status(self) -> int:
        """The status that was sent, or would have been if the client had not disconnected before."""
        seen = self._seen
        if seen.status:
            return seen.status
        if seen.response is not None:
            return seen.response.status
        return ClientDisconnected.status if seen.is_disconnected else InternalServerError.status

    @property
    def body_size(self) -> int:
        """Bytes of the response's body, or of the messages, that the server has taken; 0 for HEAD."""
        return 0 if self._seen.method == "HEAD" else self._seen.size

    @property
    def seconds(self) -> float:
        """The seconds from the request's head to the last byte of the response, or the last message; 0 before that."""
        return self._seen.seconds

    @property
    def error(self) -> BaseException | None:
        """The error that broke the response off, or that it answers; None if all went well."""
        seen = self._seen
        if seen.error is None and seen.response is not None:
            return seen.response.error
        return seen.error

    @property
    def is_disconnected(self) -> bool:
        """True if the client disconnected before the last byte was sent, as far as the server tells."""
        return self._seen.is_disconnected

    @property
    def socket(self) -> SocketUse | None:
        """The messages and the end of a WebSocket, when that has ended; None for all other requests."""
        connection = getattr(self._seen.response, "connection", None) if self._seen.status == _SWITCHED else None
        if connection is None or connection.closed is None:
            return None
        return SocketUse(connection.received, connection.sent, connection.closed.code)

    @property
    def route(self) -> str:
        """The pattern of the route that answered, through mounts: ``/shop/items/<int:id>``. Empty if none did."""
        return whole_pattern(self._seen.request)


class Observation:
    """The observation of one exchange, which is let go when it has ended.

    An exchange keeps an error, and the error's traceback the frames of adapters. So these keep an observation: nothing
    of a request has to wait for the garbage collector.
    """

    __slots__ = ("_began", "_last", "_observers", "_seen", "exchange")

    def __init__(self, observers: Observers) -> None:
        self._observers = observers
        self._seen = _Seen()
        self.exchange = Exchange(self._seen)
        self._last = 0.0
        self._began = perf_counter()

    def begin(self, request: Request) -> None:
        """Tell the observers of the request. Called in its context."""
        seen, head = self._seen, request.head
        seen.request, seen.method, seen.path = request, head.method, head.root_path + head.path
        self._tell(self._observers.begin)

    def respond(self, response: Response) -> None:
        """Note the response that the application gives."""
        self._seen.response = response

    def send_head(self, status: int, fields: Fields) -> None:
        """Note the head of the response."""
        self._seen.status, self._seen.fields = status, fields

    def send_chunk(self, size: int) -> None:
        """Note that the server has taken some bytes of the body."""
        self._seen.size += size
        self._last = perf_counter()

    def send_file(self) -> None:
        """Note that the server sends the body by itself, as long as the head declares it."""
        self._seen.size = next((int(value) for name, value in self._seen.fields if name.lower() in _LENGTH), 0)

    def sent(self, *, at_last_chunk: bool = False) -> None:
        """Tell the observers that all was sent, or no more will be."""
        seen = self._seen
        if not seen.is_sent:
            seen.is_sent = True
            seen.is_disconnected = seen.is_disconnected or isinstance(self.exchange.error, ClientDisconnected)
            seen.seconds = ((at_last_chunk and self._last) or perf_counter()) - self._began
            self._tell(self._observers.sent)

    def disconnected(self) -> None:
        """Note that the client has disconnected, unless all was sent before."""
        self._seen.is_disconnected = self._seen.is_disconnected or not self._seen.is_sent

    def fail(self, error: BaseException) -> None:
        """Note the error that breaks the response off, unless all was sent before."""
        if not self._seen.is_sent:
            self._seen.error = error

    def end(self) -> None:
        """Tell the observers that nothing runs for the request any more. What comes later is not noted."""
        self.sent()
        self._tell(self._observers.end)
        self._seen, self.exchange, self._observers = _OVER, Exchange(_OVER), _NO_OBSERVERS

    def _tell(self, methods: list[Callable[[Exchange], None]]) -> None:
        for method in methods:
            try:
                method(self.exchange)
            except Exception as error:
                name = getattr(method, "__qualname__", method)
                log_failure(self._seen.request, error, f": {name}", fault="was answered, but an observer failed")


_OVER = _Seen()
_OVER.is_sent = True
_NO_OBSERVERS = Observers()


class ObservedHandler:
    """A handler of one request, and the observation of that request and its response."""

    __slots__ = ("_handler", "_observation", "_unfinished")

    def __init__(self, handler: Handler, observation: Observation) -> None:
        self._unfinished = handler._unfinished
        self._handler = handler
        self._observation = observation

    async def _handle(self, request: Request) -> Response:
        """Answer a request, in steps."""
        self._observation.begin(request)
        return self._note(await self._handler._handle(request))

    def _answer_on_thread(self, request: Request) -> Steps[Response]:
        """Answer a request, in steps."""
        return self._handle(request)

    def _answer_on_loop(self, request: Request) -> Awaitable[Response]:
        """Answer a request, awaited on an event loop."""
        return self._answer(request)

    async def _answer_handshake(self, request: Request) -> Response:
        """Answer the handshake of a WebSocket."""
        self._observation.begin(request)
        answer = self._handler._answer_handshake(request)
        return self._note(answer if isinstance(answer, Response) else await answer)

    async def _answer(self, request: Request) -> Response:
        """Answer a request, awaited on an event loop."""
        self._observation.begin(request)
        answer = self._handler._answer_on_loop(request)
        return self._note(answer if isinstance(answer, Response) else await answer)

    def _note(self, response: Response) -> Response:
        self._observation.respond(response)
        return response
