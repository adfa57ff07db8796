"""Catalogues: files with translations into one language, in JSON or gettext formats, with plural rules.

Babel has the rules of all languages. Without Babel, the rules below apply; other languages use "one" for 1, and "other"
for all other numbers.
"""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from gettext import GNUTranslations, NullTranslations
from typing import Any, TypeAlias

from antiphon import explained

CATEGORIES = ("zero", "one", "two", "few", "many", "other")
"""The CLDR categories, in CLDR's order."""

Rule: TypeAlias = Callable[[float], str]
"""A function that returns the category of a number."""


def _none(_n: float) -> str:
    return "other"


def _one(n: float) -> str:
    return "one" if n == 1 else "other"


def _to_one(n: float) -> str:
    return "one" if 0 <= n <= 1 else "other"


def _below_two(n: float) -> str:
    return "one" if 0 <= n < 2 else _millions(n)


def _one_or_millions(n: float) -> str:
    return "one" if n == 1 else _millions(n)


def _millions(n: float) -> str:
    return "many" if n and n % 1_000_000 == 0 else "other"


def _east_slavic(n: float) -> str:
    if n % 1:
        return "other"
    if n % 10 == 1 and n % 100 != 11:
        return "one"
    return "few" if 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14 else "many"


def _polish(n: float) -> str:
    if n % 1:
        return "other"
    if n == 1:
        return "one"
    return "few" if 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14 else "many"


def _czech(n: float) -> str:
    if n % 1:
        return "many"
    return "one" if n == 1 else "few" if 2 <= n <= 4 else "other"


def _arabic(n: float) -> str:
    if n in (0, 1, 2):
        return ("zero", "one", "two")[int(n)]
    if n % 1 or n % 100 < 3:
        return "other"
    return "few" if n % 100 <= 10 else "many"


def _hebrew(n: float) -> str:
    if n == 1 or 0 < n < 1:
        return "one"
    return "two" if n == 2 else "other"


_RULES: dict[Rule, str] = {
    _none: "id ja km ko lo ms my th vi yue zh",
    _to_one: "am as bn fa gu hi kn zu",
    _below_two: "fr pt",
    _one_or_millions: "ca es it",
    _east_slavic: "be ru uk",
    _polish: "pl",
    _czech: "cs sk",
    _arabic: "ar",
    _hebrew: "he",
}
_BY_LANGUAGE = {language: rule for rule, languages in _RULES.items() for language in languages.split()}


def small_rule(tag: str) -> Rule:
    """Return a language's rule from the table in this module."""
    return _BY_LANGUAGE.get(tag.partition("-")[0], _one)


def rule_of(tag: str) -> Rule:
    """Return a language's plural rule: from Babel, if it is installed and supports the language, or else from the
    table."""
    try:
        from babel import Locale, UnknownLocaleError
    except ModuleNotFoundError:
        return small_rule(tag)
    try:
        rule: Rule = Locale.parse(tag, sep="-").plural_form
    except (UnknownLocaleError, ValueError):
        return small_rule(tag)
    return rule


def rule_when_used(tag: str) -> Rule:
    """Return a language's rule, which is not looked up until a number first needs it.

    To find the rule, Babel loads all its data on a language, which takes half a megabyte.
    """
    find_rule = cache(partial(rule_of, tag))

    def rule(n: float) -> str:
        return find_rule()(n)

    return rule


def declared_rule(plural_forms: str, used: Iterable[str]) -> Rule:
    """Return the rule that a file declares in gettext's syntax: ``nplurals=2; plural=(n > 1);``.

    The rule's numbers stand for the categories that the file uses, in CLDR's order. Raises ValueError for anything that
    is not a rule, and if the number of forms differs.
    """
    from gettext import c2py

    fields: dict[str, str] = {}
    for part in plural_forms.split(";"):
        name, _, value = part.partition("=")
        fields[name.strip()] = value
    names = sorted(set(used), key=CATEGORIES.index)
    try:
        count, choose = int(fields["nplurals"]), c2py(fields["plural"])
    except (KeyError, ValueError) as error:
        raise ValueError(f"{plural_forms!r} is not a rule, such as 'nplurals=2; plural=(n != 1);': {error}") from None
    if count != len(names):
        raise ValueError(
            f"{plural_forms!r} has {count} forms, but the translations here have {len(names)}: {', '.join(names)}"
        )
    return lambda n: names[min(choose(whole(n)), count - 1)]


def whole(n: float) -> int:
    """Return a number as gettext's rules need it: the rules are for integers, and 1.5 must be treated as more than
    one."""
    from math import ceil

    return abs(n if isinstance(n, int) else ceil(abs(n)))


Entry: TypeAlias = str | dict[str, str]
"""A message, or its plural forms by category."""

HEADER = ""
"""The key whose value is the file's header, not text."""


class Catalogue(ABC):
    """The translations in one file. A key in a context begins with the context and U+0004, as in gettext's files."""

    @abstractmethod
    def text(self, key: str) -> str | None:
        """Return a key's text, or None if there is none."""

    @abstractmethod
    def plural(self, singular: str, plural: str, n: float) -> str | None:
        """Return the plural form for a number, or None if the key, which is the singular, has no forms."""


class JSONCatalogue(Catalogue):
    """Messages from JSON: keys of nested objects are joined with dots."""

    def __init__(self, entries: Mapping[str, Entry], rule: Rule) -> None:
        self._entries = entries
        self._rule = rule

    def text(self, key: str) -> str | None:
        """Return the text, or the most general plural form if there are several."""
        entry = self._entries.get(key)
        return _general(entry) if isinstance(entry, dict) else entry

    def plural(self, singular: str, plural: str, n: float) -> str | None:  # noqa: ARG002 - the key is the singular
        """Return the form for the number's category."""
        entry = self._entries.get(singular)
        if not isinstance(entry, dict):
            return None
        form = entry.get(self._rule(abs(n)))
        return _general(entry) if form is None else form


def _general(forms: dict[str, str]) -> str:
    return forms.get("other") or [*forms.values()][-1]


class GettextCatalogue(Catalogue):
    """Messages from gettext's files, read by the standard library."""

    def __init__(self, translations: GNUTranslations) -> None:
        translations.add_fallback(_Missing())
        self._translations = translations

    def text(self, key: str) -> str | None:
        """Return the text."""
        return self._translations.gettext(key) if key else None

    def plural(self, singular: str, plural: str, n: float) -> str | None:
        """Return the form chosen by the file's own rule, from its Plural-Forms header."""
        return self._translations.ngettext(singular, plural, whole(n)) if singular else None


class _Missing(NullTranslations):
    """The last fallback in the standard library's search, which would otherwise return the key."""

    def gettext(self, message: str) -> Any:  # noqa: ARG002
        return None

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> Any:  # noqa: ARG002
        return None


# Reading


def read_json(path: str, tag: str) -> Catalogue:
    """Read translations from JSON. Raises ValueError, naming the file and line, for a malformed file."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        found = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_each_once)
        entries = dict(_flattened(found))
        header = entries.pop(HEADER, {})
        rule = _declared(header, entries) or rule_when_used(tag)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise explained("bad-catalogue", f"{path}, line {line}: not in UTF-8") from None
    except json.JSONDecodeError as error:
        raise explained("bad-catalogue", f"{path}, line {error.lineno}: {error.msg}") from None
    except _MalformedError as error:
        line = _line_of(data.decode("utf-8-sig"), error.key)
        raise explained("bad-catalogue", f"{path}, line {line}: {error}") from None
    return JSONCatalogue(entries, rule)


class _MalformedError(ValueError):
    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key = key


def _line_of(text: str, key: str) -> int:
    """Return the last line that contains a key."""
    where = max(text.rfind(json.dumps(key)), text.rfind(json.dumps(key, ensure_ascii=False)))
    return text.count("\n", 0, max(where, 0)) + 1


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        key = next(key for key in found if keys.count(key) > 1)
        raise _MalformedError(key, f"the key {key!r} occurs twice in one object")
    return found


def _flattened(found: object, above: str = "") -> Iterator[tuple[str, Entry]]:
    if not isinstance(found, dict):
        raise _MalformedError("", f"translations must be an object, not {type(found).__name__}")
    for name, value in found.items():
        key = f"{above}{name}"
        if isinstance(value, str):
            yield key, value
        elif not isinstance(value, dict):
            raise _MalformedError(
                name, f"{key!r} is {value!r:.80}: it must be text, or an object with plural forms as text"
            )
        elif _is_plural(value) or key == HEADER:
            yield key, value
        else:
            yield from _flattened(value, f"{key}.")


def _is_plural(value: dict[str, Any]) -> bool:
    """Return True for plural forms: an object of strings whose keys are all CLDR categories."""
    return bool(value) and value.keys() <= set(CATEGORIES) and all(isinstance(form, str) for form in value.values())


def _declared(header: Entry, entries: Mapping[str, Entry]) -> Rule | None:
    """Return the plural rule that a file declares, or None if it doesn't declare one."""
    declared = header.get("plural-forms") if isinstance(header, dict) else None
    if declared is None:
        return None
    used = [category for entry in entries.values() if isinstance(entry, dict) for category in entry]
    try:
        return declared_rule(str(declared), used)
    except ValueError as error:
        raise _MalformedError("plural-forms", str(error)) from None


def read_mo(path: str, _tag: str) -> Catalogue:
    """Read translations compiled by gettext. Raises ValueError, naming the file, if it is malformed."""
    with open(path, "rb") as file:
        try:
            return GettextCatalogue(GNUTranslations(file))
        except (OSError, ValueError, LookupError, ArithmeticError) as error:
            raise explained("bad-catalogue", f"{path}: not a compiled gettext file: {error}") from None
        except Exception as error:  # such as struct.error for a truncated file
            raise explained("bad-catalogue", f"{path}: not a compiled gettext file: {error}") from None


def read_po(path: str, _tag: str) -> Catalogue:
    """Read gettext's source files, with Babel. Translations marked "fuzzy" are skipped.

    Raises ValueError, naming the file and line, for a malformed file, and ImportError without Babel.
    """
    try:
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import PoFileError, read_po
    except ModuleNotFoundError as error:
        raise explained(
            "missing-package",
            ImportError(
                f"{path} needs Babel to be read: pip install 'antiphon[languages]', or compile it to a .mo file, which"
                " doesn't need Babel: pybabel compile -d locales"
            ),
        ) from error
    from io import BytesIO

    compiled = BytesIO()
    with open(path, "rb") as file:
        try:
            write_mo(compiled, read_po(file, abort_invalid=True))
        except PoFileError as error:
            raise explained("bad-catalogue", f"{path}, line {error.lineno + 1}: {error}") from None
    compiled.seek(0)
    return GettextCatalogue(GNUTranslations(compiled))


Reader: TypeAlias = Callable[[str, str], Catalogue]
READERS: Mapping[str, Reader] = {".json": read_json, ".mo": read_mo, ".po": read_po}


def read(path: str, tag: str) -> Catalogue:
    """Read a catalogue for a language, in the format that its file extension indicates."""
    return READERS[os.path.splitext(path)[1]](path, tag)
