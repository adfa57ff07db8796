"""WSGI (PEP 3333): read an environ as a head, and handle a server's request with a handler."""

from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from contextvars import Context, copy_context
from errno import ECONNRESET
from functools import partial
from typing import TYPE_CHECKING
from weakref import ref

from antiphon.adapters.file_wrapper import wrap_file
from antiphon.adapters.heads import LENGTHS, HeadMembers, address, call_back, doom, fitting, http_version, netloc
from antiphon.concurrency.iterables import as_bytes, close_of, in_context
from antiphon.handler.contract import ThreadHandler, Unfinished, finish
from antiphon.handler.drive import run_sync
from antiphon.handler.errors import is_leaving
from antiphon.handler.failures import is_broken_from_outside, log_broken_body
from antiphon.http.errors import BadRequest, IncompleteBody, LengthRequired
from antiphon.http.head import NOT_PLAIN, Address, is_one_number, parse_length
from antiphon.http.headers import HOP_BY_HOP
from antiphon.http.reads import ADDRESS, EVERYTHING, HTTP_VERSION, QUERY, record_read, recorded
from antiphon.http.status import STATUS_LINES, StatusLines
from antiphon.http.urls.path import one_host, split_target
from antiphon.request.request import NO_BODY, Request, new_request
from antiphon.request.shared_caches import refuse_late_reads, tell_shared_caches
from antiphon.response.fields import SharedFields
from antiphon.response.message import Body, declared_length, message_of
from antiphon.response.response import Response
from antiphon.speedups import accelerated

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from antiphon.adapters.exchange import Observation

CHUNK = 64 << 10
"""The number of bytes of a request's body to read at once: a read waits for all of them, and shows no progress."""
LOOK = 2.0
"""The seconds between two checks of a waiting request's client."""

_KEYS = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"} | {
    name: "HTTP_" + name.upper().replace("-", "_")
    for name in (
        "accept", "accept-charset", "accept-encoding", "accept-language", "authorization", "cache-control",
        "content-encoding", "cookie", "if-match", "if-modified-since", "if-none-match", "if-range",
        "if-unmodified-since", "origin", "range", "referer", "sec-fetch-site", "transfer-encoding", "user-agent",
    )
}  # fmt: skip

_NOT_PLAIN = tuple(["HTTP_" + name.upper().replace("-", "_") for name in NOT_PLAIN])
"""A tuple, because iterating over it is faster than over a set."""

EARLY_HINTS = "wsgi.early_hints"
"""The key of the function with which Gunicorn sends early hints."""
_NO_LENGTH = (None, "")
_WITH_FRAMES = dict.fromkeys(("HTTP/2", "HTTP/2.0", "HTTP/3", "HTTP/3.0"))  # without the GIL, threads would lock a set
"""The protocols in which a body can arrive without any header that announces it."""
_NOT_AS_THEY_ARE = ("HTTP_HOST", "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH")
"""Keys that ``field`` treats specially: Host may be in the target, and some servers add the other two to CGI's own
keys.
"""


class WSGIHead(HeadMembers):
    """The head of a request, read from an environ. WSGI confuses headers that differ only in ``-`` and ``_``."""

    blocks = True
    has_limited_size = True
    status_lines: StatusLines = STATUS_LINES
    """The status lines, with that of an inner application."""
    _hinted = 0
    """The number of bytes of early hints sent so far."""
    _client_watch: Callable[[], bool] | None = None
    """The function that tells whether the client has left, once needed."""
    _left: int | None
    """The number of bytes of the body still to be read, once known; negative if the server marks the body's end."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self.environ = environ
        self.host_line: str | None = environ.get("HTTP_HOST")
        if "RAW_URI" in environ or "REQUEST_URI" in environ:  # which may be a full URL
            self.host_line = self.host_line and self._host
        self.method: str = environ["REQUEST_METHOD"]
        path: str = environ.get("PATH_INFO", "")
        self.path = (path if path.isascii() else _utf8(path)) or "/"
        self.has_body: bool = (
            ("CONTENT_LENGTH" in environ and environ["CONTENT_LENGTH"] not in _NO_LENGTH)
            or "HTTP_TRANSFER_ENCODING" in environ
            or environ.get("SERVER_PROTOCOL") in _WITH_FRAMES
        )
        """True if a length is declared, or if a body may arrive without one."""
        self._left = None  # reading a class's default takes longer

    @property
    def header_size(self) -> int:
        """The size of the header section, whose fields of one name the server may have joined."""
        sizes = [len(key) + len(value) for key, value in self.environ.items() if key[:5] in ("HTTP_", "CONTE")]
        return sum(sizes, 27 * len(sizes))  # 32 for each, without the prefix of its key

    @property
    def raw_path(self) -> bytes | None:
        """The path in REQUEST_URI or RAW_URI, if the server provides either."""
        target: str = self.environ.get("REQUEST_URI") or self.environ.get("RAW_URI") or ""
        if not target:
            return None
        if target[0] == "/":
            return target.partition("?")[0].encode("latin-1", "replace") or None
        parts = split_target(target)
        return parts[1].encode("latin-1", "replace") if parts else None

    def plain_target(self) -> tuple[object, ...] | None:
        """Return a key for the URL, from the server's own values that make up its parts, or None."""
        environ = self.environ
        if self.has_body or not self.host_line or self.method != "GET":
            return None
        if not environ.keys().isdisjoint(_NOT_PLAIN):
            return None
        get, scheme = environ.get, environ["wsgi.url_scheme"]
        sent, raw, root = get("REQUEST_URI"), get("RAW_URI"), get("SCRIPT_NAME")
        return self.host_line, scheme, get("PATH_INFO"), get("QUERY_STRING"), sent, raw, root

    @property
    def query_string(self) -> bytes:
        """The value of QUERY_STRING."""
        record_read(self, QUERY)
        query: str = self.environ.get("QUERY_STRING", "")
        return query.encode() if query.isascii() else query.encode("latin-1", "replace")  # the first is faster

    @property
    def root_path(self) -> str:
        """The value of SCRIPT_NAME, decoded, without a trailing slash."""
        path: str = self.environ.get("SCRIPT_NAME", "")
        return _utf8(path).rstrip("/") if path else ""

    @property
    def scheme(self) -> str:
        """The value of wsgi.url_scheme."""
        return self.environ["wsgi.url_scheme"]  # type: ignore[no-any-return]  # PEP 3333 says str

    @property
    def authority(self) -> str:
        """The host in the target or the Host header, or SERVER_NAME and SERVER_PORT."""
        return self._host or netloc(self.environ["SERVER_NAME"], self.environ["SERVER_PORT"])

    @property
    def _host(self) -> str | None:
        """The host in a target that is a full URL (RFC 9112 §3.2.2), or the Host header."""
        environ = self.environ
        target: str = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
        parts = None if target[:1] == "/" else split_target(target)
        return one_host(parts[0], environ.get("HTTP_HOST")) if parts else environ.get("HTTP_HOST")

    http_version = recorded("_version", HTTP_VERSION)

    @property
    def _version(self) -> str:
        """The version in SERVER_PROTOCOL; that of an environ without it, made by a program, requires no Host."""
        return http_version(self.environ.get("SERVER_PROTOCOL", "HTTP/1.0").partition("/")[2])

    @property
    def client(self) -> Address | None:
        """The address in REMOTE_ADDR and REMOTE_PORT."""
        record_read(self, ADDRESS)
        return address(self.environ.get("REMOTE_ADDR"), self.environ.get("REMOTE_PORT"))

    @property
    def uncoded_length(self) -> int | None:
        """The declared length of an uncoded body."""
        environ = self.environ
        length: str = environ.get("CONTENT_LENGTH") or ""
        if not is_one_number(length) or "HTTP_TRANSFER_ENCODING" in environ or "HTTP_CONTENT_ENCODING" in environ:
            return None
        declared = int(length)
        # For ``receive``, which then needs not read the length again.
        if self._left is None:
            self._left = declared
        return declared

    def field(self, name: str) -> str | None:
        """Return a header's value, in which WSGI has joined several lines. Host is the target's host, if it has one."""
        record_read(self, name)
        # The usual names are in a table, because making a key takes longer.
        key = _KEYS.get(name)
        if key is None:
            if name == "host":
                return self._host
            key = "HTTP_" + name.upper().replace("-", "_")
        return self.environ.get(key)

    def fields(self) -> list[tuple[str, str]]:
        """Return every header. Environ values that are not text, such as the process's settings, are left out."""
        record_read(self, EVERYTHING)
        fields = [
            (key[5:].replace("_", "-").lower(), value)
            for key, value in self.environ.items()
            if key.startswith("HTTP_") and type(value) is str and key not in _NOT_AS_THEY_ARE
        ]
        own = [(name, self.field(name)) for name in ("content-type", "content-length")]
        host = self._host
        return ([] if host is None else [("host", host)]) + fields + [(name, value) for name, value in own if value]

    def watch_client(self) -> Callable[[], bool]:
        """Return a function that returns whether the client has left; ``bool`` if that can't be detected.

        Call it early: a connection that was reset is no longer found.
        """
        if self._client_watch is None:
            from antiphon.adapters.connection import client_watch

            self._client_watch = client_watch(self.environ) or bool
        return self._client_watch

    def _note_end(self, has_ended: Callable[[], bool]) -> None:
        """Treat the client as disconnected once a function returns True."""
        is_gone = self.watch_client()
        self._client_watch = lambda: has_ended() or is_gone()

    def has_left(self) -> bool:
        """Return True if the client is known to have disconnected, based on its connection."""
        return self.watch_client()()

    async def wait_disconnect(self) -> None:
        """Wait until the client is found to have disconnected; forever, if that can't be detected."""
        from asyncio import Event, sleep

        is_gone = self.watch_client()
        if is_gone is bool:
            await Event().wait()
        while not is_gone():
            await sleep(LOOK)

    @property
    def takes_early_hints(self) -> bool:
        """True if the environ contains Gunicorn's function for early hints."""
        return EARLY_HINTS in self.environ and self._version != "1.0"

    def send_early_hints(self, links: Iterable[str]) -> None:
        """Send links before the response, on the server's thread."""
        fit, self._hinted = fitting(links, self._hinted)
        if fit and self.takes_early_hints:
            call_back(self.environ[EARLY_HINTS], fit)

    def receive(self) -> bytes:
        """Read from wsgi.input: as much as Content-Length declares, or to the body's end if the server marks that.

        Otherwise raises LengthRequired (411), because reading would wait forever. Raises BadRequest for a malformed
        body, and IncompleteBody if the connection was lost.
        """
        left = self._left
        if left is None:
            left = self._length()
        wanted = left if 0 <= left <= CHUNK else CHUNK
        try:
            chunk: bytes = self.environ["wsgi.input"].read(wanted) if wanted else b""
        except OSError as error:
            raise IncompleteBody("The connection was lost while the body was being read.") from error
        except Exception as error:  # servers have their own errors for malformed chunks
            raise BadRequest("The body is malformed.") from error
        self._left = left - len(chunk) if left > 0 else left
        return chunk

    def _length(self) -> int:
        environ = self.environ
        if length := environ.get("CONTENT_LENGTH"):
            return parse_length(length)
        if environ.get("wsgi.input_terminated"):
            return -1
        if "HTTP_TRANSFER_ENCODING" in environ:
            raise LengthRequired("This server does not take a body without a Content-Length.")
        return 0


_read_head = accelerated(WSGIHead)
"""The class, or the function in C that makes an instance of it in one pass."""


def _utf8(text: str) -> str:
    return text.encode("latin-1", "replace").decode("utf-8", "replace")


def call_wsgi(
    handler: ThreadHandler,
    environ: "WSGIEnvironment",
    start_response: "StartResponse",
    observation: "Observation | None" = None,
) -> Iterable[bytes]:
    """Pass a WSGI server's request to a handler and, if the response is observed, record its head."""
    head = _read_head(environ)
    request = new_request(head, NO_BODY)
    # One context for the handler, the body and what follows it: they may reset each other's tokens.
    context = copy_context()
    try:
        # The function of its class, because a bound method would be made for each request.
        result = context.run(type(handler)._respond_on_thread, handler, request)
        if type(result) is not tuple:  # faster than ``isinstance`` for a response
            response = result if isinstance(result, Response) else run_sync(result, context)  # type: ignore[arg-type]
            result = message_of(response._body, response._fields, response._status, head.method)  # noqa: SLF001
            if response.error is not None:
                doom(environ, response.error)
            del response  # an error raised below refers to this frame, and its response to the error
    except BaseException:
        # Without a response, too, the functions that were passed to ``after_response`` are called.
        run_sync(finish(request), context)
        raise
    status, fields, length, body, is_silent, may_be_stored = result
    if may_be_stored:
        fields = tell_shared_caches(request, fields)
    # PEP 3333 allows no field about the connection.
    sent = [*fields] if type(fields) is SharedFields else [field for field in fields if field[0] not in HOP_BY_HOP]
    if length is not None:
        sent.append(LENGTHS[length])
    if observation is not None:
        observation.send_head(status, sent)
    try:
        start_response(head.status_lines[status], sent)
    except BaseException:
        WSGIBody(request, body, context, handler.unfinished, is_silent=True).close()
        raise
    if not request._deferred:
        if type(body) is bytes:
            return [] if is_silent else [body]
        if (sent_by_server := wrap_file(body, environ, is_silent)) is not None:
            return sent_by_server
    return WSGIBody(request, body, context, handler.unfinished, is_silent, fields)


class WSGIBody:
    """The body of a response for WSGI servers: iterated in the request's context, and always closed."""

    def __init__(
        self,
        request: Request,
        body: Body,
        context: Context,
        unfinished: Unfinished,
        is_silent: bool,
        fields: Iterable[tuple[str, str]] = (),
    ) -> None:
        self._length = None if is_silent else declared_length(fields)
        self._request = request
        self._context = context
        self._is_whole = False
        body = body if is_silent else refuse_late_reads(request, body, fields)
        try:
            self._chunks, self._close = _blocking(body, context, request, self._length is None)
        except BaseException as error:
            context.run(log_broken_body, request, error)
            run_sync(finish(request), context)
            raise
        if is_silent:
            # The body of a response to HEAD is only closed.
            self._chunks = iter(())
        self.unfinished = unfinished
        unfinished.add(ref(self, unfinished.discard))  # a body that is dropped without a close is no longer waited for

    def __iter__(self) -> Iterator[bytes]:
        length = self._length
        try:
            for chunk in self._chunks:
                data = chunk if type(chunk) is bytes else as_bytes(chunk)
                if length is not None:
                    length.count(data)
                yield data
            self._is_whole = True
            if length is not None:
                length.end()
        except GeneratorExit:
            raise
        except BaseException as error:
            self._tell(error)
            raise

    def close(self) -> None:
        """Close the body, then call the ``request.after_response`` functions. Errors cut the response short."""
        try:
            self._close_chunks()
        except Exception:
            # The client has the whole body: an error at its close was logged, and changes nothing for it.
            if not self._is_whole:
                raise
        finally:
            try:
                run_sync(finish(self._request), self._context)
            finally:
                self.unfinished.discard(ref(self))

    def _close_chunks(self) -> None:
        try:
            self._close()
        except BaseException as error:
            self._tell(error)
            raise

    def _tell(self, error: BaseException) -> None:
        """Log an error of the body, unless the client has left or cut off the request.

        Raise an error that servers need.
        """
        from antiphon.adapters.disconnect import ClientGone

        if isinstance(error, ClientGone):
            return
        if is_broken_from_outside(self._request, error):  # makes servers cut off the response, mostly without a log
            raise ConnectionResetError(ECONNRESET, str(error)) from None
        self._context.run(log_broken_body, self._request, error)
        if not (isinstance(error, Exception) or is_leaving(error)):
            raise RuntimeError("the body was cancelled") from error  # this must not end a server


def _blocking(
    body: Body, context: Context, request: Request, ahead: bool
) -> tuple[Iterator[bytes | str], Callable[[], object]]:
    """Return the chunks of a body for this thread, and the function that closes it."""
    if isinstance(body, AsyncIterable):
        from antiphon.adapters.disconnect import watch_over_wsgi
        from antiphon.concurrency.bridge import SyncFromAsync

        bridged = SyncFromAsync(body, context, watch_over_wsgi(request.head), LOOK, ahead)
        return bridged, bridged.close
    if isinstance(body, bytes):
        return iter((body,)), tuple
    try:
        iterator = context.run(iter, body)
    except BaseException:
        context.run(getattr(body, "close", tuple))
        raise
    close = close_of(iterator, body) or tuple
    return in_context(context, iterator), partial(context.run, close)
