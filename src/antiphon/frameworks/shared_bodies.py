"""Bodies that both a framework and Antiphon read, in any order."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import ref

from antiphon.adapters.asgi import ASGIHead, Message, Receive, Scope
from antiphon.adapters.foreign.environ_host import ReceivedInput
from antiphon.adapters.wsgi import WSGIHead
from antiphon.body.content import Content
from antiphon.body.multipart import parse_boundary
from antiphon.body.part_head import EncodedPart, encode_multipart
from antiphon.explanations import explained
from antiphon.http.limits import UNBOUNDED
from antiphon.http.urls.urlencoded import format_query
from antiphon.request.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

KEPT = "antiphon.request"
"""The key in an environ or a scope under which its request is stored, as a weak reference."""
BODY = "antiphon.body"
"""The key in a scope under which the body is stored."""

_OF_BODIES = (
    "CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_EXPECT", "HTTP_TRANSFER_ENCODING", "REQUEST_METHOD", "SERVER_PROTOCOL",
    "wsgi.input", "wsgi.input_terminated",
)  # fmt: skip
"""The values in an environ on which receiving a body depends."""


class KeptInput(RawIOBase):
    """A ``wsgi.input`` that receives the rest of a body and keeps it for other readers."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._offset = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes and return their number."""
        content = self._content
        data = content.read_at(self._offset) or content.advance_on_thread(UNBOUNDED)
        size = min(len(buffer), len(data))
        buffer[:size] = data[:size]
        self._offset += size
        return size


class SharedInput:
    """The ``wsgi.input`` of an environ from which a request was made. A reader is created on the first read."""

    def __init__(self, content: Content) -> None:
        self.content = content

    def __getattr__(self, name: str) -> Any:
        if name != "_reader":
            return getattr(self._opened(), name)
        raise AttributeError(name)

    def __iter__(self) -> Iterator[bytes]:
        return self._opened()

    def _opened(self) -> "BufferedReader[KeptInput]":
        if "_reader" not in vars(self):
            self._reader = BufferedReader(KeptInput(self.content))
        return self._reader


def environ_request(environ: "WSGIEnvironment", body: bytes | None = None) -> Request:
    """Return the request for an environ: the same object as long as it is in use. ``body`` has already been read."""
    request = _of_environ(environ)
    if body is not None and request.content.data is None:
        request = Request(request.head, body)
        environ[KEPT] = ref(request)
    return request


def _of_environ(environ: "WSGIEnvironment") -> Request:
    kept = environ.get(KEPT)
    if kept is not None:
        request = kept()
        if request is not None and request.head.environ is environ and request.path == environ.get("PATH_INFO"):
            return request  # type: ignore[no-any-return]  # only requests are kept there
    head = WSGIHead(environ)
    head.has_body = head.has_body or _received(environ) is not None  # which has taken the Transfer-Encoding away
    request = Request(head, shared_input(environ) if head.has_body else None)
    environ[KEPT] = ref(request)
    return request


def shared_input(environ: "WSGIEnvironment") -> Content | None:
    """Return the content that ``wsgi.input`` now shares. None for a coded body, which only the first reader gets."""
    source: Any = environ.get("wsgi.input")
    if isinstance(source, SharedInput):
        return source.content
    if source is None or "HTTP_CONTENT_ENCODING" in environ:
        return None
    received = _received(environ)
    if received is not None and received.content.is_complete:  # otherwise it is read on this thread
        return received.content
    if environ.get("webob.is_body_seekable"):
        source.seek(0)
    # Only a part of the environ, because the environ itself will refer to the content.
    copied: WSGIEnvironment = {key: environ[key] for key in _OF_BODIES if key in environ}
    head = WSGIHead(copied)
    head.has_body = head.has_body or received is not None
    content = Content(head)
    environ["wsgi.input"] = SharedInput(content)
    return content


def _received(environ: "WSGIEnvironment") -> ReceivedInput | None:
    """Return the body that another request receives for this environ, if it is one of Antiphon's own hosts."""
    raw = getattr(environ.get("wsgi.input"), "raw", None)
    return raw if isinstance(raw, ReceivedInput) else None


def scope_request(scope: Scope, receive: Receive, body: bytes | None = None) -> Request:
    """Return the request for a scope: the same object as long as it is in use. ``body`` has already been received."""
    kept = scope.get(KEPT)
    if kept is not None:
        request = kept()
        if request is not None and request.head.scope is scope and request.root_path == _root_path(scope):
            return request  # type: ignore[no-any-return]  # only requests are kept there
    head = ASGIHead(scope, receive)
    content: Content | bytes | None = body
    if body is None and head.has_body:
        content = scope.get(BODY)
        if content is None:
            content = scope[BODY] = Content(ASGIHead(dict(scope), receive))
    request = Request(head, content)
    scope[KEPT] = ref(request)
    return request


def _root_path(scope: Scope) -> str:
    """Return the root path, which a framework changes in place when it mounts another application."""
    root_path: str = scope.get("root_path") or ""
    return root_path.rstrip("/")


async def never() -> Message:
    """Wait forever, for a framework that receives all messages and notifies its views of a disconnect itself."""
    from asyncio import get_running_loop

    message: Message = await get_running_loop().create_future()
    return message


def refuse_reread(kept_by: str) -> NoReturn:
    """Raise RuntimeError, because the framework's code has read the body in a way that keeps nothing."""
    said = f"the framework's code has read the body as a stream, which isn't kept: read it by `{kept_by}` there"
    raise explained("body-read-twice", said, RuntimeError)


def replaying(content: Content) -> Callable[[], Awaitable[Message]]:
    """Return a ``receive`` that returns a body from its start, receives the rest, and keeps everything."""
    offset, has_ended = 0, False

    async def receive() -> Message:
        nonlocal offset, has_ended
        if has_ended:
            return await content.head._receive()  # type: ignore[attr-defined, no-any-return]  # the head of a scope
        chunk = await content.aread_at(offset) or await content.aadvance(UNBOUNDED)
        offset += len(chunk)
        has_ended = content.is_complete and offset >= content.size
        return {"type": "http.request", "body": chunk, "more_body": not has_ended}

    return receive


def whole_file(file: Any) -> bytes:
    """Return all bytes of an open file and restore its position."""
    position = file.tell()
    file.seek(0)
    data: bytes = file.read()
    file.seek(position)
    return data


def encoded_form(
    content_type: str, fields: Iterable[tuple[str, str]], files: Iterable[tuple[str, Any, bytes]]
) -> bytes:
    """Return the body of a form that a framework has parsed without keeping the body.

    Each file consists of its field's name, an object with ``filename`` and ``content_type``, and its bytes.
    """
    if not content_type.lower().startswith("multipart/form-data"):
        return format_query([*fields]).encode()
    parts = [EncodedPart(name, value.encode()) for name, value in fields]
    for name, file, data in files:
        media_type = (file.content_type or "text/plain").encode("latin-1")
        parts.append(EncodedPart(name, data, file.filename or "", media_type))
    return encode_multipart(parts, parse_boundary(content_type))
