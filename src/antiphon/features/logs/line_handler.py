"""The `logging` handler of `antiphon run`, which also takes lines of the access log without a record.

Lines of requests are collected and written together: when another record arrives, when there are many, when `WAIT`
seconds have passed, or when the process ends, whichever comes first. No write is larger than a pipe takes in one piece,
so that the lines of several processes don't mix.
"""

import logging
import select
from collections import deque
from collections.abc import Callable
from threading import Event, Thread
from time import sleep
from typing import Any
from weakref import WeakSet

from antiphon.concurrency.process import call_after_fork
from antiphon.features.logs.formats import RequestIDFilter

WAIT = 0.05
"""The maximum delay before a line is written, in seconds."""
LARGEST = getattr(select, "PIPE_BUF", 512)
"""The most bytes that are written at once."""
MOST_LINES = 32
"""The most lines that are collected."""

_RECORD = logging.getLogRecordFactory()
_HANDLE, _CALL_HANDLERS = logging.Logger.handle, logging.Logger.callHandlers
"""The function of `logging` that makes a record, unless a program replaces it to see all records."""


class LineHandler(logging.StreamHandler[Any]):
    """A handler that writes formatted records to stderr, and lines of requests that have no record.

    ``line_of`` makes such a line, as the formatter would of the record: ``request_as_text`` or ``request_as_json``.
    """

    def __init__(self, formatter: logging.Formatter, line_of: Callable[..., str]) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._given = formatter, [RequestIDFilter()]
        self.filters = [*self._given[1]]
        self.line_of = line_of
        self._lines: deque[str] = deque()  # threads can append to it without a lock
        self._is_closed = False
        self._writer_is_awake = False
        self._wake_writer = Event()
        self._has_writer = False
        _handlers.add(self)

    @property
    def is_as_made(self) -> bool:
        """Return True unless the handling of records by this handler was changed."""
        return self.formatter is self._given[0] and self.filters == self._given[1] and self.level <= logging.INFO

    def add(self, line: str) -> None:
        """Write the line of a request soon, after those before it."""
        lines = self._lines
        lines.append(line)
        if not self._writer_is_awake:
            with self.lock:  # type: ignore[union-attr]  # all handlers have one
                self._have_written()
        elif len(lines) >= MOST_LINES:
            with self.lock:  # type: ignore[union-attr]  # all handlers have one
                self._write_lines()

    def _have_written(self) -> None:
        """Let the thread write the collected lines after `WAIT`, or write them now if there can be no thread."""
        if self._is_closed:
            self._write_lines()
            return
        self._writer_is_awake = True
        self._wake_writer.set()
        if not self._has_writer:
            self._has_writer = True
            try:
                Thread(target=self._write_in_time, name="antiphon-log", daemon=True).start()
            except RuntimeError:  # no more threads, or the interpreter is ending
                self._forget_writer()
                self._write_lines()

    def _write_in_time(self) -> None:
        while self._wake_writer.wait():
            sleep(WAIT)
            with self.lock:  # type: ignore[union-attr]  # all handlers have one
                if not self._lines:  # nothing has arrived since the last time
                    self._wake_writer.clear()
                    self._writer_is_awake = False
                self._write_lines()  # includes lines from before other threads could see that the writer sleeps

    def _write_lines(self) -> None:
        """Write the collected lines, with the lock held.

        Lines that other threads add at the same time are written, too.
        """
        while self._lines:
            text = self._take_lines()
            try:
                self.stream.write(text)
                self.stream.flush()
            except (OSError, ValueError):  # a full disk, no reader, or a closed file: there is nowhere to report it
                continue

    def _take_lines(self) -> str:
        """Take the lines for one write, at least one."""
        lines, size = self._lines, 0
        taken: list[str] = []
        while lines:
            line = lines[0]
            size += 1 + (len(line) if line.isascii() else len(line.encode("utf-8", "backslashreplace")))
            if size > LARGEST and taken:
                break
            taken.append(lines.popleft())
        taken.append("")
        return self.terminator.join(taken)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, after any earlier lines of requests."""
        self._write_lines()
        super().emit(record)

    def flush(self) -> None:
        """Write the collected lines."""
        with self.lock:  # type: ignore[union-attr]  # all handlers have one
            self._write_lines()
            super().flush()

    def close(self) -> None:
        """Write the collected lines, and from now on each line immediately."""
        with self.lock:  # type: ignore[union-attr]  # all handlers have one
            self._is_closed, self._writer_is_awake = True, False
            self._write_lines()
        super().close()

    def _forget_writer(self) -> None:
        self._wake_writer = Event()
        self._has_writer = self._writer_is_awake = False

    def forget_lines(self) -> None:
        """Forget the thread of a parent process, and the lines it has collected, which it will write itself."""
        self._lines.clear()
        self._forget_writer()


_handlers: "WeakSet[LineHandler]" = WeakSet()


def _after_fork() -> None:
    for handler in _handlers:
        handler.forget_lines()


call_after_fork(_after_fork)


def only_line_handler(logger: logging.Logger) -> LineHandler | None:
    """Return the handler that would get a record of level INFO, if nothing else would see or change the record."""
    kind, each = type(logger), logger
    if logger.filters or kind.handle is not _HANDLE or kind.callHandlers is not _CALL_HANDLERS:
        return None
    while not each.handlers and each.propagate and each.parent is not None:
        each = each.parent
    handlers = each.handlers
    if len(handlers) != 1 or type(handler := handlers[0]) is not LineHandler:
        return None
    is_last = each.parent is None or not each.propagate
    return handler if is_last and handler.is_as_made and logging.getLogRecordFactory() is _RECORD else None
