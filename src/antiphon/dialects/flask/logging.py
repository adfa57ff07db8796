"""An application's logger, and the destination of its records."""

import logging
import sys
from typing import TYPE_CHECKING, TextIO, cast

from antiphon.dialects.flask.globals import _cv_request
from antiphon.dialects.flask.imports import reexports
from antiphon.dialects.werkzeug.local import LocalProxy

if TYPE_CHECKING:
    from antiphon.dialects.flask.sansio.app import App


@LocalProxy
def wsgi_errors_stream() -> TextIO:
    """The stream for errors: the server's stream during a request, otherwise standard error."""
    ctx = _cv_request.get(None)
    stream: TextIO | None = None if ctx is None else ctx.request.environ.get("wsgi.errors")
    return sys.stderr if stream is None else stream


def has_level_handler(logger: logging.Logger) -> bool:
    """Return True if any handler writes records at the logger's level."""
    level = logger.getEffectiveLevel()
    current: logging.Logger | None = logger
    while current is not None:
        if any(handler.level <= level for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False


default_handler: "logging.StreamHandler[TextIO]" = logging.StreamHandler(cast("TextIO", wsgi_errors_stream))
"""The handler that writes records to ``wsgi_errors_stream``."""
default_handler.setFormatter(logging.Formatter("[%(asctime)s] %(levelname)s in %(module)s: %(message)s"))


def create_logger(app: "App") -> logging.Logger:
    """Return the logger named after the application.

    In debug mode, it logs everything. It gets ``default_handler`` if no other handler would write its records.
    """
    logger = logging.getLogger(app.name)
    if app.debug and not logger.level:
        logger.setLevel(logging.DEBUG)
    if not has_level_handler(logger):
        logger.addHandler(default_handler)
    return logger


if not TYPE_CHECKING:
    __getattr__ = reexports(__name__)
