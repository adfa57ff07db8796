"""The access log, which records each request once its whole response has been sent, and `antiphon run`'s log handler.

Lines for requests are collected and written together: when another record arrives, when many lines have been collected,
when `WAIT` seconds have passed, or when the process ends, whichever comes first. No write is larger than a pipe accepts
atomically, so lines from several processes don't mix.
"""

import logging
import select
from collections import deque
from collections.abc import Callable, Collection, Mapping
from logging import INFO, Logger, getLogger, getLogRecordFactory
from threading import Event, Thread
from time import sleep, time
from typing import Any, Literal
from weakref import WeakSet

from antiphon import Exchange, Observer, explained
from antiphon.embedding import RequestState, Servable, call_after_fork, check_arguments, errors_name_it
from antiphon.features.logs.formats import NAME, OPTIONAL, RequestIDFilter, message_of, request_fields

WAIT = 0.05
"""The maximum delay before a line is written, in seconds."""
LARGEST = getattr(select, "PIPE_BUF", 512)
"""The maximum number of bytes to write at once."""
MOST_LINES = 32
"""The maximum number of lines to collect."""

_RECORD = logging.getLogRecordFactory()
_HANDLE, _CALL_HANDLERS = logging.Logger.handle, logging.Logger.callHandlers
"""The functions of `logging` that handle all records, unless a program replaces them in order to see the records
itself.
"""


class LineHandler(logging.StreamHandler[Any]):
    """A handler that writes formatted records to stderr, and also lines for requests that have no record.

    ``line_of`` makes such a line, in the formatter's format: ``request_as_text`` or ``request_as_json``.
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
        """True unless something has changed how this handler handles records."""
        return self.formatter is self._given[0] and self.filters == self._given[1] and self.level <= logging.INFO

    def add(self, line: str) -> None:
        """Write a request's line soon, after the lines added before it."""
        lines = self._lines
        lines.append(line)
        if not self._writer_is_awake:
            with self.lock:  # type: ignore[union-attr]  # all handlers have one
                self._have_written()
        elif len(lines) >= MOST_LINES:
            with self.lock:  # type: ignore[union-attr]  # all handlers have one
                self._write_lines()

    def _have_written(self) -> None:
        """Make the thread write the collected lines after `WAIT`, or write them now if no thread can be started."""
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
                self._write_lines()  # includes lines added before other threads could see that the writer sleeps

    def _write_lines(self) -> None:
        """Write the collected lines, with the lock held.

        Lines that other threads add in the meantime are also written.
        """
        while self._lines:
            text = self._take_lines()
            try:
                self.stream.write(text)
                self.stream.flush()
            except (OSError, ValueError):  # a full disk, no reader, or a closed file: there is nowhere to report it
                continue

    def _take_lines(self) -> str:
        """Remove the lines for one write, at least one, and return them."""
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
        """Write a record, after any earlier lines for requests."""
        self._write_lines()
        super().emit(record)

    def flush(self) -> None:
        """Write the collected lines."""
        with self.lock:  # type: ignore[union-attr]  # all handlers have one
            self._write_lines()
            super().flush()

    def close(self) -> None:
        """Write the collected lines, and from now on write each line immediately."""
        with self.lock:  # type: ignore[union-attr]  # all handlers have one
            self._is_closed, self._writer_is_awake = True, False
            self._write_lines()
        super().close()

    def _forget_writer(self) -> None:
        self._wake_writer = Event()
        self._has_writer = self._writer_is_awake = False

    def forget_lines(self) -> None:
        """Forget the parent process's thread and the lines it has collected, which the parent will write."""
        self._lines.clear()
        self._forget_writer()


_handlers: "WeakSet[LineHandler]" = WeakSet()


def _after_fork() -> None:
    for handler in _handlers:
        handler.forget_lines()


call_after_fork(_after_fork)


def only_line_handler(logger: logging.Logger) -> LineHandler | None:
    """Return the handler that would receive a record of level INFO, if nothing else would see or change the record."""
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


@errors_name_it
class AccessLog(Observer):
    """A feature that logs each request that got a response, with the ``antiphon.access`` logger, at level INFO.

        app.use(AccessLog())

    A record has the attributes ``method``, ``path``, ``route`` (the pattern, empty if no route matched), ``status``,
    ``bytes`` (the size of the body as sent), ``milliseconds``, ``request_id`` and ``disconnected`` (True if the client
    disconnected before the end). A stream or a WebSocket is logged when it ends; a WebSocket also has
    ``messages_received``, ``messages_sent`` and ``close_code``. The path is percent-encoded and has at most 1000
    characters; the query is not logged. ``fields`` adds attributes by name, if the request has them, also to the
    message: ``ip`` (the client's address) and ``trace_id`` (of Trace Context).
    """

    def __init__(
        self,
        *,
        fields: Collection[Literal["ip", "trace_id"]] = (),
        extra: Callable[[Exchange], Mapping[str, object]] | None = None,
    ) -> None:
        """``extra`` is called with the ``Exchange`` and returns a mapping of additional attributes.

        Raises TypeError if ``extra`` is not a plain function of one argument, and ValueError for other ``fields``.
        """
        if extra is not None:
            check_arguments(extra, "exchange", sync="extra")
        if not {*fields} <= {*OPTIONAL}:
            message = f"AccessLog's fields must be a collection of {' and '.join(OPTIONAL)}, not {fields!r}"
            raise explained("bad-feature-option", message)
        self._fields = [name for name in OPTIONAL if name in fields]
        self._extra = extra
        self._is_plain = extra is None and not fields
        self._found: Logger | None = None

    def install(self, app: Servable) -> None:
        """Observe an application. Raises TypeError if it is a blueprint."""
        if not isinstance(app, Servable):
            raise explained(
                "for-whole-app",
                "the access log belongs to the application, not a blueprint: write app.use(AccessLog())",
                TypeError,
            )
        app.observe(self)

    def sent(self, exchange: Exchange) -> None:
        """Log an exchange."""
        logger = self._found or self._logger()
        if not logger.isEnabledFor(INFO) or RequestState.UNLOGGED in exchange.request:
            return
        use = exchange.socket
        if self._is_plain and use is None and (handler := only_line_handler(logger)) is not None:
            handler.add(handler.line_of(time(), *_request_of(exchange)))
            return
        fields = request_fields(*_request_of(exchange))
        if use is not None:
            fields |= {"messages_received": use.received, "messages_sent": use.sent, "close_code": use.close_code}
        fields |= {name: value for name in self._fields if (value := OPTIONAL[name](exchange.request))}
        message, values = message_of(fields)
        if self._extra is not None:
            fields |= self._extra(exchange)
        record = getLogRecordFactory()(NAME, INFO, "", 0, message, values, None)
        vars(record).update(fields)
        logger.handle(record)

    def _logger(self) -> Logger:
        """Look up the logger late, since `logging.config` disables loggers that exist when it is called."""
        self._found = logger = getLogger(NAME)
        if not logger.level:
            logger.setLevel(INFO)
        return logger


def _request_of(exchange: Exchange) -> tuple[str, str, str, int, int, float, str, bool]:
    """Return an exchange's arguments for ``request_fields``."""
    return (
        exchange.method,
        exchange.path,
        exchange.route,
        exchange.status,
        exchange.body_size,
        exchange.seconds,
        RequestState(exchange.request).id,
        exchange.is_disconnected,
    )
