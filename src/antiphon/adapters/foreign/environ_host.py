"""Applications with WSGI as their own interface, served over every interface: their environ, body, thread and response.

This module protects all of them: a slow client doesn't occupy a thread, and a body is freed when its request ends.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from io import BufferedReader, BytesIO, RawIOBase
from typing import TYPE_CHECKING, Any, Literal

from antiphon.adapters.foreign import tell_around
from antiphon.adapters.foreign.wsgi import WSGICall, close, from_wsgi, head_environ, make_environ
from antiphon.adapters.heads import HeadChecks
from antiphon.adapters.servable import Servable
from antiphon.adapters.wsgi import WSGIHead
from antiphon.body.content import NotLoadedError
from antiphon.body.receiver import SMALL_BODY, body_too_large, readable_length
from antiphon.body.stream import BodyStream
from antiphon.explanations import explained
from antiphon.handler.contract import BEGIN_ON_THREAD
from antiphon.handler.failures import failed
from antiphon.handler.scope import release, reset_current_request, set_current_request
from antiphon.http.errors import HTTPError
from antiphon.http.limits import UNBOUNDED, Limits
from antiphon.http.urls.path import check_path, query_too_long
from antiphon.request.request import Request
from antiphon.request.watching import unwatched
from antiphon.response.response import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Host(Servable):
    """Another framework's application. A subclass handles its requests in ``respond_to_request``.

    Before that, the host makes the request the current one, checks it and receives it, so slow clients don't occupy
    threads. An error is logged and becomes a response, and the body's resources are freed at the end. If a body is too
    large, too slow or cut off, the response has that error's status. A request with more than one Host, no Host or a
    malformed Host gets a 400.
    """

    request_limits = Limits()
    """The limits of requests; a subclass may have different ones."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Check that no class of another package overrides a method reserved for hosts. Raises TypeError."""
        super().__init_subclass__(**options)
        # Dialects are in the package, and override what they need to.
        if cls.__module__.partition(".")[0] != "antiphon":
            _check_own_names(cls)

    def __init__(self) -> None:
        super().__init__()
        self.head_checks = HeadChecks(self.request_limits)
        """The checks of each request's head. For dialects that handle requests in ``_handle`` themselves."""

    async def respond_to_request(self, request: Request) -> Response:
        """Handle a request. ``await ON_THREAD`` comes before code that may block, and ``await ON_LOOP`` before anything
        else is awaited. If an overloaded worker may still refuse the request, it is ``await BEGIN_ON_THREAD``, which
        may raise NotBegun. An HTTPError becomes a response with its status, any other error a 500.

        Raises NotImplementedError unless a subclass defines it.
        """
        raise NotImplementedError

    async def receive_body(self, request: Request) -> None:
        """Receive a request's whole body, if any, within its limits, before the request is handled.

        Raises the same errors as ``Request.load``.
        """
        await request.content.load(request.limits)

    def check_head(self, request: Request) -> None:
        """Check the head of a request.

        Raises BadRequest unless there is exactly one Host, and it and the path are well-formed. Raises URITooLong for a
        query that is too long, and RequestHeaderFieldsTooLarge for header fields that are too large.
        """
        check_path(request.head.path)
        self._check_host_and_sizes(request)

    def _check_host_and_sizes(self, request: Request) -> None:
        request.limits = limits = self.request_limits
        if error := self.head_checks.head_error(request.head):
            raise error
        if (size := len(request.head.query_string)) > limits.query:
            raise query_too_long(size, limits.query)

    async def _handle(self, request: Request) -> Response:
        """Handle a request and free its body."""
        if request._outer_request is None:  # otherwise that one stays current, as around any WSGI application
            set_current_request(request)
        try:
            self.check_head(request)
            if request.head.has_body:
                await self.receive_body(request)
            response = await self.respond_to_request(request)
        except BaseException as error:
            # The error leaves this method: nothing else frees the body.
            if not self._is_handled(error):
                request.content.close()
                raise
            response = failed(request, error)
        if request.head.has_body:
            release(request, response)
        return response

    def _is_handled(self, error: BaseException) -> bool:
        return isinstance(error, HTTPError) or (isinstance(error, Exception) and not self.propagates_errors)

    @property
    def propagates_errors(self) -> bool:
        """False: an error that the application raises is logged and becomes a 500."""
        return False

    def _measure_header_sections(self) -> None:
        """Refuse header sections above the limit from now on."""
        self.head_checks.look_at_heads()


def _check_own_names(kind: type[Host]) -> None:
    for base in kind.__mro__[1:]:
        if base.__module__.partition(".")[0] != "antiphon":
            continue
        for name in vars(kind).keys() & vars(base).keys():
            if name[0] == "_" and name[:2] != "__":
                raise explained(
                    "reserved-name",
                    f"{kind.__qualname__} defines {name}, which {base.__name__} reserves: rename it",
                    TypeError,
                )


CHUNK = 64 << 10
"""The number of bytes to read at once."""


class ReceivedInput(RawIOBase):
    """The ``wsgi.input`` of a request over ASGI or RSGI: received on a thread while it is read, and not stored.

    It puts itself into the environ. It is used if the server needs bodies to be received. If the body was loaded
    through the request, for instance with ``request.form``, it reads the same bytes from the start.
    """

    AT_END = "antiphon.at_end"
    """The environ key for a list of functions that hosts call when the request has ended."""

    def __init__(self, request: Request, environ: "WSGIEnvironment") -> None:
        self.content = content = request.content
        self.limits = request.limits
        """The limits on the received data."""
        self.environ = environ
        self.failure = content.failure
        """The error with which receiving ended before the application read anything."""
        self._rest = b""
        self._stream = BodyStream(content, self)
        self._position = 0
        content.is_kept = False
        if content.loop is None and not request.head.blocks:
            from asyncio import get_running_loop

            content.loop = get_running_loop()
        environ["wsgi.input"] = BufferedReader(self, CHUNK)
        environ["wsgi.input_terminated"] = True
        # Decoded by the server: the application must not decode it again.
        environ.pop("HTTP_TRANSFER_ENCODING", None)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Receive the next bytes into a buffer and return how many. Raises the same errors as ``receive``."""
        if not self._rest:
            self._rest = self.receive()
        size = min(len(buffer), len(self._rest))
        # A chunk may be larger than the buffer: the rest is for the next read.
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def receive(self) -> bytes:
        """Receive the next chunk, or b"" at the end. Dialects override this to raise their own errors."""
        if self.failure is not None:
            raise self.failure
        chunk = self._stream.chunk_at(self._position)
        self._position += len(chunk)
        return chunk

    def _not_loaded(self) -> Exception:
        return NotLoadedError()


class EnvironHost(Host):
    """An application whose own interface is WSGI. A subclass calls it in ``respond_to_environ``, on a thread.

    Over ASGI and RSGI, a small body is received before a thread is taken. A larger body is received while the
    application reads it; only some of the threads may wait for such bodies, so that others stay available.
    """

    input_class: type[ReceivedInput] = ReceivedInput
    """The class of ``wsgi.input`` for a body that is received while it is read."""

    def __init__(self) -> None:
        super().__init__()
        self._set_started(True)  # nothing has to be started
        self._measure_header_sections()  # nothing tells in advance whether the server does

    def respond_to_environ(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a request over WSGI. Raises NotImplementedError unless a subclass defines it."""
        raise NotImplementedError

    async def respond_to_request(self, request: Request) -> Response:
        """Handle a native request with its environ."""
        with unwatched(request):  # the program says itself what its responses depend on, as under its original
            environ, body = self._environ(request)
        at_end: list[Callable[[], object]] = []
        environ[ReceivedInput.AT_END] = at_end
        try:
            response = await self.respond_by_environ(request, environ, body)
        except BaseException:
            _call_all(at_end)
            raise
        if at_end and (response.is_streamed or request._deferred):
            request.after_response(partial(_call_all, at_end))
        else:
            _call_all(at_end)
        return response

    async def respond_by_environ(
        self,
        request: Request,
        environ: "WSGIEnvironment",
        body: ReceivedInput | None,  # noqa: ARG002 - subclasses use it
    ) -> Response:
        """Handle a native request with its environ. ``body`` is a body that is received while it is read.

        If the body is cut off, reading it raises OSError, as PEP 3333 allows. If the application doesn't catch that,
        the client gets the reason.
        """
        await BEGIN_ON_THREAD
        try:
            return from_wsgi(self.respond_to_environ, lambda _: environ)(request)
        except OSError as error:
            failure = error.__cause__
            if not isinstance(failure, HTTPError):
                raise
        raise failure  # here, so that it doesn't refer to the other error and the application's frames

    def exchange(self, request: Request) -> tuple[str, list[tuple[str, str]], bytes]:
        """Handle a request on this thread and return the status line, the header fields and the body.

        This is for test clients, such as a framework's own, that send requests to an application in the same process.
        You can make the request with ``Request.blank``. The application's errors are raised, and its functions under
        ``ReceivedInput.AT_END`` are called.
        """
        at_end: list[Callable[[], object]] = []
        token = set_current_request(request)
        try:
            self.check_head(request)
            environ = make_environ(request)
            environ[ReceivedInput.AT_END] = at_end
            call = WSGICall()
            chunks = self.respond_to_environ(environ, call.start_response)
            try:
                return call.whole(chunks)
            finally:
                close(chunks)
        finally:
            _call_all(at_end)
            reset_current_request(token)

    def check_head(self, request: Request) -> None:
        """Check the head of a request as ``Host`` does. The path may be empty, as PEP 3333 allows."""
        if path := request.head.path:
            check_path(path)
        self._check_host_and_sizes(request)

    def refuse_environ(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes] | None:
        """Handle a WSGI server's request if its head is refused, otherwise return None.

        A subclass whose ``__call__`` handles calls from WSGI servers itself must call this first.
        """
        if (
            environ.get("HTTP_HOST") in self.head_checks.known_hosts
            and len(environ.get("QUERY_STRING", "")) <= self.request_limits.query
            and (environ.get("REQUEST_URI") or environ.get("RAW_URI") or "/")[0] == "/"
        ):
            return None
        request = Request(WSGIHead(environ))
        try:
            self.check_head(request)
        except HTTPError as error:
            return failed(request, error)(environ, start_response)
        return None

    async def receive_body(self, request: Request) -> None:
        """Receive a small body without decoding it, because the environ contains its coding and length.

        If receiving fails, reading the body raises the error. Raises ContentTooLarge for a declared length above the
        limit.
        """
        head, limits = request.head, request.limits
        if (readable_length(head) or 0) > limits.body:
            raise body_too_large(limits)
        if head.field("content-encoding"):
            request.content.leave_coded()
        with suppress(HTTPError, OSError):
            reading = request._read_small_body(limits)
            is_read = reading if isinstance(reading, bool) else await reading
            if not is_read and request.content.failure is None and request.content.is_small(SMALL_BODY):
                await request.content.load(limits)

    def _environ(self, request: Request) -> "tuple[WSGIEnvironment, ReceivedInput | None]":
        """Return the environ of a request, and its body if it has not arrived yet."""
        if request.content.is_complete:
            return make_environ(request), None
        environ = head_environ(request.head)
        tell_around(request, environ)
        if not request.head.has_body:
            environ["wsgi.input"] = BytesIO()
            return environ, None
        _leave_threads_to_others(request)
        return environ, self.input_class(request, environ)

    @property
    def interface(self) -> Literal["wsgi", "asgi"]:
        """WSGI, because everything in the application blocks."""
        return "wsgi"


def _leave_threads_to_others(request: Request) -> None:
    """Make a request wait for its thread, on the loop, until few enough other threads are waiting for bodies."""
    content = request.content
    if not request.head.blocks and content.when_not_waited_for is None:
        from antiphon.concurrency.crossing import wait_to_receive

        content.when_not_waited_for = wait_to_receive()


def _call_all(functions: list[Callable[[], object]]) -> None:
    while functions:  # they may refer to the environ, which refers to them
        functions.pop()()


class BridgedApplication(EnvironHost):
    """A plain WSGI application, served over ASGI and RSGI. It limits its bodies itself."""

    request_limits = UNBOUNDED

    def __init__(self, application: "WSGIApplication") -> None:
        super().__init__()
        self.input_class = _PlainInput
        self.application = application

    def respond_to_environ(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a request over WSGI."""
        return self.application(environ, start_response)


class _PlainInput(ReceivedInput):
    """The ``wsgi.input`` for an application that relies only on PEP 3333 and limits its own reads to Content-Length."""

    def __init__(self, request: Request, environ: "WSGIEnvironment") -> None:
        super().__init__(request, environ)
        if environ.get("CONTENT_LENGTH"):
            del environ["wsgi.input_terminated"]

    def receive(self) -> bytes:
        """Receive the next chunk. Raises OSError for a body that is cut off."""
        try:
            return super().receive()
        except HTTPError as error:
            raise ConnectionAbortedError(str(error)) from error
