"""A response without attributes for its headers, as Werkzeug 0.8 had it: it sends whole URLs."""

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from antiphon.dialects.kay.werkzeug.wrappers.common_descriptors import CommonResponseDescriptorsMixin
from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.urls.iri import iri_to_uri
from antiphon.dialects.werkzeug.wsgi.places import get_current_url

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class _Base(type):
    """The class of a base class: what Werkzeug's exceptions give as their responses are its instances, too."""

    def __instancecheck__(cls, instance: object) -> bool:
        if cls.__dict__.get("_is_base", False) and isinstance(instance, wrappers.BaseResponse):
            return True
        return super().__instancecheck__(instance)


class BaseResponse(wrappers.BaseResponse, metaclass=_Base):
    """A body, a status, and headers, as a WSGI application: see Werkzeug's."""

    _is_base = True

    def iter_encoded(self, charset: str | None = None) -> Iterator[bytes]:
        """The chunks of the body, text encoded in the response's charset, whatever ``charset`` is."""
        if charset is not None:
            warnings.warn("iter_encoded encodes in the charset of the response", DeprecationWarning, stacklevel=2)
        return super().iter_encoded()

    def _final_fields(self, environ: "WSGIEnvironment") -> list[tuple[str, str]]:
        """What ``get_wsgi_headers`` gives: with Location joined to the root's URL.

        The length of a body that the status has not is 0; a 304 has none of the headers of a body.
        """
        fields = super()._final_fields(environ)
        if 100 <= self.status_code < 200 or self.status_code == 204:
            fields.append(("Content-Length", "0"))
        if "Location" in self.headers:
            root = iri_to_uri(get_current_url(environ, root_only=True))
            return [(name, urljoin(root, value) if name.lower() == "location" else value) for name, value in fields]
        return fields


class Response(CommonResponseDescriptorsMixin, BaseResponse, wrappers.Response):
    """A response with all that there is: see ``BaseResponse``, and the mixins, which Werkzeug's Response has."""
