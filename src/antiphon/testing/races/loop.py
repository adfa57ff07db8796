"""The event loop of a run: it runs one callback a turn, by the scheduler's choice, in virtual time."""

import asyncio
import ctypes
import datetime
import gc
import heapq
import itertools
import os
import queue
import random
import sys
import threading
import time
from _thread import get_ident
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from functools import partial
from types import ModuleType
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
        with suppress(BaseException), primitives.monitored():  # what a dead process raises, nobody sees
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


EPOCH = 1_893_456_000.0
"""The Unix time at which each run begins: 2030-01-01."""


def _read(real: Callable[[], Any], start: float, unit: int = 0) -> Callable[[], Any]:
    def read() -> Any:
        source = primitives.run_of_thread()
        if source is None:
            return real()
        source.now += 1e-7  # time that is read again and again passes
        return int((start + source.now) * unit) if unit else start + source.now

    return read


_randomness = random.Random()
_urandom = os.urandom


def _bytes_from_seed(size: int) -> bytes:
    return _urandom(size) if primitives.run_of_thread() is None else _randomness.randbytes(size)


def _replacements() -> dict[int, tuple[Any, Any]]:
    """Return the originals and their replacements, by the identity of the original."""
    pairs: list[tuple[Any, Any]] = [
        # Another object than the class, or both would become this one again. In older Pythons, they are the same.
        (threading._allocate_lock, partial(primitives.Lock)),  # type: ignore[attr-defined]
        (threading.Lock, primitives.Lock),
        (threading.RLock, primitives.RLock),
        (queue.SimpleQueue, primitives.SimpleQueue),
        (time.sleep, primitives.sleep),
        (os.urandom, _bytes_from_seed),
        (time.time, _read(time.time, EPOCH)),
        (time.time_ns, _read(time.time_ns, EPOCH, 10**9)),
    ]
    for name in ("monotonic", "perf_counter"):
        pairs.append((getattr(time, name), _read(getattr(time, name), 1000.0)))
        pairs.append((getattr(time, f"{name}_ns"), _read(getattr(time, f"{name}_ns"), 1000.0, 10**9)))
    return {id(original): (original, replacement) for original, replacement in pairs}


def _exchange(pairs: dict[int, tuple[Any, Any]]) -> None:
    for name, module in [*sys.modules.items()]:
        if not isinstance(module, ModuleType) or name.startswith("antiphon.testing.races") or name == "_thread":
            continue
        names = vars(module)
        for key, value in [*names.items()]:
            if (pair := pairs.get(id(value))) is not None and pair[0] is value:
                names[key] = pair[1]


@contextmanager
def replaced(more: list[tuple[Any, Any]]) -> Iterator[None]:
    """Replace the names, and ``more`` pairs of an original and its replacement, while a world is open."""
    pairs = _replacements() | {id(original): (original, new) for original, new in more}
    methods = [
        (threading.Thread, "__init__", primitives.init),
        (threading.Thread, "start", primitives.start),
        (threading.Thread, "join", primitives.join),
        (threading.Thread, "is_alive", primitives.is_alive),
    ]
    before = [(owner, name, vars(owner)[name]) for owner, name, _ in methods]
    _exchange(pairs)
    try:
        for owner, name, function in methods:
            setattr(owner, name, function)
        with _datetimes():
            yield
    finally:
        for owner, name, original in before:
            setattr(owner, name, original)
        _exchange({id(new): (new, original) for original, new in pairs.values()})


@contextmanager
def _datetimes() -> Iterator[None]:
    """Let ``datetime.now``, ``utcnow`` and ``date.today`` read the time of the run."""

    def now(cls: Any, tz: Any = None) -> Any:
        return cls.fromtimestamp(time.time(), tz)

    def utcnow(cls: Any) -> Any:
        return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

    def today(cls: Any) -> Any:
        return cls.fromtimestamp(time.time())

    changes: list[tuple[Any, dict[str, Any]]] = [
        (datetime.datetime, {"now": now, "utcnow": utcnow}),
        (datetime.date, {"today": today}),
    ]
    before = [(kind, {name: vars(kind)[name] for name in names}) for kind, names in changes]
    for kind, functions in changes:
        _set(kind, {name: classmethod(function) for name, function in functions.items()})
    try:
        yield
    finally:
        for kind, originals in before:
            _set(kind, originals)


def _set(kind: Any, attributes: dict[str, Any]) -> None:
    """Set attributes of a class in C, whose namespace ``gc`` leads to; a subclass would not be the same type."""
    namespace: Any = gc.get_referents(vars(kind))[0]
    namespace.update(attributes)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


@contextmanager
def seeded(scheduler: Scheduler, number: int) -> Iterator[None]:
    """Let one run read its time and randomness from a number, without the garbage collector's finalizers in between."""
    state, collects = random.getstate(), gc.isenabled()
    random.seed(number)
    _randomness.seed(number)
    gc.disable()
    primitives.ahead.append(scheduler)
    primitives.main.append(threading.get_ident())
    try:
        yield
    finally:
        primitives.main.pop()
        primitives.ahead.pop()
        random.setstate(state)
        if collects:
            gc.enable()
