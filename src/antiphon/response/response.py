"""The response: made of text, bytes, values, files and streams; usable alone."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, Self, overload

from antiphon.concurrency.coroutine_function import looks_async
from antiphon.http.headers import HeaderFields, field_pairs
from antiphon.http.redirect import check_redirect, redirect_location
from antiphon.http.url import URL
from antiphon.response.conditional import add_etag, cache_for, conditional, no_store
from antiphon.response.fields import HTML, JSON, TEXT
from antiphon.response.message import Content, ResponseMessage
from antiphon.response.templates import is_template, render_template

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from antiphon.response.conditional import Requested
    from antiphon.response.files import Source
    from antiphon.response.templates import Template


class Linked(Protocol):
    """A request, and the page from which it comes."""

    @property
    def referrer(self) -> str | None: ...
    @property
    def url(self) -> URL: ...


class Response(ResponseMessage):
    """An HTTP response (RFC 9110 §15).

    ``body`` becomes bytes at once when it is text, bytes or None; otherwise it is streamed, chunk by chunk.
    Without ``status`` it is a 200, or what an error handler answers has the error's status.
    Without ``content_type``, neither there nor in ``headers``, text is text/plain and the rest
    application/octet-stream. Raises ValueError for a status outside 200 to 599 and for what can't stand in a header.
    """

    __slots__ = ()

    # Ready-made kinds

    @classmethod
    def text(cls, body: str, status: int | None = None, headers: HeaderFields = ()) -> Self:
        """Plain text, as UTF-8."""
        return cls(body, status, headers, content_type=TEXT)

    @classmethod
    def html(cls, body: "str | Template", status: int | None = None, headers: HeaderFields = ()) -> Self:
        """A page of HTML, as UTF-8. What goes into text must have been escaped; in a t-string every value is."""
        if not isinstance(body, str) and is_template(body):
            body = render_template(body)
        return cls(body, status, headers, content_type=HTML)

    @classmethod
    def json(
        cls,
        value: Any,
        status: int | None = None,
        headers: HeaderFields = (),
        *,
        default: Callable[[Any], object] | None = None,
    ) -> Self:
        """A value, written as JSON. ``default`` gives, of one that can't be, what is written in its place.

        Raises TypeError, which names type and place, for a value that can't be written.
        """
        return cls._of_type(JSON, json_encoder()(value, default), status, headers)

    @classmethod
    def _of_type(cls, content_type: str, body: Content, status: int | None, headers: HeaderFields) -> Self:
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
        chunks: Iterable[bytes | str] | AsyncIterable[bytes | str],
        status: int | None = None,
        headers: HeaderFields = (),
        *,
        content_type: str | None = None,
    ) -> Self:
        """A body that is sent while it is made. The iterator is closed in every case."""
        if content_type is None:
            return cls._of_type(TEXT, chunks, status, headers)
        return cls(chunks, status, headers, content_type=content_type)

    @classmethod
    def events(
        cls,
        source: Iterable[Any] | AsyncIterable[Any],
        status: int | None = None,
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
        from antiphon.response.events import event_stream

        chunks = event_stream(source, heartbeat, retry)
        response = cls._of_type("text/event-stream", chunks, status, headers)
        response.headers.setdefault("cache-control", "no-store")
        response.headers.setdefault("x-accel-buffering", "no")
        return response

    @classmethod
    def ndjson(
        cls, source: Iterable[Any] | AsyncIterable[Any], status: int | None = None, headers: HeaderFields = ()
    ) -> Self:
        """Values as JSON, one a line, sent while they are made. The iterator is closed in every case.

        A value that can't be written breaks the stream off. Raises TypeError for what is no iterable of values.
        """
        from antiphon.response.events import json_lines

        return cls._of_type("application/x-ndjson", json_lines(source), status, headers)

    @classmethod
    def file(
        cls,
        source: "Source",
        status: int | None = None,
        headers: HeaderFields = (),
        *,
        filename: str | None = None,
        as_attachment: bool = False,
        content_type: str | None = None,
        etag: bool = True,
        modified: bool = True,
        conditional: bool = True,
    ) -> Self:
        """A file: an absolute path, or a file object that gives bytes, which is sent from where it stands and closed.

        It is for paths that you choose, not for those that a client names. Without ``content_type`` the name tells the
        type. ``as_attachment`` has it saved, as ``filename`` or under its own name (RFC 6266). A path has an ETag, of
        its time and size, and Last-Modified, unless they are declined. ``headers`` go before all of these.
        ``conditional`` has who serves it answer by the request's conditions and ranges, as the method of that name
        does. Raises NotFound (404) for what is no regular file, Forbidden (403), ValueError for a relative path and for
        a ``filename`` that can't be sent, TypeError for what is neither a path nor a file of bytes.
        """
        from antiphon.response.files import describe_file

        body, content_type, fields = describe_file(
            source,
            headers,
            filename=filename,
            as_attachment=as_attachment,
            content_type=content_type,
            etag=etag,
            modified=modified,
        )
        response = cls(body, status, fields, content_type=content_type)
        response.is_conditional = conditional
        return response

    # Applications

    @overload
    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse", /) -> Iterable[bytes]: ...
    @overload
    def __call__(self, scope: dict[str, Any], receive: Any, send: Any, /) -> Awaitable[None]: ...
    @looks_async
    def __call__(self, *arguments: Any) -> Any:
        """Answer a WSGI or an ASGI server by this response, whatever the request."""
        # No response knows the adapters, which know responses: so it calls them by the public name, as users do.
        from antiphon import serve

        return serve(self)(*arguments)

    # Conditions, parts and caches

    def conditional(self, request: "Requested", *, ranges: bool = True) -> Self:
        """Answer a GET or HEAD by its conditions and ranges, from this response's ETag and Last-Modified.

        It becomes a 304, or a 206 with the parts that were asked for, and is given back. Raises PreconditionFailed
        (412) and RangeNotSatisfiable (416). A stream that is not sent is closed (RFC 9110 §13.2.2, §14.2).
        """
        self.is_conditional = False
        message = conditional(request, self._status or 200, self._fields, self._body, ranges=ranges)
        if message is not None:
            status, fields, self._body = message
            if status != 200:
                self._status = status
            if isinstance(self._fields, list):
                self._fields[:] = fields  # what `headers` gave stays a view of them
            else:
                self._fields = fields
        return self

    def add_etag(self, *, weak: bool = False, overwrite: bool = False) -> None:
        """Set ETag from the body, unless there is one. Raises TypeError for a stream."""
        add_etag(self, weak=weak, overwrite=overwrite)

    def cache_for(self, seconds: int, *, public: bool = False, immutable: bool = False) -> None:
        """Let caches keep it for so many seconds: the client's own, and with ``public`` those that many share."""
        cache_for(self, seconds, public=public, immutable=immutable)

    def no_store(self) -> None:
        """Let no cache keep it."""
        no_store(self)


@cache
def json_encoder() -> Callable[..., bytes]:
    """What writes JSON, imported when it is first used: an import that is repeated takes as long as a small value."""
    from antiphon.serialization.json import encode_json

    return encode_json
