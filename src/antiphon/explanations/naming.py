"""Names from other frameworks: reading one raises an AttributeError with Antiphon's name, at no other cost. The names
are rows of ``words.tsv``.
"""

import os
import re
import sys
from abc import ABCMeta
from collections.abc import Iterable, Mapping
from importlib.machinery import PathFinder
from typing import Any, NoReturn


def _tables() -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    with open(os.path.join(os.path.dirname(__file__), "words.tsv"), encoding="utf-8") as file:
        _, *rows = file.read().splitlines()
    for row in rows:
        place, words, ours = row.split("\t")
        table = tables.setdefault(place, {})
        for word in words.split():
            table[word] = ours
    return tables


WORDS = _tables()
"""For each class, function or package, other names and Antiphon's. A class's "when set" has attributes that programs
set elsewhere, and that would have no effect here.
"""

ROUTES = WORDS["Routes"] | WORDS["Routes, when set"]
ROUTES_ATTRIBUTES = WORDS["Routes, when set"] | {
    word: f"App({ours})" if ours.partition("=")[0].isidentifier() else ours
    for word, ours in WORDS["App.__init__"].items()
}
"""Attributes of other frameworks' apps that would have no effect here, and Antiphon's equivalents."""

NO_WORDS: Mapping[str, str] = {}


class NamesOurs(ABCMeta):
    """The metaclass of classes whose errors about other frameworks' names show Antiphon's: ``class
    Request(metaclass=NamesOurs, words=WORDS["Request"])``.

    Setting one of the ``settings`` on an object of exactly this class is an error, too, since it would have no effect.
    A subclass may define or inherit any of these names, and its objects may set them. ``dir``, ``help`` and completion
    leave the other names out. It is an ABCMeta so that subclasses may be abstract. ``isinstance`` is as fast as for
    other classes.
    """

    _hints: dict[str, str] = {}  # noqa: RUF012 - each class gets its own
    __instancecheck__ = type.__instancecheck__
    __subclasscheck__ = type.__subclasscheck__

    def __new__(
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        /,
        words: Mapping[str, str] = NO_WORDS,
        settings: Mapping[str, str] = NO_WORDS,
        **options: Any,
    ) -> "NamesOurs":
        cls = super().__new__(mcls, name, bases, namespace, **options)
        cls._hints = {word: ours for base in bases for word, ours in getattr(base, "_hints", NO_WORDS).items()}
        cls._hints |= {**words, **settings}
        names, plain = _names(cls), OtherWord if cls.__dictoffset__ else OtherField
        for word, ours in cls._hints.items():
            if word not in names or isinstance(names[word], OtherWord):
                _hint(cls, word, ours, OtherField if word in settings else plain)
        if words:
            cls.__dir__ = _names_of  # type: ignore[method-assign,assignment]
        return cls

    def __dir__(cls) -> list[str]:
        return _without_others(type.__dir__(cls), cls)


class OtherWord:
    """An attribute that a class has under a different name. You can still set this name on an instance."""

    def __init__(self, word: str, ours: str) -> None:
        self._word = word
        self.ours = ours

    def __get__(self, instance: object, owner: type) -> NoReturn:
        message = f"{owner.__name__} has no {self._word!r}; use {self.ours}"
        raise AttributeError(message, name=self._word, obj=instance)


class OtherField(OtherWord):
    """An attribute that objects have under a different name. Setting it is an error, since nothing would read it."""

    def __set__(self, instance: object, value: object) -> NoReturn:
        self.__get__(instance, type(instance))


def _names(cls: type) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for each in reversed(cls.__mro__):
        names |= vars(each)
    return names


def _hint(cls: type, word: str, ours: str, kind: type[OtherWord]) -> None:
    """Give a class a hint, or what a class further up defines under that name, such as a mixin behind ``App``."""
    found = [vars(base)[word] for base in cls.__mro__ if word in vars(base)]
    defined = [value for value in found if not isinstance(value, OtherWord)]
    if defined or not found or type(found[0]) is not kind or found[0].ours != ours:
        setattr(cls, word, defined[0] if defined else kind(word, ours))


def _names_of(thing: object) -> list[str]:
    """Return the names that ``dir`` shows for an object, without those that only raise an error."""
    return [*{*_without_others(object.__dir__(thing), type(thing)), *getattr(thing, "__dict__", ())}]


def _without_others(names: Iterable[str], cls: type) -> list[str]:
    defined = _names(cls)
    return [name for name in names if not isinstance(defined.get(name), OtherWord)]


def other_word(kind: type, name: str) -> str | None:
    """Return Antiphon's equivalent of another framework's name that a class has in another spelling: setStatus."""
    bare = _bare(name)
    words = (value for cls in kind.__mro__ for each, value in vars(cls).items() if _bare(each) == bare)
    return next((value.ours for value in words if isinstance(value, OtherWord)), None)


def _bare(name: str) -> str:
    return name.replace("_", "").lower()


def missing_name(package: str, name: str) -> str | None:
    """Return the message for a name that a package lacks, with a fix, such as Antiphon's name; None without a fix."""
    place = "antiphon" if package in _INNER else package
    is_unknown = place in PLACES and not name.startswith("_") and not _is_module(package, name)
    fix = _fix_of(place, name) if is_unknown else None
    return None if fix is None else f"{package} has no {name!r}; {fix}"


def _is_module(package: str, name: str) -> bool:
    """Return True if a package has a module with the given name, which an import statement loads after this error."""
    return PathFinder.find_spec(f"{package}.{name}", getattr(sys.modules[package], "__path__", [])) is not None


def _fix_of(package: str, name: str) -> str | None:
    if ours := (WORDS["antiphon"] | WORDS.get(package, {})).get(name):
        return f"use {ours}"
    if status := re.match(r"HTTP_(\d{3})(_|$)", name):
        return f"use the number, {status[1]}"
    bare = re.sub(r"^HTTP(?=[A-Z])|Exception$", "", name)  # HTTPNotFound, NotFoundException
    for known in (name, bare):
        if home := _home_of(known):
            return f"write `from {home} import {known}`"
    for place in (package, *_LIKELY):
        if near := nearest(name, _names_in(place), 0.8):
            return f"did you mean `from {place} import {near}`?"
    return None


_LIKELY = ("antiphon", "antiphon.features", "antiphon.testing", "antiphon.http")
"""The packages that are searched for a misspelt name. Almost any word resembles one of the other packages' names."""
_INNER = ("antiphon.request", "antiphon.response")
"""Packages that nobody needs to import, but many do, as they would elsewhere."""
PLACES = (*_LIKELY, "antiphon.types", "antiphon.logs", "antiphon.cli", "antiphon.embedding")
"""The public packages, which are searched for a name that was imported from the wrong package."""


def _home_of(name: str) -> str | None:
    return next((place for place in PLACES if name in _names_in(place)), None)


def _names_in(package: str) -> list[str]:
    from importlib import import_module

    names: list[str] = import_module(package).__all__
    return names


def word_for(word: str, words: Mapping[str, str], known: Iterable[str]) -> str | None:
    """Return the equivalent of another framework's name, or else the known name nearest to an unknown one."""
    return words.get(word) or nearest(word, known)


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, known, 1, cutoff)), None)


def unknown_setting(kind: type, name: str, words: Mapping[str, str]) -> str:
    """Return the message for an argument that a class doesn't have, with Antiphon's name or the nearest argument."""
    from inspect import signature

    known = [each for each in signature(kind).parameters if each not in ("others", "unknown")]
    if ours := words.get(name):
        fix = f"did you mean {ours!r}?" if ours in known else f"use {ours}"
    elif near := nearest(name, known):
        fix = f"did you mean {near!r}?"
    else:
        fix = f"it has {', '.join(known)}"
    return f"{kind.__name__} has no argument {name!r}; {fix}"


def refuse_unknown_attributes(kind: Any) -> None:
    """From now on, refuse to set unknown attributes on a class of requests. Making one then takes twice as long."""

    def set_known(self: object, name: str, value: object) -> None:
        if type(self) is kind and not hasattr(kind, name):
            raise unknown_attribute(kind, name)
        object.__setattr__(self, name, value)

    kind.__setattr__ = set_known


def unknown_attribute(kind: type, name: str) -> AttributeError:
    """Return the error for setting an attribute that requests of a class don't have."""
    near = nearest(name, [each for each in dir(kind) if each[0] != "_" and hasattr(kind, each)])  # not other words
    ours = other_word(kind, name)
    meant = f" use {ours};" if ours else f" did you mean {near!r}?" if near else ""
    return AttributeError(f"a request has no attribute {name!r}:{meant} values of your own go to request.g.{name}")
