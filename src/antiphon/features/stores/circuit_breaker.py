"""Limits on calls to a service: only so many run at once and, while it does not respond, one at a time tries it."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock
from time import monotonic
from typing import TypeVar, TypeVarTuple

from antiphon.features import StoreUnavailable

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

PAUSE = 1.0
"""The number of seconds after a failure before a call may try the service again."""

LONGEST_TRY = 10.0
"""The number of seconds before the next call may try even if the previous one has not ended, as can happen in a forked
process.
"""


class CircuitBreaker:
    """A guard for calls to a service that may be down. ``failures`` are the errors that show that the service does not
    respond.

    It reads a monotonic clock after each wait. A failure is ignored if the service has responded to another call in the
    meantime, since that means that one connection is broken, not the service.
    """

    def __init__(self, *failures: type[Exception]) -> None:
        self._failures = failures
        self._next_try: float | None = None
        """The monotonic time of the next attempt, or None while calls are unrestricted."""
        self._succeeded_at = 0.0
        self._lock = Lock()

    def call(self, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """Call a function and return its result. Raises the function's errors, or StoreUnavailable without calling
        it."""
        if self._next_try is not None:
            self._begin_try()
        return self.call_unguarded(function, *arguments)

    def call_unguarded(self, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """Call a function even while the service is down and record the outcome. Raises the function's errors."""
        began_at = monotonic()
        try:
            result = function(*arguments)
        except BaseException as error:
            self._note_error(error, began_at)
            raise
        self._note_success()
        return result

    def _begin_try(self) -> None:
        """Let one caller at a time through. Raises StoreUnavailable for all other callers."""
        with self._lock:
            now = monotonic()
            if self._next_try is not None:
                if now < self._next_try:
                    raise StoreUnavailable.for_now(has_line=True)
                self._next_try = now + LONGEST_TRY

    def _note_success(self) -> None:
        self._succeeded_at = monotonic()
        self._next_try = None

    def _note_error(self, error: BaseException, began_at: float) -> None:
        if isinstance(error, self._failures):
            if self._succeeded_at <= began_at:
                self._next_try = monotonic() + PAUSE
        elif isinstance(error, Exception):  # this too means that the service responded
            self._note_success()
        elif self._next_try is not None:  # an interruption, which says nothing about the service
            self._next_try = monotonic()


class Turns:
    """A block for each call, of which up to ``most`` run at once. Entering it raises TimeoutError after ``timeout``
    seconds.
    """

    def __init__(self, most: int, timeout: float | None) -> None:
        self._most, self._timeout = most, timeout
        self._free: SimpleQueue[None] = SimpleQueue()
        """One item for each additional call that may be made now."""
        for _ in range(most):
            self._free.put(None)

    def __enter__(self) -> None:
        try:
            self._free.get(timeout=self._timeout)
        except Empty:
            message = f"all {self._most} connections are in use, for {self._timeout} seconds"
            raise TimeoutError(message) from None

    def __exit__(self, *_exc: object) -> None:
        self._free.put(None)
