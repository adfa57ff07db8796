"""WSGI (PEP 3333): an environ as a head, a handler as a WSGI application."""

import os
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from contextvars import Context, copy_context
from errno import ECONNRESET
from io import FileIO, RawIOBase, UnsupportedOperation
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.adapters.server_values import address, http_version, netloc, split_target
from antiphon.concurrency.iterables import as_bytes, close_of
from antiphon.handler.contract import Handler, finish, is_broken_by_client, log_broken_body
from antiphon.handler.drive import run_sync
from antiphon.handler.errors import is_leaving
from antiphon.http.errors import BadRequest, ClientDisconnected, LengthRequired
from antiphon.http.head import Address, parse_length, uncoded_length
from antiphon.http.headers import HOP_BY_HOP
from antiphon.http.status import status_line
from antiphon.request.request import Request
from antiphon.response.fields import SharedFields
from antiphon.response.files import FileBody
from antiphon.response.message import Body

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


T = TypeVar("T")

CHUNK = 64 << 10
"""How many bytes of a body are read at once."""

_KEYS = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"} | {
    name: "HTTP_" + name.upper().replace("-", "_")
    for name in (
        "accept", "accept-charset", "accept-encoding", "accept-language", "authorization", "cache-control",
        "content-encoding", "cookie", "if-match", "if-modified-since", "if-none-match", "if-range",
        "if-unmodified-since", "origin", "range", "referer", "sec-fetch-site", "transfer-encoding", "user-agent",
    )
}  # fmt: skip

_NOT_AS_THEY_ARE = ("HTTP_HOST", "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH")
"""Host may be in the target, too. The others servers leave beside those of CGI; they say nothing of the body."""


class WSGIHead:
    """A head that is read off an environ. Headers whose names differ in ``-`` and ``_`` only are one to WSGI."""

    blocks = True
    header_size = 0
    _left: int | None = None
    """How many bytes of the body are still to be read; negative where the server marks its end."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        path: str = environ.get("PATH_INFO", "")
        self.path = (path if path.isascii() else _utf8(path)) or "/"

    @property
    def raw_path(self) -> bytes | None:
        """The path of REQUEST_URI or RAW_URI, where the server has either."""
        target: str = self.environ.get("REQUEST_URI") or self.environ.get("RAW_URI") or ""
        if not target:
            return None
        if target[0] == "/":
            return target.partition("?")[0].encode("latin-1", "replace")
        parts = split_target(target)
        return parts[1].encode("latin-1", "replace") if parts else None

    @property
    def query_string(self) -> bytes:
        """QUERY_STRING."""
        return self.environ.get("QUERY_STRING", "").encode("latin-1", "replace")  # type: ignore[no-any-return]

    @property
    def root_path(self) -> str:
        """SCRIPT_NAME."""
        return _utf8(self.environ.get("SCRIPT_NAME", "")).rstrip("/")

    @property
    def scheme(self) -> str:
        """wsgi.url_scheme."""
        return self.environ["wsgi.url_scheme"]  # type: ignore[no-any-return]  # PEP 3333 says str

    @property
    def authority(self) -> str:
        """The host that target or header name, else SERVER_NAME and SERVER_PORT."""
        return self._host or netloc(self.environ["SERVER_NAME"], self.environ["SERVER_PORT"])

    @property
    def _host(self) -> str | None:
        """What a target that is a whole URL says (RFC 9112 §3.2.2), else the Host header."""
        environ = self.environ
        target: str = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
        parts = None if target[:1] == "/" else split_target(target)
        return parts[0] if parts else environ.get("HTTP_HOST")

    @property
    def http_version(self) -> str:
        """SERVER_PROTOCOL without its name."""
        return http_version(self.environ.get("SERVER_PROTOCOL", "HTTP/1.1").partition("/")[2])

    @property
    def client(self) -> Address | None:
        """REMOTE_ADDR and REMOTE_PORT."""
        return address(self.environ.get("REMOTE_ADDR"), self.environ.get("REMOTE_PORT"))

    @property
    def has_body(self) -> bool:
        """Whether a length is declared, or a body may come without one."""
        environ = self.environ
        return bool(environ.get("CONTENT_LENGTH")) or (
            "HTTP_TRANSFER_ENCODING" in environ or environ.get("SERVER_PROTOCOL", "")[5:6] in ("2", "3")
        )

    @property
    def uncoded_length(self) -> int | None:
        """The declared length of a body that is not coded."""
        return uncoded_length(self.field)

    def field(self, name: str) -> str | None:
        """A header, which WSGI has joined already. Host is what the target says, where that names one."""
        key = _KEYS.get(name)
        if key is None:
            if name == "host":
                return self._host
            key = "HTTP_" + name.upper().replace("-", "_")
        return self.environ.get(key)

    def fields(self) -> list[tuple[str, str]]:
        """Every header. What the server put there that can't be one, such as a variable of the process, is left out."""
        fields = [
            (key[5:].replace("_", "-").lower(), value)
            for key, value in self.environ.items()
            if key.startswith("HTTP_") and type(value) is str and key not in _NOT_AS_THEY_ARE
        ]
        own = [(name, self.field(name)) for name in ("content-type", "content-length")]
        host = self._host
        return ([] if host is None else [("host", host)]) + fields + [(name, value) for name, value in own if value]

    async def receive(self) -> bytes:
        """Read from wsgi.input: as much as Content-Length says, or to its end where the server marks that.

        Raises LengthRequired (411) where neither is so, since reading would then wait for ever.
        """
        if self._left is None:
            self._left = self._length()
        wanted = CHUNK if self._left < 0 else min(self._left, CHUNK)
        try:
            chunk: bytes = self.environ["wsgi.input"].read(wanted) if wanted else b""
        except OSError as error:
            raise ClientDisconnected("The connection broke while the body was read.") from error
        except Exception as error:  # servers have errors of their own for chunks that are none
            raise BadRequest("The body is malformed.") from error
        if self._left > 0:
            self._left -= len(chunk)
        return chunk

    def _length(self) -> int:
        environ = self.environ
        length: str = environ.get("CONTENT_LENGTH") or ""
        if length:
            return parse_length(length)
        if environ.get("wsgi.input_terminated"):
            return -1
        if "HTTP_TRANSFER_ENCODING" in environ:
            raise LengthRequired("This server does not take a body without a Content-Length.")
        return 0


def _utf8(text: str) -> str:
    return text.encode("latin-1", "replace").decode("utf-8", "replace")


def call_wsgi(handler: Handler, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer one request of a WSGI server."""
    request = Request(WSGIHead(environ))
    context = copy_context()
    try:
        response = run_sync(handler.handle(request), context)
    except BaseException:
        run_sync(finish(request), context)
        raise
    status, fields, length, body, silent = response.message(environ["REQUEST_METHOD"])
    sent = [*fields] if type(fields) is SharedFields else [field for field in fields if field[0] not in HOP_BY_HOP]
    if length is not None:
        sent.append(("content-length", str(length)))
    try:
        start_response(status_line(status), sent)
    except BaseException:
        WSGIBody(request, body, context, silent=True).close()
        raise
    if type(body) is bytes and not request.deferred:
        return [] if silent else [body]
    if type(body) is FileBody and not silent and not request.deferred and (sent_by_server := _wrapped(body, environ)):
        return sent_by_server
    return WSGIBody(request, body, context, silent)


def _wrapped(body: FileBody, environ: "WSGIEnvironment") -> Iterable[bytes] | None:
    """A file as this server sends it; None where it has no way of its own, or the file can't be opened."""
    wrapper: Callable[[object, int], Iterable[bytes]] | None = environ.get("wsgi.file_wrapper")
    if wrapper is None:
        return None

    try:
        return wrapper(SentFile(body), BLOCK)
    except (OSError, EOFError):
        return None


class WSGIBody:
    """A response's body as a WSGI server takes it: iterated in the request's context and closed in every case."""

    def __init__(
        self,
        request: Request,
        body: Body,
        context: Context,
        silent: bool,
    ) -> None:
        self._request = request
        self._context = context
        self._is_whole = False
        try:
            self._next, self._close = _blocking(body, context)
        except BaseException as error:
            context.run(log_broken_body, request, error)
            run_sync(finish(request), context)
            raise
        if silent:
            self._next = iter(()).__next__

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return self._logged(lambda: as_bytes(self._next()))
        except StopIteration:
            self._is_whole = True
            raise

    def close(self) -> None:
        """Close the body, then call what was left for after the response. A failure cuts off what is not whole yet."""
        try:
            self._logged(self._close)
        except Exception:
            if not self._is_whole:
                raise
        finally:
            run_sync(finish(self._request), self._context)

    def _logged(self, function: Callable[[], T]) -> T:
        try:
            return function()
        except StopIteration:
            raise
        except BaseException as error:
            if is_broken_by_client(self._request, error):  # servers cut the response by this, most without a word
                raise ConnectionResetError(ECONNRESET, str(error)) from None
            self._context.run(log_broken_body, self._request, error)
            if isinstance(error, Exception) or is_leaving(error):
                raise
            raise RuntimeError("the body was cancelled") from error  # which is no reason for a server to end


def _blocking(body: Body, context: Context) -> tuple[Callable[[], bytes | str], Callable[[], object]]:
    """How to get a body's next chunk, and how to close it, on this thread."""
    if isinstance(body, AsyncIterable):
        from antiphon.concurrency.bridge import SyncFromAsync

        bridged = SyncFromAsync(body, context)
        return bridged.__next__, bridged.close
    if isinstance(body, bytes):
        return iter((body,)).__next__, tuple
    try:
        iterator = context.run(iter, body)
    except BaseException:
        context.run(getattr(body, "close", tuple))
        raise
    close = close_of(iterator, body) or tuple
    return lambda: context.run(next, iterator), lambda: context.run(close)


BLOCK = 64 << 10
"""Bytes that a server reads at once, if it has no better way."""


class SentFile(RawIOBase):
    """The bytes of a ``FileBody``, seen as a file that has no others.

    Reading raises EOFError where the file has become too short, and so does closing after a server has read from the
    descriptor, since it would not notice. Parts of a file have no descriptor: some servers send all that is there.
    """

    _is_open = False

    def __init__(self, body: FileBody) -> None:
        self._file: FileIO = body.open()
        self._is_open = True
        self._start = body.offset
        self._end = body.offset + body.length
        self._has_shown_descriptor = False

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The position, from the start of the part."""
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to a position in the part."""
        if whence == os.SEEK_SET:
            base = self._start
        else:
            base = self._end if whence == os.SEEK_END else self._file.tell()
        return self._file.seek(max(self._start, base + offset)) - self._start

    def read(self, size: int | None = -1, /) -> bytes:
        """Read some bytes, with as few copies as a file does."""
        left = max(0, self._end - self._file.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        chunk = self._file.read(wanted)
        if wanted and not chunk:
            raise self._cut()
        return chunk

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer."""
        left = max(0, self._end - self._file.tell())
        with memoryview(buffer) as view:
            taken = self._file.readinto(view[:left])
        if not taken and left and len(buffer):
            raise self._cut()
        return taken or 0

    def fileno(self) -> int:
        """The descriptor of a whole file."""
        if self._start or os.fstat(self._file.fileno()).st_size != self._end:
            raise UnsupportedOperation("this is a part of a file")
        self._has_shown_descriptor = True
        return self._file.fileno()

    def close(self) -> None:
        """Close the file."""
        if self.closed or not self._is_open:  # whose file couldn't be opened is closed, too, when it is let go
            return
        super().close()
        try:
            if self._has_shown_descriptor and os.fstat(self._file.fileno()).st_size < self._end:
                raise self._cut()
        finally:
            self._file.close()

    def _cut(self) -> EOFError:
        return EOFError(f"{self._file.name!r} has become shorter while it was sent")
