"""Requests as Werkzeug 0.8 had them: immutable, and in a charset of their own."""

from typing import TYPE_CHECKING, Any

from antiphon.dialects._environ.places import text_of
from antiphon.dialects.kay.dependencies import RequestDependencies
from antiphon.dialects.kay.werkzeug.formparser import FormDataParser, default_stream_factory
from antiphon.dialects.kay.werkzeug.wrappers.common_descriptors import CommonRequestDescriptorsMixin, ETagRequestMixin
from antiphon.dialects.kay.werkzeug.wrappers.sealed import Immutable, seal, sealed
from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.datastructures.dicts import ImmutableDict, ImmutableTypeConversionDict
from antiphon.dialects.werkzeug.datastructures.structures import CombinedMultiDict
from antiphon.dialects.werkzeug.tokens import parse_options_header, read_cookies
from antiphon.dialects.werkzeug.urls.parts import url_decode
from antiphon.dialects.werkzeug.utils import environ_header
from antiphon.dialects.werkzeug.wrappers.base_request import combined
from antiphon.http import parse_query

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_set_attribute = object.__setattr__

_WITH_FORM = frozenset({"POST", "PUT", "PATCH"})


def _parse_parameters(raw: str | None) -> "ImmutableDict[str, str]":
    return ImmutableDict(parse_options_header(raw)[1])


@seal
class BaseRequest(Immutable, RequestDependencies, wrappers.BaseRequest):
    """A request without attributes for its headers: a WSGI environ as an object. Only POST, PUT and PATCH have
    forms.
    """

    charset = "utf-8"
    """The charset of text. Bytes that are not in the charset become U+FFFD."""
    encoding_errors = "replace"
    dict_storage_class: type[Any] = ImmutableTypeConversionDict
    """The class of ``cookies``."""
    form_data_parser_class: type[Any] = FormDataParser
    """The class of the form parser."""

    def __init__(self, environ: "WSGIEnvironment", populate_request: bool = True, shallow: bool = False) -> None:
        # Past __setattr__, which refuses these.
        _set_attribute(self, "environ", environ)
        _set_attribute(self, "shallow", shallow)
        if populate_request and not shallow:
            environ["werkzeug.request"] = self

    mimetype_params = environ_header("CONTENT_TYPE", _parse_parameters, "The parameters of the media type.")

    @property
    def url_charset(self) -> str:
        """The charset of text in URLs: by default ``charset``."""
        return self.charset

    @property
    def is_xhr(self) -> bool:
        """True if the header X-Requested-With says that a script sent the request."""
        requester: str = self.environ.get("HTTP_X_REQUESTED_WITH", "")
        return requester.lower() == "xmlhttprequest"

    @property
    def want_form_data_parsed(self) -> bool:
        """True if the request's method has a form. May be overridden."""
        return self.environ["REQUEST_METHOD"] in _WITH_FORM

    def make_form_data_parser(self) -> Any:
        """Return a form parser of ``form_data_parser_class``, with the charset and the limits of this request."""
        has_own_streams = type(self)._get_file_stream is not wrappers.BaseRequest._get_file_stream  # noqa: SLF001
        parser = self.form_data_parser_class(
            self._get_file_stream if has_own_streams else default_stream_factory,
            self.charset,
            self.encoding_errors,
            self.max_form_memory_size,
            self.max_content_length,
            self.parameter_storage_class,
        )
        parser.max_form_parts = self.max_form_parts
        return parser

    @sealed
    def root_path(self) -> str:
        """The path of the application's root, without a slash at its end; empty if it is the host's root."""
        return self._decode("SCRIPT_NAME", self.url_charset).rstrip("/")

    @sealed
    def path(self) -> str:
        """The decoded path below the application's root, with a slash at its beginning."""
        return "/" + self._decode("PATH_INFO", self.url_charset).lstrip("/")

    @sealed
    def args(self) -> Any:
        """The fields of the query, as ``parameter_storage_class``. Raises RequestURITooLarge for too many."""
        self._check_query()
        if self.url_charset == "utf-8":
            return self.parameter_storage_class(parse_query(self.query_string))
        return url_decode(self.query_string, self.url_charset, cls=self.parameter_storage_class)

    @sealed
    def values(self) -> "CombinedMultiDict[str, str]":
        """The fields of ``args``, followed by those of ``form``."""
        return combined(self.args, self.form)

    @sealed
    def cookies(self) -> Any:
        """The cookies, as ``dict_storage_class``."""
        written: str = self.environ.get("HTTP_COOKIE") or ""
        if self.charset != "utf-8" and not written.isascii():
            written = self._decode("HTTP_COOKIE", self.charset).encode().decode("latin-1")
        return self.dict_storage_class(reversed(read_cookies(written)))

    def _decode(self, key: str, charset: str) -> str:
        """Return a value of the environ as text."""
        return text_of(self.environ.get(key) or "", charset)


class Request(ETagRequestMixin, CommonRequestDescriptorsMixin, BaseRequest, wrappers.Request):
    """A request with attributes for all usual headers."""
