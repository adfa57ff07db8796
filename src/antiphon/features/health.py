"""Health probes, as a feature: they tell whether the process is alive and ready for requests. Other features can add
checks.

app.use(Health(checks=[database, store]))
app.use(HealthCheck(queue))
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from threading import Thread
from time import monotonic
from typing import Any, TypeAlias, overload

from antiphon import App, Blueprint, Request, Response, explained
from antiphon.embedding import (
    DRAINING,
    RequestState,
    check_arguments,
    check_numbers,
    errors_name_it,
    innermost,
    is_async,
    ready,
    seconds_of,
)
from antiphon.features import Store
from antiphon.types import Duration, Routes

__reads__ = ()

CheckFunction: TypeAlias = Callable[[], object] | Callable[[], Awaitable[object]]
"""A function, ``def`` or ``async def``, that raises an error or returns False if something is wrong."""

STORE_ASKED_EVERY = 1.0
"""The minimum number of seconds between two checks of a store, even with many probes."""


@errors_name_it
class Health:
    """A feature that responds to health probes at two paths with JSON, outside all middleware and for every host.

        app.use(Health(checks=[store]))

    ``live`` responds with 200 while the process can respond at all. ``ready`` responds with 200 from startup until the
    process drains, but with 503 while one of the ``checks`` fails. A path that is None isn't served.

    ``checks`` are stores and functions without arguments, ``def`` or ``async def``, or a mapping of names to them. A
    function fails if it raises, returns False, or takes longer than ``timeout``, in seconds or a timedelta. A store
    fails if it doesn't respond; it is contacted at most once a second. Checks run concurrently, ``def`` functions and
    stores on their own threads.
    """

    @overload  # otherwise, mypy infers object for a mapping's values
    def __init__(
        self,
        live: str | None = "/healthz",
        ready: str | None = "/readyz",
        *,
        checks: Mapping[str, CheckFunction | Store],
        timeout: Duration = 2.0,
        access_log: bool = False,
    ) -> None: ...
    @overload
    def __init__(
        self,
        live: str | None = "/healthz",
        ready: str | None = "/readyz",
        *,
        checks: Iterable[CheckFunction | Store] = (),
        timeout: Duration = 2.0,
        access_log: bool = False,
    ) -> None: ...
    def __init__(
        self,
        live: str | None = "/healthz",
        ready: str | None = "/readyz",
        *,
        checks: Iterable[CheckFunction | Store] | Mapping[str, CheckFunction | Store] = (),
        timeout: Duration = 2.0,
        access_log: bool = False,
    ) -> None:
        """A check that hangs is not called again until it finishes. Responses contain only the names of checks, and of
        ``Durable`` how many of its requests and jobs have failed for good; the reason for a failure is logged when the
        failure begins. With ``access_log``, probes appear in the access log. Checks added by each ``HealthCheck`` of
        the application also run.

        Raises ValueError for two checks with one name and for a timeout that is not positive, and TypeError for a check
        that takes arguments.
        """
        timeout = seconds_of(timeout)
        check_numbers(timeout=timeout)
        self._live = live
        self._ready = ready
        self._timeout = timeout
        self._checks = [_RunCheck(name, check) for name, check in _named(checks)]
        _check_names(self._checks)
        self._is_logged = access_log

    def install(self, app: Routes) -> None:
        """Register the routes. Raises ValueError if another feature has already added a check with the same name."""
        _check_names([*_checks_of(app), *self._checks])
        if self._live is not None:
            app.get(self._live, name="liveness", unguarded=True)(self._tell_live)
        if self._ready is not None:
            app.get(self._ready, name="readiness", unguarded=True)(self._tell_ready)

    async def _tell_live(self, request: Request) -> Response:
        self._leave_out(request)
        return self._respond("ok")

    async def _tell_ready(self, request: Request) -> Response:
        self._leave_out(request)  # before the checks, since the client may give up during them
        if DRAINING.is_given:
            return self._respond("draining")
        checks = [*self._checks, *_brought(request.app)]
        passed = await asyncio.gather(*[check.passes(self._timeout) for check in checks])
        outcomes = {check.name: "ok" if is_ok else "failed" for check, is_ok in zip(checks, passed, strict=True)}
        return self._respond("ok" if all(passed) else "failed", checks=outcomes, **_told(request.app))

    def _leave_out(self, request: Request) -> None:
        """Omit a probe from the access log, unless probes are logged."""
        if not self._is_logged:
            request[RequestState.UNLOGGED] = True

    def _respond(self, status: str, **members: object) -> Response:
        code = 200 if status == "ok" else 503
        return Response.json({"status": status, **members}, code, {"cache-control": "no-store"})


@errors_name_it
class HealthCheck:
    """A feature that adds a check to ``Health``, for features that come with their own checks.

        app.use(HealthCheck(store))

    ``check`` is a function or a store, as for ``Health``. ``name`` is its name in responses, by default the name of the
    function or of the store's class. The two features can be used in any order; without ``Health``, the check never
    runs. Raises TypeError for a check that takes arguments.
    """

    def __init__(self, check: CheckFunction | Store, *, name: str | None = None) -> None:
        [(own_name, check)] = _named([check])
        self._check = _RunCheck(name or own_name, check)

    def install(self, app: App) -> None:
        """Add the check. Raises ValueError if another check has the same name."""
        if isinstance(app, Blueprint):
            raise explained(
                "for-whole-app",
                f"HealthCheck is for a whole application, not for the blueprint {app.name!r}",
                TypeError,
            )
        _check_names([*_checks_of(app), self._check])


def _brought(app: Routes) -> list["_RunCheck"]:
    """Return the checks that the features of an application add."""
    return [each._check for each in app.features if isinstance(each, HealthCheck)]  # noqa: SLF001 - of this module


def _told(app: Routes) -> dict[str, Any]:
    """Return what features of an application tell operators, by their ``__health__``."""
    told = [tell() for each in app.features if (tell := getattr(each, "__health__", None)) is not None]
    return {name: value for members in told for name, value in members.items()}


def _checks_of(app: Routes) -> list["_RunCheck"]:
    own = [check for each in app.features if isinstance(each, Health) for check in each._checks]  # noqa: SLF001
    return [*own, *_brought(app)]


def _check_names(checks: Iterable["_RunCheck"]) -> None:
    names = [check.name for check in checks]
    if twice := [name for name in names if names.count(name) > 1]:
        raise explained(
            "bad-feature-option",
            f"two checks are named {twice[0]!r}: give Health a mapping of names to functions, or HealthCheck a name",
        )


def _named(
    checks: Iterable[CheckFunction | Store] | Mapping[str, CheckFunction | Store],
) -> list[tuple[str, CheckFunction | Store]]:
    """Return checks with their names. Raises TypeError for anything that is not a function."""
    named: list[tuple[str, CheckFunction | Store]]
    if isinstance(checks, Mapping):
        named = [(str(name), check) for name, check in checks.items()]
    else:
        named = [(_name_of(check), check) for check in checks]
    for _, check in named:
        if not isinstance(check, Store):
            check_arguments(check)
    return named


def _name_of(check: CheckFunction | Store) -> str:
    own = type(check).__name__
    return own if isinstance(check, Store) else str(getattr(innermost(check), "__name__", own))


class _RunCheck:
    """One check and, while it is running, its run on a thread."""

    def __init__(self, name: str, check: CheckFunction | Store) -> None:
        self.name = name
        is_store = isinstance(check, Store)
        self._function: Callable[[], Any] = check.check if isinstance(check, Store) else check
        self._is_async = not is_store and is_async(self._function)
        self._asked_every = STORE_ASKED_EVERY if is_store else 0.0
        self._asked_again = 0.0
        """The monotonic time of the next run."""
        self._run: Future[object] | None = None
        self._has_failed = False

    async def passes(self, timeout: float) -> bool:
        """Run the check for at most ``timeout`` seconds. Return False if it fails. Only the first failure is logged."""
        if self._asked_every and monotonic() < self._asked_again:
            return not self._has_failed
        error: Exception | None = None
        result: object = None
        try:
            async with asyncio.timeout(timeout):
                result = await (self._function() if self._is_async else asyncio.wrap_future(self._on_thread()))
        except Exception as raised:
            error = raised
        self._note(result is False or error is not None, error)
        self._asked_again = monotonic() + self._asked_every
        return not self._has_failed

    def _on_thread(self) -> Future[object]:
        """Return the run in progress, or a new one."""
        if self._run is None or self._run.done():
            self._run = run = Future[object]()
            run.set_running_or_notify_cancel()  # otherwise, it could be cancelled while its thread is still running
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
