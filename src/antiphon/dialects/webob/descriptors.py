"""The names that WebOb has for attributes of requests and responses, and for the values of headers."""

from typing import Any

from antiphon.dialects.webob.datetime_utils import parse_date, serialize_date
from antiphon.dialects.webob.environ_properties import converter, environ_decoder, environ_getter, upath_property
from antiphon.dialects.webob.header_properties import date_header, header_getter, list_header
from antiphon.dialects.webob.header_values import (
    CHARSET_RE,
    SCHEME_RE,
    known_auth_schemes,
    parse_auth,
    parse_auth_params,
    parse_content_range,
    parse_etag_response,
    parse_int,
    parse_int_safe,
    parse_list,
    parse_range,
    serialize_auth,
    serialize_content_range,
    serialize_etag_response,
    serialize_if_range,
    serialize_int,
    serialize_list,
    serialize_range,
)

__all__ = [
    "CHARSET_RE",
    "SCHEME_RE",
    "converter",
    "converter_date",
    "date_header",
    "deprecated_property",
    "environ_decoder",
    "environ_getter",
    "header_getter",
    "known_auth_schemes",
    "list_header",
    "parse_auth",
    "parse_auth_params",
    "parse_content_range",
    "parse_etag_response",
    "parse_int",
    "parse_int_safe",
    "parse_list",
    "parse_range",
    "serialize_auth",
    "serialize_content_range",
    "serialize_etag_response",
    "serialize_if_range",
    "serialize_int",
    "serialize_list",
    "serialize_range",
    "upath_property",
]


def converter_date(prop: Any) -> Any:
    """Return an attribute based on another one, whose values are dates."""
    return converter(prop, parse_date, serialize_date, "HTTP date")


def deprecated_property(attr: Any, name: str, text: str, version: str) -> property:
    """Return an attribute based on another one, whose uses warn that it is deprecated since a version."""
    from antiphon.dialects.webob.util import warn_deprecation

    def warn() -> None:
        warn_deprecation(f"The attribute {name} is deprecated: {text}", version, 3)

    def fget(owner: Any) -> Any:
        warn()
        return attr.__get__(owner, type(owner))

    def fset(owner: Any, value: Any) -> None:
        warn()
        attr.__set__(owner, value)

    def fdel(owner: Any) -> None:
        warn()
        attr.__delete__(owner)

    return property(fget, fset, fdel, f"<Deprecated attribute {name}>")
