"""Expressions of several converters, matched in linear time.

The result is that of ``re``: each converter takes as much, or as little, as lets the rest match. First, from the end,
all places are found where each converter may begin. They are the bits of one number, counted from the end of the text,
so that all places move at once.
"""

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from antiphon.dialects.werkzeug.routing.converters import AnyConverter, BaseConverter, UUIDConverter
from antiphon.dialects.werkzeug.routing.parts import Variable

_text_length = re.compile(r"\[\^/\]\{([0-9]+)(?:(,)([0-9]*))?\}").fullmatch


class Literal:
    """One of several texts; the first match counts."""

    def __init__(self, *texts: str) -> None:
        self._texts = texts

    def starts(self, text: str, ends: int) -> int:
        """Return the places where a match may begin that leads to one of ``ends``."""
        found = 0
        for own in self._texts:
            places = ends
            for character in reversed(own):
                places = (places & _bits_of(text, character)) << 1
            found |= places
        return found

    def end(self, text: str, at: int, ends: int) -> int:
        """Return the end of the match that begins at the index ``at``, one of its ``starts``."""
        size = len(text)
        fits = (own for own in self._texts if text.startswith(own, at) and ends >> (size - at - len(own)) & 1)
        return at + len(next(fits))


class Run:
    """From ``least`` to ``most`` characters of a kind: as many as possible, or with ``lazy`` as few."""

    def __init__(self, kind: str, least: int, most: int | None = None, lazy: bool = False) -> None:
        self._other = re.compile(f"[^{kind}]" if kind[0] != "^" else f"[{kind[1:]}]")
        self._run = re.compile(f"[{kind}]*", re.DOTALL)
        self._least = least
        self._most = most
        self._lazy = lazy

    def starts(self, text: str, ends: int) -> int:
        """Return the places where a match may begin that leads to one of ``ends``."""
        kind = self._bits(text)
        places = ends
        for _ in range(self._least):
            places = (places & kind) << 1
        if self._most is None:
            return (((places & kind) + kind) ^ kind) | places  # a carry runs as far as the characters are of the kind
        for _ in range(self._most - self._least):
            places |= (places & kind) << 1
        return places

    def end(self, text: str, at: int, ends: int) -> int:
        """Return the end of the match that begins at the index ``at``, one of its ``starts``."""
        size = len(text)
        longest = self._longest(text, at)
        places = (ends >> (size - longest)) & ((1 << (longest - at - self._least + 1)) - 1)
        return longest - (places.bit_length() if self._lazy else (places & -places).bit_length()) + 1

    def _longest(self, text: str, at: int) -> int:
        stop = len(text) if self._most is None else min(len(text), at + self._most)
        found = self._run.match(text, at, stop)
        return found.end() if found else at

    def _bits(self, text: str) -> int:
        """Return a bit for each character of the kind, the last one first."""
        pieces = self._other.split(text)
        return int("0".join(["1" * len(piece) for piece in pieces]) or "0", 2)


Element: TypeAlias = Literal | Run

_INT: list[Element] = [Run(r"\d", 1)]
_FLOAT: list[Element] = [Run(r"\d", 1), Literal("."), Run(r"\d", 1)]
_HEX: list[Element] = [
    element for size in (8, 4, 4, 4, 12) for element in (Literal("-"), Run("A-Fa-f0-9", size, size))
][1:]
_SIGN = Literal("-", "")
_KNOWN: dict[str, list[Element]] = {
    r"\d+": [*_INT],
    r"-?\d+": [_SIGN, *_INT],
    r"\d+\.\d+": [*_FLOAT],
    r"-?\d+\.\d+": [_SIGN, *_FLOAT],
    "[^/]+": [Run("^/", 1)],
    "[^/].*?": [Run("^/", 1, 1), Run(r"^\n", 0, lazy=True)],
    UUIDConverter.regex: [*_HEX],
}


class Linear:
    """The texts and variables of a rule between two slashes, or of its rest."""

    def __init__(self, pieces: Iterable[str | Variable], known: Iterable[list[Element]]) -> None:
        self._elements: list[Element] = []
        self._borders: list[tuple[int, int]] = []
        converters = iter(known)
        for piece in pieces:
            if isinstance(piece, str):
                self._elements.append(Literal(piece))
                continue
            first = len(self._elements)
            self._elements += next(converters)
            self._borders.append((first, len(self._elements)))

    def match(self, text: str) -> tuple[str, ...] | None:
        """Return the text of each variable, or None if the text does not match as a whole."""
        ends = [1]
        for element in reversed(self._elements):
            ends.append(element.starts(text, ends[-1]))
        if not ends.pop() >> len(text) & 1:
            return None
        at = 0
        places = [at]
        for element in self._elements:
            at = element.end(text, at, ends.pop())
            places.append(at)
        return tuple([text[places[first] : places[last]] for first, last in self._borders])


def linear(pieces: list[str | Variable]) -> Linear | None:
    """Return the linear matcher, or None if there is at most one variable, or a variable with its own expression."""
    known = [_elements(piece.converter) for piece in pieces if isinstance(piece, Variable)]
    own = [elements for elements in known if elements is not None]
    return Linear(pieces, own) if 1 < len(known) == len(own) else None


def _elements(converter: BaseConverter) -> list[Element] | None:
    if type(converter) is AnyConverter:
        return [Literal(*converter.texts)]
    if found := _text_length(converter.regex):
        least, several, most = int(found[1]), found[2], found[3]
        return [Run("^/", least, least if not several else int(most) if most else None)]
    return _KNOWN.get(converter.regex)


def _bits_of(text: str, character: str) -> int:
    """Return a bit for each place of a character, the last one first."""
    pieces: Iterator[str] = ("0" * len(piece) for piece in text.split(character))
    return int("1".join(pieces) or "0", 2)
