"""The decision whether and how to serve a stored response (RFC 9111 §4, RFC 5861). Functions of values, without I/O."""

from enum import Enum

from antiphon.features.cache.entry import StoredResponse, has_conditions
from antiphon.features.cache.freshness import Control
from antiphon.features.cache.status import hit_status
from antiphon.http.cache_control import CacheControl
from antiphon.request.request import Request
from antiphon.response.response import Response


class Use(Enum):
    """What to do with a stored response for a request."""

    FRESH = "serve it"
    STALE = "serve it, though it is stale"
    REFRESH = "serve it, and fetch a new one in the background"
    VALIDATE = "ask the handler whether it is still right"


def use_of(control: Control, age: float, asked: CacheControl) -> Use:
    """Return how a request with these directives may use a stored response."""
    remaining = control.lifetime - age
    if control.directives.no_cache is True or asked.no_cache:
        return Use.VALIDATE
    is_young = asked.max_age is None or age <= asked.max_age
    if is_young and remaining > (asked.min_fresh or 0):
        return Use.FRESH
    if asked.min_fresh is not None or control.must_revalidate:
        return Use.VALIDATE
    if asked.max_stale is not None and is_young and -remaining <= asked.max_stale:
        return Use.STALE
    if asked.max_age is None and _is_within(-remaining, control.directives.stale_while_revalidate):
        return Use.REFRESH
    return Use.VALIDATE


def may_stand_for_error(control: Control, age: float, asked: CacheControl) -> bool:
    """Return True if a stored response or the request allows to serve it instead of an error (RFC 5861 §4)."""
    if control.must_revalidate or asked.no_cache:
        return False
    staleness = age - control.lifetime
    return any(_is_within(staleness, said.stale_if_error) for said in (control.directives, asked))


def _is_within(staleness: float, allowed: int | None) -> bool:
    return allowed is not None and staleness < allowed


def kept_for(control: Control, age: float, extra: float) -> float:
    """Return the seconds for which a response is useful: fresh, then stale, and ``extra`` for validation."""
    said = control.directives
    stale = max(said.stale_while_revalidate or 0, said.stale_if_error or 0, extra)
    return max(1.0, control.lifetime - age + stale)


def serve(request: Request, kept: StoredResponse, now: float, *, collapsed: bool = False) -> Response:
    """Return the response to a request, made from a stored one."""
    age = kept.age(now)
    told = hit_status(int(kept.control.lifetime - age), is_collapsed=collapsed)
    if not has_conditions(request.head):
        return kept.whole(int(age), told)
    response = kept.response(request, int(age))
    response.headers.add("cache-status", told)
    return response
