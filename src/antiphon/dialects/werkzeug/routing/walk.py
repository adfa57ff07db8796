"""A walk through the tree of rules, along the segments of a path.

Texts are tried before expressions, and expressions by their weight. A branch without a result is left again, so that a
walk takes at most as many steps as the tree has states.
"""

from typing import TYPE_CHECKING, TypeAlias

from antiphon.dialects.werkzeug.routing.tree import Edge, State, Texts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from antiphon.dialects.werkzeug.routing.rules import Rule

_NO_REST = ("", "/")
"""The beginnings of a rest that a path converter does not take."""

Found: TypeAlias = "tuple[Rule, Texts] | None"


class SlashRequired(Exception):
    """The error of a rule that would match with a slash at the end of the path."""


class Walk:
    """A search for the rule. It notes rules for other methods, or for the other kind of request."""

    allowed: "AbstractSet[str]" = frozenset()
    is_mismatch = False

    def __init__(self, segments: list[str], method: str, websocket: bool) -> None:
        self.segments = segments
        self.method = method
        self.websocket = websocket

    def follow(self, state: State, at: int, texts: Texts) -> Found:
        """Return the rule for the segments from ``at`` on, with the texts that were found before. Raises
        SlashRequired.
        """
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
        """Follow several branches, or none."""
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
        """Match the whole rest of the path."""
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
        """Return the rule that ends here, or one slash further. Raises SlashRequired."""
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
