"""Plural rules: the CLDR category ("one", "few", ...) of a number in a language.

Babel knows them all. Without Babel, the rules below apply; all other languages use "one" for 1, and else "other".
"""

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import TypeAlias

CATEGORIES = ("zero", "one", "two", "few", "many", "other")
"""The CLDR categories, in the order of CLDR."""

Rule: TypeAlias = Callable[[float], str]
"""A function from a number to its category."""


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
    """Return the rule of a language from the table here."""
    return _BY_LANGUAGE.get(tag.partition("-")[0], _one)


def rule_of(tag: str) -> Rule:
    """Return the rule of a language: from Babel, if it is installed and knows the language, else from the table."""
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
    """Return the rule of a language, looked up when a number first needs it.

    To find the rule, Babel reads all its data on a language, which takes half a megabyte.
    """
    find_rule = cache(partial(rule_of, tag))

    def rule(n: float) -> str:
        return find_rule()(n)

    return rule


def declared_rule(plural_forms: str, used: Iterable[str]) -> Rule:
    """Return the rule that a file declares in gettext's syntax: ``nplurals=2; plural=(n > 1);``.

    Its numbers stand for the categories that the file uses, in the order of CLDR. Raises ValueError for anything that
    is not a rule, and if the numbers of forms differ.
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
            f"{plural_forms!r} has {count} forms, but the texts here have {len(names)}: {', '.join(names)}"
        )
    return lambda n: names[min(choose(whole(n)), count - 1)]


def whole(n: float) -> int:
    """Return a number as gettext counts it: its rules are for integers, and 1.5 has to count as more than one."""
    from math import ceil

    return abs(n if isinstance(n, int) else ceil(abs(n)))
