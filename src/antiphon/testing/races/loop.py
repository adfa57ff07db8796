"""The event loop of a run: it runs one callback a turn, by the scheduler's choice, in virtual time."""

import asyncio
import heapq
import itertools
from _thread import get_ident
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

from antiphon.testing.races import primitives
from antiphon.testing.races.scheduler import OWNER, Actor, Scheduler

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

_numbers = itertools.count()


class NumberedTask(asyncio.Task[T]):
    """A task with a hash that is the same in each run, for sets of tasks, and with the owner that made it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._race_number = next(_numbers)
        self.race_owner = OWNER.get()
        super().__init__(*arguments, **options)

    def __hash__(self) -> int:
        return self._race_number


class NumberedFuture(asyncio.Future[T]):
    """A future with a hash that is the same in each run."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._race_number = next(_numbers)
        super().__init__(*arguments, **options)

    def __hash__(self) -> int:
        return self._race_number


class ScheduledLoop(asyncio.SelectorEventLoop):
    """A loop whose callbacks run in the order that a scheduler chooses."""

    _ready: Any
    _scheduled: Any
    _selector: Any
    _actor: Actor

    def __init__(self, scheduler: Scheduler) -> None:
        global _numbers  # noqa: PLW0603 - counted again in each run
        super().__init__()
        _numbers = itertools.count()
        self._scheduler = scheduler
        self._is_stopped = False
        self.set_task_factory(lambda loop, coroutine, **options: NumberedTask(coroutine, loop=loop, **options))

    def time(self) -> float:
        """Return the virtual time."""
        return self._scheduler.now

    def create_future(self) -> "asyncio.Future[Any]":
        """Return a future whose hash is the same in each run."""
        return NumberedFuture(loop=self)

    def run_forever(self) -> None:
        """Run until ``stop``, as the actor of this thread, whose owner is that of the next callback."""
        self._is_stopped = False
        self._actor = actor = self._scheduler.of_thread[get_ident()]
        actor.head = lambda: self._owner(self._ready[self._first()]) if self._ready else 0
        self._idle_files = len(self._selector.get_map()) + 1  # its own, with which threads wake other loops
        self._scheduler.polls.append(self._poll)
        try:
            super().run_forever()
        finally:
            actor.head = None
            self._scheduler.polls.remove(self._poll)

    def call_soon_threadsafe(
        self, callback: Callable[[*Arguments], object], *arguments: *Arguments, context: Context | None = None
    ) -> asyncio.Handle:
        """Call a function on the loop. Only one thread moves, so nothing has to be woken."""
        return self.call_soon(callback, *arguments, context=context)

    def stop(self) -> None:
        """End ``run_forever`` after this callback."""
        self._is_stopped = True
        super().stop()

    def _write_to_self(self) -> None:
        """Do nothing: the scheduler sees what is ready."""

    def _run_once(self) -> None:
        scheduler, actor = self._scheduler, self._actor
        if not self._has_work():
            self._poll(0)
        if not self._has_work():
            scheduler.block(self._has_work, self._next_time())
            return
        if not self._ready:
            return
        others = [each for each in scheduler.actors if each is not actor and each.is_ready(scheduler.now)]
        handles = [*self._ready]
        owners = [self._owner(handle) for handle in handles]
        pick = scheduler.choose([*owners, *(each.owner for each in others)])
        scheduler._check(actor)
        if pick >= len(handles):
            scheduler._move(actor, others[pick - len(handles)])
            return
        handle = handles[pick]
        self._ready.remove(handle)
        actor.owner = owners[pick]
        if not handle.cancelled():
            handle._run()

    def _owner(self, handle: Any) -> int:
        return int(handle._context.get(OWNER, 0))

    def _first(self) -> int:
        return self._scheduler._first([self._owner(handle) for handle in self._ready])

    def _has_work(self) -> bool:
        self._move_due()
        return self._is_stopped or any(not self._scheduler.is_stalled(self._owner(each)) for each in self._ready)

    def _move_due(self) -> None:
        while self._scheduled and (self._scheduled[0].cancelled() or self._scheduled[0].when() <= self.time()):
            handle = heapq.heappop(self._scheduled)
            handle._scheduled = False
            if not handle.cancelled():
                self._ready.append(handle)

    def _next_time(self) -> float | None:
        return self._scheduled[0].when() if self._scheduled else None

    def _poll(self, seconds: float) -> bool:
        """Wait for files and sockets, in real time, if the application has registered any."""
        if len(self._selector.get_map()) <= self._idle_files:
            return False
        events = self._selector.select(seconds)
        self._process_events(events)
        return bool(events)

    def _process_events(self, events: Any) -> None:
        super()._process_events(events)  # type: ignore[misc]  # asyncio's own, which its stubs leave out


def abandon(loop: ScheduledLoop) -> None:
    """Close a loop without running anything that is left on it."""
    for task in asyncio.all_tasks(loop):
        left: Any = task
        left._log_destroy_pending = False
        with suppress(BaseException):  # what a dead process raises, nobody sees
            left.get_coro().close()
    loop._ready.clear()
    loop._scheduled.clear()
    loop.close()


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a new loop, which takes part in the run that is under way."""
    running = primitives.scheduler()
    return _new_event_loop() if running is None else ScheduledLoop(running)


_new_event_loop = asyncio.new_event_loop


def replacements() -> list[tuple[Any, Any]]:
    """Return the function that makes loops, and the one that makes scheduled ones."""
    return [(_new_event_loop, new_event_loop)]
