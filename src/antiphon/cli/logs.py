"""The logs of `antiphon run`: where records go, unless the application says so, and a line for each request."""

import logging
from collections import deque
from contextlib import suppress
from typing import Any, Literal, NamedTuple

from antiphon.cli.interface import Interface


class Logs(NamedTuple):
    """Settings of the logs."""

    format: Literal["text", "json"] = "text"
    level: str = "info"
    has_access_log: bool = True

    def configure(self) -> None:
        """Have records written to stderr, if the application has not said where they go."""
        from antiphon.logs.formats import JSONFormatter, RequestIdFilter, TextFormatter

        Echoes().leave_out()
        root = logging.getLogger()
        if root.handlers:
            return
        handler = logging.StreamHandler()
        handler.setFormatter(JSONFormatter() if self.format == "json" else TextFormatter())
        handler.addFilter(RequestIdFilter())
        root.addHandler(handler)
        root.setLevel(self.level.upper())

    def observe(self, app: Any, interface: Interface) -> Any:
        """Return an application whose requests are logged, unless they should not be, or it logs them itself."""
        from antiphon.adapters.exchange import Observers
        from antiphon.adapters.foreign.with_observers import with_observers
        from antiphon.adapters.servable import Servable
        from antiphon.logs.access_log import AccessLog

        if not self.has_access_log:
            return app
        if not isinstance(app, Servable):
            return with_observers(app, interface, Observers(AccessLog()))
        if not any(isinstance(each, AccessLog) for each in app.observers.all):
            app.observe(AccessLog())
        return app


class Echoes:
    """Errors that were logged with their request, and then raised, to break the response off: Granian logs them again.

    Its records have text alone.
    """

    def __init__(self) -> None:
        self._expected: deque[str] = deque(maxlen=100)

    def leave_out(self) -> None:
        """Leave Granian's records of them out, from now on."""
        logging.getLogger("antiphon").addFilter(self._note)
        logging.getLogger("_granian.utils").addFilter(self._is_no_echo)

    def _note(self, record: logging.LogRecord) -> bool:
        error = record.exc_info and record.exc_info[1]
        if error:
            with suppress(Exception):  # of its own __str__
                self._expected.append(f"{type(error).__qualname__}: {error}")
        return True

    def _is_no_echo(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        echoed = next((text for text in tuple(self._expected) if message.endswith(text)), None)
        if echoed is not None:
            with suppress(ValueError):  # another thread was quicker
                self._expected.remove(echoed)
        return echoed is None
