"""The texts of one language, with those of the languages that it falls back to."""

import logging
from collections.abc import Sequence

from antiphon.features.languages.catalogues import Catalogue
from antiphon.features.languages.placeholders import filled
from antiphon.handler.errors import is_debug

CONTEXT = "\x04"
"""The character between a context and a key in gettext's files."""

_MOST_MISSING = 1000
"""Missing texts of one language that are logged."""


class Texts:
    """The texts of one language: ``gettext("welcome", name="Ann")``. A text that is missing is its key."""

    def __init__(self, tag: str, catalogues: Sequence[Catalogue]) -> None:
        self.tag = tag
        self._catalogues = catalogues
        self._missing: set[str] = set()

    def find(self, key: str) -> str | None:
        """Return the text of a key as it is written; None if there is none."""
        for catalogue in self._catalogues:
            text = catalogue.text(key)
            if text is not None:
                return text
        return None

    def gettext(self, key: str, /, **values: object) -> str:
        """Return the text of a key. If it has plural forms, the value ``n`` chooses one."""
        return filled(self._found(key, key, values), values)

    def pgettext(self, context: str, key: str, /, **values: object) -> str:
        """Return the text that a key has in a context."""
        return filled(self._found(f"{context}{CONTEXT}{key}", key, values), values)

    def ngettext(self, singular: str, plural: str, n: float, /, **values: object) -> str:
        """Return the plural form for a number."""
        return self._plural(singular, singular, plural, n, values)

    def npgettext(self, context: str, singular: str, plural: str, n: float, /, **values: object) -> str:
        """Return the plural form that a key has in a context for a number."""
        return self._plural(f"{context}{CONTEXT}{singular}", singular, plural, n, values)

    def _plural(self, key: str, singular: str, plural: str, n: float, values: dict[str, object]) -> str:
        return filled(self._found(key, singular if n == 1 else plural, {"n": n}), {"n": n, **values})

    def _found(self, key: str, otherwise: str, values: dict[str, object]) -> str:
        n = values.get("n")
        is_counted = isinstance(n, int | float)
        for catalogue in self._catalogues:
            text = catalogue.plural(key, key, n) if is_counted else None  # type: ignore[arg-type]
            if text is None:
                text = catalogue.text(key)
            if text is not None:
                return text
        self._note_missing(key)
        return otherwise

    def _note_missing(self, key: str) -> None:
        if self._catalogues and is_debug() and key not in self._missing and len(self._missing) < _MOST_MISSING:
            self._missing.add(key)
            shown = key.replace(CONTEXT, ": ")
            logging.getLogger("antiphon").warning("the text %.200r is missing in %r", shown, self.tag)
