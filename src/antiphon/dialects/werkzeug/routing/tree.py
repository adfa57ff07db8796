"""The tree of all rules: states, and the texts and expressions that lead from one to the next."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from antiphon.dialects.werkzeug.routing.linear import Linear, linear
from antiphon.dialects.werkzeug.routing.parts import VALUE, Part, Variable

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.routing.rules import Rule

Texts: TypeAlias = tuple[str, ...]

SHORT = 40
"""The most characters for which backtracking is always fast."""

_ANY_REST = f"(?P<{VALUE}0>[^/].*?)"
_ANY_TEXT = {f"(?P<{VALUE}0>[^/]{count})" for count in ("{1,}", "+")}


class State:
    """A state of the tree: the rules that end here, and the edges that go on."""

    __slots__ = ("dynamic", "rules", "static")

    def __init__(self) -> None:
        self.dynamic: list[Edge] = []
        self.rules: list[Rule] = []
        self.static: dict[str, State] = {}

    def next(self, part: Part) -> "State":
        """Return the state after a part. It is added if it does not exist."""
        if part.is_static:
            return self.static.setdefault(part.content, State())
        for edge in self.dynamic:
            if edge.part[:-1] == part[:-1]:  # the pieces differ in identity only
                return edge.state
        edge = Edge(part)
        self.dynamic.append(edge)
        return edge.state


class Edge:
    """An expression, and the state after it."""

    __slots__ = ("is_final", "match", "part", "slash_follows", "state", "takes_any", "takes_rest", "texts")

    def __init__(self, part: Part) -> None:
        compiled = re.compile(part.content)
        self.part = part
        self.is_final = part.is_final
        self.slash_follows = part.slash_follows
        self.takes_any = part.content in _ANY_TEXT
        self.takes_rest = part.content == _ANY_REST
        self.match: Callable[[str], object] = compiled.fullmatch
        self.texts: Callable[[Any], Texts] = _texts_of(part, compiled.groups)
        self.state = State()
        if (by_places := linear([*part.pieces])) is not None:
            self.match = _first_quick(compiled, by_places)
            self.texts = tuple


def _first_quick(compiled: re.Pattern[str], by_places: Linear) -> Callable[[str], Texts | None]:
    """Return a matcher that backtracks for short texts, which is faster, and is linear for long ones."""

    def match(text: str) -> Texts | None:
        if len(text) > SHORT:
            return by_places.match(text)
        found = compiled.fullmatch(text)
        return found and found.groups()

    return match


def _texts_of(part: Part, groups: int) -> Callable[[re.Match[str]], Texts]:
    """Return the function that extracts the values' texts from a match. Expressions may have their own groups."""
    variables = sum(isinstance(piece, Variable) for piece in part.pieces)
    if groups == variables:
        return re.Match.groups
    names = [f"{VALUE}{number}" for number in range(variables)]
    return lambda match: tuple([match[name] for name in names])
