"""The response: a status, header fields and a body that is bytes or a stream; usable alone."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, overload

from antiphon.framing import FRAMING, WITHOUT_CONTENT, framed
from antiphon.http.cookies import SetCookie
from antiphon.http.headers import HeaderFields, MutableHeaders, field_name, field_pairs, field_value
from antiphon.http.media_type import MediaType
from antiphon.http.redirect import check_redirect, redirect_location
from antiphon.http.url import URL, as_uri
from antiphon.pieces import aread_all, read_all
from antiphon.response_headers import ResponseHeaders

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from antiphon.applications import Application, Interface
    from antiphon.conditional import Requested
    from antiphon.file_fields import Source


class Asking(Protocol):
    """A request that can be put to an application."""

    def get_response(self, application: "Application", interface: "Interface | None", /) -> "Response": ...


class Linked(Protocol):
    """A request, and the page from which it comes."""

    @property
    def referrer(self) -> str | None: ...
    @property
    def url(self) -> URL: ...


Content: TypeAlias = str | bytes | Iterable[bytes | str] | AsyncIterable[bytes | str] | None
"""What a body is made from: text (sent as UTF-8), bytes, pieces of either, or nothing."""
Stream: TypeAlias = Iterable[bytes | str] | AsyncIterable[bytes | str]
"""A body that comes in pieces."""
Body: TypeAlias = bytes | Stream
"""What a body is then."""

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"
BYTES = "application/octet-stream"


class TypeOnly(tuple[tuple[str, str], ...]):
    """The header fields of a response that has nothing but a type. Responses share it until they change theirs.

    ``encoded`` are the same in bytes.
    """

    encoded: tuple[tuple[bytes, bytes], ...]

    @classmethod
    def of(cls, content_type: str) -> Self:
        """The fields for a type."""
        self = cls([("content-type", content_type)])
        self.encoded = ((b"content-type", content_type.encode()),)
        return self


Fields: TypeAlias = list[tuple[str, str]] | tuple[tuple[str, str], ...]

ONLY_TYPED = {content_type: TypeOnly.of(content_type) for content_type in (TEXT, HTML, JSON, BYTES)}
"""The header fields of most responses."""
_TEXT_ONLY = ONLY_TYPED[TEXT]


class Response(ResponseHeaders):
    """An HTTP response (RFC 9110 §15).

    ``body`` becomes bytes at once when it is text, bytes or None; otherwise it is streamed, piece by piece.
    Without ``content_type``, neither there nor in ``headers``, text is text/plain and the rest
    application/octet-stream. Raises ValueError for a status outside 200 to 599 and for what can't stand in a header.
    """

    __slots__ = ("__dict__", "__weakref__", "_body", "_fields", "_status", "error")

    def __init__(
        self, body: Content = None, status: int = 200, headers: HeaderFields = (), *, content_type: str | None = None
    ) -> None:
        self._status = 200 if status == 200 else _checked_status(status)
        self.error: BaseException | None = None
        if type(body) is str:
            self._body: Body = body.encode()
            self._fields: Fields = _TEXT_ONLY
        elif body is None:
            self._body = b""
            self._fields = ()
        else:
            self.body = body
            self._fields = ONLY_TYPED[TEXT if isinstance(body, str) else BYTES]
        if headers:
            default = self._fields
            fields = self._fields = [(field_name(name), field_value(value)) for name, value in field_pairs(headers)]
            if content_type is not None:
                self.content_type = content_type
            elif not any(name == "content-type" for name, _ in fields):
                fields += default
        elif content_type is not None:
            self._fields = ONLY_TYPED.get(content_type, ())
            if not self._fields:
                self.content_type = content_type

    # Ready-made kinds

    @classmethod
    def text(cls, body: str, status: int = 200, headers: HeaderFields = ()) -> Self:
        """Plain text, as UTF-8."""
        return cls(body, status, headers, content_type=TEXT)

    @classmethod
    def html(cls, body: str, status: int = 200, headers: HeaderFields = ()) -> Self:
        """A page of HTML, as UTF-8. What goes into it must have been escaped."""
        return cls(body, status, headers, content_type=HTML)

    @classmethod
    def json(
        cls,
        value: Any,
        status: int = 200,
        headers: HeaderFields = (),
        *,
        default: Callable[[Any], object] | None = None,
    ) -> Self:
        """A value, written as JSON. ``default`` gives, of one that can't be, what is written in its place.

        Raises TypeError, which names type and place, for a value that can't be written.
        """
        from antiphon.json_codec import encode_json

        return cls._of_type(JSON, encode_json(value, default), status, headers)

    @classmethod
    def _of_type(cls, content_type: str, body: Content, status: int, headers: HeaderFields) -> Self:
        """A response of this type, unless the headers name another."""
        if headers:
            headers = [*field_pairs(headers)]
            if any(name.lower() == "content-type" for name, _ in headers):
                return cls(body, status, headers)
        return cls(body, status, headers, content_type=content_type)

    @classmethod
    def redirect(cls, location: str, status: int = 303, headers: HeaderFields = (), *, external: bool = False) -> Self:
        """Send the client elsewhere (RFC 9110 §15.4): by default to be fetched with GET (303).

        Raises ValueError for a ``location`` that names a site, unless it is ``external``: only say that of a URL that
        you have chosen.
        """
        response = cls(None, check_redirect(status), headers)
        response.headers["location"] = redirect_location(location, external)
        return response

    @classmethod
    def back(cls, request: "Linked", default: str = "/", status: int = 303) -> Self:
        """Send the client to the page of this site that it comes from (Referer), else to ``default``."""
        try:
            referrer = URL(request.referrer or "")
        except ValueError:
            referrer = URL()
        is_here = bool(referrer.origin) and referrer.origin == request.url.origin
        return cls.redirect(referrer.target if is_here else default, status)

    @classmethod
    def stream(
        cls,
        pieces: Iterable[bytes | str] | AsyncIterable[bytes | str],
        status: int = 200,
        headers: HeaderFields = (),
        *,
        content_type: str | None = None,
    ) -> Self:
        """A body that is sent while it is made. The iterator is closed in every case."""
        if content_type is None:
            return cls._of_type(TEXT, pieces, status, headers)
        return cls(pieces, status, headers, content_type=content_type)

    @classmethod
    def events(
        cls,
        source: Iterable[Any] | AsyncIterable[Any],
        status: int = 200,
        headers: HeaderFields = (),
        *,
        heartbeat: float | None = 15.0,
        retry: int | None = None,
    ) -> Self:
        """Server-sent events (WHATWG HTML §9.2): each an ``Event``, text, or another value, sent as JSON.

        An async source that is silent for ``heartbeat`` seconds is bridged by comments; a blocking one has to give its
        own. ``retry`` is after how many milliseconds a client that lost the stream comes back. A source that fails is
        told of in an event named "error". The iterator is closed in every case.
        Raises TypeError for what is no iterable of events, ValueError for a heartbeat or ``retry`` that can't be.
        """
        from antiphon.event_stream import event_stream

        pieces = event_stream(source, heartbeat, retry)
        response = cls._of_type("text/event-stream", pieces, status, headers)
        response.headers.setdefault("cache-control", "no-store")
        response.headers.setdefault("x-accel-buffering", "no")
        return response

    @classmethod
    def ndjson(cls, source: Iterable[Any] | AsyncIterable[Any], status: int = 200, headers: HeaderFields = ()) -> Self:
        """Values as JSON, one a line, sent while they are made. The iterator is closed in every case.

        A value that can't be written breaks the stream off. Raises TypeError for what is no iterable of values.
        """
        from antiphon.event_stream import json_lines

        return cls._of_type("application/x-ndjson", json_lines(source), status, headers)

    @classmethod
    def file(
        cls,
        source: "Source",
        status: int = 200,
        headers: HeaderFields = (),
        *,
        filename: str | None = None,
        as_attachment: bool = False,
        content_type: str | None = None,
        etag: bool = True,
        modified: bool = True,
    ) -> Self:
        """A file: an absolute path, or a file object that gives bytes, which is sent from where it stands and closed.

        It is for paths that you choose, not for those that a client names. Without ``content_type`` the name tells the
        type. ``as_attachment`` has it saved, as ``filename`` or under its own name (RFC 6266). A path has an ETag, of
        its time and size, and Last-Modified, unless they are declined. ``headers`` go before all of these. Raises
        NotFound (404) for what is no regular file, Forbidden (403), ValueError for a relative path and for a
        ``filename`` that can't be sent, TypeError for what is neither a path nor a file of bytes.
        """
        from antiphon.file_fields import describe_file

        body, content_type, fields = describe_file(
            source,
            headers,
            filename=filename,
            as_attachment=as_attachment,
            content_type=content_type,
            etag=etag,
            modified=modified,
        )
        return cls(body, status, fields, content_type=content_type)

    # Applications

    @classmethod
    def from_app(
        cls, application: "Application", request: "Asking", interface: "Interface | None" = None
    ) -> "Response":
        """What an application answers to a request: ``request.get_response(application)``."""
        return request.get_response(application, interface)

    @overload
    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse", /) -> Iterable[bytes]: ...
    @overload
    def __call__(self, scope: dict[str, Any], receive: Any, send: Any, /) -> Awaitable[None]: ...
    def __call__(self, *arguments: Any) -> Any:
        """Be the WSGI or ASGI application that answers by this response, whatever is asked."""
        from antiphon.applications import find_adapters

        return find_adapters().serve_response(self)(*arguments)

    # Status, body, headers

    @property
    def status(self) -> int:
        """The status code."""
        return self._status

    @status.setter
    def status(self, status: int) -> None:
        self._status = _checked_status(status)

    @property
    def body(self) -> Body:
        """The content in bytes, or the iterable of its pieces. May be set to text, too."""
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
        """Whether the body comes in pieces."""
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

    @property
    def content_type(self) -> str | None:
        """The media type of the body with its parameters (RFC 9110 §8.3); None where there is none."""
        return self.headers.get("content-type")

    @content_type.setter
    def content_type(self, content_type: str | None) -> None:
        if content_type is None:
            self.headers.pop("content-type")
        elif content_type in ONLY_TYPED:
            self.headers["content-type"] = content_type
        else:
            self.headers["content-type"] = str(MediaType.parse(field_value(content_type)))

    @property
    def location(self) -> str | None:
        """Where a redirect or a created resource is (RFC 9110 §10.2.2)."""
        return self.headers.get("location")

    @location.setter
    def location(self, location: str | None) -> None:
        if location is None:
            self.headers.pop("location")
        else:
            self.headers["location"] = as_uri(location)

    def vary(self, *names: str) -> None:
        """Name request headers on which this response depends (RFC 9110 §12.5.5); those named before stay.

        An application names those that were consulted for ``request.accept`` and its like by itself.
        """
        if not names:
            return
        added = _listed(names)
        if type(self._fields) is TypeOnly:
            self._fields = [*self._fields, ("vary", added)]
            return
        present = self.headers.getall("vary")
        known = {name.lower() for name in present}
        if "*" not in known:
            self.headers["vary"] = ", ".join(present + [name for name in added.split(", ") if name not in known])

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
        if [value for name, value in fields if name == "set-cookie" and value.startswith(start)]:
            fields[:] = [field for field in fields if field[0] != "set-cookie" or not _is_same(field[1], cookie)]
        fields.append(("set-cookie", str(cookie)))

    # Conditions, parts and caches

    def conditional(self, request: "Requested", *, ranges: bool = True) -> Self:
        """Answer a GET or HEAD by its conditions and ranges, from this response's ETag and Last-Modified.

        It becomes a 304, or a 206 with the parts that were asked for, and is given back. Raises PreconditionFailed
        (412) and RangeNotSatisfiable (416). A stream that is not sent is closed (RFC 9110 §13.2.2, §14.2).
        """
        from antiphon.conditional import conditional

        return conditional(self, request, ranges=ranges)

    def add_etag(self, *, weak: bool = False, overwrite: bool = False) -> None:
        """Set ETag from the body, unless there is one. Raises TypeError for a stream."""
        from antiphon.conditional import add_etag

        add_etag(self, weak=weak, overwrite=overwrite)

    def cache_for(self, seconds: int, *, public: bool = False, immutable: bool = False) -> None:
        """Let caches keep it for so many seconds: the client's own, and with ``public`` those that many share."""
        from antiphon.conditional import cache_for

        cache_for(self, seconds, public=public, immutable=immutable)

    def no_store(self) -> None:
        """Let no cache keep it."""
        from antiphon.conditional import no_store

        no_store(self)

    def message(self, method: str) -> tuple[int, Fields, int | None, Body, bool]:
        """What is sent in answer to a method: the status; the header fields, not to be changed; the length of a body in
        memory, unless the fields declare one; the body; and whether it is left out (RFC 9110 §6.4.1, §9.3.2), and only
        closed if it is a stream.
        """
        status, fields, body = self._status, self._fields, self._body
        if status == 200 and type(fields) is TypeOnly and type(body) is bytes:
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
        other.status, other.body, other.error = self._status, self._body, self.error
        other._fields = self._fields if type(self._fields) is TypeOnly else [*self._fields]
        vars(other).update(vars(self))
        return other

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The message as a value, for deep copies and pickles: without ``error``. Raises TypeError for a stream."""
        if self.is_streamed:
            raise TypeError("a streamed response cannot be pickled or copied deeply: that would use up its body")
        slots = {"_status": self._status, "_fields": [*self._fields], "_body": self._body, "error": None}
        return vars(self), slots

    def __repr__(self) -> str:
        return f"<Response {self._status} {self.content_type or 'without content'}>"


@lru_cache(maxsize=64)
def _listed(names: tuple[str, ...]) -> str:
    """Names of fields as a list, each once."""
    return ", ".join(dict.fromkeys(map(field_name, names)))


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
