"""Turns for calls to a server: so many at once, and the others wait."""

from queue import Empty, SimpleQueue


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
