"""Time, randomness and blocking from the seed: names of the standard library that are replaced while a world is open.

A name is replaced in all modules that have imported it. On other threads, the replacements do as the originals.
"""

import ctypes
import datetime
import gc
import os
import queue
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from antiphon.testing.races import primitives
from antiphon.testing.races.scheduler import Scheduler

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
        (threading.Lock, primitives.Lock),
        (threading._allocate_lock, primitives.Lock),  # type: ignore[attr-defined]
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
