"""Values of headers: how they are read from text, and printed."""

import re
from datetime import date, datetime
from typing import Any, NamedTuple

from antiphon.dialects.webob.byterange import ContentRange, Range
from antiphon.dialects.webob.datetime_utils import serialize_date
from antiphon.embedding import split_list
from antiphon.http.grammar import unquote_string

CHARSET_RE = re.compile(r";\s*charset=([^;]*)", re.IGNORECASE)
"""The parameter ``charset`` of a Content-Type."""
SCHEME_RE = re.compile(r"^[a-z][a-z0-9+.\-]*:", re.IGNORECASE)
"""The scheme of an absolute URL."""


def parse_list(value: str | None) -> tuple[str, ...] | None:
    """Read the elements of a list, or return None for an absent or empty one."""
    if not value:
        return None
    return tuple([stripped for element in value.split(",") if (stripped := element.strip())])


def serialize_list(value: Any) -> str:
    """Print the elements of a list. Text stays as it is."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ", ".join(map(str, value))


def parse_int(value: str | None) -> int | None:
    """Read a whole number, or return None for an absent or empty one. Raises ValueError for anything else."""
    return None if value is None or value == "" else int(value)


def parse_int_safe(value: str | None) -> int | None:
    """Read a whole number, or return None for anything else."""
    try:
        return parse_int(value)
    except ValueError:
        return None


serialize_int = str

_etag = re.compile(r'(?:^|\s)(W/)?"((?:\\"|[^"])*?)"').match


def parse_etag_response(value: str | None, strong: bool = False) -> str | None:
    """Read an entity tag without its quotes, if it has any. With ``strong``, a weak tag is None."""
    match = _etag(value) if value else None
    if match is None:
        return value or None
    if strong and match[1]:
        return None
    return match[2].replace('\\"', '"')


def serialize_etag_response(value: Any) -> str:
    """Print an entity tag: text, which is quoted if needed, or a pair of text and True for a strong tag."""
    tag, is_strong = value if isinstance(value, tuple) else (value, True)
    if not isinstance(value, tuple) and _etag(tag):
        return str(tag)
    quoted = '"' + tag.replace('"', '\\"') + '"'
    return quoted if is_strong else f"W/{quoted}"


def serialize_if_range(value: Any) -> str | None:
    """Print If-Range: a date, or anything's text."""
    return serialize_date(value) if isinstance(value, (datetime, date)) else str(value) or None


def parse_range(value: str | None) -> Range | None:
    """Read a Range, or return None for an absent or malformed one, and for several ranges."""
    return Range.parse(value) if value else None


def serialize_range(value: Any) -> str | None:
    """Print a Range, a pair of start and exclusive end, or text."""
    if not value:
        return None
    return str(Range(*value)) if isinstance(value, (list, tuple)) else str(value)


def parse_content_range(value: str | None) -> ContentRange | None:
    """Read a Content-Range, or return None for an absent or malformed one."""
    return ContentRange.parse(value) if value and value.strip() else None


def serialize_content_range(value: Any) -> str | None:
    """Print a ContentRange, text, or start, exclusive stop and perhaps length. Raises ValueError for other tuples."""
    if isinstance(value, (tuple, list)):
        if len(value) not in (2, 3):
            raise ValueError(f"a content range has start, stop and perhaps length, unlike {value!r:.200}")
        value = ContentRange(value[0], value[1], value[2] if len(value) == 3 else None)
    return str(value).strip() or None


known_auth_schemes = dict.fromkeys(["Basic", "Digest", "WSSE", "HMACDigest", "GoogleLogin", "Cookie", "OpenID"])
"""The schemes whose parameters are read into a dictionary."""


class Authorization(NamedTuple):
    """A scheme, and its parameters: a dictionary for the known schemes, else text."""

    authtype: str
    params: Any


def parse_auth_params(params: str) -> dict[str, str]:
    """Read the parameters of a challenge or of credentials."""
    found = {}
    for element in split_list(params):
        name, equals, value = element.partition("=")
        if equals and name.strip():
            found[name.split()[-1]] = unquote_string(value.strip())
    return found


def parse_auth(val: str | None) -> Authorization | None:
    """Read a challenge or credentials, or return None for an absent header."""
    if val is None:
        return None
    scheme, _, params = val.partition(" ")
    if scheme not in known_auth_schemes or (scheme == "Basic" and '"' not in params):
        return Authorization(scheme, params)
    return Authorization(scheme, parse_auth_params(params))


def serialize_auth(val: Any) -> Any:
    """Print a scheme and its parameters, a dictionary or text. Text stays as it is."""
    if not isinstance(val, (tuple, list)):
        return val
    scheme, params = val
    if isinstance(params, dict):
        params = ", ".join([f'{name}="{value}"' for name, value in params.items()])
    return f"{scheme} {params}"
