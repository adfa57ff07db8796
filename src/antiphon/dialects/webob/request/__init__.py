"""The request: a WSGI environ as an object. ``Request`` also stores custom attributes in the environ."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from antiphon.dialects._environ.heads import cache_short
from antiphon.dialects.webob.descriptors import (
    converter,
    environ_decoder,
    environ_getter,
    made_on_use,
    parse_auth,
    parse_range,
    serialize_auth,
    serialize_if_range,
    serialize_range,
    upath_property,
)
from antiphon.dialects.webob.field_storage import FieldStorage as cgi_FieldStorage
from antiphon.dialects.webob.headers import EnvironHeaders
from antiphon.dialects.webob.multidict import GetDict, MultiDict, NestedMultiDict, NoVars
from antiphon.dialects.webob.request.body import DisconnectionError, LimitedLengthFile
from antiphon.dialects.webob.request.head import (
    PATH_SAFE,
    NoDefault,
    RequestTarget,
    RoutingArguments,
    codec_of,
    named_charset,
    quoted,
)
from antiphon.dialects.webob.request.message import (
    RequestMessage,
    RequestSending,
    RequestTranscoding,
    environ_from_url,
    set_base,
    set_form,
)
from antiphon.dialects.webob.request.message import set_form as environ_add_POST  # noqa: N812

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.webob.descriptors import Attribute

__all__ = [
    "PATH_SAFE", "AdhocAttrMixin", "BaseRequest", "DisconnectionError", "EnvironHeaders", "GetDict", "LegacyRequest",
    "LimitedLengthFile", "MultiDict", "NestedMultiDict", "NoDefault", "NoVars", "Request", "cgi_FieldStorage",
    "environ_add_POST", "environ_decoder", "environ_from_url", "environ_getter", "json", "upath_property",
]  # fmt: skip

_CONDITIONS = {
    "remove_range": ("HTTP_IF_RANGE", "HTTP_RANGE"),
    "remove_match": ("HTTP_IF_NONE_MATCH",),
    "remove_modified": ("HTTP_IF_MODIFIED_SINCE",),
    "remove_encoding": ("HTTP_ACCEPT_ENCODING",),
}

_KEPT = "antiphon.webob.cache_control"  # not WebOb's own key, since WebOb may use the same environ
_NONE_KEPT = None, None, None


def _date(key: str, rfc_section: str) -> Any:
    from antiphon.dialects.webob.datetime_utils import parse_date, serialize_date

    read = cache_short(256)(parse_date)
    text = environ_getter(key, None, rfc_section)
    return converter(text, lambda value: read(value) if value else None, serialize_date, "a date")


def _number_of(value: str | None) -> int | None:
    return int(value) if value else None


class HeaderFields:
    """The usual header fields of a request."""

    environ: "WSGIEnvironment"

    @made_on_use
    def accept() -> Any:
        from antiphon.dialects.webob.acceptparse import accept_property

        return accept_property()

    @made_on_use
    def accept_charset() -> Any:
        from antiphon.dialects.webob.acceptparse import accept_charset_property

        return accept_charset_property()

    @made_on_use
    def accept_encoding() -> Any:
        from antiphon.dialects.webob.acceptparse import accept_encoding_property

        return accept_encoding_property()

    @made_on_use
    def accept_language() -> Any:
        from antiphon.dialects.webob.acceptparse import accept_language_property

        return accept_language_property()

    @made_on_use
    def if_match() -> Any:
        """The entity tags in If-Match. If the header is absent, it contains every tag."""
        from antiphon.dialects.webob.etag import AnyETag, etag_property

        return etag_property("HTTP_IF_MATCH", AnyETag, "14.24")

    @made_on_use
    def if_none_match() -> Any:
        """The entity tags in If-None-Match. If the header is absent, it contains no tag."""
        from antiphon.dialects.webob.etag import NoETag, etag_property

        return etag_property("HTTP_IF_NONE_MATCH", NoETag, "14.26", strong=False)

    @made_on_use
    def if_range() -> Any:
        """The condition in If-Range: an entity tag or a date."""
        from antiphon.dialects.webob.etag import IfRange

        return converter(environ_getter("HTTP_IF_RANGE", None, "14.27"), IfRange.parse, serialize_if_range, "IfRange")

    @made_on_use
    def date() -> Any:
        """The request's date in UTC, or None if it is absent or malformed."""
        return _date("HTTP_DATE", "14.8")

    @made_on_use
    def if_modified_since() -> Any:
        """The date in If-Modified-Since, in UTC, or None if it is absent or malformed."""
        return _date("HTTP_IF_MODIFIED_SINCE", "14.25")

    @made_on_use
    def if_unmodified_since() -> Any:
        """The date in If-Unmodified-Since, in UTC, or None if it is absent or malformed."""
        return _date("HTTP_IF_UNMODIFIED_SINCE", "14.28")

    @made_on_use
    def range() -> Any:
        """The range in Range, or None if the header is absent or malformed, or has several ranges."""
        return converter(environ_getter("HTTP_RANGE", None, "14.35"), parse_range, serialize_range)

    @made_on_use
    def authorization() -> Any:
        return converter(environ_getter("HTTP_AUTHORIZATION", None, "14.8"), parse_auth, serialize_auth)

    max_forwards = converter(environ_getter("HTTP_MAX_FORWARDS", None, "14.31"), _number_of, str, "a number")
    pragma: "Attribute[str | None]" = environ_getter("HTTP_PRAGMA", None, "14.32")
    referer: "Attribute[str | None]" = environ_getter("HTTP_REFERER", None, "14.36")
    referrer = referer
    user_agent: "Attribute[str | None]" = environ_getter("HTTP_USER_AGENT", None, "14.43")

    @property
    def cache_control(self) -> Any:
        """The directives in Cache-Control, as an object whose changes are written to the environ.

        It can be set to such an object, a dictionary, or text.
        """
        environ = self.environ
        written = environ.get("HTTP_CACHE_CONTROL", "")
        known, directives, kept_in = environ.get(_KEPT, _NONE_KEPT)
        if known != written or kept_in != id(environ):
            from antiphon.dialects.webob.cachecontrol import CacheControl

            directives = CacheControl.parse(written, updates_to=self._update_cache_control, type="request")
            # If the environ was copied from another request, the cached directives would write to that request.
            environ[_KEPT] = written, directives, id(environ)
        return directives

    @cache_control.setter
    def cache_control(self, value: Any) -> None:
        from antiphon.dialects.webob.cachecontrol import CacheControl

        if isinstance(value, dict):
            value = CacheControl(value, type="request")
        written = str(value or "")
        self.environ["HTTP_CACHE_CONTROL"] = written
        kept = (written, value, id(self.environ)) if isinstance(value, CacheControl) else _NONE_KEPT
        self.environ[_KEPT] = kept

    @cache_control.deleter
    def cache_control(self) -> None:
        self.environ.pop("HTTP_CACHE_CONTROL", None)
        self.environ.pop(_KEPT, None)

    def _update_cache_control(self, directives: Any) -> None:
        from antiphon.dialects.webob.cachecontrol import serialize_cache_control

        self.environ["HTTP_CACHE_CONTROL"] = serialize_cache_control(directives)

    @property
    def cookies(self) -> Any:
        """The cookies as a dictionary whose changes are written to the environ. It can be set to another dictionary."""
        from antiphon.dialects.webob.cookies import RequestCookies

        return RequestCookies(self.environ)

    @cookies.setter
    def cookies(self, val: Any) -> None:
        given = dict(val)
        self.environ.pop("HTTP_COOKIE", None)
        self.cookies.update(given)

    @property
    def str_cookies(self) -> dict[str, str]:
        """The undecoded cookies, with one character per byte (PEP 3333). Changes have no effect."""
        return {name: value.encode().decode("latin-1") for name, value in self.cookies.items()}

    def remove_conditional_headers(
        self,
        remove_encoding: bool = True,
        remove_range: bool = True,
        remove_match: bool = True,
        remove_modified: bool = True,
    ) -> None:
        """Remove the headers that allow a partial, encoded or empty response. If-Match and similar ones are kept."""
        chosen = {
            "remove_encoding": remove_encoding,
            "remove_range": remove_range,
            "remove_match": remove_match,
            "remove_modified": remove_modified,
        }
        for name, keys in _CONDITIONS.items():
            for key in keys if chosen[name] else ():
                self.environ.pop(key, None)


_ABSENT: Any = object()
_NOTHING: Mapping[str, Any] = {}


class BaseRequest(RequestSending, RequestMessage, RequestTranscoding, RequestTarget, RoutingArguments, HeaderFields):
    """A WSGI environ as an object. Its attributes read and write the environ directly."""

    _setattr_stacklevel = 2

    def __init__(
        self,
        environ: "WSGIEnvironment",
        charset: str | None = None,
        unicode_errors: object = None,
        decode_param_names: object = None,
        **kw: Any,
    ) -> None:
        if type(environ) is not dict:
            raise TypeError(f"WSGI environ must be a dict; you passed {environ!r:.200}")
        self.__dict__["environ"] = environ
        if unicode_errors is not None or decode_param_names is not None:
            _warn_of_old_parameters()
        if kw:
            self._set_attributes(kw)
        if charset is not None:
            self.charset = charset

    def _set_attributes(self, values: dict[str, Any]) -> None:
        if "method" in values:
            self.method = values.pop("method")
        for name, value in values.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no attribute {name!r} to set")
            setattr(self, name, value)

    @classmethod
    def blank(
        cls,
        path: str = "/",
        environ: "WSGIEnvironment | None" = None,
        base_url: str | None = None,
        headers: Any = None,
        POST: Any = None,  # noqa: N803 - WebOb's name
        **kw: Any,
    ) -> Self:
        """Return a GET request for a percent-encoded URL or path, or a POST request if ``POST`` is given.

        ``POST`` contains the form or body. ``base_url`` is the application's URL. Keys in ``environ`` override
        generated ones. Other keyword arguments set attributes. Raises TypeError or ValueError if a request can't have
        such a URL.
        """
        made = environ_from_url(path)
        if base_url:
            set_base(made, base_url)
        made.update(environ or {})
        content_type = kw.get("content_type", made.get("CONTENT_TYPE"))
        if headers and "Content-Type" in headers:
            content_type = headers["Content-Type"]
        if content_type is not None:
            kw["content_type"] = content_type
        if POST is not None:
            set_form(made, POST, content_type, codec_of(named_charset(kw.get("charset"))))
            kw.pop("content_type", None)
        written = made.get("CONTENT_TYPE")
        request = cls(made, **kw)
        if headers is not None:
            request.headers.update(headers)
        if POST is not None:
            request.environ["CONTENT_TYPE"] = written  # includes the multipart boundary
        return request

    def copy(self) -> Self:
        """Return a copy with its own environ and body. Other values in the environ are shared."""
        self.make_body_seekable()
        copied = self.__class__(self._copied_environ())
        copied.copy_body()
        self.body_file_raw.seek(0)
        return copied

    def copy_get(self) -> Self:
        """Return a copy whose method is GET, without a body."""
        return self.__class__(self._copied_environ(), method="GET", content_type=None, body=b"")

    def _copied_environ(self) -> "WSGIEnvironment":
        environ = self.environ.copy()
        if attributes := environ.get("webob.adhoc_attrs"):
            environ["webob.adhoc_attrs"] = {**attributes}
        return environ

    def __repr__(self) -> str:
        try:
            target = f"{self.method} {self.url}"
        except KeyError:
            target = "(invalid WSGI environ)"
        except UnicodeDecodeError:
            target = f"{self.method} {quoted(self.environ.get('SCRIPT_NAME', '') + self.environ['PATH_INFO'])}"
        return f"<{type(self).__name__} at 0x{id(self):x} {target}>"


def _warn_of_old_parameters() -> None:
    from warnings import warn

    warn("unicode_errors and decode_param_names have no effect since WebOb 1.2", DeprecationWarning, stacklevel=3)


class LegacyRequest(BaseRequest):
    """A request whose paths are undecoded, as in the environ. ``uscript_name`` and ``upath_info`` are text."""

    uscript_name = upath_property("SCRIPT_NAME")
    upath_info = upath_property("PATH_INFO")

    def encget(self, key: str, default: Any = NoDefault, encattr: str | None = None) -> Any:  # noqa: ARG002
        """Return an environ value unchanged. Raises KeyError if it is missing and no default is given."""
        value = self.environ.get(key, default)
        if value is NoDefault:
            raise KeyError(key)
        return value


class AdhocAttrMixin:
    """A mixin that uses the environ to store attributes that the class does not define, for all requests with that
    environ.
    """

    _setattr_stacklevel = 3
    if TYPE_CHECKING:
        environ: "WSGIEnvironment"

    def __setattr__(self, attr: str, value: object) -> None:
        if attr[0] == "_" or getattr(self.__class__, attr, _ABSENT) is not _ABSENT:
            object.__setattr__(self, attr, value)
        else:
            self.environ.setdefault("webob.adhoc_attrs", {})[attr] = value

    def __getattr__(self, attr: str) -> Any:
        own = self.__dict__.get("environ", _NOTHING).get("webob.adhoc_attrs", _NOTHING)
        if attr in own:
            return own[attr]
        if getattr(self.__class__, attr, _ABSENT) is _ABSENT:
            raise _no_attribute(self, attr)
        # One of the class's properties raised AttributeError, which must not be hidden.
        return object.__getattribute__(self, attr)

    def __delattr__(self, attr: str) -> None:
        if getattr(self.__class__, attr, _ABSENT) is not _ABSENT:
            object.__delattr__(self, attr)
            return
        try:
            del self.environ["webob.adhoc_attrs"][attr]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {attr!r}", name=attr, obj=self
            ) from None


def _no_attribute(request: object, name: str) -> AttributeError:
    return AttributeError(f"{type(request).__name__!r} object has no attribute {name!r}", name=name, obj=request)


class Request(AdhocAttrMixin, BaseRequest):
    """A WSGI environ as an object. Custom attributes are stored in the environ."""
