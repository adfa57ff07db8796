"""Placeholders in texts: ``{name}``, and ``{price:.2f}``. ``{{`` and ``}}`` are braces.

Texts come from translators, and values from the program, so a text reaches no attribute and no item of a value, and
asks for nothing wide. A placeholder that can't be filled stays as it is written, with one warning.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_NAMED = re.compile(r"([A-Za-z_]\w*)(?::(.*))?", re.DOTALL)
_is_wide = re.compile(r"\d{3}").search
"""Widths and precisions of three digits and more, which could take the whole memory."""

_MOST = 1000
"""Texts about which a process warns."""

_warned: set[str] = set()


def filled(text: str, values: Mapping[str, object]) -> str:
    """Return a text with its placeholders filled. Never raises, but for what a value's own ``__format__`` does."""
    if "{" not in text and "}" not in text:
        return text
    return "".join(
        [piece if name is None else _value(text, piece, name, spec, values) for piece, name, spec in _split(text)]
    )


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[tuple[str, str | None, str], ...]:
    """Return the pieces of a text: each as it is, and of a placeholder the name and the format specification."""
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
    """Return the value of a placeholder; the placeholder as it is written, if there is none that it can show."""
    if name not in values:
        why = f"has no value: give it as {name}=..." if name else "is no name, such as {name}"
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
