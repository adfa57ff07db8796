"""The thread that writes kept requests, so that no response waits. Requests that are too many for it are dropped."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Thread
from typing import NamedTuple

import msgspec

from antiphon.concurrency.process import call_after_fork, call_at_exit
from antiphon.features.kept_requests.disguise import Disguise, marked_names
from antiphon.features.kept_requests.record import Record, Trace, without_secrets
from antiphon.features.kept_requests.shelf import Kept

_MOST = 64
"""The number of causes that may wait to be written."""
_RARELY = 1.0
"""Seconds during which further requests of a cause that waits are only counted."""
_SAID_EVERY = 60.0
"""Seconds between two log lines that something is dropped."""
_AT_EXIT = 2.0
"""Seconds for which the end of a process waits for what is left to be written."""


class Caught(NamedTuple):
    """A request that is to be kept, with its secrets, as long as it is in memory."""

    record: Record
    trace: Trace | None


class _Waiting:
    """The requests of one cause that wait to be written."""

    def __init__(self, why: str) -> None:
        self.why = why
        self.count = 0
        self.first: Caught | None = None
        self.last: Caught | None = None
        self.request_ids: list[str] = []


class Writer:
    """A queue of causes, and the thread that writes them, which starts with the first one.

    ``put`` is called with each cause. Each is disguised before that, on the thread.
    """

    def __init__(self, put: Callable[[Kept], None]) -> None:
        self._put = put
        self._last_said = 0.0
        self._begin()
        call_after_fork(self._begin)

    def _begin(self) -> None:
        """Begin with nothing, in a new process: its parent writes what waited there, and may have held the lock."""
        self._changed = Condition()
        self._waiting: dict[str, _Waiting] = {}
        self._is_writing = self._has_started = False

    def add(self, id_: str, why: str, request_id: str, caught: Callable[[], Caught]) -> bool:
        """Record one more request of a cause; return False if it was dropped. Never waits for the store."""
        with self._changed:
            self._start()
            waiting = self._waiting.get(id_)
            if waiting is None:
                if len(self._waiting) >= _MOST:
                    self._say("there are too many causes at once, or the store is too slow")
                    return False
                waiting = self._waiting[id_] = _Waiting(why)
            waiting.count += 1
            waiting.request_ids = [*waiting.request_ids[-49:], request_id]
            if waiting.last is None or time.time() - waiting.last.record.time > _RARELY:
                waiting.last = caught()
                waiting.first = waiting.first or waiting.last
            self._changed.notify_all()
        return True

    def flush(self, timeout: float = _AT_EXIT) -> bool:
        """Wait until everything is written, and return True if it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._waiting or self._is_writing), timeout)

    def _start(self) -> None:
        if not self._has_started:
            self._has_started = True
            call_at_exit(self.flush)
            Thread(target=self._write_all, name="antiphon-keep", daemon=True).start()

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._is_writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting)
                id_ = next(iter(self._waiting))
                waiting = self._waiting.pop(id_)
                self._is_writing = True
            try:
                self._put(_kept(id_, waiting))
            except Exception as error:  # the store is gone, or a record of a strange request can't be made
                self._say(f"{type(error).__name__}: {error}")

    def _say(self, reason: str) -> None:
        now = time.monotonic()
        if now - self._last_said >= _SAID_EVERY or not self._last_said:
            self._last_said = now
            logging.getLogger("antiphon").error("failed requests are not kept: %s", reason)


def _kept(id_: str, waiting: _Waiting) -> Kept:
    assert waiting.first is not None  # noqa: S101 - the first of a cause is always caught
    assert waiting.last is not None  # noqa: S101
    first = disguised(waiting.first)
    last = first if waiting.last is waiting.first else disguised(waiting.last)
    return Kept(
        id=id_,
        why=waiting.why,
        count=waiting.count,
        first=first,
        last=last,
        request_ids=waiting.request_ids,
    )


def disguised(caught: Caught) -> Record:
    """Return a record without secrets, and with the error in words."""
    record = caught.record
    if caught.trace is not None:
        with suppress(Exception):  # of the error's own methods
            record = msgspec.structs.replace(record, **caught.trace.described())
    hidden = Disguise(marked_names())
    without_secrets(record, hidden)
    hidden.search_again()
    return without_secrets(record, hidden)
