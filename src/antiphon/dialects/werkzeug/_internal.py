"""Names of `werkzeug._internal` that other projects import."""

import logging
import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from antiphon.dialects._environ.attributes import MISSING
from antiphon.dialects._environ.attributes import Accessor as _DictAccessorProperty
from antiphon.dialects._environ.heads import text_of as _wsgi_decoding_dance

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = [
    "_DictAccessorProperty", "_dt_as_utc", "_get_environ", "_log", "_missing", "_plain_int", "_wsgi_decoding_dance",
    "_wsgi_encoding_dance",
]  # fmt: skip

_missing = MISSING
_is_plain = re.compile("-?[0-9]+").fullmatch


def _wsgi_encoding_dance(s: str) -> str:
    """Encode text for an environ: as UTF-8, with one character per byte (PEP 3333)."""
    return s if s.isascii() else s.encode().decode("latin-1")


def _get_environ(obj: Any) -> "WSGIEnvironment":
    """Return a request's environ, or the environ itself. Raises AssertionError for anything else."""
    environ: WSGIEnvironment = getattr(obj, "environ", obj)
    if not isinstance(environ, dict):
        raise AssertionError(f"{type(obj).__name__!r} is not a WSGI environment (has to be a dict)")
    return environ


def _log(type: str, message: str, *args: Any, **kwargs: Any) -> None:  # noqa: A002 - Werkzeug's name
    """Log a message with the ``type`` method of the `werkzeug` logger, which writes to stderr by default."""
    getattr(_logger(), type)(message.rstrip(), *args, **kwargs)


@cache  # configure only once, since a program may change the level and handlers later
def _logger() -> logging.Logger:
    logger = logging.getLogger("werkzeug")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        logger.addHandler(logging.StreamHandler())
    return logger


def _dt_as_utc(dt: datetime | None) -> datetime | None:
    """Convert a datetime to UTC. A naive one is assumed to be in UTC."""
    if dt is None:
        return None
    return dt.replace(tzinfo=UTC) if dt.tzinfo is None else dt.astimezone(UTC)


def _plain_int(value: str) -> int:
    """Parse an integer in ASCII digits. Raises ValueError for any other text."""
    digits = value.strip(" \t")
    if not _is_plain(digits):
        raise ValueError(f"an integer must be written in ASCII digits, not as {value[:80]!r}")
    return int(digits)
