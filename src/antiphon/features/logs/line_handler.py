"""The handler of `antiphon run` for `logging`, to which the access log gives lines that need no record.

Lines of requests are gathered, and written together: at the latest when another record comes, when there are many, when
`WAIT` seconds have passed, or when the process ends. Each write is at most what a pipe takes in one piece, so that the
lines of several processes don't mix.
"""

import logging
import os
import select
from collections import deque
from collections.abc import Callable
from threading import Event, Thread
from time import sleep
from typing import Any
from weakref import WeakSet

from antiphon.features.logs.formats import RequestIDFilter

WAIT = 0.05
"""Seconds after which a line is written, if nothing has it written before."""
LARGEST = getattr(select, "PIPE_BUF", 512)
"""Bytes that are written at once."""
MOST_LINES = 32
"""Lines that are gathered."""

_RECORD = logging.getLogRecordFactory()
_HANDLE, _CALL_HANDLERS = logging.Logger.handle, logging.Logger.callHandlers
"""What `logging` does with a record, unless somebody replaces it to see them all."""


class LineHandler(logging.StreamHandler[Any]):
    """A handler that writes records to stderr as a formatter has them, and lines of requests that have no record.

    ``line_of`` makes such a line, as the formatter would of the record: ``request_as_text`` or ``request_as_json``.
    """

    def __init__(self, formatter: logging.Formatter, line_of: Callable[..., str]) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._given = formatter, [RequestIDFilter()]
        self.filters = [*self._given[1]]
        self.line_of = line_of
        self._lines: deque[str] = deque()  # which threads may add to without a lock
        self._is_closed = False
        self._writer_is_awake = False
        self._wake_writer = Event()
        self._has_writer = False
        _handlers.add(self)

    @property
    def is_as_made(self) -> bool:
        """True as long as nobody has changed what this handler does with a record."""
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
        """Have the thread write what there is when `WAIT` has passed; write it now if there can be no thread."""
        if self._is_closed:
            self._write_lines()
            return
        self._writer_is_awake = True
        self._wake_writer.set()
        if not self._has_writer:
            self._has_writer = True
            try:
                Thread(target=self._write_in_time, name="antiphon-log", daemon=True).start()
            except RuntimeError:  # no more threads, or the interpreter ends
                self._forget_writer()
                self._write_lines()

    def _write_in_time(self) -> None:
        while self._wake_writer.wait():
            sleep(WAIT)
            with self.lock:  # type: ignore[union-attr]  # all handlers have one
                if not self._lines:  # nothing came since the last time
                    self._wake_writer.clear()
                    self._writer_is_awake = False
                self._write_lines()  # also what came before another thread could see that the writer sleeps

    def _write_lines(self) -> None:
        """Write the lines that were gathered. The lock is held; what other threads add meanwhile is written, too."""
        while self._lines:
            text = self._take_lines()
            try:
                self.stream.write(text)
                self.stream.flush()
            except (OSError, ValueError):  # a full disk, nobody who reads, or a closed file: there is no place to tell
                continue

    def _take_lines(self) -> str:
        """Take as many of the lines as are written at once, at least one."""
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
        """Write a record, after the lines of requests before it."""
        self._write_lines()
        super().emit(record)

    def flush(self) -> None:
        """Write what was gathered."""
        with self.lock:  # type: ignore[union-attr]  # all handlers have one
            self._write_lines()
            super().flush()

    def close(self) -> None:
        """Write what was gathered, and from now on each line at once."""
        with self.lock:  # type: ignore[union-attr]  # all handlers have one
            self._is_closed, self._writer_is_awake = True, False
            self._write_lines()
        super().close()

    def _forget_writer(self) -> None:
        self._wake_writer = Event()
        self._has_writer = self._writer_is_awake = False

    def forget_lines(self) -> None:
        """Forget lines that a parent process has gathered, and will write, and its thread."""
        self._lines.clear()
        self._forget_writer()


_handlers: "WeakSet[LineHandler]" = WeakSet()


def _after_fork() -> None:
    for handler in _handlers:
        handler.forget_lines()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def only_line_handler(logger: logging.Logger) -> LineHandler | None:
    """Return the handler that would get a record of INFO, if nothing else would see it or change it on its way."""
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
