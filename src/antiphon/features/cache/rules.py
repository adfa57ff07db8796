"""The rules of RFC 9111 as pure functions: how long a response is fresh, and whether it may be stored."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from antiphon import Request, Response
from antiphon.embedding import Reads, RequestState, parse_or_none, split_list
from antiphon.http import CacheControl, Item, MutableHeaders, Token, parse_http_date, parse_structured_dictionary

_OLDEST = 2.0**31
"""The seconds that stand for all greater ages (RFC 9111 §1.2.2)."""
_leading_digits = re.compile(r"[0-9]++(?![^,;\x20\t])").match
"""The pattern for the number in Age. A parameter or another number after it, which doesn't belong there, is ignored."""

TARGETED = ("antiphon-cache-control", "cdn-cache-control")
"""The fields that override Cache-Control, in order of precedence (RFC 9213 §2.2)."""

CACHEABLE_STATUSES = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})
"""Statuses whose responses may be stored without an explicit lifetime (RFC 9110 §15.1)."""


class Control(NamedTuple):
    """The directives in a response that apply to this cache, and the response's lifetime in seconds: 0 unless the
    response states it, as ``is_explicit`` tells. An application's own cache does not guess it (RFC 9111 §4.2.2).
    """

    directives: CacheControl
    lifetime: float
    is_explicit: bool

    @property
    def must_revalidate(self) -> bool:
        """True if the response is never served stale (RFC 9111 §4.2.4, §5.2.2.10)."""
        said = self.directives
        return said.must_revalidate or said.proxy_revalidate or said.s_maxage is not None or said.no_cache is True


def control_of(fields: Sequence[tuple[str, str]], received: float) -> Control:
    """Return a response's directives for this cache, which received it at ``received``, in Unix time."""
    found = MutableHeaders.over([*fields])
    for name in TARGETED:
        if (said := _targeted(found.get(name))) is not None:
            return Control(said, *_stated(said))
    said = CacheControl.parse(found.get("cache-control"))
    lifetime, is_explicit = _stated(said)
    if is_explicit:
        return Control(said, lifetime, True)
    if "expires" in found:
        sent, expires = (seconds_since_1970(found.get(name)) for name in ("date", "expires"))
        return Control(said, 0.0 if expires is None else max(0.0, expires - (received if sent is None else sent)), True)
    return Control(said, 0.0, False)


def _targeted(value: str | None) -> CacheControl | None:
    """Return the directives of a targeted field, or None if it is absent, empty or malformed (RFC 9213 §2.1)."""
    members = None if value is None else parse_or_none(parse_structured_dictionary, value)
    if not members:
        return None
    items = {name: item.value for name, item in members.items() if isinstance(item, Item)}
    return CacheControl.parse(", ".join(_directives(items.items())))


def _directives(items: Iterable[tuple[str, object]]) -> Iterable[str]:
    for name, value in items:
        if value is True:
            yield name
        elif type(value) is int:
            yield f"{name}={value}"


def _stated(said: CacheControl) -> tuple[float, bool]:
    for seconds in (said.s_maxage, said.max_age):
        if seconds is not None:
            return float(seconds), True
    return 0.0, False


def seconds_since_1970(date: str | None) -> float | None:
    """Return a date, in upper or lower case, as Unix time; None if absent or malformed (RFC 9111 §4.2)."""
    found = parse_or_none(parse_http_date, date)
    if found is None and date is not None:
        found = parse_or_none(parse_http_date, date.title().replace("Gmt", "GMT"))
    return None if found is None else found.timestamp()


def age_when_received(fields: Sequence[tuple[str, str]], asked: float, received: float) -> float:
    """Return the age in seconds of a response that was requested and received at these times (RFC 9111 §4.2.3)."""
    found = MutableHeaders.over([*fields])
    sent = seconds_since_1970(found.get("date"))
    digits = _leading_digits(found.get("age") or "")
    said = min(float(digits[0]), _OLDEST) if digits else 0.0
    apparent = 0.0 if sent is None else max(0.0, received - sent)
    return max(apparent, said + max(0.0, received - asked))


UNDERSTOOD = CACHEABLE_STATUSES | {302, 303, 307, 402, 403, 421, 451, 500, 502, 503, 504}
"""Final statuses that this cache understands (RFC 9111 §5.2.2.3). A 206 or a 304 is not a whole response."""

_PERSONAL = {
    "cookie": "reads-cookie",
    "authorization": "reads-authorization",
    "proxy-authorization": "reads-authorization",
    Reads.SESSION: "reads-session",
    Reads.USER: "reads-user",
    Reads.ADDRESS: "reads-address",
    Reads.PAGE_NONCE: "reads-nonce",
    Reads.REQUEST_ID: "reads-id",
    Reads.HOOKS: "hooks-below",
    Reads.EVERYTHING: "reads-everything",
}
"""The kinds of data that belong to one visitor or request, each with the reason not to store a response made from it.
"""
PERSONAL_REASONS = {*_PERSONAL.values()} - {"reads-nonce", "reads-id", "hooks-below", "reads-everything"}
REQUEST_REASONS = {"request-no-store", "authorization"}
"""The reasons for which only this request's response isn't stored. Others still get the stored response: otherwise, any
client could have it made again for each of them.
"""
_NAMEABLE = {"cookie", "authorization", "proxy-authorization"}
"""The kinds of such data that a public response can list in Vary."""


class Asked(NamedTuple):
    """The properties of a request that matter to caches: its method, its directives, and whether it has an
    Authorization header.
    """

    method: str
    directives: CacheControl
    has_authorization: bool


def reason_not_to_store(
    asked: Asked, status: int, fields: Collection[tuple[str, str]], control: Control, reads: Collection[str] | None
) -> str | None:
    """Return the reason not to store a response, as a token, or None if it may be stored.

    ``reads`` contains the names of everything read from the request to make the response, as recorded by a
    ``WatchedHead``. It is None if that is unknown, as it is in a gateway: only the response matters there, even with
    Set-Cookie (RFC 9111 §7.3).
    """
    said, found = control.directives, MutableHeaders.over([*fields])
    if asked.method not in ("GET", "QUERY"):
        return "method"
    if status in (206, 304) or (status not in UNDERSTOOD and said.must_understand):
        return "status"
    if asked.directives.no_store:
        return "request-no-store"
    if said.no_store and not said.must_understand:
        return "no-store"
    if said.private is True:
        return "private"
    if "set-cookie" in found and reads is not None:
        return "set-cookie"
    names = [name.lower() for name in split_list(found.get("vary", ""))]
    if "*" in names:
        return "vary-star"
    if asked.has_authorization and not (said.public or said.must_revalidate or said.s_maxage is not None):
        return "authorization"
    personal = _personal(reads or (), names, said.public)
    return personal or _without_freshness(status, found, control)


def _personal(reads: Collection[str], vary: Collection[str], is_public: bool) -> str | None:
    """Return the reason why a response may be for one visitor only. It may be shared if Vary lists its dependencies.

    A public one may also depend on cookies that were read by their names, since those are part of its key. No Vary can
    list all fields. So a response is never shared if its code gets the whole request, as an application of another
    framework does.
    """
    if not is_public and any(name.startswith(Reads.COOKIE) for name in reads):
        return _PERSONAL["cookie"]
    for name, reason in _PERSONAL.items():
        if name in reads and not (is_public and name in _NAMEABLE and name in vary):
            return reason
    return None


def _without_freshness(status: int, found: Collection[str], control: Control) -> str | None:
    """Return the reason not to store a response that is never fresh and can't be validated."""
    if control.is_explicit or control.directives.public:
        return None
    if status in CACHEABLE_STATUSES and ("last-modified" in found or "etag" in found):
        return None
    return "no-freshness"


NAME = "Antiphon"
"""This cache's name in Cache-Status."""


def hit_status(ttl: int, *, is_collapsed: bool) -> str:
    """Return the Cache-Status member for a stored response that stays fresh for ``ttl`` more seconds."""
    return f"{NAME};hit;ttl={ttl};collapsed" if is_collapsed else f"{NAME};hit;ttl={ttl}"


def tell(response: Response, reason: tuple[Request, str | None] | None = None, **parameters: Any) -> Response:
    """Add a member to Cache-Status and return the response. In debug mode, it shows why nothing was stored.

    ``reason`` is the reason with the request that may see it.
    """
    known: dict[str, Any] = {
        name.replace("_", "-"): Token(value) if isinstance(value, str) else value
        for name, value in parameters.items()
        if value is not None
    }
    if reason is not None and reason[1] is not None and RequestState(reason[0]).is_seen_in_debug:
        known["detail"] = reason[1]
    response.headers.add("cache-status", str(Item(Token(NAME), known)))
    return response
