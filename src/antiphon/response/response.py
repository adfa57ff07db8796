"""The response: made from text, bytes, values, files or streams, usable alone, and sent by every adapter."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast, overload

from antiphon.concurrency.iterables import aread_all, read_all
from antiphon.concurrency.loop import looks_async
from antiphon.explanations import explained
from antiphon.explanations.naming import WORDS, NamesOurs
from antiphon.http.cookies import SetCookie
from antiphon.http.headers import HeaderFields, MutableHeaders, put_line
from antiphon.http.redirect import check_redirect, redirect_location
from antiphon.lazy import frameworks, like
from antiphon.response import conditional, made
from antiphon.response.fields import (
    BYTES,
    JSON,
    NO_FIELDS,
    TEXT,
    TEXT_ONLY,
    Fields,
    Line,
    SharedFields,
    completed,
    declared,
    depending,
    has_none_of,
    put_cookie,
    typed,
)
from antiphon.response.headers import ResponseHeaders
from antiphon.response.message import (
    Body,
    BodyLike,
    Maker,
    MakerOrValue,
    Message,
    body_of,
    check_content,
    json_of,
    maker,
    message_of,
    text_of,
)
from antiphon.speedups import IS_COMPILED

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from antiphon.http.media_type import MediaType
    from antiphon.response.conditional import ConditionalRequest

_BYTES_ONLY = SharedFields.only_typed(BYTES)


R = TypeVar("R", bound="Response")


def _of_text(cls: type[R], body: str, status: int | None = None, headers: HeaderFields = ()) -> R:
    """Make a plain text response in UTF-8."""
    return cls(body, status, headers, content_type=TEXT) if headers else cls._of_type(TEXT, body, status, ())


def _text(response: "Response") -> str:
    """On a response, ``text`` is its body as text, decoded with the charset of its Content-Type, by default UTF-8.

    Raises ValueError if the body isn't valid in that charset, and TypeError for a stream: call ``freeze`` first.
    """
    return text_of(_bytes_of(response, "text"), response.content_type)


def _of_json(
    cls: type[R],
    value: Any,
    status: int | None = None,
    headers: HeaderFields = (),
    *,
    default: Callable[[Any], object] | None = None,
) -> R:
    """Make a response from a value, serialized as JSON. ``default`` returns a replacement for a value that can't be
    serialized.

    Raises TypeError, with the type and position, for a value that can't be serialized.
    """
    return cls._of_type(JSON, json_encoder()(value, default), status, headers)


def _json(response: "Response") -> Any:
    """On a response, ``json`` is the value of its body, decoded on each read.

    Raises ValueError if the body isn't JSON, and TypeError for a stream: call ``freeze`` first.
    """
    return json_of(_bytes_of(response, "json"), response)


def _bytes_of(response: "Response", read: str) -> bytes:
    body = response.body
    if not isinstance(body, bytes):
        raise explained(
            "body-is-streamed",
            f"a stream has no {read}: response.freeze() or await response.afreeze() reads it into memory",
            TypeError,
        )
    return body


class Response(ResponseHeaders, metaclass=NamesOurs, words=WORDS["Response"]):
    """An HTTP response (RFC 9110 §15).

    Text, bytes and None are converted to bytes at once; any other ``body`` is streamed, chunk by chunk. Without
    ``status``, it is a 200; in an error handler, it gets the status of the error. Without ``content_type``, as an
    argument or in ``headers``, text is text/plain and everything else application/octet-stream. Raises ValueError for a
    status outside 200 to 599, for text that isn't allowed in a header, and for content with a status that allows none
    (204, 205, 304). Raises TypeError for an unusable body.
    """

    __slots__ = {
        "__weakref__": None,
        "_body": "The content as bytes, or its chunks.",
        "_fields": "The header fields, shared until they are changed.",
        "_status": "The status; None if none was given.",
        "error": "The exception that caused this response; None if there is none.",
        "is_conditional": "True if the server has yet to apply ``make_conditional`` to this response because a handler"
        " returned a file.",
    }

    def __init__(
        self,
        body: BodyLike = None,
        status: int | None = None,
        headers: HeaderFields = (),
        *,
        content_type: "str | MediaType | None" = None,
    ) -> None:
        is_usual = status is None or (type(status) is int and 200 <= status <= 599)
        self._status = status if is_usual else _checked_status(status)  # type: ignore[arg-type]  # it isn't None
        self.error: BaseException | None = None
        self.is_conditional = False
        if type(body) is str:
            self._body: Body = body.encode()
            fields = TEXT_ONLY
        elif body is None:
            self._body = b""
            fields = NO_FIELDS
        elif type(body) is bytes:
            self._body = body
            fields = _BYTES_ONLY
        else:
            self._body = body_of(body)
            fields = TEXT_ONLY if isinstance(body, str) else _BYTES_ONLY
        if content_type is not None:
            fields = typed(content_type)
        self._fields: Fields = fields
        if headers:
            if content_type is not None:
                headers = [field for field in declared(headers, NO_FIELDS) if field[0] != "content-type"]
            self._fields = declared(headers, fields)
        # Most statuses are lower, and that comparison is cheap. A stream may turn out to be empty.
        if status is not None and status >= 204 and isinstance(self._body, bytes):
            check_content(status, self._body)

    # Ready-made responses

    text = MakerOrValue(_of_text, _text)
    json = MakerOrValue(_of_json, _json)
    html = Maker(made.html)
    template = Maker(made.template)
    back = Maker(made.back)
    stream = Maker(made.stream)
    events = Maker(made.events)
    ndjson = Maker(made.ndjson)
    multipart = Maker(made.multipart)
    file = Maker(made.file)

    @classmethod
    def _of_type(cls, content_type: str, body: BodyLike, status: int | None, headers: HeaderFields) -> Self:
        """Make a response of this type, unless the headers specify a different one."""
        shared = typed(content_type)
        fields: Fields = shared
        if headers:
            fields = declared(headers, shared)
        if type(body) is str:
            body = body.encode()
        if cls is Response and type(body) is bytes:
            return response_of(body, fields, sent_status(status, body))  # type: ignore[return-value]  # of this class
        response = cls(body, status)
        response._fields = fields
        return response

    @overload
    @classmethod
    def redirect(
        cls, location: str, status: int = 303, headers: HeaderFields = (), *, external: bool = False
    ) -> Self: ...
    @overload
    @classmethod
    def redirect(
        cls,
        location: str | None,
        status: int = 303,
        headers: HeaderFields = (),
        *,
        external: bool = False,
        otherwise: str,
        origin: str | None = None,
    ) -> Self: ...
    @maker
    @classmethod
    def redirect(
        cls,
        location: str | None,
        status: int = 303,
        headers: HeaderFields = (),
        *,
        external: bool = False,
        otherwise: str | None = None,
        origin: str | None = None,
    ) -> Self:
        """Send the client to another URL (RFC 9110 §15.4), which it requests with GET by default (303).

        A ``location`` on another site raises a ValueError that becomes a 400, unless it is
        ``external``: use that only for a URL that you have chosen yourself.

        For a URL that a client has chosen, pass ``otherwise``. In that case, none of the locations raises an error: the
        redirect goes to ``otherwise`` if the location is on another site, if it is None, empty, not text or longer than
        2048 characters, or if a backslash or control character would make browsers read it differently. To accept a
        full URL of this site, pass its ``origin``: ``origin=request.url.origin``.
        """
        response = cls(None, check_redirect(status), headers)
        response.headers["location"] = redirect_location(location, external, otherwise, origin)
        return response

    # Status, body and header fields

    @property
    def status(self) -> int:
        """The status code; 200 if none was given."""
        return self._status or 200

    @status.setter
    def status(self, status: int) -> None:
        self._status = _checked_status(status)

    @property
    def has_own_status(self) -> bool:
        """True if a status was given or set. Without one, the response of an error handler gets the error's status."""
        return self._status is not None

    @property
    def body(self) -> Body:
        """The content as bytes, or an iterable of its chunks. You can also set it to text."""
        return self._body

    @body.setter
    def body(self, body: BodyLike) -> None:
        self._body = body_of(body)

    @property
    def is_streamed(self) -> bool:
        """True if the body comes in chunks."""
        return type(self._body) is not bytes and not isinstance(self._body, bytes)

    def reraise(self) -> None:
        """Raise ``error``, if there is one. If middleware does this after its yield, the response doesn't change."""
        if self.error is not None:
            raise self.error

    def freeze(self) -> Self:
        """Read a streamed body into memory and return the response: it can then be read again, and pickled.

        The stream is closed. Raises TypeError for an async stream: use ``await response.afreeze()``.
        """
        body = self._body
        if isinstance(body, AsyncIterable):
            raise explained(
                "body-is-streamed", "an async stream has to be awaited: await response.afreeze()", TypeError
            )
        if not isinstance(body, bytes):
            self._body = read_all(body)
        return self

    async def afreeze(self) -> Self:
        """Read a stream, blocking or async, into memory, as ``freeze`` does. A blocking stream blocks the loop."""
        if not isinstance(self._body, AsyncIterable):
            return self.freeze()
        self._body = await aread_all(self._body)
        return self

    @property
    def headers(self) -> MutableHeaders:
        """The header fields, which you can change."""
        headers: MutableHeaders = _new(_HEADERS)
        headers._fields = self._own_fields()  # does what ``over`` does, in half the time
        return headers

    def _own_fields(self) -> list[Line]:
        fields = self._fields
        if not isinstance(fields, list):
            fields = self._fields = [*fields]
        return fields

    def _put(self, line: Line) -> None:
        """Replace all lines of a header field with one that has already been checked."""
        put_line(self._own_fields(), line)

    def add_missing(self, fields: SharedFields, *, unless: frozenset[str] = frozenset()) -> bool:
        """Add those shared fields that the response doesn't have. For features and dialects.

        With ``unless``, they are only added to fields that the response shares with others and that have none of these
        names; return False if nothing was done.
        """
        own = self._fields
        if isinstance(own, SharedFields):
            if unless and not has_none_of(own, unless):
                return False
            self._fields = completed(own, fields)
            return True
        if unless:
            return False
        present = {name for name, _ in own}
        own.extend([field for field in fields if field[0] not in present])
        return True

    def vary(self, *names: str) -> None:
        """Add to Vary the names of request headers on which this response depends (RFC 9110 §12.5.5).

        An application automatically adds those that were read through ``request.accept`` and similar attributes.
        """
        if names:
            self._vary(names)

    def _vary(self, names: tuple[str, ...]) -> None:
        """Do the same as ``vary``, for one or more names."""
        self._fields = depending(self._fields, names)

    def set_cookie(
        self,
        name: str,
        value: str = "",
        *,
        max_age: int | timedelta | None = None,
        expires: datetime | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = "Lax",
        partitioned: bool = False,
    ) -> None:
        """Set a cookie (RFC 6265bis §4.1). ``max_age`` is whole seconds or a timedelta; ``expires`` is an aware
        datetime.

        It replaces a cookie that this response has already set with the same name, domain and path. Raises ValueError
        for impossible combinations, such as ``samesite="None"`` without ``secure``.
        """
        cookie = SetCookie.__new__(  # calling the class would build a dict of the arguments
            SetCookie,
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
        put_cookie(self._own_fields(), cookie)

    def delete_cookie(
        self, name: str, *, path: str | None = "/", domain: str | None = None, secure: bool = False, **attributes: Any
    ) -> None:
        """Make the client delete a cookie. Path, domain and ``secure`` must be the same as when it was set."""
        put_cookie(self._own_fields(), SetCookie.delete(name, path=path, domain=domain, secure=secure, **attributes))

    # Conditions, parts and caches

    def make_conditional(self, request: "ConditionalRequest", *, ranges: bool = True) -> Self:
        """Apply the conditions and ranges of a GET or HEAD, using this response's ETag and Last-Modified.

        The response becomes a 304, or a 206 with the requested part, and is returned. Raises PreconditionFailed (412)
        and RangeNotSatisfiable (416). A stream that is not sent is closed (RFC 9110 §13.2.2, §14.2).
        """
        self.is_conditional = False
        message = conditional.conditional(request, self._status or 200, self._fields, self._body, ranges=ranges)
        if message is not None:
            status, fields, self._body = message
            if status != 200:
                self._status = status
            if isinstance(self._fields, list):
                self._fields[:] = fields  # in place, because objects that `headers` has returned are views of them
            else:
                self._fields = fields
        return self

    add_etag = conditional.add_etag
    cache_for = conditional.cache_for
    no_store = conditional.no_store

    # Sending

    def _message(self, method: str) -> Message:
        """Return the message for a request with this method."""
        return message_of(self._body, self._fields, self._status, method)

    @overload
    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse", /) -> Iterable[bytes]: ...
    @overload
    def __call__(self, scope: dict[str, Any], receive: Any, send: Any, /) -> Awaitable[None]: ...
    @looks_async
    def __call__(self, *arguments: Any) -> Any:
        """Send this response to a WSGI or ASGI server, whatever the request."""
        # The adapters import this module, so it imports their public name, late.
        from antiphon import to_app

        return to_app(self)(*arguments)

    @staticmethod
    def from_framework(given: object, /) -> "Response":
        """Convert another framework's response, such as Flask's, to a Response, as for one that a handler returns.

        Raises TypeError, naming the type, for any other object, and for a response that writes itself, such as
        aiohttp's stream.
        """
        return frameworks().response_of(given)  # type: ignore[no-any-return]

    def to_framework(self, given: object, /) -> Any:
        """Return this response as another framework's response, for a request of that framework.

        ``given`` is anything that ``Request.from_framework`` accepts; for Falcon, it can also be Falcon's response.
        Conditions are applied, and a stream is closed after it has been sent. For a Tornado handler, the response is
        written at once; for a stream, await the result.

        Raises TypeError for any other object, and the ``error`` of this response, if there is one: the framework, whose
        transaction is then rolled back, responds to it with this response.
        """
        return frameworks().response_like(self, given)

    # As a value

    def __copy__(self) -> Self:
        other = type(self).__new__(type(self))
        if type(self) is Response:  # in half the time
            fields = self._fields
            other._fields = fields if isinstance(fields, SharedFields) else [*fields]
            other._body, other._status = self._body, self._status  # noqa: SLF001 - of this class
            other.error, other.is_conditional = self.error, self.is_conditional
            return other
        own, slots = self._state()
        for name, value in slots.items():
            setattr(other, name, value)
        if own:
            vars(other).update(own)
        return other

    def __getstate__(self) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """Return the message, without ``error``, for deep copies and pickles. Raises TypeError for a stream."""
        if self.is_streamed:
            raise explained(
                "body-is-streamed",
                "a streamed response can't be pickled or deep-copied, because that would consume its body",
                TypeError,
            )
        own, slots = self._state()
        return own, {**slots, "_fields": [*self._fields], "error": None}

    def _state(self) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """Return the ``__dict__`` that a subclass may have, and the slots, with the header fields copied."""
        own, slots = cast("tuple[dict[str, Any] | None, dict[str, Any]]", object.__getstate__(self))
        fields = self._fields
        return own, {**slots, "_fields": fields if isinstance(fields, SharedFields) else [*fields]}

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.content_type or 'without content'}>"


_new: Callable[[Any], Any]
_new, _RESPONSE, _HEADERS = (
    (like, Response(), MutableHeaders()) if IS_COMPILED else (object.__new__, Response, MutableHeaders)
)


def response_of(body: Body, fields: Fields, status: int | None = None) -> Response:
    """Make a response from parts that were checked before. Skipping the checks saves a third of the time.

    For adapters and dialects. It is a function because looking up a method would take a tenth more time.
    """
    self: Response = _new(_RESPONSE)
    self.error = None
    self.is_conditional = False
    self._body = body
    self._fields = fields
    self._status = status
    return self


def seen(result: "Response | Message | Awaitable[Response]") -> "Response | Awaitable[Response]":
    """Return what a handler has returned for code that looks at it: a response instead of a message."""
    return response_of(result[3], result[1], result[0]) if type(result) is tuple else result  # type: ignore[return-value]


def sent_status(status: Any, body: bytes) -> int | None:
    """Return the status for a body. Raises ValueError for anything but a status that allows it."""
    if status is not None:
        status = _checked_status(status)
        check_content(status, body)
    return status  # type: ignore[no-any-return]  # it was just checked


def _checked_status(status: int) -> int:
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        text = status if isinstance(status, str) else ""
        fix = f": write {text[:3]}" if text[:3].isdigit() else ": use content_type=" if "/" in text else ""
        raise explained("bad-status", f"a response's status must be a number from 200 to 599, not {status!r}{fix}")
    return int(status)


@cache
def json_encoder() -> Callable[..., bytes]:
    """Import the JSON encoder once: a repeated import statement takes as long as encoding a small value."""
    from antiphon.serialization.json import encode_json

    return encode_json
