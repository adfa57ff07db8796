"""Attributes for header fields of a request: parsed if needed. They can be set and deleted."""

from typing import TYPE_CHECKING, Any

from antiphon.dialects._environ.caching import cache_short
from antiphon.dialects.webob.environ_properties import converter, environ_getter, made_on_use

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.webob.environ_properties import Attribute

_CONDITIONS = {
    "remove_range": ("HTTP_IF_RANGE", "HTTP_RANGE"),
    "remove_match": ("HTTP_IF_NONE_MATCH",),
    "remove_modified": ("HTTP_IF_MODIFIED_SINCE",),
    "remove_encoding": ("HTTP_ACCEPT_ENCODING",),
}

_KEPT = "antiphon.webob.cache_control"  # unlike WebOb's own key, since WebOb may use the same environ
_NONE_KEPT = None, None, None


def _date(key: str, rfc_section: str) -> Any:
    """Return the attribute for a date."""
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
        """The media types in Accept."""
        from antiphon.dialects.webob.acceptparse import accept_property

        return accept_property()

    @made_on_use
    def accept_charset() -> Any:
        """The charsets in Accept-Charset."""
        from antiphon.dialects.webob.acceptparse import accept_charset_property

        return accept_charset_property()

    @made_on_use
    def accept_encoding() -> Any:
        """The content codings in Accept-Encoding."""
        from antiphon.dialects.webob.acceptparse import accept_encoding_property

        return accept_encoding_property()

    @made_on_use
    def accept_language() -> Any:
        """The languages in Accept-Language."""
        from antiphon.dialects.webob.acceptparse import accept_language_property

        return accept_language_property()

    @made_on_use
    def if_match() -> Any:
        """The entity tags in If-Match; any tag without one."""
        from antiphon.dialects.webob.etag import AnyETag, etag_property

        return etag_property("HTTP_IF_MATCH", AnyETag, "14.24")

    @made_on_use
    def if_none_match() -> Any:
        """The entity tags in If-None-Match; no tag without one."""
        from antiphon.dialects.webob.etag import NoETag, etag_property

        return etag_property("HTTP_IF_NONE_MATCH", NoETag, "14.26", strong=False)

    @made_on_use
    def if_range() -> Any:
        """The condition in If-Range: entity tags, or a date."""
        from antiphon.dialects.webob.descriptors import serialize_if_range
        from antiphon.dialects.webob.etag import IfRange

        return converter(environ_getter("HTTP_IF_RANGE", None, "14.27"), IfRange.parse, serialize_if_range, "IfRange")

    @made_on_use
    def date() -> Any:
        """The date of the message, in UTC, or None if it is malformed."""
        return _date("HTTP_DATE", "14.8")

    @made_on_use
    def if_modified_since() -> Any:
        """The date in If-Modified-Since, in UTC, or None if it is malformed."""
        return _date("HTTP_IF_MODIFIED_SINCE", "14.25")

    @made_on_use
    def if_unmodified_since() -> Any:
        """The date in If-Unmodified-Since, in UTC, or None if it is malformed."""
        return _date("HTTP_IF_UNMODIFIED_SINCE", "14.28")

    @made_on_use
    def range() -> Any:
        """The range in Range, or None if it is malformed or has several ranges."""
        from antiphon.dialects.webob.descriptors import parse_range, serialize_range

        return converter(environ_getter("HTTP_RANGE", None, "14.35"), parse_range, serialize_range)

    @made_on_use
    def authorization() -> Any:
        """The scheme and the parameters in Authorization."""
        from antiphon.dialects.webob.descriptors import parse_auth, serialize_auth

        return converter(environ_getter("HTTP_AUTHORIZATION", None, "14.8"), parse_auth, serialize_auth)

    max_forwards = converter(environ_getter("HTTP_MAX_FORWARDS", None, "14.31"), _number_of, str, "a number")
    pragma: "Attribute[str | None]" = environ_getter("HTTP_PRAGMA", None, "14.32")
    referer: "Attribute[str | None]" = environ_getter("HTTP_REFERER", None, "14.36")
    referrer = referer
    user_agent: "Attribute[str | None]" = environ_getter("HTTP_USER_AGENT", None, "14.43")

    @property
    def cache_control(self) -> Any:
        """The directives in Cache-Control, as an object whose changes are written to the environ.

        It may be set to such an object, a dictionary, or text.
        """
        environ = self.environ
        written = environ.get("HTTP_CACHE_CONTROL", "")
        known, directives, kept_in = environ.get(_KEPT, _NONE_KEPT)
        if known != written or kept_in != id(environ):
            from antiphon.dialects.webob.cachecontrol import CacheControl

            directives = CacheControl.parse(written, updates_to=self._update_cache_control, type="request")
            # A copy of the environ has directives that would be written to this one.
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
        """The cookies as a dictionary, whose changes are written to the environ. It may be set to another one."""
        from antiphon.dialects.webob.cookies import RequestCookies

        return RequestCookies(self.environ)

    @cookies.setter
    def cookies(self, val: Any) -> None:
        given = dict(val)
        self.environ.pop("HTTP_COOKIE", None)
        self.cookies.update(given)

    @property
    def str_cookies(self) -> dict[str, str]:
        """The cookies without decoding: each byte as one character (PEP 3333). Changes of it have no effect."""
        return {name: value.encode().decode("latin-1") for name, value in self.cookies.items()}

    def remove_conditional_headers(
        self,
        remove_encoding: bool = True,
        remove_range: bool = True,
        remove_match: bool = True,
        remove_modified: bool = True,
    ) -> None:
        """Remove the headers that allow an answer without the whole content; If-Match and the like stay."""
        chosen = {
            "remove_encoding": remove_encoding,
            "remove_range": remove_range,
            "remove_match": remove_match,
            "remove_modified": remove_modified,
        }
        for name, keys in _CONDITIONS.items():
            for key in keys if chosen[name] else ():
                self.environ.pop(key, None)
