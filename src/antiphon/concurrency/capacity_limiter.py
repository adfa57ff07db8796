"""A limit on how many threads and tasks work at once: threads don't wait for their turn, tasks of any loop do."""

from asyncio import get_running_loop
from collections import deque
from contextlib import suppress
from threading import Lock


class CapacityLimiter:
    """Tokens, ``capacity`` of them, which are acquired and released on any thread: first come, first served."""

    def __init__(self, capacity: int) -> None:
        self._free = capacity
        self._waiting: deque[_Waiter] = deque()
        self._lock = Lock()

    def try_acquire(self) -> bool:
        """Acquire a token, unless none is free. Returns False then."""
        with self._lock:
            is_free = self._free > 0
            self._free -= is_free
            return is_free

    async def acquire(self) -> None:
        """Wait in line, and acquire a token."""
        waiter = _Waiter()
        with self._lock:
            self._waiting.append(waiter)
            self._hand_over()
        try:
            await waiter.future
        except BaseException:
            with self._lock:
                if waiter.has_token:
                    self._free += 1
                    self._hand_over()
                elif waiter in self._waiting:
                    self._waiting.remove(waiter)
            raise

    def release(self) -> None:
        """Give a token back, to the next one in line."""
        with self._lock:
            self._free += 1
            self._hand_over()

    def _hand_over(self) -> None:
        while self._free and self._waiting:
            waiter = self._waiting.popleft()
            with suppress(RuntimeError):  # its loop is closed
                waiter.loop.call_soon_threadsafe(waiter.wake)
                waiter.has_token = True
                self._free -= 1


class _Waiter:
    """A task in line."""

    def __init__(self) -> None:
        self.loop = get_running_loop()
        self.future = self.loop.create_future()
        self.has_token = False

    def wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)
