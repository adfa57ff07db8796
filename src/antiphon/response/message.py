"""The content of a message (RFC 9110 §6.4): its source, its single declared length, and its decoded values."""

from collections.abc import AsyncIterable, Callable, Iterable
from types import MethodType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    NamedTuple,
    NoReturn,
    ParamSpec,
    TypeAlias,
    TypeVar,
    overload,
)

from antiphon.concurrency.iterables import AsyncByteGenerator, AsyncChunks, BlockingChunks, ByteGenerator, as_bytes
from antiphon.explanations import explained
from antiphon.http.errors import HTTPError
from antiphon.http.grammar import parse_or_none
from antiphon.http.head import parse_length
from antiphon.http.media_type import MediaType
from antiphon.response.fields import OF_CACHES, Fields, Line, may_let_store
from antiphon.speedups import accelerated

if TYPE_CHECKING:
    from antiphon.response.response import Response

Stream: TypeAlias = Iterable[bytes | str] | AsyncIterable[bytes | str]
"""A body in chunks."""
Body: TypeAlias = bytes | Stream
BodyLike: TypeAlias = str | Body | None
"""The values that can be a body: text (sent as UTF-8), bytes, chunks of either, or None."""
Message: TypeAlias = tuple[int, Fields, int | None, Body, bool, bool]
"""What a server sends: the status; the header fields, which must not be changed; the length of a body in memory, unless
the fields declare one; the body; True if the body is left out (RFC 9110 §6.4.1, §9.3.2); and True if the fields may let
shared caches store it. A stream that is left out is closed.
"""

FRAMING = ("content-length", "transfer-encoding")
"""The fields that determine where a message ends."""
_SPECIAL = frozenset((*FRAMING, *OF_CACHES, "cache-control", "cdn-cache-control"))
_LONGEST = max(map(len, _SPECIAL))
WITHOUT_CONTENT = {204: None, 205: 0, 304: None}
"""Statuses without content, and the length that is declared for them (RFC 9110 §8.6, §15.3.6)."""


class Heartbeat(NamedTuple):
    """The chunk to send whenever a body has been silent for some seconds."""

    seconds: float
    chunk: bytes


def take_heartbeats(body: object) -> Heartbeat | None:
    """Take over the heartbeats of an unread body, if it has any. The body then produces none itself."""
    take = getattr(body, "take_heartbeats", None)
    found: Heartbeat | None = None if take is None else take()
    return found


class PassedChunks(AsyncChunks[bytes | str]):
    """The chunks of a body, unchanged. The body's sender may take over its heartbeats."""

    def __init__(
        self, body: AsyncIterable[bytes | str], make: Callable[[AsyncIterable[bytes | str]], AsyncByteGenerator]
    ) -> None:
        super().__init__(body, make)
        self._body = body

    def take_heartbeats(self) -> Heartbeat | None:
        """Leave the body's heartbeats to the caller. Call it before the first chunk."""
        return take_heartbeats(self._body)


def watched(body: Stream, look: Callable[[bytes], None]) -> Stream:
    """Return a body's chunks, passing each to ``look`` before it is sent."""

    def each(chunks: Iterable[bytes | str]) -> ByteGenerator:
        for chunk in chunks:
            look(data := as_bytes(chunk))
            yield data

    async def each_async(chunks: AsyncIterable[bytes | str]) -> AsyncByteGenerator:
        async for chunk in chunks:
            look(data := as_bytes(chunk))
            yield data

    return PassedChunks(body, each_async) if isinstance(body, AsyncIterable) else BlockingChunks(body, each)


def body_of(value: BodyLike) -> Body:
    """Make a body from a value. Raises TypeError for a mapping, and for anything that isn't iterable."""
    if isinstance(value, str):
        return value.encode()
    if value is None:
        return b""
    if isinstance(value, (bytes, bytearray, memoryview)):  # a union would be built anew on each call
        return bytes(value)
    if hasattr(value, "keys"):
        raise explained("wrong-body", f"a body can't be a {type(value).__name__}: use Response.json()", TypeError)
    if hasattr(value, "__aiter__") or hasattr(value, "__iter__"):
        return value
    raise explained(
        "wrong-body", f"a body must be text, bytes or an iterable of them, not {type(value).__name__}", TypeError
    )


def check_content(status: int, body: Body) -> None:
    """Raise ValueError for content in a response whose status allows none: no client would receive it."""
    if status in WITHOUT_CONTENT and body != b"":
        size = f"{len(body)} bytes" if isinstance(body, bytes) else "a stream"
        raise explained(
            "status-without-content",
            f"a response with status {status} has no content (RFC 9110 §15), but got {size}, which would not be"
            " sent: use status 200, or the body None",
        )


@accelerated
def message_of(body: Body, fields: Fields, status: int | None, method: str, /) -> Message:
    """Return the message for a request with this method. The status has been checked; None means 200."""
    length = len(body) if type(body) is bytes else None
    is_silent = method == "HEAD"
    if status is None:
        status = 200
    elif status in WITHOUT_CONTENT:
        length, is_silent = WITHOUT_CONTENT[status], True
    if type(fields) is not list:
        return status, fields, length, body, is_silent, fields.may_be_stored  # type: ignore[union-attr]  # no list
    is_framed = may_be_stored = False
    for line in fields:
        name = line[0]
        if name in _SPECIAL or (len(name) > _LONGEST and name.endswith("cache-control")):
            is_framed = is_framed or name in FRAMING
            may_be_stored = may_be_stored or may_let_store(line)
    if is_framed:
        fields, length = framed(fields, length, status, method)
    return status, fields, length, body, is_silent, may_be_stored


def framed(fields: list[Line], length: int | None, status: int, method: str) -> tuple[list[Line], int | None]:
    """Return the fields with at most one length, which is correct, and the length that remains to be declared.

    Recipients must agree on where a message ends. Only the server declares the transfer coding.
    """
    framing = [field for field in fields if field[0] in FRAMING]
    if framing == [("content-length", str(length))] and status not in WITHOUT_CONTENT:
        return fields, None
    declared = {value for name, value in framing if name == "content-length"}
    is_right = len(declared) == 1 and _may_declare(declared.pop(), length, status, method)
    kept: list[Line] = []
    for field in fields:
        if field[0] not in FRAMING or (is_right and field[0] == "content-length" and field not in kept):
            kept.append(field)
    return kept, None if is_right else length


def _may_declare(declared: str, length: int | None, status: int, method: str) -> bool:
    """Return True if a given Content-Length is correct, or may be: the response to HEAD often has no body."""
    if status == 304 or declared == str(length):
        return status != 205
    return status not in WITHOUT_CONTENT and (length is None or (length == 0 and method == "HEAD"))


def declared_length(fields: Iterable[tuple[str, str]]) -> "DeclaredLength | None":
    """Return the length that header fields declare, as a counter for the chunks; None if they declare none."""
    for name, value in fields:
        if name == "content-length":
            declared = parse_or_none(parse_length, value)
            return None if declared is None else DeclaredLength(declared)
    return None


class DeclaredLength:
    """A response's declared Content-Length, and the number of bytes sent so far."""

    __slots__ = ("_declared", "_sent")

    def __init__(self, declared: int) -> None:
        self._declared = declared
        self._sent = 0

    def count(self, chunk: bytes) -> None:
        """Count a chunk before it is sent. Raises RuntimeError if the body is longer than declared.

        Servers would silently cut off the rest.
        """
        self._sent += len(chunk)
        if self._sent > self._declared:
            raise self._wrong("more")

    def end(self) -> None:
        """Check that nothing is missing. Raises RuntimeError if the body is shorter than declared."""
        if self._sent < self._declared:
            raise self._wrong("less")

    def _wrong(self, than: str) -> RuntimeError:
        return explained(
            "wrong-content-length",
            f"the body has {than} than the {self._declared} bytes that its Content-Length says: declare the"
            " length that the chunks have together, or none",
            RuntimeError,
        )


def text_of(body: bytes, content_type: str | None) -> str:
    """Return a body as text, decoded with its content type's charset, or as UTF-8 if Python doesn't support the
    charset. Raises ValueError if the body can't be decoded.
    """
    try:
        return body.decode(_charset(content_type))
    except LookupError:
        return body.decode()


def json_of(body: bytes, response: object) -> Any:
    """Return the decoded JSON of a response's body. For invalid JSON, raises a ValueError that shows the response."""
    from antiphon.serialization.json import decode_json

    try:
        return decode_json(body)
    except Exception as error:
        from antiphon.explanations.notes import called_from

        why = error.detail if isinstance(error, HTTPError) else error  # without the 400 that a request would get
        fix = "; json is an attribute: to respond with JSON, return the value itself" if called_from() else ""
        raise explained("response-not-json", f"{response!r} is not JSON: {why}{fix}") from error


def _charset(content_type: str | None) -> str:
    try:
        return MediaType.parse(content_type or "").charset or "utf-8"
    except ValueError:
        return "utf-8"


P = ParamSpec("P")
C = TypeVar("C", bound=Callable[..., Any])
R = TypeVar("R", bound="Response")
V = TypeVar("V")


@accelerated
class MadeOrRead:
    """A descriptor: on a class, ``make`` as a method of it; on an instance, what ``read`` returns for it."""

    make: Any
    read: Any

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        return MethodType(self.make, owner) if instance is None else self.read(instance)


class MakerOrValue(MadeOrRead, Generic[P, V]):
    """An attribute that makes a response when it is called on the class, as in ``Response.json(value)``, and that is a
    value on a response.

    ``make`` is called with the class, and ``read`` with the response.
    """

    def __init__(self, make: Callable[Concatenate[type[Any], P], object], read: Callable[[Any], V]) -> None:
        self.make = make
        self.read = read
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type[Any], name: str) -> None:
        # Errors about wrong arguments then show the name that was called, and pickles find the function by it.
        self.make.__name__, self.make.__qualname__ = name, f"{owner.__qualname__}.{name}"

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[R]) -> Callable[P, R]: ...
        @overload
        def __get__(self, instance: "Response", owner: type[Any]) -> V: ...
        def __get__(self, instance: Any, owner: type[Any]) -> Any: ...


class Maker(MakerOrValue[P, NoReturn]):
    """An attribute that makes a response when it is called on the class. On a response, it raises an AttributeError
    with the fix.
    """

    def __init__(self, make: Callable[Concatenate[type[Any], P], object]) -> None:
        super().__init__(make, self._refuse)

    def _refuse(self, instance: object) -> NoReturn:
        name = self.make.__name__
        message = f"{name} makes a new response: call it on the class, {type(instance).__name__}.{name}(...)"
        raise AttributeError(message, name=name, obj=instance)


def maker(method: C) -> C:
    """Decorate a class method as a ``Maker`` whose overloads type checkers see."""
    made: Any = method
    return Maker(made.__func__)  # type: ignore[return-value]
