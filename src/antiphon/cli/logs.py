"""The logs of `antiphon run`: access logs, and the handler for all records if the application configures none."""

import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal, NamedTuple, NoReturn

from antiphon.cli.interface import Interface


def tell(message: str, *, err: bool = False) -> None:
    """Write a line about a server, which goes on if that fails: the disk may be full, or the reader may have left."""
    from click import echo  # imported late: workers do not need it

    with suppress(OSError):
        echo(message, err=err)


class Logs(NamedTuple):
    """Settings for logging."""

    format: Literal["text", "json"] = "text"
    level: str = "info"
    has_access_log: bool = True
    fields: tuple[Literal["ip", "trace_id"], ...] = ()

    def configure(self) -> None:
        """Write records to stderr, unless the application has configured logging."""
        from antiphon.features.logs import formats
        from antiphon.features.logs.access_log import LineHandler

        Echoes().leave_out()
        root = logging.getLogger()
        if root.handlers:
            return
        if self.format == "json":
            handler = LineHandler(formats.JSONFormatter(), formats.request_as_json)
        else:
            handler = LineHandler(formats.TextFormatter(), formats.request_as_text)
        root.addHandler(handler)
        _call_before_exit(handler.flush)
        root.setLevel(self.level.upper())
        if self.format == "json":
            _log_what_python_writes()

    def warn(self, message: str) -> None:
        """Write a message to stderr in the log's format. Used by the supervisor, which doesn't use logging."""
        from antiphon.features.logs import formats  # imported late: it is rarely needed

        now = time.time()
        if self.format == "json":
            line = formats.encode(formats.json_members(now, "WARNING", "antiphon", message, None))
        else:
            line = f"{formats.timestamp(now)} WARNING {message}"
        tell(line, err=True)

    def observe(self, app: Any, interface: Interface) -> Any:
        """Return an application whose requests are logged, unless access logs are off or it logs them itself."""
        from antiphon.adapters.exchange import Observers
        from antiphon.adapters.observing import with_observers
        from antiphon.adapters.servable import Servable
        from antiphon.features.logs.access_log import AccessLog

        if not self.has_access_log:
            return app
        if not isinstance(app, Servable):
            return with_observers(app, interface, Observers(AccessLog(fields=self.fields)))
        if not any(isinstance(each, AccessLog) for each in app._observers.all):
            app.observe(AccessLog(fields=self.fields))
        return app


def _call_before_exit(function: Callable[[], object]) -> None:
    """Register a function to call before a program calls ``os._exit``, which runs no other exit functions."""
    leave = os._exit

    def call_and_leave(status: int) -> NoReturn:
        try:
            function()
        finally:
            leave(status)

    os._exit = call_and_leave


def _log_what_python_writes() -> None:
    """Log warnings and uncaught errors, which Python would otherwise write to stderr itself."""
    logger = logging.getLogger("antiphon")

    def in_thread(unhandled: threading.ExceptHookArgs) -> None:
        if unhandled.exc_type is not SystemExit and unhandled.exc_value is not None:
            name = unhandled.thread.name if unhandled.thread else "a thread"
            logger.error("%s failed", name, exc_info=unhandled.exc_value)

    logging.captureWarnings(True)
    sys.excepthook = lambda kind, error, _: logger.critical("%s was not caught", kind.__name__, exc_info=error)
    sys.unraisablehook = lambda caught: logger.error(
        "%s %r", caught.err_msg or "an error was ignored in", caught.object, exc_info=caught.exc_value
    )
    threading.excepthook = in_thread


class Echoes:
    """Errors that were logged with their request, raised to abort the response, and then logged by the server again.

    Granian's records contain only text.
    """

    def __init__(self) -> None:
        self._expected: deque[str] = deque(maxlen=100)

    def leave_out(self) -> None:
        """Start dropping the server's records of these errors."""
        logging.getLogger("antiphon").addFilter(self._note)
        for name in ("_granian.utils", "uvicorn.error"):
            logging.getLogger(name).addFilter(self._is_no_echo)

    def _note(self, record: logging.LogRecord) -> bool:
        if record.exc_info and (text := _written(record)):
            self._expected.append(text)
        return True

    def _is_no_echo(self, record: logging.LogRecord) -> bool:
        message = _written(record)
        echoed = next((text for text in tuple(self._expected) if message.endswith(text)), None)
        if echoed is not None:
            with suppress(ValueError):  # another thread was faster
                self._expected.remove(echoed)
        return echoed is None


def _written(record: logging.LogRecord) -> str:
    """Return the error of a record as text, or else its message."""
    error = record.exc_info and record.exc_info[1]
    with suppress(Exception):  # its __str__ may raise anything
        return f"{type(error).__qualname__}: {error}" if error else record.getMessage()
    return ""
