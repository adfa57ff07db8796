"""Messages in one language, with placeholders and fallbacks to other languages, looked up at once or when they are
used.

Messages come from translators, and values come from the program. So a message can't access a value's attributes or
items, and can't ask for a large width. A placeholder that can't be filled stays unchanged, and one warning is logged.
"""

import logging
import re
from collections import UserString
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from antiphon import current_request, is_debug
from antiphon.embedding import RequestState
from antiphon.features.languages.catalogues import Catalogue
from antiphon.types import Language

if TYPE_CHECKING:
    from antiphon.features.languages.feature import Languages


_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_NAMED = re.compile(r"([A-Za-z_]\w*)(?::(.*))?", re.DOTALL)
_is_wide = re.compile(r"\d{3}").search
"""Widths and precisions with three or more digits, which could exhaust memory."""

_MOST = 1000
"""The maximum number of messages that a process warns about."""

_warned: set[str] = set()


def filled(text: str, values: Mapping[str, object]) -> str:
    """Return text with its placeholders filled. The only errors are those raised by a value's own ``__format__``."""
    if "{" not in text and "}" not in text:
        return text
    return "".join(
        [piece if name is None else _value(text, piece, name, spec, values) for piece, name, spec in _split(text)]
    )


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[tuple[str, str | None, str], ...]:
    """Return the pieces of text and, for each placeholder, its name and format specification."""
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
    """Return a placeholder's value, or the placeholder as written if there is no value or it can't be formatted."""
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
    """Log, once for each text, that a placeholder stays unchanged."""
    if text in _warned or len(_warned) >= _MOST:
        return
    _warned.add(text)
    logging.getLogger("antiphon").warning("%s in the text %.200r %s", written, text, why)


CONTEXT = "\x04"
"""The character between a context and a key in gettext's files."""

_NUMBERS = (int, float, Decimal)
_INFINITE = (float("inf"), float("-inf"))

_MOST_MISSING = 1000
"""The maximum number of missing translations to log for each language."""


class Texts:
    """The translations into one language: ``gettext("welcome", name="Ann")``. A missing text is replaced with its
    key.
    """

    def __init__(self, tag: str, catalogues: Sequence[Catalogue]) -> None:
        self.tag = tag
        self._catalogues = catalogues
        self._missing: set[str] = set()

    def has(self, key: str) -> bool:
        """True if a key has a text."""
        return any(catalogue.text(key) is not None for catalogue in self._catalogues)

    def find(self, key: str, *, n: float | None = None, context: str | None = None) -> str | None:
        """Return a key's text as written, or the plural form for ``n``; None if there is none."""
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
        """Return a key's text. If it has plural forms, the value ``n`` selects one."""
        return filled(self._found(key, values), values)

    def pgettext(self, context: str, key: str, /, **values: object) -> str:
        """Return a key's text in a context."""
        return filled(self._found(key, values, context), values)

    def ngettext(self, singular: str, plural: str, n: float, /, **values: object) -> str:
        """Return the plural form for a number."""
        return self.npgettext(None, singular, plural, n, **values)

    def npgettext(self, context: str | None, singular: str, plural: str, n: float, /, **values: object) -> str:
        """Return a key's plural form for a number in a context."""
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


_used: "list[Languages]" = []
"""The ``Languages`` that an application used last; its default applies outside requests."""


def use_outside_of_requests(languages: "Languages") -> None:
    """Use a feature's default language outside requests."""
    _used[:] = [languages]


def current_language() -> Language | Texts | None:
    """Return the language of the current request, or the default outside requests and outside apps with languages.

    None if no application has used ``Languages``.
    """
    request = current_request(None)
    if request is not None and (language := RequestState(request).language) is not None:
        return language
    return _used[0].texts(_used[0].default) if _used else None


class LazyText(UserString):
    """Text in the language of the current request, looked up each time it is used. Created by ``lazy_gettext``.

    It has the methods of str, which return a str. Outside requests, it is in the default language. It is equal to a str
    with the same text, and to another lazy text with the same key and values.
    """

    def __init__(self, key: str, values: dict[str, object]) -> None:
        self._key = key
        self._values = values

    @property
    def data(self) -> str:  # type: ignore[override]  # it is read-only
        """The text as a str."""
        language = current_language()
        if language is None:
            return filled(self._key, self._values)
        return language.gettext(self._key, **self._values)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, LazyText):
            return self._key == other._key and self._values == other._values
        return self.data == other

    def __hash__(self) -> int:
        return hash(self._key)

    def __add__(self, other: object) -> str:  # type: ignore[override]  # the text in any language is a str
        return self.data + str(other)

    def __radd__(self, other: object) -> str:  # type: ignore[override]
        return str(other) + self.data

    def __format__(self, spec: str) -> str:
        return format(self.data, spec)

    def format_map(self, mapping: Mapping[str, Any]) -> str:
        """Return the text with additional values, such as bounds from a form."""
        return str(LazyText(self._key, {**self._values, **mapping}))

    def format(self, *arguments: Any, **values: Any) -> str:  # noqa: ARG002 - a text names its values
        """Return the text with additional values."""
        return self.format_map(values)

    def __repr__(self) -> str:
        values = "".join(f", {name}={value!r}" for name, value in self._values.items())
        return f"lazy_gettext({self._key!r}{values})"

    def __reduce__(self) -> tuple[Any, ...]:
        return LazyText, (self._key, self._values)


def _of_text(name: str) -> Callable[..., Any]:
    """Return a str method for a lazy text: UserString's own methods would return another lazy text."""
    method = getattr(str, name)

    def call(self: LazyText, *arguments: Any, **named: Any) -> Any:
        return method(self.data, *arguments, **named)

    return call


_MAKING_TEXT = (
    "__getitem__", "__mod__", "__mul__", "__rmul__", "capitalize", "casefold", "center", "expandtabs", "ljust", "lower",
    "lstrip", "removeprefix", "removesuffix", "replace", "rjust", "rstrip", "strip", "swapcase", "title", "translate",
    "upper", "zfill",
)  # fmt: skip
for _name in _MAKING_TEXT:
    setattr(LazyText, _name, _of_text(_name))


def lazy_gettext(key: str, /, **values: object) -> LazyText:
    """Return text that is looked up by its key, in the language of the current request, when it is used.

    Use ``label = lazy_gettext("your-name")`` for values created before there is a request, such as labels. Outside
    requests, the text is in the default language of the application that used ``Languages`` last.
    """
    return LazyText(key, values)
