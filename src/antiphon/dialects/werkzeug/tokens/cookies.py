"""Cookies in the format of Cookie and Set-Cookie."""

import re
import warnings
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain, zip_longest
from time import time

from antiphon.dialects.werkzeug.tokens.dates import parse_date
from antiphon.embedding import OWS
from antiphon.http import SetCookie, parse_cookies
from antiphon.http.cookies import SameSite, quote_cookie_value
from antiphon.http.headers import write_raw_utf8
from antiphon.http.urls.url import encode_path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAMESITE: dict[str, SameSite] = {"strict": "Strict", "lax": "Lax", "none": "None"}
_line_end = re.compile(r"[\0\r\n]")
_find_forbidden = re.compile(r"[\x00-\x1f\x7f;]").search


def read_cookies(value: str) -> list[tuple[str, str]]:
    """Return the name and value of each cookie, in order. Text without an equals sign is a name without a value."""
    pairs = parse_cookies(value)
    return pairs if all(name for name, _ in pairs) else _name_the_nameless(pairs, value)


def _name_the_nameless(pairs: list[tuple[str, str]], value: str) -> list[tuple[str, str]]:
    """Turn the value of a cookie without a name into its name, unless an equals sign says that the name is empty."""
    written = [part for part in value.split(";") if part.strip(OWS)]  # one text for each pair
    return [
        (name or text, text if name else "")
        for (name, text), part in zip(pairs, written, strict=True)
        if name or "=" not in part
    ]


def dump_cookie(
    key: str,
    value: str = "",
    max_age: timedelta | int | None = None,
    expires: str | datetime | float | None = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    sync_expires: bool = True,
    max_size: int = 4093,
    samesite: str | None = None,
    partitioned: bool = False,
) -> str:
    """Return the value of Set-Cookie, with a warning if it is too large. Values that user agents would drop are not
    checked.

    ``sync_expires`` adds Expires to Max-Age, for old clients. Raises ValueError for control characters and semicolons
    in the key and the domain, and an invalid ``samesite`` or ``expires``.
    """
    if _find_forbidden(key):
        raise ValueError(f"a cookie's key has no control characters and semicolons: {key!r}")
    seconds = int(max_age.total_seconds()) if isinstance(max_age, timedelta) else max_age
    if expires is None and seconds is not None and sync_expires:
        expires = int(time()) + seconds
    attributes = _print_attributes(
        expires, seconds, path, domain or None, secure or partitioned, httponly, samesite, partitioned
    )
    coded = _quoted(value)
    printed = f"{write_raw_utf8(key)}={write_raw_utf8(coded)}{attributes}"
    if max_size and len(printed) > max_size:
        _warn_of_size(key, len(coded), len(printed), max_size)
    return printed


def _quoted(value: str) -> str:
    """Return a value as cookies have it, with escapes for line ends and NUL."""
    if not _line_end.search(value):
        return quote_cookie_value(value)
    # With a quote before it, a piece is in quotes in any case.
    pieces = [quote_cookie_value(f'"{piece}')[3:-1] for piece in _line_end.split(value)]
    ends = [f"\\{ord(end):03o}" for end in _line_end.findall(value)]
    return f'"{"".join(chain(*zip_longest(pieces, ends, fillvalue="")))}"'


@lru_cache(256)
def _print_attributes(
    expires: str | datetime | float | None,
    max_age: int | None,
    path: str | None,
    domain: str | None,
    secure: bool,
    httponly: bool,
    samesite: str | None,
    partitioned: bool,
) -> str:
    """Return the attributes after the value. They are cached: many requests in one second have the same ones."""
    printed = SetCookie._make((
        "", "", "", max_age,
        None if expires is None else _moment(expires),
        domain and _printed_domain(domain),
        path and encode_path(path).replace(";", "%3B"),
        secure, httponly, None if samesite is None else _known_samesite(samesite), partitioned,
    ))  # fmt: skip
    return str(printed).removeprefix("=")


def _printed_domain(domain: str) -> str:
    if _find_forbidden(domain):
        raise ValueError(f"a cookie's domain has no control characters and semicolons: {domain!r}")
    return domain.partition(":")[0].lstrip(".").encode("idna").decode()


def _moment(expires: str | datetime | float) -> datetime:
    if isinstance(expires, datetime):
        return expires if expires.tzinfo else expires.replace(tzinfo=UTC)
    if not isinstance(expires, str):
        return _EPOCH + timedelta(seconds=expires // 1)
    moment = parse_date(expires)
    if moment is None:
        raise ValueError(f"a cookie's expires is a date, not {expires!r}")
    return moment


def _known_samesite(samesite: str) -> SameSite:
    known = _SAMESITE.get(samesite.lower())
    if known is None:
        raise ValueError(f"SameSite is 'Strict', 'Lax' or 'None', not {samesite!r}")
    return known


def _warn_of_size(key: str, value_size: int, size: int, most: int) -> None:
    warnings.warn(
        f"The {key!r} cookie is too large: its header has {size} bytes, {value_size} of them for the value, and the"
        f" limit is {most}. Browsers may drop it without a word.",
        stacklevel=3,
    )
