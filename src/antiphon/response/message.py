"""A response as a message: its status, header fields and body, which is bytes or a stream."""

from collections.abc import AsyncIterable, Iterable
from datetime import datetime
from typing import Any, Self, TypeAlias, cast

from antiphon.concurrency.iterables import aread_all, read_all
from antiphon.http.cookies import SetCookie
from antiphon.http.headers import HeaderFields, MutableHeaders, field_name, field_pairs, field_value, put_line
from antiphon.response.fields import BYTES, NO_FIELDS, TEXT, SharedFields, only_typed, varied, vary
from antiphon.response.headers import ResponseHeaders

Lines: TypeAlias = Iterable[tuple[str, str]]

FRAMING = frozenset({"content-length", "transfer-encoding"})
"""Fields that say where a message ends."""
WITHOUT_CONTENT = {204: None, 205: 0, 304: None}
"""Statuses that no content goes with, and the length that is declared for them (RFC 9110 §8.6, §15.3.6)."""


def framed(fields: Lines, length: int | None, status: int, method: str) -> tuple[list[tuple[str, str]], int | None]:
    """The fields with one right length at most, and the length that is still to be declared.

    Whoever reads a message must not be told of two ends; how it is coded is the server's to say.
    """
    declared = {value for name, value in fields if name == "content-length"}
    is_right = len(declared) == 1 and _may_declare(declared.pop(), length, status, method)
    kept: list[tuple[str, str]] = []
    for field in fields:
        if field[0] not in FRAMING or (is_right and field[0] == "content-length" and field not in kept):
            kept.append(field)
    return kept, None if is_right else length


def _may_declare(declared: str, length: int | None, status: int, method: str) -> bool:
    """Whether a Content-Length that was set is right, or may be: HEAD is often answered without a body."""
    if status == 304 or declared == str(length):
        return status != 205
    return status not in WITHOUT_CONTENT and (length is None or (length == 0 and method == "HEAD"))


Content: TypeAlias = str | bytes | Iterable[bytes | str] | AsyncIterable[bytes | str] | None
"""What a body is made from: text (sent as UTF-8), bytes, chunks of either, or nothing."""
Stream: TypeAlias = Iterable[bytes | str] | AsyncIterable[bytes | str]
"""A body that comes in chunks."""
Body: TypeAlias = bytes | Stream
"""What a body is then."""

Fields: TypeAlias = list[tuple[str, str]] | SharedFields

_TEXT_ONLY = only_typed(TEXT)
_BYTES_ONLY = only_typed(BYTES)


class ResponseMessage(ResponseHeaders):
    """What an HTTP response says (RFC 9110 §6), and how that is read, set and sent."""

    __slots__ = ("__weakref__", "_body", "_fields", "_status", "error", "is_conditional")

    def __init__(
        self,
        body: Content = None,
        status: int | None = None,
        headers: HeaderFields = (),
        *,
        content_type: str | None = None,
    ) -> None:
        self._status = None if status is None else _checked_status(status)
        self.error: BaseException | None = None
        self.is_conditional = False
        """Whether it is still to be made conditional, by who serves it, when a handler has returned it; files are."""
        if type(body) is str:
            self._body: Body = body.encode()
            self._fields: Fields = _TEXT_ONLY
        elif body is None:
            self._body = b""
            self._fields = NO_FIELDS
        elif type(body) is bytes:
            self._body = body
            self._fields = _BYTES_ONLY
        else:
            self.body = body
            self._fields = _TEXT_ONLY if isinstance(body, str) else _BYTES_ONLY
        if headers:
            default = self._fields
            fields = self._fields = [(field_name(name), field_value(value)) for name, value in field_pairs(headers)]
            if content_type is not None:
                self.content_type = content_type
            elif not any(name == "content-type" for name, _ in fields):
                fields += default
        elif content_type is not None:
            self._fields = only_typed(content_type)

    @classmethod
    def sharing(cls, body: bytes, fields: SharedFields) -> Self:
        """One of bytes and of header fields that others have, too: in half the time, as nothing is to be looked at."""
        self = cls.__new__(cls)
        self._status = None
        self.error = None
        self.is_conditional = False
        self._body = body
        self._fields = fields
        return self

    @property
    def status(self) -> int:
        """The status code. 200, where none is given."""
        return self._status or 200

    @status.setter
    def status(self, status: int) -> None:
        self._status = _checked_status(status)

    @property
    def has_own_status(self) -> bool:
        """Whether one was given or set. What an error handler returns without one gets that of the error."""
        return self._status is not None

    @property
    def body(self) -> Body:
        """The content in bytes, or the iterable of its chunks. May be set to text, too."""
        return self._body

    @body.setter
    def body(self, body: Content) -> None:
        if isinstance(body, str):
            self._body = body.encode()
        elif body is None:
            self._body = b""
        elif isinstance(body, bytes | bytearray | memoryview):
            self._body = bytes(body)
        elif hasattr(body, "keys"):
            raise TypeError(f"a body is not a {type(body).__name__}; Response.json() makes one of it")
        elif hasattr(body, "__aiter__") or hasattr(body, "__iter__"):
            self._body = body
        else:
            raise TypeError(f"a body is text, bytes or an iterable of them, not {type(body).__name__}")

    @property
    def is_streamed(self) -> bool:
        """Whether the body comes in chunks."""
        return not isinstance(self._body, bytes)

    def freeze(self) -> Self:
        """Take all of a streamed body into memory, and give the response: it can be read again then, and pickled.

        The stream is closed. Raises TypeError for an async one, which ``await response.afreeze()`` reads.
        """
        body = self._body
        if isinstance(body, AsyncIterable):
            raise TypeError("an async stream has to be awaited: await response.afreeze()")
        if not isinstance(body, bytes):
            self._body = read_all(body)
        return self

    async def afreeze(self) -> Self:
        """As ``freeze``, of a stream of either colour; a blocking one blocks."""
        if not isinstance(self._body, AsyncIterable):
            return self.freeze()
        self._body = await aread_all(self._body)
        return self

    @property
    def headers(self) -> MutableHeaders:
        """The header fields; may be changed."""
        return MutableHeaders.over(self._own_fields())

    def _own_fields(self) -> list[tuple[str, str]]:
        fields = self._fields
        if not isinstance(fields, list):
            fields = self._fields = list(fields)
        return fields

    def put(self, line: tuple[str, str]) -> None:
        """Set a header field to one line, which has been checked, in place of all that it had."""
        put_line(self._own_fields(), line)

    def vary(self, *names: str) -> None:
        """Name request headers on which this response depends (RFC 9110 §12.5.5); those named before stay.

        An application names those that were consulted for ``request.accept`` and its like by itself.
        """
        fields = self._fields
        if not names:
            return
        if isinstance(fields, SharedFields):
            self._fields = varied(fields, names)
        else:
            self.headers["vary"] = vary(self.headers.getall("vary"), names)

    def set_cookie(
        self,
        name: str,
        value: str = "",
        *,
        max_age: int | None = None,
        expires: datetime | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = "Lax",
        partitioned: bool = False,
    ) -> None:
        """Set a cookie (RFC 6265bis §4.1). ``max_age`` is in seconds; ``expires`` an aware datetime.

        A cookie of the same name, domain and path that was set before is replaced. Raises ValueError for impossible
        combinations, such as ``samesite="None"`` without ``secure``.
        """
        self._put_cookie(
            SetCookie(
                name,
                value,
                max_age=max_age,
                expires=expires,
                path=path,
                domain=domain,
                secure=secure,
                httponly=httponly,
                samesite=samesite,
                partitioned=partitioned,
            )
        )

    def delete_cookie(
        self, name: str, *, path: str | None = "/", domain: str | None = None, secure: bool = False, **attributes: Any
    ) -> None:
        """Have the client forget a cookie. Path, domain and ``secure`` must be those with which it was set."""
        self._put_cookie(SetCookie.delete(name, path=path, domain=domain, secure=secure, **attributes))

    def _put_cookie(self, cookie: SetCookie) -> None:
        fields = self._own_fields()
        start = f"{cookie.name}="
        for name, value in fields:
            if name == "set-cookie" and value.startswith(start):
                fields[:] = [field for field in fields if field[0] != "set-cookie" or not _is_same(field[1], cookie)]
                break
        fields.append(("set-cookie", str(cookie)))

    def message(self, method: str) -> tuple[int, Fields, int | None, Body, bool]:
        """What is sent in answer to a method: the status; the header fields, not to be changed; the length of a body in
        memory, unless the fields declare one; the body; and whether it is left out (RFC 9110 §6.4.1, §9.3.2), and only
        closed if it is a stream.
        """
        status, fields, body = self._status or 200, self._fields, self._body
        if status == 200 and type(fields) is SharedFields and type(body) is bytes:
            return status, fields, len(body), body, method == "HEAD"
        length = len(body) if type(body) is bytes else None
        is_silent = method == "HEAD"
        if status != 200 and status in WITHOUT_CONTENT:
            length, is_silent = WITHOUT_CONTENT[status], True
        for name, _ in fields:
            if name in FRAMING:
                fields, length = framed(fields, length, status, method)
                break
        return status, fields, length, body, is_silent

    def __copy__(self) -> Self:
        other = type(self).__new__(type(self))
        own, slots = self._state()
        for name, value in slots.items():
            setattr(other, name, value)
        if own:
            vars(other).update(own)
        return other

    def __getstate__(self) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """The message as a value, for deep copies and pickles: without ``error``. Raises TypeError for a stream."""
        if self.is_streamed:
            raise TypeError("a streamed response cannot be pickled or copied deeply: that would use up its body")
        own, slots = self._state()
        return own, {**slots, "_fields": [*self._fields], "error": None}

    def _state(self) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """What a class of one's own keeps in ``__dict__``, and the slots; the header fields are a copy's own."""
        own, slots = cast("tuple[dict[str, Any] | None, dict[str, Any]]", object.__getstate__(self))
        fields = self._fields
        return own, {**slots, "_fields": fields if isinstance(fields, SharedFields) else [*fields]}

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.content_type or 'without content'}>"


def _checked_status(status: int) -> int:
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        raise ValueError(f"a response's status is a number of 200 to 599, not {status!r}")
    return int(status)


def _is_same(line: str, cookie: SetCookie) -> bool:
    """Whether a line sets the cookie that this one replaces (RFC 6265bis §5.7)."""
    try:
        earlier = SetCookie.parse(line)
    except ValueError:
        return False
    return (earlier.name, earlier.domain, earlier.path) == (cookie.name, cookie.domain, cookie.path)
