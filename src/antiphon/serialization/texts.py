"""How values are written in a query, so that ``args_as`` reads them as they were: as in JSON, without the quotes."""

from collections.abc import Collection
from datetime import date, time

import msgspec


def texts_of(value: object) -> list[str]:
    """The texts of a field: of a list, tuple or set those of its items, of None none, of any other value one.

    Those of a set, which has no order, are sorted.
    """
    if isinstance(value, list | tuple):
        return _texts(value)
    if isinstance(value, set | frozenset):
        return sorted(_texts(value))
    return _texts((value,))


def _texts(values: Collection[object]) -> list[str]:
    return [_text(value) for value in values if value is not None]


def _text(value: object) -> str:
    """Enums are their value, durations ISO 8601, bytes base64; what JSON has no text or number for is its ``str()``."""
    try:
        plain = msgspec.to_builtins(value)
    except TypeError:
        return value.isoformat() if isinstance(value, date | time) else str(value)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    return str(plain if isinstance(plain, str | int | float) else value)
