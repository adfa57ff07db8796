"""The texts of one language, with those of its fallbacks."""

import logging
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from antiphon.features.languages.catalogues import Catalogue
from antiphon.features.languages.placeholders import filled
from antiphon.handler.errors import is_debug

CONTEXT = "\x04"
"""The character between a context and a key in gettext's files."""

_NUMBERS = (int, float, Decimal)
_INFINITE = (float("inf"), float("-inf"))

_MOST_MISSING = 1000
"""The number of missing texts of one language that are logged."""


class Texts:
    """The texts of one language: ``gettext("welcome", name="Ann")``. The key replaces a missing text."""

    def __init__(self, tag: str, catalogues: Sequence[Catalogue]) -> None:
        self.tag = tag
        self._catalogues = catalogues
        self._missing: set[str] = set()

    def has(self, key: str) -> bool:
        """True if there is a text under a key."""
        return any(catalogue.text(key) is not None for catalogue in self._catalogues)

    def find(self, key: str, *, n: float | None = None, context: str | None = None) -> str | None:
        """Return the text of a key as it is written, or the plural form for ``n``; None if there is none."""
        if context is not None:
            key = f"{context}{CONTEXT}{key}"
        if n is not None and (n != n or n in _INFINITE):
            n = None
        for catalogue in self._catalogues:
            text = None if n is None else catalogue.plural(key, key, n)
            if text is None:
                text = catalogue.text(key)
            if text is not None:
                return text
        self._note_missing(key)
        return None

    def gettext(self, key: str, /, **values: object) -> str:
        """Return the text of a key. If it has plural forms, the value ``n`` selects one."""
        return filled(self._found(key, values), values)

    def pgettext(self, context: str, key: str, /, **values: object) -> str:
        """Return the text that a key has in a context."""
        return filled(self._found(key, values, context), values)

    def ngettext(self, singular: str, plural: str, n: float, /, **values: object) -> str:
        """Return the plural form for a number."""
        return self.npgettext(None, singular, plural, n, **values)

    def npgettext(self, context: str | None, singular: str, plural: str, n: float, /, **values: object) -> str:
        """Return the plural form that a key has in a context for a number."""
        found = self.find(singular, n=n, context=context)
        if found is None:
            found = singular if n == 1 else plural
        return filled(found, {"n": n, **values})

    def _found(self, key: str, values: dict[str, object], context: str | None = None) -> str:
        n: Any = values["n"] if isinstance(values.get("n"), _NUMBERS) else None
        found = self.find(key, n=n, context=context)
        return key if found is None else found

    def _note_missing(self, key: str) -> None:
        if self._catalogues and is_debug() and key not in self._missing and len(self._missing) < _MOST_MISSING:
            self._missing.add(key)
            shown = key.replace(CONTEXT, ": ")
            logging.getLogger("antiphon").warning("the text %.200r is missing in %r", shown, self.tag)
