"""The access log: a record for each request, made when its whole response was sent."""

from collections.abc import Callable, Mapping
from logging import INFO, Logger, getLogger, getLogRecordFactory
from time import time

from antiphon.adapters.exchange import Exchange, Observer
from antiphon.adapters.servable import Servable
from antiphon.explanations import errors_name_it, explained
from antiphon.features.logs.formats import NAME, message_of, request_fields
from antiphon.features.logs.line_handler import only_line_handler
from antiphon.handler.callables import check_arguments, check_sync
from antiphon.request.dependencies import Dependency

unlogged = Dependency[bool]("unlogged")
"""True for a request that is left out of the access log, such as a probe."""


@errors_name_it
class AccessLog(Observer):
    """A feature that logs each request that got a response with the logger ``antiphon.access``, at the level INFO.

    A record has the attributes ``method``, ``path``, ``route`` (the pattern, empty if no route matched), ``status``,
    ``bytes`` (of the body that was sent), ``milliseconds``, ``request_id`` and ``disconnected`` (True if the client
    disconnected before the end). A stream or a WebSocket is logged when it has ended, the latter with
    ``messages_received``, ``messages_sent`` and ``close_code``. The path is percent-encoded and has at most 1000
    characters; the query is not logged. ``extra`` is called with the ``Exchange``, and returns more attributes by name.

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
                TypeError("the access log belongs to the application, not a blueprint: write app.use(AccessLog())"),
            )
        app.observe(self)

    def sent(self, exchange: Exchange) -> None:
        """Log an exchange."""
        logger = self._found or self._logger()
        if not logger.isEnabledFor(INFO) or unlogged in exchange.request:
            return
        use = exchange.socket
        if self._extra is None and use is None and (handler := only_line_handler(logger)) is not None:
            handler.add(handler.line_of(time(), *_request_of(exchange)))
            return
        fields = request_fields(*_request_of(exchange))
        if use is not None:
            fields |= {"messages_received": use.received, "messages_sent": use.sent, "close_code": use.close_code}
        message, values = message_of(fields)
        if self._extra is not None:
            fields |= self._extra(exchange)
        record = getLogRecordFactory()(NAME, INFO, "", 0, message, values, None)
        vars(record).update(fields)
        logger.handle(record)

    def _logger(self) -> Logger:
        """Find the logger late, since `logging.config` disables loggers that exist when it is called."""
        self._found = logger = getLogger(NAME)
        if not logger.level:
            logger.setLevel(INFO)
        return logger


def _request_of(exchange: Exchange) -> tuple[str, str, str, int, int, float, str, bool]:
    """Return the arguments of ``request_fields`` for an exchange."""
    return (
        exchange.method,
        exchange.path,
        exchange.route,
        exchange.status,
        exchange.body_size,
        exchange.seconds,
        exchange.request._id,
        exchange.is_disconnected,
    )
