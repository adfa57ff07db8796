"""One run of a world: applications of its own, its requests and functions beside each other, and what must hold after.

| phase | who moves | ends with |
|---|---|---|
| make | the test's thread: ``make_app`` | applications |
| run | the scheduler's actors: requests, functions, the application's threads | all responses, a death, a deadlock |
| check | one actor: the functions of ``check`` | the first that is not true |
"""

import asyncio
import inspect
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

from antiphon.concurrency import background
from antiphon.concurrency.process import DRAINING, GRACE_OVER
from antiphon.concurrency.workers import file_workers, workers
from antiphon.explanations import explained
from antiphon.testing.client import AsyncClient
from antiphon.testing.races import databases, primitives
from antiphon.testing.races.loop import ScheduledLoop, abandon, seeded
from antiphon.testing.races.primitives import monitored
from antiphon.testing.races.scheduler import OWNER, Actor, Ended, Endless, Fault, Place, Plan, Scheduler
from antiphon.testing.servers.transports import Interface

SPIN = 30.0
"""The real seconds, at least, that a single step may take."""


class Sent:
    """A request or function that a world has sent. Its outcome differs in each run, so only checks can read it."""

    def __init__(self, number: int, step: Callable[..., Any]) -> None:
        self._step = step
        self._outcome: Any = None
        self._is_known = False
        self.number = number
        self.has_left = False
        """True if its client has left in this run."""
        self.error: BaseException | None = None
        """The error that it raised in this run, if any."""

    @property
    def result(self) -> Any:
        """The response of a request, or the result of a function; None if its client left or the process died.

        Raises RuntimeError outside of a check.
        """
        if not self._is_known:
            raise explained(
                "bad-test-request",
                "each run has its own outcome, which is known only in a check: world.check(lambda: ...)",
                RuntimeError,
            )
        return self._outcome

    @property
    def status(self) -> int | None:
        """The status of the response; None if there is none."""
        return getattr(self.result, "status", None)

    @property
    def json(self) -> Any:
        """The JSON of the response; None if there is none."""
        return None if self.result is None else self.result.json

    @property
    def text(self) -> str | None:
        """The text of the response; None if there is none."""
        return None if self.result is None else self.result.text

    def _begin(self) -> None:
        self._outcome, self.error, self._is_known, self.has_left = None, None, True, False

    def _forget(self) -> None:
        self._outcome, self.error, self._is_known = None, None, False


class Scenario(NamedTuple):
    """The parts of a world that are the same in each run."""

    make_app: Callable[[], Any]
    restart: Callable[[], Any] | None
    interface: Interface
    is_own: Callable[[str], bool]
    phases: list[list[Sent]]
    checks: list[Callable[[], object]]


class Outcome(NamedTuple):
    """What a run has come to: its failure, if any, and the lines that it passed.

    ``lines`` and ``turns`` are the points at which it had a choice, before lines and turns of loops; it had ``points``.
    """

    failure: BaseException | None
    places: list[Place]
    applied: Plan
    lines: list[int]
    turns: list[int]
    points: int


class Run:
    """One run of a scenario by a plan."""

    def __init__(self, scenario: Scenario, plan: Plan, set_app: Callable[[Any], None]) -> None:
        self._scenario = scenario
        self._plan = plan
        self._set_app = set_app
        self._problems: list[str] = []
        self._phase = 0
        self._happened: list[Fault] = []
        self._clients: list[AsyncClient] = []
        self._exchanges: list[tuple[int, Any]] = []
        self._has_died = False
        self._loop: ScheduledLoop | None = None
        self.scheduler = Scheduler(plan, self._on_fault)

    def make(self, number: int) -> Outcome:
        """Make the run."""
        databases.current = databases.Connections()
        primitives.held.clear()
        for sent in self._all_sent():
            sent._begin()
        failure: BaseException | None = None
        with ExitStack() as stack:
            stack.callback(databases.current.close)
            stack.enter_context(_fresh_process())
            stack.enter_context(seeded(self.scheduler, number))
            try:
                self._act(self._scenario.make_app(), self.scheduler)
                failure = self.scheduler.failure or self._finish()
            finally:
                for sent in self._all_sent():
                    sent._forget()
        first = self.scheduler
        applied = Plan(tuple(first.applied), tuple(self._happened))
        turns = sorted(set(first.branches) - set(first.lines))
        return Outcome(failure, first.places, applied, first.lines, turns, first.point)

    def _finish(self) -> BaseException | None:
        """Run what remains after a death, and the checks, each as a process of its own."""
        if self._has_died and self._scenario.restart is not None and self._phase + 1 < len(self._scenario.phases):
            self._phase += 1
            with _fresh_process(), _followed_by(self._next_scheduler()) as following:
                self._act(self._scenario.restart(), following)
                if following.failure is not None:
                    return following.failure
        if (error := self._error()) is not None:
            return error
        with _fresh_process(), _followed_by(self._next_scheduler()) as following:
            return _on_actor(following, self._check) or following.failure

    def _next_scheduler(self) -> Scheduler:
        following = Scheduler(Plan(), self._on_fault)
        following.now = self.scheduler.now
        return following

    def _all_sent(self) -> list[Sent]:
        return [sent for phase in self._scenario.phases for sent in phase]

    def _act(self, apps: Any, scheduler: Scheduler) -> None:
        apps = list(apps) if isinstance(apps, list | tuple) else [apps]
        for app in apps:
            if (store := getattr(app, "store", None)) is not None:
                databases.watch(store)
        self._set_app(apps[0] if len(apps) == 1 else apps)
        error = _on_actor(scheduler, lambda: self._on_loop(apps, scheduler))
        if error is not None and not scheduler.is_over:
            scheduler.failure = error
        if scheduler.failure is None and error is not None and not isinstance(error, Ended):
            scheduler.failure = error

    def _on_loop(self, apps: Sequence[Any], scheduler: Scheduler) -> None:
        self._loop = loop = ScheduledLoop(scheduler)
        loop.set_exception_handler(self._note_loop_error)
        try:
            loop.run_until_complete(self._main(apps, loop))
        finally:
            scheduler.stop()  # first: what the end of tasks runs is no longer part of the run
            abandon(loop)

    def _note_loop_error(self, _: object, context: dict[str, Any]) -> None:
        if not self.scheduler.is_over and not self._happened:
            self._problems.append(f"{context.get('message')}: {context.get('exception')!r}")

    async def _main(self, apps: Sequence[Any], loop: ScheduledLoop) -> None:
        errors = None if self._plan.faults else True
        self._clients = [AsyncClient(app, self._scenario.interface, timeout=None, raise_errors=errors) for app in apps]
        for client in self._clients:
            client.cookies = self._clients[0].cookies
            self._note_exchanges(client)
            await client.__aenter__()
        for phase in range(self._phase, len(self._scenario.phases)):
            self._phase = phase
            steps = self._scenario.phases[phase]
            tasks = [loop.create_task(self._step(sent, index)) for index, sent in enumerate(steps)]
            await asyncio.wait(tasks)
        for client in self._clients:
            await client.__aexit__(None, None, None)
        if getattr(loop, "_default_executor", None) is not None:
            await loop.shutdown_default_executor()
        await asyncio.sleep(1)  # what is about to end may end
        self._note_remains(loop)

    async def _step(self, sent: Sent, index: int) -> None:
        OWNER.set(sent.number)
        step: Any = sent._step
        try:
            if inspect.iscoroutinefunction(step) or inspect.iscoroutinefunction(type(step).__call__):
                sent._outcome = await step(self._clients[index % len(self._clients)])
            else:
                sent._outcome = await asyncio.to_thread(step)
        except Ended:
            raise
        except BaseException as error:
            sent._outcome, sent.error = None, error

    def _note_remains(self, loop: ScheduledLoop) -> None:
        """Note what should have ended with the requests."""
        if self._happened:
            return
        for task in asyncio.all_tasks(loop):
            if owner := getattr(task, "race_owner", 0):
                self._problems.append(f"a task of request {owner} has not ended: {task.get_coro()!r}")
        running = self.scheduler
        for actor in running.actors:
            if actor.owner and not actor.has_ended and not actor.is_service and actor is not running.current():
                self._problems.append(f"a thread of request {actor.owner} has not ended: {actor.name}")
        for lock in primitives.held.values():
            if lock.place is not None and self._scenario.is_own(lock.place[0]):
                self._problems.append(f"a lock is still held, which {lock.place[0]}:{lock.place[1]} acquired")
        self._problems += databases.current.unfinished()

    def _error(self) -> BaseException | None:
        """Return the first error that no client expects."""
        if self._happened:
            return None
        for sent in self._all_sent():
            if sent.error is not None:
                return sent.error
        return AssertionError("; ".join(self._problems)) if self._problems else None

    def _check(self) -> None:
        for check in self._scenario.checks:
            if check() is False:
                raise AssertionError(f"check {self._scenario.checks.index(check) + 1} is not true")

    # Faults

    def _on_fault(self, fault: Fault) -> None:
        self._happened.append(fault)
        match fault.kind:
            case "die":
                self._has_died = True
                databases.current.die()
                self.scheduler.stop()
            case "leave" if self._loop is not None:
                steps = self._scenario.phases[self._phase]
                self._loop.call_soon(self._leave, steps[fault.target % len(steps)])
            case "terminate" if self._loop is not None:
                self._loop.call_soon(DRAINING.give)
            case _:
                databases.current.fault = fault.kind

    def _leave(self, sent: Sent) -> None:
        """Let the client of a request disconnect, unless its response is complete."""
        for owner, exchange in self._exchanges:
            channel = getattr(exchange, "_response", None)  # over WSGI, only a write would notice it
            if owner == sent.number and channel is not None and not exchange._task.done():
                sent.has_left = True
                channel.disconnect()

    def _note_exchanges(self, client: AsyncClient) -> None:
        transport: Any = client._transport
        for name in ("open", "open_socket"):
            setattr(transport, name, partial(self._open, getattr(transport, name)))

    def _open(self, original: Callable[..., Any], *arguments: Any) -> Any:
        exchange = original(*arguments)
        self._exchanges.append((OWNER.get(), exchange))
        return exchange


@contextmanager
def _followed_by(scheduler: Scheduler) -> Iterator[Scheduler]:
    primitives.ahead.append(scheduler)
    try:
        yield scheduler
    finally:
        primitives.ahead.pop()


def _on_actor(scheduler: Scheduler, function: Callable[[], None]) -> BaseException | None:
    """Call a function on a thread of its own as the first actor, end the others, and return its error."""
    actor = scheduler.add(Actor("the loop"))
    errors: list[BaseException] = []

    def body() -> None:
        try:
            with monitored():
                scheduler.begin(actor)
                function()
        except BaseException as error:
            errors.append(error)
        finally:
            actor.has_ended = True
            scheduler.of_thread.pop(actor.ident, None)
            scheduler.stop()

    thread = threading.Thread(target=body, name="antiphon-races", daemon=True)
    thread.start()
    scheduler.start()
    point = -1
    while not scheduler.finished.acquire(timeout=SPIN):
        if point == scheduler.point:
            scheduler.interrupt(Endless(f"a step has not ended after {SPIN} seconds"))
        point = scheduler.point
    if not scheduler.end_all():
        thread.join()
    return errors[0] if errors else None


_HELD = {
    "antiphon.features.stores.sqlite_connections": "_all",
    "antiphon.features.channels.hub": "_stored",
    "antiphon.request.lifetime": "_unused_ids",
}
"""Collections of what a process has: connections and channels by the file, and identifiers that were made ahead."""


def _held_by_process() -> list[Any]:
    return [getattr(sys.modules[module], name) for module, name in _HELD.items() if module in sys.modules]


@contextmanager
def _fresh_process() -> Iterator[None]:
    """Give a run the threads and announcements of a process of its own."""
    pools = (workers, file_workers)
    before = [(pool._workers, pool._lock) for pool in pools], background._loop, background._lock
    for pool in pools:
        pool._workers, pool._lock = None, threading.Lock()
    background._loop, background._lock = None, threading.Lock()
    kept = [(held, held.copy()) for held in _held_by_process()]
    for held, _ in kept:
        held.clear()
    try:
        yield
    finally:
        for held, old in kept:
            held.clear()
            (held.extend if isinstance(held, list) else held.update)(old)
        for pool, (old, lock) in zip(pools, before[0], strict=True):
            if pool._workers is not None:
                pool._workers.forget()
            pool._workers, pool._lock = old, lock
        background._loop, background._lock = before[1:]
        for announcement in (DRAINING, GRACE_OVER):
            announcement.is_given = False
            announcement._subscribers.clear()
