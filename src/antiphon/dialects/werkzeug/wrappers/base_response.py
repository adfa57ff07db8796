"""Responses without attributes for headers: status, headers, body and cookies, as a WSGI application."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self, cast

from antiphon.dialects._environ.calling import call_application
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.http.fields import remove_entity_headers
from antiphon.dialects.werkzeug.status_codes import HTTP_STATUS_CODES
from antiphon.dialects.werkzeug.tokens.cookies import dump_cookie
from antiphon.dialects.werkzeug.utils.texts import get_content_type
from antiphon.dialects.werkzeug.wrappers.response_body import ResponseBody
from antiphon.dialects.werkzeug.wsgi.iterators import SentBody
from antiphon.dialects.werkzeug.wsgi.places import get_current_url
from antiphon.http.grammar import find_control

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class SetCookies:
    """A mixin that sets cookies."""

    headers: Headers
    max_cookie_size = 4093
    """The most bytes of Set-Cookie without a warning; 0 for no limit."""

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
        """Set a cookie, for ``max_age`` seconds or until it ``expires``, else for the browser's session.

        Without a ``domain`` it is sent to this host only; with a ``path``, only below that. Raises ValueError for text
        that can't stand in a header, and for a ``samesite`` other than Strict, Lax or None.
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
        """Tell the browser to forget a cookie that was set with this path and domain."""
        self.set_cookie(
            key, expires=0, max_age=0, path=path, domain=domain, secure=secure, httponly=httponly, samesite=samesite,
            partitioned=partitioned,
        )  # fmt: skip


_STATUS_LINES = {code: f"{code} {phrase.upper()}" for code, phrase in HTTP_STATUS_CODES.items()}
_WITHOUT_BODY = frozenset([*range(100, 200), 204, 304])

_is_uri_path = re.compile(r"/(?!/)[A-Za-z0-9\-._~!$&'()*+,/:;=@%]*+(?:\?[A-Za-z0-9\-._~!$&'()*+,/:;=@%?]*+)?").fullmatch


class BaseResponse(ResponseBody, SetCookies):
    """A body (None, text, bytes, or an iterable of these), a status (a number or a status line), and headers.

    Text has a ``mimetype``, to which the charset is added for text types, or a whole ``content_type``. Raises
    ValueError for an empty status, and for a status or headers with line ends.
    """

    default_status: int | str = 200
    default_mimetype: str | None = "text/plain"
    autocorrect_location_header = False
    """True if a relative Location is made absolute, with the request's scheme and host."""

    def __init__(
        self,
        response: Iterable[bytes] | Iterable[str] | bytes | str | None = None,
        status: int | str | HTTPStatus | None = None,
        headers: "Mapping[str, str | Iterable[str]] | Iterable[tuple[str, str]] | Headers | None" = None,
        mimetype: str | None = None,
        content_type: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:
        self.headers = headers if isinstance(headers, Headers) else Headers(headers or None)
        if content_type is None:
            if mimetype is None and (not headers or "Content-Type" not in self.headers):
                mimetype = self.default_mimetype
            content_type = mimetype and get_content_type(mimetype, self.charset)
        if content_type is not None:
            self.headers["Content-Type"] = content_type
        self.status = self.default_status if status is None else status
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

    # Status

    @property
    def status(self) -> str:
        """Code and phrase, `404 NOT FOUND`. The phrase is added to a number, and to a text that has only the code."""
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
        """The code; 0 if the status has none."""
        return self._status_code

    @status_code.setter
    def status_code(self, code: int) -> None:
        self.status = code

    # Constructors

    @classmethod
    def force_type(cls, response: Any, environ: "WSGIEnvironment | None" = None) -> Self:
        """Turn a response into one of this class, in place; or call a WSGI application with an environ for one.

        Raises TypeError for an application without an environ.
        """
        if not isinstance(response, BaseResponse):
            if environ is None:
                raise TypeError(f"the answer of a {type(response).__name__} depends on the environ: pass it")
            return cls.from_app(response, environ)
        response.__class__ = cls
        return cast("Self", response)

    @classmethod
    def from_app(cls, app: "WSGIApplication", environ: "WSGIEnvironment", buffered: bool = False) -> Self:
        """Call an application with an environ, and return its response. ``buffered`` runs it to its end first."""
        return cls(*call_application(app, dict(getattr(environ, "environ", environ)), buffered))

    # As a WSGI application

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        """Return the headers to send: with URLs in ASCII, and with the length of a body that is in memory."""
        return Headers(self._final_fields(environ))

    def _final_fields(self, environ: "WSGIEnvironment") -> list[tuple[str, str]]:
        headers = self.headers if isinstance(self.headers, Headers) else Headers(self.headers)  # a dict may be set
        fields = headers.to_wsgi_list()
        status = self._status_code
        if "Location" in headers or "Content-Location" in headers:
            fields = [self._with_uri(name, value, environ) for name, value in fields]
        has_length = "Content-Length" in headers
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
        """Return the body to send: none for HEAD, and for statuses without a body. Closing it closes the response."""
        if environ["REQUEST_METHOD"] == "HEAD" or self._status_code in _WITHOUT_BODY:
            return SentBody(iter(()), self.close)
        if self.direct_passthrough:
            passed: Iterable[bytes] = self.response
            return passed
        return SentBody(self.iter_encoded(), self.close)

    def get_wsgi_response(self, environ: "WSGIEnvironment") -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Return the body, the status and the headers to send for an environ.

        Raises ValueError for a status without a code of three digits, by which some servers would end.
        """
        if not 100 <= self._status_code <= 999:
            raise ValueError(f"a status that is sent begins with a code of three digits, unlike {self._status!r}")
        if type(self).get_wsgi_headers is BaseResponse.get_wsgi_headers:
            fields = self._final_fields(environ)
        else:
            fields = self.get_wsgi_headers(environ).to_wsgi_list()
        return self.get_app_iter(environ), self._status, fields

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        chunks, status, headers = self.get_wsgi_response(environ)
        start_response(status, headers)
        return chunks


def _read_status(value: str | int | HTTPStatus) -> tuple[str, int]:
    if isinstance(value, int):
        code = int(value)
        return _STATUS_LINES.get(code, f"{code} UNKNOWN"), code
    line = value.strip()
    if not line:
        raise ValueError("a status is not empty")
    if find_control(line):
        raise ValueError(f"a status has no control characters: {line[:80]!r}")
    digits, space, _ = line.partition(" ")
    try:
        code = int(digits)
    except ValueError:
        return f"0 {line}", 0
    return (line, code) if space else (_STATUS_LINES.get(code, f"{code} UNKNOWN"), code)


def _as_uri(reference: str) -> str:
    if _is_uri_path(reference):
        return reference
    from antiphon.dialects.werkzeug.urls.iri import iri_to_uri

    return iri_to_uri(reference)
