"""The search for the rule that matches a host and a path: a walk through the tree of all rules, in linear time.

The result is the same as with ``re``: each converter matches the longest, or the shortest, text that allows the rest to
match. The matcher first works backward from the end and finds all positions where each converter may begin. These are
the bits of a single number, counted from the end of the text, so all positions move at once.

Literal text is tried before expressions, and expressions in the order of their weights. A walk never returns to a
branch that gave no result, so it takes at most as many steps as the tree has states.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from antiphon.dialects.werkzeug.routing.converters import AnyConverter, BaseConverter, UUIDConverter, ValidationError
from antiphon.dialects.werkzeug.routing.exceptions import NoMatch, RequestAliasRedirect, RequestPath
from antiphon.dialects.werkzeug.routing.parts import VALUE, Part, Variable

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from antiphon.dialects.werkzeug.routing.rules import Rule


_text_length = re.compile(r"\[\^/\]\{([0-9]+)(?:(,)([0-9]*))?\}").fullmatch


class Literal:
    """One of several strings. The first match wins."""

    def __init__(self, *texts: str) -> None:
        self._texts = texts

    def starts(self, text: str, ends: int) -> int:
        """Return the positions from which a match can reach one of ``ends``."""
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
    """From ``least`` to ``most`` characters of a kind: as many as possible or, with ``lazy``, as few as possible."""

    def __init__(self, kind: str, least: int, most: int | None = None, lazy: bool = False) -> None:
        self._other = re.compile(f"[^{kind}]" if kind[0] != "^" else f"[{kind[1:]}]")
        self._run = re.compile(f"[{kind}]*", re.DOTALL)
        self._least = least
        self._most = most
        self._lazy = lazy

    def starts(self, text: str, ends: int) -> int:
        """Return the positions from which a match can reach one of ``ends``."""
        kind = self._bits(text)
        places = ends
        for _ in range(self._least):
            places = (places & kind) << 1
        if self._most is None:
            return (((places & kind) + kind) ^ kind) | places  # the carry propagates across characters of that kind
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
        """Return a number with a bit for each character of the kind, starting from the last character."""
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
    """A matcher for a rule's literals and variables between two slashes, or for the rest of the rule."""

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
        """Return each variable's text, or None if the whole text does not match."""
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
    """Return a linear matcher, or None if there are fewer than two variables or one has a custom expression."""
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
    """Return a number with a bit for each occurrence of a character, starting from the end of the text."""
    pieces: Iterator[str] = ("0" * len(piece) for piece in text.split(character))
    return int("1".join(pieces) or "0", 2)


Texts: TypeAlias = tuple[str, ...]

SHORT = 40
"""The maximum length, in characters, for which backtracking is always fast."""

_ANY_REST = f"(?P<{VALUE}0>[^/].*?)"
_ANY_TEXT = {f"(?P<{VALUE}0>[^/]{count})" for count in ("{1,}", "+")}


class State:
    """A state of the tree: the rules that end here, and the edges to further states."""

    __slots__ = ("dynamic", "rules", "static")

    def __init__(self) -> None:
        self.dynamic: list[Edge] = []
        self.rules: list[Rule] = []
        self.static: dict[str, State] = {}

    def next(self, part: Part) -> "State":
        """Return the state after a part, adding it if it is missing."""
        if part.is_static:
            return self.static.setdefault(part.content, State())
        for edge in self.dynamic:
            if edge.part[:-1] == part[:-1]:  # ignore the pieces, which are equivalent but not equal
                return edge.state
        edge = Edge(part)
        self.dynamic.append(edge)
        return edge.state


class Edge:
    """An expression and the state that follows it."""

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
    """Return a matcher that backtracks for short strings, where that is faster, and takes linear time for long ones."""

    def match(text: str) -> Texts | None:
        if len(text) > SHORT:
            return by_places.match(text)
        found = compiled.fullmatch(text)
        return found and found.groups()

    return match


def _texts_of(part: Part, groups: int) -> Callable[[re.Match[str]], Texts]:
    """Return a function that extracts the values' text from a match. Expressions may contain groups of their own."""
    variables = sum(isinstance(piece, Variable) for piece in part.pieces)
    if groups == variables:
        return re.Match.groups
    names = [f"{VALUE}{number}" for number in range(variables)]
    return lambda match: tuple([match[name] for name in names])


_NO_REST = ("", "/")
"""A path converter does not match text that begins with one of these."""

Found: TypeAlias = "tuple[Rule, Texts] | None"


class SlashRequired(Exception):
    """Raised if a rule would match if the path ended with a slash."""


class Walk:
    """A search for the rule. It also records whether rules match for other methods or for the other kind of request."""

    allowed: "AbstractSet[str]" = frozenset()
    is_mismatch = False

    def __init__(self, segments: list[str], method: str, websocket: bool) -> None:
        self.segments = segments
        self.method = method
        self.websocket = websocket

    def follow(self, state: State, at: int, texts: Texts) -> Found:
        """Return the rule for the segments starting at ``at``, and the values' text. Raises SlashRequired."""
        segments = self.segments
        last = len(segments) - 1
        for place in range(at, last + 1):
            segment = segments[place]
            following = state.static.get(segment)
            edges = state.dynamic
            if not segment and place == last:
                return self._choose(state, following, place, texts)
            if following is not None and not edges:
                state = following
                continue
            if following is not None or len(edges) != 1:
                return self._choose(state, following, place, texts)
            edge = edges[0]
            if edge.is_final:
                return self._try_final(edge, "/".join(segments[place:]), texts)
            if edge.takes_any and segment:
                texts = (*texts, segment)
            elif match := edge.match(segment):
                texts += edge.texts(match)
            else:
                return None
            state = edge.state
        return self._end(state, texts)

    def _choose(self, state: State, following: State | None, at: int, texts: Texts) -> Found:
        """Try several branches in turn."""
        if following is not None and (found := self.follow(following, at + 1, texts)):
            return found
        for edge in state.dynamic:
            if found := self._try(edge, at, texts):
                return found
        segments = self.segments
        if at == len(segments) - 1 and not segments[at]:
            return self._first([rule for rule in state.rules if not rule.strict_slashes], texts)
        return None

    def _try(self, edge: Edge, at: int, texts: Texts) -> Found:
        segments = self.segments
        segment = segments[at]
        if edge.takes_any:
            return self.follow(edge.state, at + 1, (*texts, segment)) if segment else None
        if edge.is_final:
            return self._try_final(edge, "/".join(segments[at:]), texts)
        match = edge.match(segment)
        return None if match is None else self.follow(edge.state, at + 1, texts + edge.texts(match))

    def _try_final(self, edge: Edge, rest: str, texts: Texts) -> Found:
        """Match the entire rest of the path."""
        state = edge.state
        if edge.slash_follows:
            state = state.static[""] if rest.endswith("/") else state
            rest = rest.removesuffix("/")
            if rest.endswith("/"):
                return None
        if edge.takes_rest:
            return self._end(state, (*texts, rest)) if rest[:1] not in _NO_REST and rest.find("\n", 1) < 0 else None
        match = edge.match(rest)
        return None if match is None else self._end(state, texts + edge.texts(match))

    def _end(self, state: State, texts: Texts) -> Found:
        """Return the rule that ends here or after one more slash. Raises SlashRequired."""
        return self._first(state.rules, texts) or (self._with_slash(state, texts) if "" in state.static else None)

    def _with_slash(self, state: State, texts: Texts) -> Found:
        for rule in state.static[""].rules:
            if rule.websocket == self.websocket and (rule.methods is None or self.method in rule.methods):
                if rule.strict_slashes:
                    raise SlashRequired
                return rule, texts
        return None

    def _first(self, rules: "Iterable[Rule]", texts: Texts) -> Found:
        for rule in rules:
            if rule.methods is not None and self.method not in rule.methods:
                self.allowed |= rule.methods
            elif rule.websocket != self.websocket:
                self.is_mismatch = True
            else:
                return rule, texts
        return None


_slashes = re.compile("/{2,}")


class StateMachineMatcher:
    """The tree of rules. Call ``update`` after ``add`` and before ``match``."""

    def __init__(self, merge_slashes: bool) -> None:
        self.merge_slashes = merge_slashes
        self._root = State()
        self._whole: dict[tuple[str, str], State] = {}
        self._starts: dict[str, State] = {}

    def add(self, rule: "Rule") -> None:
        state = self._root
        for part in rule.parts:
            state = state.next(part)
        state.rules.append(rule)
        if all(part.is_static for part in rule.parts):
            domain, *segments = [part.content for part in rule.parts]
            self._whole[domain, "/".join(segments)] = state

    def update(self) -> None:
        """Sort the branches of the tree by the order in which they are tried."""
        self._starts = self._find_starts()
        states = [self._root]
        while states:
            state = states.pop()
            state.dynamic.sort(key=attrgetter("part.weight"))
            states.extend(state.static.values())
            states.extend(edge.state for edge in state.dynamic)

    def _find_starts(self) -> dict[str, State]:
        """Map each domain without variables to the state after the first slash, if no other branch can match it."""
        if self._root.dynamic:
            return {}
        domains = {domain: state for domain, state in self._root.static.items() if not state.dynamic}
        return {domain: state.static[""] for domain, state in domains.items()}

    def match(self, domain: str, path: str, method: str, websocket: bool) -> "tuple[Rule, dict[str, Any]]":
        """Return the rule for a path and the values of its variables. The path must be empty or begin with a slash.

        Raises NoMatch, RequestAliasRedirect, or RequestPath if the path has missing or repeated slashes.
        """
        state = self._whole.get((domain, path))
        if state is not None:  # literals come before expressions
            for rule in state.rules:
                if (rule.methods is None or method in rule.methods) and rule.websocket == websocket:
                    return rule, _completed(rule, {})
        walk = Walk([domain, *path.split("/")], method, websocket)
        start = self._starts.get(domain) if path else None
        try:
            found = walk.follow(self._root, 0, ()) if start is None else walk.follow(start, 2, ())
        except SlashRequired:
            raise RequestPath(f"{path}/") from None
        if found is None and "//" in path:
            self._merge(walk, domain, path)
        if found is None:
            raise NoMatch(set(walk.allowed), walk.is_mismatch)
        rule, texts = found
        try:
            return rule, _completed(rule, _values(rule, texts))
        except ValidationError as error:
            raise NoMatch(set(walk.allowed), walk.is_mismatch) from error

    def _merge(self, walk: Walk, domain: str, path: str) -> None:
        """Raise RequestPath if a rule matches the path once repeated slashes are merged."""
        if self.merge_slashes:
            path = _slashes.sub("/", path)
            walk.segments = [domain, *path.split("/")]
            try:
                found = walk.follow(self._root, 0, ())
            except SlashRequired:
                raise RequestPath(f"{path}/") from None
            if found is not None and found[0].merge_slashes is not False:
                raise RequestPath(path)


def _values(rule: "Rule", texts: Texts) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for (name, to_python), text in zip(rule.readers, texts):  # noqa: B905 - equally long, and the keyword is slow
        values[name] = text if to_python is None else to_python(text)
    return values


def _completed(rule: "Rule", values: dict[str, Any]) -> dict[str, Any]:
    if rule.defaults:
        values.update(rule.defaults)
    if rule.alias and rule.map.redirect_defaults:
        raise RequestAliasRedirect(values, rule.endpoint)
    return values
