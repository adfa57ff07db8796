"""Limits of rates under Asok's names, counted by the native feature."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar, cast

from antiphon import Dependency
from antiphon.dialects.asok.exceptions import RateLimitExceeded
from antiphon.embedding import is_async
from antiphon.features.rate_limits import parse_rate
from antiphon.http import TooManyRequests

if TYPE_CHECKING:
    from antiphon import App
    from antiphon.dialects.asok.request import Request
    from antiphon.dialects.asok.request_state import RequestState
    from antiphon.features import RateLimit as NativeLimit
    from antiphon.features import Store

F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day"}
_read_rate = re.compile(r" *([0-9]{1,9}) */ *([smhd])[a-z]* *", re.IGNORECASE).fullmatch
_is_name = re.compile(r"[ -!#-\[\]-~]{1,80}").fullmatch
_CALLER = Dependency[str | None]("caller of a limit")


class RateLimit:
    """A limit of requests by one caller: "60/m", or a number of them in a ``window`` of seconds, by default 60.

    A caller is an address, or the text that ``key_func`` returns for a request. Limits of one ``prefix`` and one rate
    count together. It is a middleware, too: ``app.use(RateLimit("100/m"))``. Raises ValueError for an invalid rate.
    """

    def __init__(
        self,
        limit: str | int = 60,
        window: int | None = None,
        key_func: "Callable[[Request], str | None] | None" = None,
        *,
        prefix: str = "rl",
    ) -> None:
        self.key_func = key_func
        self.prefix = _short(prefix)
        self._rate = native_rate(limit, window)
        parse_rate(self._rate)

    def check(self, request: "RequestState") -> None:
        """Count a request. Raises RateLimitExceeded (429) for one too many."""
        native, has_key = request.native, self.key_func is not None
        limit = _limit(request.app.counters, self._rate, self.prefix, has_key)
        if self.key_func is not None:
            native[_CALLER] = self.key_func(cast("Request", request))
        try:
            limit(native)
        except TooManyRequests as error:
            raise RateLimitExceeded(str(error.detail), retry_after=_seconds(error)) from error

    def __call__(self, request: "Request", next_handler: "Callable[[Request], Any]") -> Any:
        """Count a request, and hand it on."""
        self.check(request)
        return next_handler(request)


def rate_limit(limit: str | int, window: int | None = None, **options: Any) -> Callable[[F], F]:
    """Limit how often one caller may request a page: ``@rate_limit("5/m")``, with the options of ``RateLimit``.

    Each function that is decorated counts for itself, unless a ``prefix`` is given.
    """

    def decorate(function: Any) -> Any:
        limiter = RateLimit(limit, window, **{"prefix": f"{function.__module__}.{function.__qualname__}", **options})

        if is_async(function):

            @wraps(function)
            async def limited_async(request: "Request", *args: Any, **kwargs: Any) -> Any:
                limiter.check(request)
                return await function(request, *args, **kwargs)

            return limited_async

        @wraps(function)
        def limited(request: "Request", *args: Any, **kwargs: Any) -> Any:
            limiter.check(request)
            return function(request, *args, **kwargs)

        return limited

    return decorate


def check_rate(request: "RequestState", limit: str | int, window: int | None = None, prefix: str | None = None) -> None:
    """Count a request for its page, or for all pages that name one ``prefix``. Raises RateLimitExceeded (429).

    Error pages for missing pages count together, since a client chooses the path.
    """
    RateLimit(limit, window, prefix=prefix or request.native.endpoint or "no page").check(request)


def native_rate(limit: str | int, window: int | None) -> str:
    """Return a rate in the native form: "60/minute" for "60/m". Raises ValueError for any other text."""
    if isinstance(limit, int):
        return f"{limit} per {60 if window is None else window} seconds"
    found = _read_rate(limit)
    if found is None:
        raise ValueError(f'a rate is text like "60/m", "5/minute", "10/s", "1000/h" or "1/day", not {limit!r}')
    return f"{int(found[1])}/{_UNITS[found[2].lower()]}"


def install_rate_limit(native: "App", config: Mapping[str, Any]) -> None:
    """Limit all clients of an application, if RATE_LIMIT_PER_MINUTE is set."""
    if (most := config.get("RATE_LIMIT_PER_MINUTE")) and config.get("RATE_LIMIT", True):
        from antiphon.features import RateLimit as NativeLimit  # late: it brings msgspec

        native.use(NativeLimit(f"{int(most)}/minute"))


@lru_cache(maxsize=1024)
def _limit(counters: "Store", rate: str, prefix: str, has_key: bool) -> "NativeLimit":
    """Return the limit of a rate and a prefix. Its counts are in the store, where those of one name count together."""
    from antiphon.features import RateLimit as NativeLimit

    return NativeLimit(rate, counters, name=f"{prefix} {rate}", by=_caller_of if has_key else None)


def _short(prefix: str) -> str:
    """Return a prefix, or its hash if it is long or not a name, since a page may build it from client data."""
    return prefix if _is_name(prefix) else sha256(prefix.encode("utf-8", "surrogatepass")).hexdigest()


def _caller_of(native: Any) -> str | None:
    caller: str | None = native[_CALLER]
    return caller


def _seconds(error: TooManyRequests) -> int:
    return int(dict(error.headers).get("retry-after", 60))
