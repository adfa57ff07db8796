"""The signals that a supervisor handles: SIGINT, SIGTERM and SIGHUP end the server, SIGUSR2 restarts its workers."""

import asyncio
import signal
from collections.abc import Callable

_ECHO = 0.5
"""Seconds in which a second signal is an echo: `timeout`, `npm` and others pass on a Ctrl-C that also came directly."""


class Signals:
    """Handlers of the signals, on the running loop.

    They call `end` at the first signal that ends the server, `kill` at the next one unless it is an echo, and `restart`
    at SIGUSR2.
    """

    def __init__(self, end: Callable[[], object], kill: Callable[[], object], restart: Callable[[], object]) -> None:
        self.exit_code = 0
        """The exit code of the server: 0, or 128 plus the number of the signal that called `kill`."""
        self._first: float | None = None
        self._end = end
        self._kill = kill
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as nohup leaves it
                self._loop.add_signal_handler(number, self._on_end, number)
        self._loop.add_signal_handler(signal.SIGUSR2, restart)

    def _on_end(self, number: int) -> None:
        now = self._loop.time()
        if self._first is None:
            self._first = now
            self._end()
        elif now - self._first > _ECHO:
            self.exit_code = 128 + number
            self._kill()
