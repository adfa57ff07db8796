"""Responses without attributes for headers: status, headers, body and cookies, as a WSGI application."""

import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self, cast

from antiphon.dialects._environ.calling import call_application
from antiphon.dialects.werkzeug.datastructures.headers import Headers, check_sent
from antiphon.dialects.werkzeug.http.fields import remove_entity_headers
from antiphon.dialects.werkzeug.wrappers.response_body import ResponseBody
from antiphon.dialects.werkzeug.wrappers.response_head import ResponseHead
from antiphon.dialects.werkzeug.wsgi.iterators import SentBody
from antiphon.dialects.werkzeug.wsgi.places import get_current_url

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


_WITHOUT_BODY = frozenset([*range(100, 200), 204, 304])

_is_uri_path = re.compile(r"/(?!/)[A-Za-z0-9\-._~!$&'()*+,/:;=@%]*+(?:\?[A-Za-z0-9\-._~!$&'()*+,/:;=@%?]*+)?").fullmatch


class BaseResponse(ResponseBody, ResponseHead):
    """A body (None, text, bytes, or an iterable of these), with the status and headers of a ``ResponseHead``."""

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
        fields, names = headers.to_wsgi_list(), headers._names  # noqa: SLF001 - of this package, for a search in C
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
        """Answer a request. Raises ValueError for headers that can't be sent, such as a name that is not a token."""
        chunks, status, headers = self.get_wsgi_response(environ)
        check_sent(headers)
        start_response(status, headers)
        return chunks


def _as_uri(reference: str) -> str:
    if _is_uri_path(reference):
        return reference
    from antiphon.dialects.werkzeug.urls.iri import iri_to_uri

    return iri_to_uri(reference)
