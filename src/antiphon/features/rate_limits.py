"""Rate limits: how many requests a caller may send to a whole app, a blueprint or a route.

app.use(RateLimit("100/minute", SQLiteStore("var/limits.db"))), or @app.post("/login", before=RateLimit("5/minute"))
"""

import re
from collections.abc import Callable, Generator, Iterable
from copy import copy
from functools import partial
from math import ceil
from threading import Lock
from time import monotonic
from typing import Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

from antiphon import Blueprint, Request, Response, explained
from antiphon.embedding import (
    Added,
    FeatureStore,
    RequestState,
    arrivals,
    check_no_decorator,
    checked_by,
    describe,
    errors_name_it,
    unwatched,
)
from antiphon.features import Store, StoreUnavailable
from antiphon.features.stores.circuit_breaker import CircuitBreaker
from antiphon.features.stores.memory import MemoryStore
from antiphon.http import Item, TooManyRequests
from antiphon.types import Caller, Mount, Route, Routes

QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"
"""The type of the problem (draft-ietf-httpapi-ratelimit-headers)."""

ROUNDING = 1e-4
"""The tolerance for rounding errors, in seconds and requests, so that clients can return when they were told to."""

_LOG_EVERY = 60.0
"""The seconds between two log lines about callers that aren't distinguished or limited."""

_UNKNOWN = ""
"""The caller for unknown addresses; no address is empty."""

_read_rate = re.compile(r"([1-9][0-9]{0,8}) ?(?:/|per) ?(?:([1-9][0-9]{0,4}) ?)?(second|minute|hour|day)s?").fullmatch
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 24 * 3600}


@errors_name_it
class RateLimit:
    """A limit on the number of requests from one caller in a period: a feature, and a hook for ``before=``.

        app.use(RateLimit("100/minute"))

    ``rate`` is a string such as "10/minute", "1000/day" or "10 per 30 seconds". By default, a caller is an IP address,
    or for IPv6 the 64-bit network assigned to a customer; all clients with unknown addresses count as one. With ``by``,
    the caller is the text that this function returns for a request; None means no limit. ``by`` must not block.
    """

    waits_for_body = True
    """True: if ``by`` reads a body on the event loop before the body has arrived, the limit is called again once it has
    arrived.
    """

    def __init__(
        self,
        rate: str,
        store: Store | None = None,
        *,
        by: Callable[[Request], str | None] | None = None,
        name: str | None = None,
        when_unavailable: Literal["allow", "refuse"] = "allow",
    ) -> None:
        """As a feature, a limit by address runs before everything registered after it. A limit with ``by`` is a hook,
        which can use users and sessions. Both run before a body of more than 64 KiB is received, unless ``by`` reads
        it.

        The window slides: the previous window's requests count in proportion to how much of that window still overlaps.
        This is an approximation: in any period, fewer than twice the allowed number of requests can pass. Refused
        requests (429, with Retry-After) are not counted. All responses have RateLimit and RateLimit-Policy
        (draft-ietf-httpapi-ratelimit-headers). ``name`` is the limit's name in these headers, by default the rate. It
        is also the limit's name in the ``store``, where limits with the same name share a count, in which a request
        counts once. Without a ``store``, the limit uses the application's store, where an unnamed limit has a separate
        count. If the application has no store either, each process counts separately, in memory.

        While the store is unavailable, requests are let through, and an error is logged once a minute. With
        ``when_unavailable="refuse"``, they get a 503. One request per second tries the store again. Raises ValueError
        for an invalid rate, for a name that can't appear in a header, and for a store that can't count; the
        application's store is checked when its routes are planned.
        """
        self._limit, self._period = parse_rate(rate)
        if store is not None:
            FeatureStore.check("RateLimit", store)
        if when_unavailable not in ("allow", "refuse"):
            raise explained(
                "bad-feature-option", f"when_unavailable must be 'allow' or 'refuse', not {when_unavailable!r}"
            )
        self._by = None if by is None else checked_by(by, "RateLimit")
        self._name = rate if name is None else name
        self._item = str(Item(self._name))
        self._policy = str(Item(self._name, {"q": self._limit, "w": self._period}))
        self._refuses = when_unavailable == "refuse"
        self._logged_again_at = 0.0
        self.blocking = store is not None and store.blocks
        self._written = f'RateLimit("{rate}")'
        self._is_named = name is not None
        self._place = ""
        """The part of the application that uses this limit as a feature."""
        self._own = None if store is None else self._counter(store, f"rate {self._name}")
        self._without_app = self._own or self._counter(None, "")
        self._by_app: WeakKeyDictionary[Any, _Counter] = WeakKeyDictionary()
        """The counters of each application, in its store or in memory, for as long as the application exists. So a
        limit in a module counts separately in each application that a factory creates, as in tests.
        """
        self._lock = Lock()

    def install(self, app: Routes) -> None:
        """Register the limit for all requests to an app or a blueprint."""
        self._place = f"blueprint {app.name}" if isinstance(app, Blueprint) else "app"
        if self._by is None:
            around: Any = partial(RateLimit._around, self)
            around.blocking_at = self.blocking_at
            app.middleware(blocking=self.blocking)(around)
        else:
            app.before_request(self)

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        yield Added(headers=("ratelimit", "ratelimit-policy"))
        yield Added(
            429,
            TooManyRequests,
            f"At most {self._limit} in {self._period} seconds. Try again in {{seconds}} seconds.",
            QUOTA_EXCEEDED,
            {"violated-policies": list[str]},
            headers=("retry-after",),
            per_minute=self._limit * 60 / self._period,
            by=self._by,
        )
        if self._refuses:
            yield Added(503, StoreUnavailable)

    def _around(self, request: Request) -> Generator[None, Response, None]:
        self(request)
        yield

    def __call__(self, request: Request) -> None:
        """Count a request. Raises TooManyRequests (429) above the limit, and TypeError if used as a decorator."""
        check_no_decorator(self._written, request)
        if any(each.limit is self for each in _counted(*arrivals(RequestState(request).around))):
            return  # the client sent only one request
        marks = (RequestState(each).values.get(RequestState.COUNTED_BY) for each in arrivals(request))
        counted_by = next((each for each in marks if each is not None), set[object]())
        if self in counted_by:
            return
        counted, earlier = _Counted(self), _counted(*arrivals(request))
        request[RequestState.COUNTS] = (*RequestState(request).values.get(RequestState.COUNTS, ()), counted)
        counted.caller = caller = self._caller(request)
        if caller is None:
            return
        counter = self._counter_for(request.app)
        alike = [each for each in earlier if each.is_in(counter, counted)]
        if same := next((each for each in alike if each.limit._limit == self._limit), None):
            counted.count = same.count  # by a limit of an application around this one
            counted_by.add(self)
            return
        try:
            counted.count = count = counter.breaker.call(self._count, counter, caller, 0 if alike else 1)
        except StoreUnavailable:
            if self._refuses:
                raise
            self._log("limits nobody, because its store is unavailable")
            return
        request.on_response(partial(self._add_fields, counted, count))
        if count.is_over:
            seconds = count.whole_seconds
            raise TooManyRequests(
                f"At most {self._limit} in {self._period} seconds. Try again in {seconds} seconds.",
                retry_after=seconds,
                type=QUOTA_EXCEEDED,
                title="Request cannot be satisfied as assigned quota has been exceeded",
                members={"violated-policies": [self._name]},
            )
        counted_by.add(self)

    def uncount(self, request: Request) -> None:
        """Undo this limit's count of a request, so that only some requests count, such as failed logins.

        The count is undone after the handler returns and before the response is sent, on a thread if the store blocks.
        So ``def`` and ``async def`` handlers call this method in the same way. It has no effect if the limit has not
        counted the request or has already undone its count. If the store is unavailable, the request stays counted.
        """
        every = _counted(*arrivals(request))
        for counted in every:
            count = counted.count
            if counted.limit is self and count is not None and not (count.is_over or counted.is_taken_back):
                for each in every:
                    each.is_taken_back = each.is_taken_back or each is counted or each.is_in(count.counter, counted)
                take_back: Any = partial(self._take_back, count)
                take_back.blocking = count.counter.store.blocks
                request.on_response(take_back)

    def _take_back(self, count: "_Count", _request: Request, _response: Response) -> None:
        try:
            count.counter.breaker.call(self._subtract, count)
        except StoreUnavailable:
            self._log("could not take back a request, because its store is unavailable")

    def _subtract(self, count: "_Count") -> None:
        """Subtract a request from its window, unless the window is over. Raises StoreUnavailable."""
        counter, key, ttl = count.counter, count.key, count.ttl
        if counter.store.clock() >= count.ends:
            return
        increment = counter.store.increment
        by = 1 if self._limit > 1 else increment(key, ttl=ttl, by=0).value  # a limit of one counts refused requests too
        if increment(key, ttl=ttl, by=-by).value < 0:  # the store has lost it
            increment(key, ttl=ttl, by=by)

    def _add_fields(self, counted: "_Counted", count: "_Count", _request: Request, response: Response) -> Response:
        remaining = min(self._limit, count.remaining + counted.is_taken_back)
        response = copy(response)  # a handler may return the same object again
        response.headers.add("ratelimit-policy", self._policy)
        response.headers.add("ratelimit", f"{self._item};r={remaining};t={count.whole_seconds}")
        return response

    def _caller(self, request: Request) -> str | None:
        if self._by is not None:
            return self._by(request)
        with unwatched(request):  # it decides whether to refuse, not what to respond
            ip = request.ip
        if ip is None:
            self._log("counts all callers with an unknown address as one: use by=...")
            return _UNKNOWN
        return Caller.network_of(ip)

    def blocking_at(self, route: Route) -> bool:
        """True if the limit waits for a store at a route. Called when the route is planned.

        Raises ValueError, naming the route's handler, if the application's store can't count.
        """
        try:
            counter = self._counter_for(route.app, route)
            if counter is self._own and route.app is not None:
                route.app.store_for("RateLimit", counter.store)
            return counter.store.blocks
        except ValueError as error:
            message = f"{describe(route.handler)} is limited by {self._written}: {error}"
            raise explained("store-cannot", message) from None

    def _counter_for(self, app: Any, route: Route | None = None) -> "_Counter":
        """Return this limit's own counter, or else its counter in the application's store or in memory."""
        if self._own is not None:
            return self._own
        if app is None:
            return self._without_app
        found = self._by_app.get(app)
        if found is None:
            with self._lock:  # two threads may handle the first requests
                found = self._by_app.get(app)
                if found is None:
                    found = self._by_app[app] = self._counter_of(app, route)
        return found

    def _counter_of(self, app: Any, route: Route | None) -> "_Counter":
        """Return a new counter for an application. In its store, limits with the same name are counted together."""
        if getattr(app, "store", None) is None:  # as for a dialect's application
            FeatureStore.note_memory(app, "RateLimit")
            return self._counter(None, "")
        store = app.store_for("RateLimit")
        if self._is_named:
            return self._counter(store, f"rate {self._name}")
        own = "" if route is None else f"{' '.join(route.methods)} {route.where}"
        place = f"limit {Mount.first_place_of(app)}\n{self._place or own}\n{self._name}"
        with _PLACES_LOCK:
            places = _PLACES.setdefault(app, [])
            places.append(place)
            return self._counter(store, f"{place} {places.count(place)}")

    def _counter(self, store: Store | None, key: str) -> "_Counter":
        return _Counter(store or MemoryStore(clock=monotonic), key, CircuitBreaker(StoreUnavailable))

    def _count(self, counter: "_Counter", caller: str, by: int) -> "_Count":
        """Count a request, unless the limit is exceeded; ``by`` is 0 if it is counted. Raises StoreUnavailable."""
        limit, period, increment = self._limit, self._period, counter.store.increment
        key, now = FeatureStore.name_of(counter.key, caller), counter.store.clock()
        if limit == 1:  # a single window that begins with the request is enough
            count, seconds = increment(key, ttl=period, by=by)
            return _Count(count > 1, 0, seconds, counter, key, period, now + seconds)
        window, elapsed = divmod(now, period)
        current_key, ttl = FeatureStore.name_of(counter.key, caller, f"{window:.0f}"), 2 * period
        current = increment(current_key, ttl=ttl, by=by).value
        before = (
            increment(FeatureStore.name_of(counter.key, caller, f"{window - 1:.0f}"), ttl=ttl, by=0).value
            if current <= limit
            else 0
        )
        used = current + before * (1 - elapsed / period)
        if used <= limit + ROUNDING:
            left, ends = int(limit - used + ROUNDING), (window + 2) * period
            return _Count(False, left, period - elapsed, counter, current_key, ttl, ends)
        increment(current_key, ttl=ttl, by=-by)
        seconds = _wait(limit, period, elapsed, current - by, before)
        return _Count(True, 0, seconds, counter, current_key, ttl, now)

    def _log(self, what: str) -> None:
        now = monotonic()
        if now < self._logged_again_at:
            return
        import logging

        self._logged_again_at = now + _LOG_EVERY
        logging.getLogger("antiphon").error("the rate limit %s %s", self._name, what)


class _Counted:
    """A limit that a request has passed. ``count`` is None if it didn't count the request."""

    __slots__ = ("caller", "count", "is_taken_back", "limit")

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self.caller: str | None = None
        self.count: _Count | None = None
        self.is_taken_back = False

    def undo(self, request: Request) -> None:
        """Undo the limit's count of the request."""
        self.limit.uncount(request)

    def is_in(self, counter: "_Counter", other: "_Counted") -> bool:
        """Return True if this counts as the other does, in the same place: limits with one name share a count."""
        count, own, theirs = self.count, self.limit, other.limit
        if count is None or self.is_taken_back or self.caller != other.caller or count.counter.key != counter.key:
            return False
        is_alike = own._period == theirs._period and (own._limit == 1) is (theirs._limit == 1)
        return is_alike and count.counter.store.shares_entries(counter.store)


def _counted(*requests: Request) -> list[_Counted]:
    counts = [RequestState(each).values.get(RequestState.COUNTS, ()) for each in requests]
    return [count for some in counts for count in some if isinstance(count, _Counted)]


class _Counter(NamedTuple):
    """A limit's counts in a store, under one key."""

    store: Store
    key: str
    breaker: CircuitBreaker


_PLACES: "WeakKeyDictionary[Any, list[str]]" = WeakKeyDictionary()
"""The places where an application's limits count in its store, in route order, which is the same in all processes."""
_PLACES_LOCK = Lock()


class _Count(NamedTuple):
    """A counted request: True if it exceeds the limit, the number of requests left, and the seconds until more are
    allowed.

    The other fields say where it is counted and when that count expires.
    """

    is_over: bool
    remaining: int
    seconds: float
    counter: _Counter
    key: str
    ttl: int
    ends: float

    @property
    def whole_seconds(self) -> int:
        return max(1, ceil(self.seconds - ROUNDING))


def parse_rate(rate: str) -> tuple[int, int]:
    """Return the number of requests and the seconds. Raises ValueError, with the expected format in its message."""
    found = _read_rate(rate) if isinstance(rate, str) else None
    if found is None:
        raise explained(
            "bad-feature-option",
            f'a rate must be text like "10/minute", "1000/day" or "10 per 30 seconds", not {rate!r}',
        )
    return int(found[1]), int(found[2] or 1) * _SECONDS[found[3]]


def _wait(limit: int, period: int, elapsed: float, current: int, before: int) -> float:
    """Return the seconds from now until one more request is allowed, as the previous window's requests gradually stop
    counting."""
    room = limit - 1 - current
    if room >= 0:
        return period * (1 - room / before) - elapsed
    return period - elapsed + period * (1 - (limit - 1) / current)
