"""The server's side of WSGI (PEP 3333): it makes an environ, calls the application and checks everything."""

import io
import sys
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import IO, Any, TypeAlias

from antiphon.adapters.servable import Servable
from antiphon.concurrency.bridge import chunks_come_apart
from antiphon.concurrency.loop import running_loop
from antiphon.explanations import explained
from antiphon.http.grammar import percent_decode
from antiphon.http.headers import HOP_BY_HOP, combine
from antiphon.http.link import Link
from antiphon.request.proxies import NAMES_ARE_EXACT
from antiphon.testing.errors import BrokenResponse, ContractError
from antiphon.testing.requests import ClientRequest
from antiphon.testing.servers.async_exchange import RequestBody
from antiphon.testing.servers.exchange import (
    SERVER_ERROR,
    SERVER_ERROR_BODY,
    Connection,
    Head,
    checked_head,
    checked_links,
    checked_status,
)
from antiphon.testing.servers.wsgi_runners import InlineRunner, Item, Items, Runner, ThreadRunner

FILE_BLOCK = 64 << 10


def make_environ(request: ClientRequest, connection: Connection) -> dict[str, Any]:
    """Return the environ of a server that runs requests on threads of one process.

    REQUEST_URI is the target as sent, as on several servers. Header names with an underscore are dropped, as by
    gunicorn and waitress, because WSGI can't distinguish them from names with a hyphen.
    """
    _, host, port = request.origin
    root = connection.root_path
    path = percent_decode(request.raw_path.encode()).decode("latin-1")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": root.encode().decode("latin-1"),
        "PATH_INFO": path.removeprefix(root.encode().decode("latin-1")),
        "QUERY_STRING": request.raw_query,
        "REQUEST_URI": request.target,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{request.http_version}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": Input(RequestBody(request)),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        NAMES_ARE_EXACT: True,
    }
    if connection.client is not None:
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = connection.client[0], str(connection.client[1])
    if "transfer-encoding" in request.headers or request.http_version == "2":
        environ["wsgi.input_terminated"] = True
    return environ | _variables(request)


def _variables(request: ClientRequest) -> dict[str, str]:
    """Return the header fields as variables; several lines of a field are joined."""
    lines: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        if "_" not in name:
            lines.setdefault(name, []).append(value)
    variables = {}
    for name, values in lines.items():
        variable = name.upper().replace("-", "_")
        if name not in ("content-type", "content-length"):
            variable = f"HTTP_{variable}"
        variables[variable] = combine(name, values)
    return variables


class Input:
    """A wsgi.input with exactly the four methods that PEP 3333 promises. It ends where the body ends."""

    __slots__ = ("_buffered", "read", "readline", "readlines")

    def __init__(self, body: RequestBody) -> None:
        self._buffered = io.BufferedReader(_RawBody(body))
        self.read = self._buffered.read
        self.readline = self._buffered.readline
        self.readlines = self._buffered.readlines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._buffered)


class _RawBody(io.RawIOBase):
    def __init__(self, body: RequestBody) -> None:
        self._body = body
        self._chunk = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._chunk or self._body.read()
        taken = chunk[: len(buffer)]
        buffer[: len(taken)] = taken
        self._chunk = chunk[len(taken) :]
        return len(taken)


class FileWrapper:
    """The wsgi.file_wrapper: a file as an iterable. A server sends as many bytes as Content-Length declares."""

    def __init__(self, file: IO[bytes], block_size: int = FILE_BLOCK) -> None:
        self._file = file
        self._block_size = block_size

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self._file.read(self._block_size), b"")

    def close(self) -> None:
        """Close the file, if it can be closed."""
        if (close := getattr(self._file, "close", None)) is not None:
            close()


ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]
Write: TypeAlias = Callable[[bytes], object]
StartResponse: TypeAlias = Callable[..., Write]
WSGIApplication: TypeAlias = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class WSGITransport:
    """A WSGI server that runs each request on its own thread, or on the calling thread.

    ``extra`` is added to each environ.
    """

    def __init__(
        self, application: WSGIApplication, connection: Connection, extra: Mapping[str, object], *, on_thread: bool
    ) -> None:
        self._application = application
        self._connection = connection
        self._extra = extra
        self._make_runner: Callable[[], Runner] = ThreadRunner if on_thread else InlineRunner

    def open(self, request: ClientRequest) -> "WSGIExchange":
        """Prepare to call the application with an environ for this request."""
        if isinstance(request.content, AsyncIterable):
            raise explained(
                "bad-test-request",
                "over WSGI, the chunks of a body must come from an iterable, not an async one",
                TypeError,
            )
        environ: dict[str, Any] = make_environ(self._connection.check(request), self._connection) | dict(self._extra)
        runner = self._make_runner()
        call = WSGICall(self._application, environ, runner.push)
        runner.start(call.items())
        return WSGIExchange(call, runner, raise_errors=self._connection.raise_errors)

    def open_socket(self, request: ClientRequest, _subprotocols: list[str]) -> "WSGIExchange":
        """Prepare to call the application with the environ of a handshake, which WSGI can't accept."""
        return self.open(request)

    async def startup(self) -> None:
        """Do nothing: WSGI has no lifespan."""

    async def shutdown(self) -> None:
        """Shut down an application of Antiphon, which otherwise waits for the exit: WSGI has no lifespan."""
        if isinstance(self._application, Servable):
            if running_loop() is None:
                self._application.stop()
            else:
                await self._application.astop()


class WSGIExchange:
    """A request, and the application, which runs only when its next item is requested."""

    def __init__(self, call: "WSGICall", runner: Runner, *, raise_errors: bool) -> None:
        self._call = call
        self._runner = runner
        self._raise_errors = raise_errors
        self._server_error: list[bytes] | None = None

    async def head(self) -> Head:
        """Wait for the response to start and return its head."""
        try:
            head = await self._runner.next()
        except Exception as error:
            self._check(error)
            self._server_error = [SERVER_ERROR_BODY]
            return SERVER_ERROR
        assert isinstance(head, Head)  # noqa: S101 - it comes first
        return head

    async def chunk(self) -> bytes | None:
        """Wait for the next chunk; None at the end."""
        if self._server_error is not None:
            return self._server_error.pop() if self._server_error else None
        try:
            chunk = await self._runner.next()
        except Exception as error:
            self._check(error)
            raise BrokenResponse(f"the application failed before its response was complete: {error!r}") from error
        self._check(None)
        assert not isinstance(chunk, Head)  # noqa: S101 - it came first
        return chunk

    async def close(self) -> None:
        """Close the body at any point."""
        try:
            await self._runner.close()
        except Exception as error:
            self._check(error)
        self._check(None)

    async def abort(self) -> None:
        """Close the body, if the application allows it."""
        await self._runner.abort()

    def where(self) -> str:
        """Return where the application is."""
        return self._runner.where()

    def _check(self, error: Exception | None) -> None:
        """Raise a breach of contract or, if the test wants errors, an error that escaped the application."""
        if self._call.fault is not None:
            raise self._call.fault
        if error is not None and self._raise_errors:
            raise error


class EarlyHints:
    """The function in an environ that sends early hints, like the one that Gunicorn provides. Hints after the head are
    dropped.
    """

    def __init__(self) -> None:
        self._links: list[Link] = []
        self._is_over = False

    def send(self, headers: Iterable[tuple[str, str]]) -> None:
        """Accept the links of early hints. Raises ContractError for malformed ones."""
        try:
            links = [link for name, value in headers if name.lower() == "link" for link in checked_links(value)]
        except ValueError as error:
            raise explained("application-breaks-contract", ContractError(str(error))) from error
        if not self._is_over:
            self._links += links

    def end(self) -> tuple[Link, ...]:
        """Stop accepting links and return all of them."""
        self._is_over = True
        return tuple(self._links)


class WSGICall:
    """A call to the application. ``items`` yields what the client receives; ``push`` gets the data for ``write``."""

    def __init__(self, application: WSGIApplication, environ: dict[str, Any], push: Callable[[Item], None]) -> None:
        self._application = application
        self._environ = environ
        self._hints = EarlyHints()
        if environ["SERVER_PROTOCOL"] != "HTTP/1.0":
            environ.setdefault("wsgi.early_hints", self._hints.send)
        self._push = push
        self._head: Head | None = None
        self._is_head_sent = False
        self.fault: ContractError | None = None

    def items(self) -> Items:
        """Yield the head, then the chunks of the body. Closing the generator closes the body.

        The head is sent with the first non-empty chunk, or at the end.
        """
        body: object = None
        try:
            apart = chunks_come_apart.set(True)
            try:
                body = self._application(self._environ, self.start_response)
            finally:
                chunks_come_apart.reset(apart)
            for chunk in self._chunks(body):
                if chunk:
                    yield from self._send_head()
                    yield chunk
            yield from self._send_head()
        finally:
            if (close := getattr(body, "close", None)) is not None:
                close()

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None) -> Write:
        """Accept one head, or a second head with ``exc_info``, which is raised if a head has already been sent."""
        if exc_info is not None:
            self._check(
                isinstance(exc_info, tuple) and len(exc_info) == 3,
                f"exc_info must be a tuple of three, not {exc_info!r}",
            )
            if self._is_head_sent:
                raise exc_info[1].with_traceback(exc_info[2])
        self._check(
            self._head is None or exc_info is not None, "start_response was called a second time without exc_info"
        )
        try:
            self._head = checked_head(_status(status), _fields(headers))
        except ValueError as error:
            raise self._breach(f"{error} (in start_response({status!r}, {headers!r:.300}))") from error
        return self.write

    def write(self, data: bytes) -> None:
        """Send a chunk immediately, with the head before the first chunk."""
        self._check(type(data) is bytes, f"write takes bytes, not {type(data).__name__}")
        for item in self._send_head() if data else ():
            self._push(item)
        if data:
            self._push(data)

    def _chunks(self, body: object) -> Iterator[bytes]:
        if isinstance(body, str | bytes) or not isinstance(body, Iterable):
            raise self._breach(f"the application must return an iterable of bytes, not {type(body).__name__}")
        limit = self._file_length(body)
        for chunk in body:
            self._check(type(chunk) is bytes, f"the chunks of the body must be bytes, not {type(chunk).__name__}")
            self._check(self._head is not None, "the body began before start_response was called")
            if limit is not None:
                chunk = chunk[:limit]  # noqa: PLW2901 - only as much as a server sends
                limit -= len(chunk)
            yield chunk

    def _file_length(self, body: Iterable[object]) -> int | None:
        """Return how many bytes of a wrapped file a server sends; None for any other body."""
        length = self._head.headers.get("content-length") if self._head else None
        return int(length) if length is not None and isinstance(body, FileWrapper) else None

    def _send_head(self) -> Iterator[Head]:
        """Yield the head, unless it has already been sent."""
        if not self._is_head_sent:
            if self._head is None:
                raise self._breach("the application ended without calling start_response")
            self._is_head_sent = True
            yield self._head._replace(early_hints=self._hints.end())

    def _check(self, condition: bool, complaint: str) -> None:
        if not condition:
            raise self._breach(complaint)

    def _breach(self, complaint: str) -> ContractError:
        error = explained("application-breaks-contract", ContractError(complaint))
        self.fault = self.fault or error
        return error


def _status(status: object) -> int:
    """Return the code of a status such as "200 OK"."""
    if type(status) is not str:
        raise ValueError(f"the status must be a str, not {type(status).__name__}")
    code, space, phrase = status.partition(" ")
    if not (code.isascii() and code.isdigit() and len(code) == 3 and space and phrase.strip() == phrase != ""):
        raise ValueError('the status must be a code, a space and a phrase, such as "200 OK"')
    if not (phrase.isprintable() and max(phrase, default="") <= "\xff"):
        raise ValueError("the status contains a character that can't be sent")
    return checked_status(int(code))


def _fields(headers: object) -> Iterator[tuple[str, str]]:
    if type(headers) is not list:
        raise ValueError(f"the headers must be a list, not {type(headers).__name__}")
    for field in headers:
        match field:
            case (str(name), str(value)) if type(field) is tuple and type(name) is type(value) is str:
                if name.lower() in HOP_BY_HOP:
                    raise ValueError(f"only servers can set {name}, not applications")
                yield name, value
            case _:
                raise ValueError(f"a header must be a tuple of two str, not {field!r}")
