"""The access log: a record for each request, when all of its response was sent."""

from collections.abc import Callable, Mapping
from logging import INFO, Logger, getLogger, getLogRecordFactory
from typing import Any

from antiphon.adapters.exchange import Exchange, Observer
from antiphon.adapters.servable import Servable
from antiphon.explanations import explained
from antiphon.features.logs.escaping import escaped
from antiphon.handler.callables import check_arguments, check_sync
from antiphon.request.dependencies import Dependency

NAME = "antiphon.access"
"""The name of the logger."""
LONGEST_METHOD = 30

unlogged = Dependency[bool]("unlogged")
"""True for a request that is left out of the access log, as that of a probe."""


class AccessLog(Observer):
    """A feature that logs each request by the logger ``antiphon.access``, at the level INFO, when it was answered.

    A record has the attributes ``method``, ``path``, ``route`` (the pattern, empty if no route answered), ``status``,
    ``bytes`` (of the body that was sent), ``milliseconds``, ``request_id`` and ``disconnected`` (True if the client
    disconnected before the end). A stream is logged when it has ended, and so is a WebSocket, with
    ``messages_received``, ``messages_sent`` and ``close_code``. The path is percent-encoded and has at most 1000
    characters; the query is not logged. ``extra`` is called with the ``Exchange``, and returns further attributes by
    their names.

    Raises TypeError if ``extra`` is not a plain function of one argument.
    """

    def __init__(self, *, extra: Callable[[Exchange], Mapping[str, object]] | None = None) -> None:
        if extra is not None:
            check_arguments(extra, "exchange")
            check_sync("extra", extra)
        self._extra = extra
        self._found: Logger | None = None

    def install(self, app: Servable) -> None:
        """Observe an application. Raises TypeError for a blueprint."""
        if not isinstance(app, Servable):
            raise explained(
                "for-whole-app",
                TypeError("the access log is the application's: write app.use(AccessLog()), for no blueprint"),
            )
        app.observe(self)

    def sent(self, exchange: Exchange) -> None:
        """Log an exchange."""
        logger = self._found or self._logger()
        if not logger.isEnabledFor(INFO) or unlogged in exchange.request:
            return
        fields = fields_of(exchange)
        message, values = message_of(fields)
        if self._extra is not None:
            fields |= self._extra(exchange)
        record = getLogRecordFactory()(NAME, INFO, "", 0, message, values, None)
        vars(record).update(fields)
        logger.handle(record)

    def _logger(self) -> Logger:
        """Find the logger, late: `logging.config` disables those that are there before it is called."""
        self._found = logger = getLogger(NAME)
        if not logger.level:
            logger.setLevel(INFO)
        return logger


def fields_of(exchange: Exchange) -> dict[str, Any]:
    """Return the attributes of an exchange's record."""
    fields = {
        "method": escaped(exchange.method, LONGEST_METHOD),
        "path": escaped(exchange.path),
        "route": exchange.route,
        "status": exchange.status,
        "bytes": exchange.body_size,
        "milliseconds": round(exchange.seconds * 1e3, 3),
        "request_id": exchange.request.id,
        "disconnected": exchange.is_disconnected,
    }
    if (use := exchange.socket) is not None:
        fields |= {"messages_received": use.received, "messages_sent": use.sent, "close_code": use.close_code}
    return fields


def message_of(fields: Mapping[str, Any]) -> tuple[str, tuple[object, ...]]:
    """Return the message of a record, with its arguments: ``GET /users/7 200 512 bytes 1.3 ms /users/<int:id>``.

    That of a WebSocket has more: ``GET /live 101 512 bytes 1.3 ms /live closed with 1000, 3 messages in, 2 out``.
    """
    message = "%s %s %d %d bytes %.1f ms"
    values = [fields[name] for name in ("method", "path", "status", "bytes", "milliseconds")]
    if fields["route"]:
        message += " %s"
        values.append(fields["route"])
    if "close_code" in fields:
        message += " closed with %d, %d messages in, %d out"
        values += [fields[name] for name in ("close_code", "messages_received", "messages_sent")]
    return message + (" disconnected" if fields["disconnected"] else ""), tuple(values)
