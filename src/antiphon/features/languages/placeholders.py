"""Placeholders in texts: ``{name}`` and ``{price:.2f}``. ``{{`` and ``}}`` stand for braces.

Texts come from translators, and values from the program, so a text can't access attributes or items of a value, and
can't ask for a large width. A placeholder that can't be filled stays as it is written, with one warning.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_NAMED = re.compile(r"([A-Za-z_]\w*)(?::(.*))?", re.DOTALL)
_is_wide = re.compile(r"\d{3}").search
"""Widths and precisions of three digits or more, which could use up all memory."""

_MOST = 1000
"""The number of texts that a process warns about."""

_warned: set[str] = set()


def filled(text: str, values: Mapping[str, object]) -> str:
    """Return a text with its placeholders filled. Only a value's own ``__format__`` can raise."""
    if "{" not in text and "}" not in text:
        return text
    return "".join(
        [piece if name is None else _value(text, piece, name, spec, values) for piece, name, spec in _split(text)]
    )


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[tuple[str, str | None, str], ...]:
    """Return the pieces of a text, and for each placeholder its name and its format specification."""
    pieces: list[tuple[str, str | None, str]] = []
    end = 0
    for found in _PLACEHOLDER.finditer(text):
        pieces.append((text[end : found.start()], None, ""))
        named = _NAMED.fullmatch(found[1] or "")
        if found[1] is None:
            pieces.append((found[0][0], None, ""))
        else:
            pieces.append((found[0], named[1] if named else "", (named[2] or "") if named else ""))
        end = found.end()
    pieces.append((text[end:], None, ""))
    return tuple([piece for piece in pieces if piece[0]])


def _value(text: str, written: str, name: str, spec: str, values: Mapping[str, object]) -> str:
    """Return the value of a placeholder, or the placeholder as it is written if there is no value that it can show."""
    if name not in values:
        why = f"has no value: give it as {name}=..." if name else "is not a name, such as {name}"
    elif _is_wide(spec):
        why = "asks for too wide a value"
    else:
        try:
            return format(values[name], spec)
        except (TypeError, ValueError, ArithmeticError) as error:
            why = f"can't show {type(values[name]).__name__}: {error}"
    note_unfilled(text, written, why)
    return written


def note_unfilled(text: str, written: str, why: str) -> None:
    """Log, once for each text, that a placeholder stays as it is written."""
    if text in _warned or len(_warned) >= _MOST:
        return
    import logging

    _warned.add(text)
    logging.getLogger("antiphon").warning("%s in the text %.200r %s", written, text, why)
