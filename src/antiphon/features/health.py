"""Answers to probes: the process lives, and it is ready for requests, as a feature.

app.use(Health(checks=[database]))
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeAlias

from antiphon.app.blueprint import Routes
from antiphon.concurrency.draining import DRAINING
from antiphon.explanations import explained
from antiphon.features.logs.access_log import unlogged
from antiphon.handler.callables import check_arguments
from antiphon.handler.contract import innermost, is_async, ready
from antiphon.http.durations import Duration, seconds_of
from antiphon.request.request import Request
from antiphon.response.response import Response

HealthCheck: TypeAlias = Callable[[], object] | Callable[[], Awaitable[object]]
"""A function, ``def`` or ``async def``, that raises an error or returns False if something is not as it should be."""


class Health:
    """A feature that answers probes at two paths, outside of all middleware, for every host, and in JSON.

    ``live`` is answered with 200 as long as the process answers at all. ``ready`` is, too, from the startup until the
    process drains, unless one of the ``checks`` fails; then it is answered with 503. None leaves a path out.

    Checks are functions without arguments, ``def`` or ``async def``, or a mapping of names to functions. One that
    raises, returns False, or takes longer than ``timeout``, in seconds or a timedelta, has failed. They run side by
    side, ``def`` ones on threads of their own, where one that hangs is not called again before it has ended. Answers
    tell names of checks, and no more; why one failed is logged when it begins. ``access_log`` has probes in the access
    log.

    Raises ValueError for two checks of one name and a timeout that is not positive, TypeError for a check that takes
    arguments.
    """

    def __init__(
        self,
        live: str | None = "/healthz",
        ready: str | None = "/readyz",
        *,
        checks: Iterable[HealthCheck] | Mapping[str, HealthCheck] = (),
        timeout: Duration = 2.0,
        access_log: bool = False,
    ) -> None:
        timeout = seconds_of(timeout)
        if not timeout > 0:
            raise explained(
                "bad-feature-option", ValueError(f"timeout must be a number of seconds above 0, not {timeout!r}")
            )
        self._live = live
        self._ready = ready
        self._checks = [_RunCheck(name, function, timeout) for name, function in _named(checks)]
        self._is_logged = access_log

    def install(self, app: Routes) -> None:
        """Register the routes."""
        if self._live is not None:
            app.get(self._live, name="liveness", unguarded=True)(self._tell_live)
        if self._ready is not None:
            app.get(self._ready, name="readiness", unguarded=True)(self._tell_ready)

    async def _tell_live(self, request: Request) -> Response:
        return self._answer(request, "ok")

    async def _tell_ready(self, request: Request) -> Response:
        if DRAINING.is_given:
            return self._answer(request, "draining")
        passed = await asyncio.gather(*[check.passes() for check in self._checks])
        outcomes = {check.name: "ok" if is_ok else "failed" for check, is_ok in zip(self._checks, passed, strict=True)}
        return self._answer(request, "ok" if all(passed) else "failed", checks=outcomes)

    def _answer(self, request: Request, status: str, **members: object) -> Response:
        if not self._is_logged:
            request[unlogged] = True
        code = 200 if status == "ok" else 503
        return Response.json({"status": status, **members}, code, {"cache-control": "no-store"})


def _named(checks: Iterable[HealthCheck] | Mapping[str, HealthCheck]) -> list[tuple[str, HealthCheck]]:
    """Return checks with their names. Raises ValueError for two of one name, TypeError for what is no function."""
    if isinstance(checks, Mapping):
        named = [*checks.items()]
    else:
        named = [(getattr(innermost(check), "__name__", type(check).__name__), check) for check in checks]
    for _, check in named:
        check_arguments(check)
    names = [name for name, _ in named]
    if twice := [name for name in names if names.count(name) > 1]:
        raise explained(
            "bad-feature-option",
            ValueError(f"two checks are named {twice[0]!r}: give them as a mapping of names to functions"),
        )
    return named


class _RunCheck:
    """One check, and its run on a thread, as long as that lasts."""

    def __init__(self, name: str, function: HealthCheck, timeout: float) -> None:
        self.name = name
        self._function: Callable[[], Any] = function
        self._is_async = is_async(function)
        self._timeout = timeout
        self._run: Future[object] | None = None
        self._has_failed = False

    async def passes(self) -> bool:
        """Run the check. Return False if it fails; log it if it did not fail before."""
        error: Exception | None = None
        result: object = None
        try:
            async with asyncio.timeout(self._timeout):
                result = await (self._function() if self._is_async else asyncio.wrap_future(self._on_thread()))
        except Exception as raised:
            error = raised
        self._note(result is False or error is not None, error)
        return not self._has_failed

    def _on_thread(self) -> Future[object]:
        """Return the run that goes on, or a new one."""
        if self._run is None or self._run.done():
            self._run = run = Future[object]()
            run.set_running_or_notify_cancel()  # or it could be cancelled, while its thread goes on
            Thread(target=self._fill, args=(run,), name=f"antiphon-health-{self.name}", daemon=True).start()
        return self._run

    def _fill(self, run: "Future[object]") -> None:
        try:
            run.set_result(ready(self._function, self._function()))
        except BaseException as error:
            run.set_exception(error)

    def _note(self, has_failed: bool, error: Exception | None) -> None:
        if has_failed != self._has_failed:
            logger, level = logging.getLogger("antiphon.health"), logging.WARNING if has_failed else logging.INFO
            reason = "took too long" if isinstance(error, TimeoutError) else "failed"
            logger.log(level, "the check %s %s", self.name, reason if has_failed else "passes again", exc_info=error)
        self._has_failed = has_failed
