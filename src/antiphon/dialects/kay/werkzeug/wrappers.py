"""Requests and responses as in `werkzeug.wrappers` 0.8, and their mixins."""

import warnings
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar, overload
from urllib.parse import urljoin

from antiphon import Dependency
from antiphon.dialects._environ.attributes import environ_value
from antiphon.dialects._environ.heads import text_of
from antiphon.dialects.kay.dependencies import RequestDependencies
from antiphon.dialects.kay.werkzeug.formparser import FormDataParser, default_stream_factory
from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.datastructures import auth
from antiphon.dialects.werkzeug.datastructures.dicts import ImmutableDict, ImmutableTypeConversionDict
from antiphon.dialects.werkzeug.datastructures.headers import check_sent
from antiphon.dialects.werkzeug.datastructures.range import IfRange
from antiphon.dialects.werkzeug.datastructures.structures import CombinedMultiDict
from antiphon.dialects.werkzeug.http import dump_header, parse_if_range_header, quote_header_value
from antiphon.dialects.werkzeug.tokens import dump_age, http_date, parse_age, parse_options_header, read_cookies
from antiphon.dialects.werkzeug.tokens import parse_date as parse_aware_date
from antiphon.dialects.werkzeug.urls.iri import iri_to_uri
from antiphon.dialects.werkzeug.urls.parts import url_decode
from antiphon.dialects.werkzeug.utils import environ_header, header_property
from antiphon.dialects.werkzeug.wrappers import (
    AcceptMixin,
    AuthorizationMixin,
    ETagResponseMixin,
    ResponseStream,
    ResponseStreamMixin,
    UserAgentMixin,
)
from antiphon.dialects.werkzeug.wrappers.base_request import combined
from antiphon.dialects.werkzeug.wsgi import get_current_url
from antiphon.embedding import lazy
from antiphon.http import parse_query

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


T = TypeVar("T")
C = TypeVar("C", bound=type[Any])

_OWN = "antiphon.dialects."


class sealed(lazy[T]):  # noqa: N801 - used like property
    """A ``lazy`` attribute for classes whose attributes can't be set."""

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T: ...
    def __get__(self, instance: Any, owner: type | None = None) -> Self | Any:
        if instance is None:
            return self
        value = instance.__dict__[self.name] = self.compute(instance)
        return value


def seal(cls: C) -> C:
    """Replace a class's inherited lazy attributes with sealed ones."""
    for name in dir(cls):
        attribute = getattr(cls, name, None)
        if isinstance(attribute, lazy) and not isinstance(attribute, sealed):
            own: sealed[Any] = sealed(attribute.compute)
            own.name = name
            setattr(cls, name, own)
    return cls


class Immutable:
    """A base class whose attributes can't be set, except for dependencies and attributes that an application adds."""

    _fixed: frozenset[str] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = [base for base in cls.__mro__ if base.__module__.startswith(_OWN)]
        names = {name for base in own for name, value in vars(base).items() if not isinstance(value, Dependency)}
        cls._fixed = frozenset(name for name in names if not name.startswith("_")) | {"environ", "shallow"}

    def __setattr__(self, name: str, value: object) -> None:
        if name in self._fixed:
            _refuse(name)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if name in self._fixed:
            _refuse(name)
        super().__delattr__(name)


def _refuse(name: str) -> NoReturn:
    raise TypeError(f"the request is immutable: its {name} can't be changed")


class WWWAuthenticate(auth.WWWAuthenticate):
    """A challenge whose realm is quoted, as RFC 9110 §11.5 requires."""

    def _printed_parameters(self) -> str:
        if self.type == "digest":
            return super()._printed_parameters()
        return ", ".join(
            [
                f"realm={quote_header_value(value, False)}" if name == "realm" else dump_header({name: value})
                for name, value in self.parameters.items()
            ]
        )


class WWWAuthenticateMixin(wrappers.WWWAuthenticateMixin):
    """An attribute for a response's WWW-Authenticate challenges."""

    challenge_class = WWWAuthenticate


def parse_date(value: str | None) -> datetime | None:
    """Parse a date as a naive datetime in UTC. Return None if it is malformed."""
    return as_naive(parse_aware_date(value))


def as_naive(moment: datetime | None) -> datetime | None:
    """Convert a datetime to a naive datetime in UTC."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def _parse_seconds(raw: str | None) -> int | None:
    age = parse_age(raw)
    return None if age is None else int(age.total_seconds())


class CommonRequestDescriptorsMixin(wrappers.CommonRequestDescriptorsMixin):
    """Read-only attributes for the usual headers of a request."""

    date = environ_value("HTTP_DATE", parse_date, "The date of the message, or None if it is malformed.")


class CommonResponseDescriptorsMixin(wrappers.CommonResponseDescriptorsMixin):
    """Attributes for a response's usual headers, which can be read, set and deleted."""

    age = header_property[int](  # type: ignore[assignment]  # a timedelta in the base class
        "Age", None, _parse_seconds, dump_age, doc="The response's age in a cache, in seconds (RFC 9111 §5.1)."
    )
    date = header_property[datetime](
        "Date", None, parse_date, http_date, doc="The date of the message (RFC 9110 §6.6.1)."
    )
    expires = header_property[datetime](
        "Expires", None, parse_date, http_date, doc="The time when the response becomes stale (RFC 9111 §5.3)."
    )
    last_modified = header_property[datetime](
        "Last-Modified", None, parse_date, http_date, doc="The time of the last change (RFC 9110 §8.8.2)."
    )

    @property
    def retry_after(self) -> Any:
        """The time at which to retry (RFC 9110 §10.2.3): a number of seconds, a datetime, or None if the header is
        missing.

        It can be set to either.
        """
        value = self.headers.get("Retry-After")
        seconds = _parse_seconds(value)
        return parse_date(value) if seconds is None else seconds

    @retry_after.setter
    def retry_after(self, value: datetime | timedelta | int | str | None) -> None:
        if value is None:
            self.headers.remove("Retry-After")
        elif isinstance(value, timedelta):
            self.headers["Retry-After"] = str(int(value.total_seconds()))
        else:
            self.headers["Retry-After"] = http_date(value) if isinstance(value, datetime) else str(value)

    @retry_after.deleter
    def retry_after(self) -> None:
        self.headers.remove("Retry-After")


def _parse_if_range(raw: str | None) -> IfRange:
    parsed = parse_if_range_header(raw)
    return IfRange(parsed.etag, as_naive(parsed.date))


class ETagRequestMixin(wrappers.ETagRequestMixin):
    """Attributes for a request's conditional headers, ranges and Cache-Control."""

    if_modified_since = environ_header("HTTP_IF_MODIFIED_SINCE", parse_date, "The date of the client's copy (§13.1.3).")
    if_unmodified_since = environ_header(
        "HTTP_IF_UNMODIFIED_SINCE", parse_date, "The date of the version that the request is meant for (§13.1.4)."
    )
    if_range = environ_header("HTTP_IF_RANGE", _parse_if_range, "The version that the ranges belong to (§13.1.5).")


_set_attribute = object.__setattr__

_WITH_FORM = frozenset({"POST", "PUT", "PATCH"})


def _parse_parameters(raw: str | None) -> "ImmutableDict[str, str]":
    return ImmutableDict(parse_options_header(raw)[1])


@seal
class BaseRequest(Immutable, RequestDependencies, wrappers.BaseRequest):
    """A WSGI environ as an object, without attributes for headers. Only POST, PUT and PATCH requests have forms."""

    charset = "utf-8"
    """The charset of text. Bytes that are invalid in the charset become U+FFFD."""
    encoding_errors = "replace"
    dict_storage_class: type[Any] = ImmutableTypeConversionDict
    """The class of ``cookies``."""
    form_data_parser_class: type[Any] = FormDataParser
    """The class of the form parser."""

    def __init__(self, environ: "WSGIEnvironment", populate_request: bool = True, shallow: bool = False) -> None:
        # Bypass __setattr__, which raises for these attributes.
        _set_attribute(self, "environ", environ)
        _set_attribute(self, "shallow", shallow)
        if populate_request and not shallow:
            environ["werkzeug.request"] = self

    mimetype_params = environ_header("CONTENT_TYPE", _parse_parameters, "The parameters of the media type.")  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]

    @property
    def url_charset(self) -> str:
        """The charset of text in URLs, by default ``charset``."""
        return self.charset

    @property
    def is_xhr(self) -> bool:
        """True if the X-Requested-With header shows that a script sent the request."""
        requester: str = self.environ.get("HTTP_X_REQUESTED_WITH", "")
        return requester.lower() == "xmlhttprequest"

    @property
    def want_form_data_parsed(self) -> bool:
        """True if requests with this method can have a form. Subclasses may override it."""
        return self.environ["REQUEST_METHOD"] in _WITH_FORM

    def make_form_data_parser(self) -> Any:
        """Return a ``form_data_parser_class`` instance with the charset and limits of this request."""
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
        """The application's root path, without a trailing slash. Empty at the host's root."""
        return self._decode("SCRIPT_NAME", self.url_charset).rstrip("/")

    @sealed
    def path(self) -> str:
        """The decoded path relative to the application's root, with a leading slash."""
        return "/" + self._decode("PATH_INFO", self.url_charset).lstrip("/")

    @sealed
    def args(self) -> Any:
        """The query's fields, as a ``parameter_storage_class``. Raises RequestURITooLarge if there are too many."""
        self._check_query()
        if self.url_charset == "utf-8":
            return self.parameter_storage_class(parse_query(self.query_string))
        return url_decode(self.query_string, self.url_charset, cls=self.parameter_storage_class)

    @sealed
    def values(self) -> "CombinedMultiDict[str, str]":
        """The fields of ``args`` followed by those of ``form``."""
        return combined(self.args, self.form)

    @sealed
    def cookies(self) -> Any:
        """The cookies, as a ``dict_storage_class``."""
        written: str = self.environ.get("HTTP_COOKIE") or ""
        if self.charset != "utf-8" and not written.isascii():
            written = self._decode("HTTP_COOKIE", self.charset).encode().decode("latin-1")
        return self.dict_storage_class(reversed(read_cookies(written)))

    def _decode(self, key: str, charset: str) -> str:
        """Return an environ value as text."""
        return text_of(self.environ.get(key) or "", charset)


class Request(ETagRequestMixin, CommonRequestDescriptorsMixin, BaseRequest, wrappers.Request):
    """A request with attributes for all usual headers."""


class _Base(type):
    """The metaclass of BaseResponse.

    It makes the Werkzeug dialect's responses count as instances, since exceptions create them.
    """

    def __instancecheck__(cls, instance: object) -> bool:
        if cls.__dict__.get("_is_base", False) and isinstance(instance, wrappers.BaseResponse):
            return True
        return super().__instancecheck__(instance)


_WITH_EMPTY_LENGTH = frozenset((*range(100, 200), 204))


class BaseResponse(wrappers.BaseResponse, metaclass=_Base):
    """A response with a body, a status and headers, but no attributes for headers. It is a WSGI application."""

    charset = "utf-8"
    """The charset that text is encoded in."""
    _charset: Any = property(attrgetter("charset"))
    _is_base = True

    def iter_encoded(self, charset: str | None = None) -> Iterator[bytes]:
        """Return the body's chunks, with text encoded in the response's charset. ``charset`` has no effect."""
        if charset is not None:
            warnings.warn("iter_encoded always uses the response's charset", DeprecationWarning, stacklevel=2)
        return super().iter_encoded()

    @property
    def header_list(self) -> list[tuple[str, str]]:
        return self.headers.to_wsgi_list()

    def fix_headers(self, environ: "WSGIEnvironment") -> None:
        """Prepare the headers for sending. ``get_wsgi_headers`` replaced this method in Werkzeug 0.6."""
        self.headers = self.get_wsgi_headers(environ)

    def _final_fields(self, environ: "WSGIEnvironment") -> list[tuple[str, str]]:
        """Return the header fields to send, with Location joined to the application's root URL.

        If the status allows no body, Content-Length is 0; a 304 has no headers that describe a body.
        """
        fields = super()._final_fields(environ)
        if self._status_code in _WITH_EMPTY_LENGTH:
            fields.append(("Content-Length", "0"))
        if "Location" in self.headers:
            root = iri_to_uri(get_current_url(environ, root_only=True))
            return [(name, urljoin(root, value) if name.lower() == "location" else value) for name, value in fields]
        return fields

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a request. A 1xx or 204 is sent without Content-Length, which RFC 9110 §8.6 forbids."""
        chunks, status, fields = self.get_wsgi_response(environ)
        if self._status_code in _WITH_EMPTY_LENGTH:
            fields = [(name, value) for name, value in fields if name.lower() != "content-length"]
        check_sent(fields)
        start_response(status, fields)
        return chunks


class Response(WWWAuthenticateMixin, CommonResponseDescriptorsMixin, BaseResponse, wrappers.Response):
    """A response with attributes for all usual headers."""


__all__ = [
    "AcceptMixin", "AuthorizationMixin", "BaseRequest", "BaseResponse", "CommonRequestDescriptorsMixin",
    "CommonResponseDescriptorsMixin", "ETagRequestMixin", "ETagResponseMixin", "Request", "Response",
    "ResponseStream", "ResponseStreamMixin", "UserAgentMixin", "WWWAuthenticateMixin",
]  # fmt: skip
