"""Attributes that read and write environ keys and headers, as text or as parsed values."""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, cast, overload

from antiphon.dialects.webob.byterange import ContentRange, Range
from antiphon.dialects.webob.datetime_utils import parse_date, serialize_date
from antiphon.dialects.webob.headers import Lines, check_value, first_value, remove_lines, replace_line
from antiphon.embedding import split_list
from antiphon.http.grammar import unquote_string

CHARSET_RE = re.compile(r";\s*charset=([^;]*)", re.IGNORECASE)
"""The pattern of the ``charset`` parameter in a Content-Type."""
SCHEME_RE = re.compile(r"^[a-z][a-z0-9+.\-]*:", re.IGNORECASE)
"""The pattern of an absolute URL's scheme."""


def parse_list(value: str | None) -> tuple[str, ...] | None:
    """Parse a comma-separated list. Return None for an absent or empty header."""
    if not value:
        return None
    return tuple([stripped for element in value.split(",") if (stripped := element.strip())])


def serialize_list(value: Any) -> str:
    """Format list elements. Text is returned unchanged."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ", ".join(map(str, value))


def parse_int(value: str | None) -> int | None:
    """Parse an integer. Return None for an absent or empty header. Raises ValueError for anything else."""
    return None if value is None or value == "" else int(value)


def parse_int_safe(value: str | None) -> int | None:
    """Parse an integer. Return None for anything else."""
    try:
        return parse_int(value)
    except ValueError:
        return None


serialize_int = str

_etag = re.compile(r'(?:^|\s)(W/)?"((?:\\"|[^"])*?)"').match


def parse_etag_response(value: str | None, strong: bool = False) -> str | None:
    """Parse an entity tag and remove its quotes, if any. With ``strong``, return None for a weak tag."""
    match = _etag(value) if value else None
    if match is None:
        return value or None
    if strong and match[1]:
        return None
    return match[2].replace('\\"', '"')


def serialize_etag_response(value: Any) -> str:
    """Format an entity tag, quoting it if needed. A pair contains its text and True for a strong tag."""
    tag, is_strong = value if isinstance(value, tuple) else (value, True)
    if not isinstance(value, tuple) and _etag(tag):
        return str(tag)
    quoted = '"' + tag.replace('"', '\\"') + '"'
    return quoted if is_strong else f"W/{quoted}"


def serialize_if_range(value: Any) -> str | None:
    """Format If-Range from a date or any other object."""
    return serialize_date(value) if isinstance(value, (datetime, date)) else str(value) or None


def parse_range(value: str | None) -> Range | None:
    """Parse a Range. Return None if the header is absent or malformed, or has several ranges."""
    return Range.parse(value) if value else None


def serialize_range(value: Any) -> str | None:
    """Format a Range from a ``Range``, a pair of start and exclusive end, or text."""
    if not value:
        return None
    return str(Range(*value)) if isinstance(value, (list, tuple)) else str(value)


def parse_content_range(value: str | None) -> ContentRange | None:
    """Parse a Content-Range. Return None if the header is absent or malformed."""
    return ContentRange.parse(value) if value and value.strip() else None


def serialize_content_range(value: Any) -> str | None:
    """Format a Content-Range from a ``ContentRange``, text, or a tuple of start, exclusive stop and optional length.

    Raises ValueError for other tuples.
    """
    if isinstance(value, (tuple, list)):
        if len(value) not in (2, 3):
            raise ValueError(
                f"When setting content_range to a list/tuple, it must be length 2 or 3 (not {value!r:.200})"
            )
        value = ContentRange(value[0], value[1], value[2] if len(value) == 3 else None)
    return str(value).strip() or None


known_auth_schemes = dict.fromkeys(["Basic", "Digest", "WSSE", "HMACDigest", "GoogleLogin", "Cookie", "OpenID"])
"""The schemes whose parameters are parsed into a dictionary."""


class Authorization(NamedTuple):
    """A scheme and its parameters, which are a dictionary for known schemes and text for others."""

    authtype: str
    params: Any


def parse_auth_params(params: str) -> dict[str, str]:
    """Parse the parameters of a challenge or credentials."""
    found = {}
    for element in split_list(params):
        name, equals, value = element.partition("=")
        if equals and name.strip():
            found[name.split()[-1]] = unquote_string(value.strip())
    return found


def parse_auth(val: str | None) -> Authorization | None:
    """Parse a challenge or credentials. Return None for an absent header."""
    if val is None:
        return None
    scheme, _, params = val.partition(" ")
    if scheme not in known_auth_schemes or (scheme == "Basic" and '"' not in params):
        return Authorization(scheme, params)
    return Authorization(scheme, parse_auth_params(params))


def serialize_auth(val: Any) -> Any:
    """Format a scheme and its parameters, which may be a dictionary or text. Text is returned unchanged."""
    if not isinstance(val, (tuple, list)):
        return val
    scheme, params = val
    if isinstance(params, dict):
        params = ", ".join([f'{name}="{value}"' for name, value in params.items()])
    return f"{scheme} {params}"


def header_property(header: str, parse: Callable[[Any], Any], serialize: Callable[[Any], Any]) -> property:
    """Return an attribute for a header that is parsed when read and serialized when set.

    An absent header reads as None. Setting None or deleting the attribute removes the header. Setting raises ValueError
    for control characters, or TypeError if the serialized value is not text.
    """
    name = header.lower()

    def fget(owner: Any) -> Any:
        lines: Lines = owner._headerlist  # noqa: SLF001 - of a response
        return parse(first_value(lines, name))

    def fset(owner: Any, value: Any) -> None:
        text = None if value is None else serialize(value)
        lines: Lines = owner._headerlist  # noqa: SLF001
        if text is None:
            remove_lines(lines, name)
        else:
            check_value(header, text)
            replace_line(lines, name, (header, text))

    def fdel(owner: Any) -> None:
        remove_lines(owner._headerlist, name)  # noqa: SLF001

    return property(fget, fset, fdel, f"The {header} header, or None if it is absent.")


def _as_it_is(value: Any) -> Any:
    return value


def header_getter(header: str, rfc_section: str | None = None) -> property:  # noqa: ARG001 - WebOb's signature
    """Return an attribute for a header as text. An absent header reads as None; setting None removes the header.

    Setting raises ValueError for control characters, or TypeError for anything that is not text.
    """
    return header_property(header, _as_it_is, _as_it_is)


def list_header(header: str, rfc_section: str | None = None) -> property:  # noqa: ARG001 - WebOb's signature
    """Return an attribute for a header as a tuple. It can be set to text or an iterable."""
    return header_property(header, parse_list, serialize_list)


def date_header(header: str, rfc_section: str | None = None) -> property:  # noqa: ARG001 - WebOb's signature
    """Return an attribute for a header as a datetime in UTC.

    It can be set to any value that ``serialize_date`` accepts.
    """
    return header_property(header, parse_date, serialize_date)


T = TypeVar("T")
V = TypeVar("V")

if TYPE_CHECKING:

    class Attribute(Protocol[T]):  # type: ignore[misc]  # it can be set to more types than it returns
        """An attribute that returns values of one type and converts the values it is set to."""

        @overload
        def __get__(self, request: None, owner: type | None = None) -> property: ...
        @overload
        def __get__(self, request: object, owner: type | None = None) -> T: ...
        def __set__(self, request: Any, value: Any) -> None: ...
        def __delete__(self, request: Any) -> None: ...


_REQUIRED: Any = object()


def environ_getter(key: str, default: T = _REQUIRED, rfc_section: str | None = None) -> "Attribute[T]":
    """Return an attribute for ``environ[key]``, with a ``default`` for a missing key.

    Without a default, reading a missing key raises KeyError, and the attribute can't be deleted. With a default,
    setting None deletes the key.
    """
    doc = _doc(key, rfc_section)
    if default is _REQUIRED:
        return cast("Attribute[T]", property(lambda request: request.environ[key], _setter(key), doc=doc))

    def fget(request: Any) -> T:
        value: T = request.environ.get(key, default)
        return value

    return cast("Attribute[T]", property(fget, _optional(key, _setter(key)), _deleter(key), doc))


def environ_decoder(
    key: str, default: str = _REQUIRED, rfc_section: str | None = None, encattr: str | None = None
) -> "Attribute[str]":
    """Return an attribute like ``environ_getter`` that uses the request's ``encget`` and ``encset``.

    ``encattr`` names the request attribute that contains the charset.
    """

    def fset(request: Any, value: str) -> None:
        request.encset(key, value, encattr=encattr)

    doc = _doc(key, rfc_section)
    if default is _REQUIRED:
        return cast("Attribute[str]", property(lambda request: request.encget(key, encattr=encattr), fset, doc=doc))

    def fget(request: Any) -> str:
        text: str = request.encget(key, default, encattr=encattr)
        return text

    return cast("Attribute[str]", property(fget, _optional(key, fset), _deleter(key), doc))


def upath_property(key: str) -> "Attribute[str]":
    """Return an attribute for ``environ[key]`` as text in the request's ``url_encoding``. A missing key reads as empty
    text.
    """

    def fget(request: Any) -> str:
        raw: str = request.environ.get(key, "")
        return raw.encode("latin-1").decode(request.url_encoding)

    def fset(request: Any, value: str) -> None:
        request.environ[key] = value.encode(request.url_encoding).decode("latin-1")

    return cast("Attribute[str]", property(fget, fset, doc=f"The environ's {key} as text."))


def converter(
    prop: "Attribute[V]", parse: Callable[[V], T], serialize: Callable[[Any], Any], convert_name: str | None = None
) -> "Attribute[T]":
    """Return an attribute that parses the values of ``prop`` and serializes those it is set to.

    None is set unchanged.
    """
    inner = cast("property", prop)
    read = cast("Callable[[Any], V]", inner.fget)
    write = cast("Callable[[Any, Any], None]", inner.fset)

    def fset(request: Any, value: Any) -> None:
        write(request, None if value is None else serialize(value))

    doc = f"{inner.__doc__ or ''} As {convert_name or f'{parse.__name__} returns it'}."
    return cast("Attribute[T]", property(lambda request: parse(read(request)), fset, inner.fdel, doc))


def _setter(key: str) -> Callable[[Any, Any], None]:
    def fset(request: Any, value: Any) -> None:
        request.environ[key] = value

    return fset


def _optional(key: str, fset: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Return a function that sets the key, or deletes it if the value is None."""

    def delete_or_set(request: Any, value: Any) -> None:
        if value is None:
            request.environ.pop(key, None)
        else:
            fset(request, value)

    return delete_or_set


def _deleter(key: str) -> Callable[[Any], None]:
    def fdel(request: Any) -> None:
        del request.environ[key]

    return fdel


def _doc(key: str, rfc_section: str | None) -> str:
    where = f" (RFC 2616 section {rfc_section})" if rfc_section else ""
    return f"The environ's {key}{where}."


class made_on_use:  # noqa: N801 - used like property
    """A class attribute that a function computes on first use. It then replaces itself with the result.

    The modules that the function needs are therefore not imported until then.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner
        self._name = name

    def _settle(self) -> None:
        if vars(self._owner).get(self._name) is self:
            setattr(self._owner, self._name, self._make())

    def __get__(self, request: object | None, owner: type | None = None) -> Any:
        self._settle()
        return getattr(owner if request is None else request, self._name)

    def __set__(self, request: Any, value: object) -> None:
        self._settle()
        setattr(request, self._name, value)

    def __delete__(self, request: Any) -> None:
        self._settle()
        delattr(request, self._name)


__all__ = [
    "CHARSET_RE", "SCHEME_RE", "converter", "converter_date", "date_header", "deprecated_property",
    "environ_decoder", "environ_getter", "header_getter", "known_auth_schemes", "list_header", "parse_auth",
    "parse_auth_params", "parse_content_range", "parse_etag_response", "parse_int", "parse_int_safe", "parse_list",
    "parse_range", "serialize_auth", "serialize_content_range", "serialize_etag_response", "serialize_if_range",
    "serialize_int", "serialize_list", "serialize_range", "upath_property",
]  # fmt: skip


def converter_date(prop: Any) -> Any:
    """Return an attribute that converts another one's values to dates."""
    return converter(prop, parse_date, serialize_date, "HTTP date")


def deprecated_property(attr: Any, name: str, text: str, version: str) -> property:
    """Wrap an attribute so that any use of it issues a deprecation warning."""
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
