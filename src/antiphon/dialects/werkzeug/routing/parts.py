"""The parts of a rule: segments of a path, and expressions for several segments."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from antiphon.dialects.werkzeug.routing.converters import BaseConverter


class Variable(NamedTuple):
    """A variable of a rule, with its converter."""

    name: str
    converter: BaseConverter


class Weight(NamedTuple):
    """The order in which parts are tried: more text first, then longer text, more variables, lighter variables."""

    texts: int
    text_lengths: tuple[tuple[int, int], ...]
    variables: int
    variable_weights: tuple[int, ...]


class Part(NamedTuple):
    """A text that must be there, or an expression for a segment.

    A final expression is for the whole rest of the path. With ``slash_follows``, exactly one slash may follow it.
    """

    content: str
    is_static: bool
    is_final: bool
    slash_follows: bool
    weight: Weight
    pieces: tuple[str | Variable, ...]


_NO_WEIGHT = Weight(0, (), 0, ())
_NOTHING = Part("", True, False, False, _NO_WEIGHT, ())

VALUE = "value_"
"""The beginning of the names of groups for values. A number follows."""


class _Open:
    """A part that is being built."""

    def __init__(self) -> None:
        self.pieces: list[str | Variable] = []
        self.is_final = False

    def add(self, piece: str | Variable) -> None:
        self.pieces.append(piece)
        if isinstance(piece, Variable) and not piece.converter.part_isolating:
            self.is_final = True

    def finish(self, slash_follows: bool = False) -> Part:
        variables = [piece for piece in self.pieces if isinstance(piece, Variable)]
        if not variables:
            return _NOTHING._replace(content="".join(map(str, self.pieces)))
        weight = self._weight(variables)
        return Part(self.expression(), False, self.is_final, slash_follows, weight, tuple(self.pieces))

    def expression(self) -> str:
        expressions: list[str] = []
        count = 0
        for piece in self.pieces:
            if isinstance(piece, str):
                expressions.append(re.escape(piece))
            else:
                expressions.append(f"(?P<{VALUE}{count}>{piece.converter.regex})")
                count += 1
        return "".join(expressions)

    def _weight(self, variables: list[Variable]) -> Weight:
        texts = [piece for piece in self.pieces if isinstance(piece, str) and piece != "/"]
        lengths = tuple((place, -len(text)) for place, text in enumerate(texts))
        return Weight(-len(texts), lengths, -len(variables), tuple(each.converter.weight for each in variables))


def parts_of(pieces: Iterable[str | Variable]) -> list[Part]:
    """Return the parts of a rule, which is given as texts, slashes and variables."""
    parts: list[Part] = []
    part = _Open()
    for piece in pieces:
        if piece == "/" and not part.is_final:
            parts.append(part.finish())
            part = _Open()
        else:
            part.add(piece)
    if part.is_final and part.pieces[-1] == "/":
        part.pieces.pop()
        return [*parts, part.finish(slash_follows=True), _NOTHING]
    return [*parts, part.finish()]
