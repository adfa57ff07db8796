"""Responses as Werkzeug 0.8 had them: they send whole URLs."""

import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from antiphon.dialects.kay.werkzeug.wrappers.auth import WWWAuthenticateMixin
from antiphon.dialects.kay.werkzeug.wrappers.common_descriptors import CommonResponseDescriptorsMixin
from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.datastructures.headers import check_sent
from antiphon.dialects.werkzeug.urls.iri import iri_to_uri
from antiphon.dialects.werkzeug.wsgi import get_current_url

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class _Base(type):
    """The metaclass of BaseResponse. Responses of today's Werkzeug dialect count as instances too: exceptions make
    them.
    """

    def __instancecheck__(cls, instance: object) -> bool:
        if cls.__dict__.get("_is_base", False) and isinstance(instance, wrappers.BaseResponse):
            return True
        return super().__instancecheck__(instance)


class BaseResponse(wrappers.BaseResponse, metaclass=_Base):
    """A response without attributes for its headers: a body, a status, and headers, as a WSGI application."""

    _is_base = True

    def iter_encoded(self, charset: str | None = None) -> Iterator[bytes]:
        """Return the chunks of the body. Text is encoded in the response's charset, whatever ``charset`` is."""
        if charset is not None:
            warnings.warn("iter_encoded encodes in the charset of the response", DeprecationWarning, stacklevel=2)
        return super().iter_encoded()

    @property
    def header_list(self) -> list[tuple[str, str]]:
        """The headers as a list of pairs."""
        return self.headers.to_wsgi_list()

    def fix_headers(self, environ: "WSGIEnvironment") -> None:
        """Change the headers to those that are sent for an environ: the name of ``get_wsgi_headers`` before 0.6."""
        self.headers = self.get_wsgi_headers(environ)

    def _final_fields(self, environ: "WSGIEnvironment") -> list[tuple[str, str]]:
        """Return the header fields as they are sent, with Location joined to the URL of the application's root.

        A status without a body has the length 0; a 304 has no headers that describe a body.
        """
        fields = super()._final_fields(environ)
        if self._has_length_of_nothing():
            fields.append(("Content-Length", "0"))
        if "Location" in self.headers:
            root = iri_to_uri(get_current_url(environ, root_only=True))
            return [(name, urljoin(root, value) if name.lower() == "location" else value) for name, value in fields]
        return fields

    def _has_length_of_nothing(self) -> bool:
        return 100 <= self.status_code < 200 or self.status_code == 204

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request. A 1xx or 204 is sent without its length of 0, which RFC 9110 §8.6 forbids."""
        chunks, status, fields = self.get_wsgi_response(environ)
        if self._has_length_of_nothing():
            fields = [(name, value) for name, value in fields if name.lower() != "content-length"]
        check_sent(fields)
        start_response(status, fields)
        return chunks


class Response(WWWAuthenticateMixin, CommonResponseDescriptorsMixin, BaseResponse, wrappers.Response):
    """A response with attributes for all usual headers."""
