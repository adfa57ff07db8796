"""Responses without attributes for headers: the status, headers, and a body of chunks from a list or iterator."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, Self, cast, overload

from antiphon.dialects._environ.calling import call_application
from antiphon.dialects.werkzeug.datastructures.headers import Headers, check_sent
from antiphon.dialects.werkzeug.exceptions.base import HTTP_STATUS_CODES
from antiphon.dialects.werkzeug.http import remove_entity_headers
from antiphon.dialects.werkzeug.tokens import dump_cookie
from antiphon.dialects.werkzeug.utils import get_content_type
from antiphon.dialects.werkzeug.wsgi import SentBody, get_current_url
from antiphon.http.grammar import find_control

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class SetCookies:
    headers: Headers
    max_cookie_size = 4093
    """The size of Set-Cookie, in bytes, above which a warning is issued. 0 means no limit."""

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: timedelta | int | None = None,
        expires: str | datetime | float | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
    ) -> None:
        """Set a cookie that lasts for ``max_age`` seconds, until ``expires``, or until the browser is closed.

        Without a ``domain``, it is sent only to this host, and with a ``path``, only below that path. Raises ValueError
        if an argument contains characters that a header can't contain, or if ``samesite`` is not Strict, Lax or None.
        """
        cookie = dump_cookie(
            key, value, max_age, expires, path, domain, secure, httponly,
            max_size=self.max_cookie_size, samesite=samesite, partitioned=partitioned,
        )  # fmt: skip
        self.headers.add("Set-Cookie", cookie)

    def delete_cookie(
        self,
        key: str,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
    ) -> None:
        """Tell the browser to delete a cookie that was set with this path and domain."""
        self.set_cookie(
            key, expires=0, max_age=0, path=path, domain=domain, secure=secure, httponly=httponly, samesite=samesite,
            partitioned=partitioned,
        )  # fmt: skip


_STATUS_LINES = {code: f"{code} {phrase.upper()}" for code, phrase in HTTP_STATUS_CODES.items()}


class ResponseHead(SetCookies):
    """A status (a code or a status line) and headers.

    The content type is given as a ``mimetype``, to which the charset is added for text types, or as a complete
    ``content_type``. Raises ValueError if the status is empty, or if the status or a header contains line breaks.
    """

    _charset = "utf-8"
    default_status: int | str = 200
    default_mimetype: str | None = "text/plain"

    def __init__(
        self,
        status: int | str | HTTPStatus | None = None,
        headers: "Mapping[str, str | Iterable[str]] | Iterable[tuple[str, str]] | Headers | None" = None,
        mimetype: str | None = None,
        content_type: str | None = None,
    ) -> None:
        if headers is None and content_type is None and (media_type := mimetype or self.default_mimetype):
            self.headers = Headers.usual(get_content_type(media_type, self._charset))
            self.status = self.default_status if status is None else status
            return
        self.headers = headers if isinstance(headers, Headers) else Headers(headers or None)
        if content_type is None:
            if mimetype is None and (not headers or "Content-Type" not in self.headers):
                mimetype = self.default_mimetype
            content_type = mimetype and get_content_type(mimetype, self._charset)
        if content_type is not None:
            self.headers["Content-Type"] = content_type
        self.status = self.default_status if status is None else status

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self.status}]>"

    @property
    def status(self) -> str:
        """The code and phrase, such as `404 NOT FOUND`.

        If it is set to a code alone, as a number or as text, the phrase is added.
        """
        return self._status

    @status.setter
    def status(self, value: str | int | HTTPStatus) -> None:
        known = _STATUS_LINES.get(cast("int", value))
        if known is None:
            self._status, self._status_code = _read_status(value)
        else:
            self._status, self._status_code = known, int(value)

    @property
    def status_code(self) -> int:
        """The status code, or 0 if the status has none."""
        return self._status_code

    @status_code.setter
    def status_code(self, code: int) -> None:
        self.status = code


def _read_status(value: str | int | HTTPStatus) -> tuple[str, int]:
    if isinstance(value, int):
        code = int(value)
        return _STATUS_LINES.get(code, f"{code} UNKNOWN"), code
    line = value.strip()
    if not line:
        raise ValueError("Empty status argument")
    if find_control(line):
        raise ValueError(f"a status must not contain control characters: {line[:80]!r}")
    digits, space, _ = line.partition(" ")
    try:
        code = int(digits)
    except ValueError:
        return f"0 {line}", 0
    return (line, code) if space else (_STATUS_LINES.get(code, f"{code} UNKNOWN"), code)


class ResponseBody:
    """The body of a response, and the functions to call when it is closed."""

    _charset: str
    implicit_sequence_conversion = True
    """True if an iterator may be read into a list when needed. If False, RuntimeError is raised instead."""
    automatically_set_content_length = True
    """True to set Content-Length when the length is known."""

    headers: Headers
    response: Any
    """The chunks of the body."""
    direct_passthrough: bool
    """True to pass the chunks to the server unchanged."""
    _on_close: list[Callable[[], object]]

    @overload
    def get_data(self, as_text: Literal[False] = False) -> bytes: ...
    @overload
    def get_data(self, as_text: Literal[True]) -> str: ...
    def get_data(self, as_text: bool = False) -> bytes | str:
        """Return the whole body as bytes or text, reading an iterator. Raises RuntimeError if it must not be read."""
        self._ensure_sequence()
        data = b"".join(self.iter_encoded())
        return data.decode(self._charset) if as_text else data

    def set_data(self, value: bytes | bytearray | str) -> None:
        data = value.encode(self._charset) if isinstance(value, str) else bytes(value)
        self.response = [data]
        if self.automatically_set_content_length:
            if isinstance(self.headers, Headers):
                self.headers.set_length(len(data))
            else:  # a program may have set headers to a dict
                self.headers["Content-Length"] = str(len(data))

    @property
    def data(self) -> bytes:
        """The whole body as bytes. See ``get_data``."""
        return self.get_data()

    @data.setter
    def data(self, value: bytes | str) -> None:
        self.set_data(value)

    def calculate_content_length(self) -> int | None:
        """Return the body's length in bytes, or None if it must not be read."""
        try:
            self._ensure_sequence()
        except RuntimeError:
            return None
        return sum(map(len, self.iter_encoded()))

    @property
    def is_sequence(self) -> bool:
        """True if the body is a list or a tuple."""
        return isinstance(self.response, (list, tuple))

    @property
    def is_streamed(self) -> bool:
        """True if the number of chunks is unknown."""
        try:
            len(self.response)
        except (TypeError, AttributeError):
            return True
        return False

    def _ensure_sequence(self) -> None:
        if self.is_sequence:
            return
        if self.direct_passthrough:
            raise RuntimeError(
                "Attempted implicit sequence conversion but the response object is in direct passthrough mode."
            )
        if not self.implicit_sequence_conversion:
            raise RuntimeError(
                "The response object required the iterable to be a sequence, but the implicit conversion was disabled."
                " Call make_sequence() yourself."
            )
        self.make_sequence()

    def ensure_list(self) -> list[Any]:
        """Return the chunks as a mutable list. Raises RuntimeError if the body must not be read."""
        self._ensure_sequence()
        if not isinstance(self.response, list):
            self.response = list(self.response)
        return self.response

    def make_sequence(self) -> None:
        """Read the body into a list of bytes. The iterator is closed together with the response."""
        if self.is_sequence:
            return
        source = self.response
        self.response = list(self.iter_encoded())
        if close := getattr(source, "close", None):
            self.call_on_close(close)

    def iter_encoded(self) -> Iterator[bytes]:
        """Return an iterator over the body's chunks, with text encoded."""
        chunks = self.response
        if type(chunks) is list and len(chunks) == 1 and type(chunks[0]) is bytes:
            return iter(chunks)
        return _encoded(chunks, self._charset)

    def freeze(self) -> None:
        """Prepare the response for pickling: read the body into bytes and set Content-Length and ETag."""
        self.response = list(self.iter_encoded())
        self.headers["Content-Length"] = str(sum(map(len, self.response)))
        self.add_etag()

    def add_etag(self, overwrite: bool = False, weak: bool = False) -> None:
        """Do nothing. Classes with entity tags override this."""

    def call_on_close(self, func: Callable[[], Any]) -> Callable[[], Any]:
        """Register a function to call when the response is closed. Returns the function."""
        self._on_close.append(func)
        return func

    def close(self) -> None:
        """Close the body if possible, and call the functions registered with ``call_on_close``."""
        if close := getattr(self.response, "close", None):
            close()
        for func in self._on_close:
            func()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _encoded(chunks: Any, charset: str) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk.encode(charset) if isinstance(chunk, str) else chunk


_WITHOUT_BODY = frozenset([*range(100, 200), 204, 304])

_is_uri_path = re.compile(r"/(?!/)[A-Za-z0-9\-._~!$&'()*+,/:;=@%]*+(?:\?[A-Za-z0-9\-._~!$&'()*+,/:;=@%?]*+)?").fullmatch


class BaseResponse(ResponseBody, ResponseHead):
    """A response with a body: None, text, bytes, or an iterable of text or bytes."""

    autocorrect_location_header = False
    """True to make a relative Location absolute."""

    def __init__(
        self,
        response: Iterable[bytes] | Iterable[str] | bytes | str | None = None,
        status: int | str | HTTPStatus | None = None,
        headers: "Mapping[str, str | Iterable[str]] | Iterable[tuple[str, str]] | Headers | None" = None,
        mimetype: str | None = None,
        content_type: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:
        ResponseHead.__init__(self, status, headers, mimetype, content_type)
        self.direct_passthrough = direct_passthrough
        self._on_close: list[Callable[[], object]] = []
        self.response: Any = []
        if isinstance(response, (str, bytes, bytearray)):
            self.set_data(response)
        elif response is not None:
            self.response = response

    def __repr__(self) -> str:
        if self.is_sequence:
            body = f"{sum(map(len, self.iter_encoded()))} bytes"
        else:
            body = "streamed" if self.is_streamed else "likely-streamed"
        return f"<{type(self).__name__} {body} [{self.status}]>"

    # Constructors

    @classmethod
    def force_type(cls, response: Any, environ: "WSGIEnvironment | None" = None) -> Self:
        """Convert a response to this class, in place, or call a WSGI application with an environ to get one.

        Raises TypeError if an application is given without an environ.
        """
        if not isinstance(response, BaseResponse):
            if environ is None:
                raise TypeError("cannot convert WSGI application into response objects without an environ")
            return cls.from_app(response, environ)
        response.__class__ = cls
        return cast("Self", response)

    @classmethod
    def from_app(cls, app: "WSGIApplication", environ: "WSGIEnvironment", buffered: bool = False) -> Self:
        """Call an application with an environ and return its response. ``buffered`` runs it to its end first."""
        return cls(*call_application(app, dict(getattr(environ, "environ", environ)), buffered))

    # As a WSGI application

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        """Return the headers to send, with URLs in ASCII and the length of a body that is in memory."""
        return Headers(self._final_fields(environ))

    def _final_fields(self, environ: "WSGIEnvironment") -> list[tuple[str, str]]:
        headers = self.headers if isinstance(self.headers, Headers) else Headers(self.headers)  # may be a dict
        fields, names = headers.to_wsgi_list(), headers._names  # noqa: SLF001 - of this package, and fast to search
        status = self._status_code
        if "location" in names or "content-location" in names:
            fields = [self._with_uri(name, value, environ) for name, value in fields]
        has_length = "content-length" in names
        if status == 304:
            remove_entity_headers(fields)
        elif status in _WITHOUT_BODY:
            fields = [field for field in fields if field[0].lower() != "content-length"]
        elif not has_length and self.automatically_set_content_length and self.is_sequence:
            fields.append(("Content-Length", str(sum(map(len, self.iter_encoded())))))
        return fields

    def _with_uri(self, name: str, value: str, environ: "WSGIEnvironment") -> tuple[str, str]:
        field = name.lower()
        if field not in ("location", "content-location"):
            return name, value
        uri = _as_uri(value)
        if field == "location" and self.autocorrect_location_header:
            from urllib.parse import urljoin

            uri = urljoin(_as_uri(get_current_url(environ, strip_querystring=True)), uri)
        return name, uri

    def get_app_iter(self, environ: "WSGIEnvironment") -> Iterable[bytes]:
        """Return the body to send. It is empty for HEAD and statuses without a body. Closing it closes the response."""
        if environ["REQUEST_METHOD"] == "HEAD" or self._status_code in _WITHOUT_BODY:
            return SentBody(iter(()), self.close)
        if self.direct_passthrough:
            passed: Iterable[bytes] = self.response
            return passed
        return SentBody(self.iter_encoded(), self.close)

    def get_wsgi_response(self, environ: "WSGIEnvironment") -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Return the body, status and headers to send for an environ.

        Raises ValueError if the status has no three-digit code, which would crash some servers.
        """
        if not 100 <= self._status_code <= 999:
            raise ValueError(f"a status to send must begin with a code of three digits, not {self._status!r}")
        if type(self).get_wsgi_headers is BaseResponse.get_wsgi_headers:
            fields = self._final_fields(environ)
        else:
            fields = self.get_wsgi_headers(environ).to_wsgi_list()
        return self.get_app_iter(environ), self._status, fields

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a request. Raises ValueError for headers that can't be sent, such as a name that is not a token."""
        chunks, status, headers = self.get_wsgi_response(environ)
        check_sent(headers)
        start_response(status, headers)
        return chunks


def _as_uri(reference: str) -> str:
    if _is_uri_path(reference):
        return reference
    from antiphon.dialects.werkzeug.urls.iri import iri_to_uri

    return iri_to_uri(reference)
