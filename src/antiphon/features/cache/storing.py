"""The decision to store a response (RFC 9111 §3): a reason not to, or None. A function of values, without I/O."""

from collections.abc import Collection
from typing import NamedTuple

from antiphon.features.cache.freshness import HEURISTIC_STATUSES, Control
from antiphon.http.cache_control import CacheControl
from antiphon.http.grammar import split_list
from antiphon.http.headers import combined
from antiphon.request.watching import ADDRESS, EVERYTHING, HOOKS, PAGE_NONCE, REQUEST_ID, SESSION, USER

UNDERSTOOD = HEURISTIC_STATUSES | {302, 303, 307, 402, 403, 421, 451, 500, 502, 503, 504}
"""Final statuses whose meaning for caches is known here (RFC 9111 §5.2.2.3). A 206 or a 304 is not a whole response."""

_PERSONAL = {
    "cookie": "reads-cookie",
    "authorization": "reads-authorization",
    "proxy-authorization": "reads-authorization",
    SESSION: "reads-session",
    USER: "reads-user",
    ADDRESS: "reads-address",
    PAGE_NONCE: "reads-nonce",
    REQUEST_ID: "reads-id",
    HOOKS: "hooks-below",
    EVERYTHING: "reads-everything",
}
"""Data of one visitor or one request, and the reason not to store a response made from it."""
PERSONAL_REASONS = {*_PERSONAL.values()} - {"reads-nonce", "reads-id", "hooks-below", "reads-everything"}
_NAMEABLE = {"cookie", "authorization", "proxy-authorization"}
"""Those of them that a public response can name in Vary."""


class Asked(NamedTuple):
    """What a request asks of caches: its method, its directives, and True if it has an Authorization header."""

    method: str
    directives: CacheControl
    has_authorization: bool


def reason_not_to_store(
    asked: Asked, status: int, fields: Collection[tuple[str, str]], control: Control, reads: Collection[str] | None
) -> str | None:
    """Return the reason not to store a response as a token, or None if it may be stored.

    ``reads`` is what was read of the request to make it, as a ``WatchedHead`` notes it; None if that is unknown, as in
    a gateway, where only the response counts, even with Set-Cookie (RFC 9111 §7.3).
    """
    said, found = control.directives, combined(fields)
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
    """Return the reason why a response may be for one visitor only: it is shared if it names what it depends on.

    No Vary names all fields, so a response of code that gets the whole request, such as an application of another
    framework, is never shared.
    """
    for name, reason in _PERSONAL.items():
        if name in reads and not (is_public and name in _NAMEABLE and name in vary):
            return reason
    return None


def _without_freshness(status: int, found: Collection[str], control: Control) -> str | None:
    """Return the reason not to store a response that is never fresh and can't be validated."""
    if control.is_explicit or control.directives.public:
        return None
    if status in HEURISTIC_STATUSES and ("last-modified" in found or "etag" in found):
        return None
    return "no-freshness"
