"""The search for the rule of a host and a path."""

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from antiphon.dialects.werkzeug.routing.converters import ValidationError
from antiphon.dialects.werkzeug.routing.exceptions import NoMatch, RequestAliasRedirect, RequestPath
from antiphon.dialects.werkzeug.routing.tree import State, Texts
from antiphon.dialects.werkzeug.routing.walk import SlashRequired, Walk

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.routing.rules import Rule

_slashes = re.compile("/{2,}")


class StateMachineMatcher:
    """The rules as a tree. Call ``update`` after ``add`` and before ``match``."""

    def __init__(self, merge_slashes: bool) -> None:
        self.merge_slashes = merge_slashes
        self._root = State()
        self._whole: dict[tuple[str, str], State] = {}
        self._starts: dict[str, State] = {}

    def add(self, rule: "Rule") -> None:
        """Add a bound rule."""
        state = self._root
        for part in rule.parts:
            state = state.next(part)
        state.rules.append(rule)
        if all(part.is_static for part in rule.parts):
            domain, *segments = [part.content for part in rule.parts]
            self._whole[domain, "/".join(segments)] = state

    def update(self) -> None:
        """Sort the branches of the tree in the order in which they are tried."""
        self._starts = self._find_starts()
        states = [self._root]
        while states:
            state = states.pop()
            state.dynamic.sort(key=attrgetter("part.weight"))
            states.extend(state.static.values())
            states.extend(edge.state for edge in state.dynamic)

    def _find_starts(self) -> dict[str, State]:
        """Return, for each domain without variables, the state after the first slash, if no other branch leads
        there.
        """
        if self._root.dynamic:
            return {}
        domains = {domain: state for domain, state in self._root.static.items() if not state.dynamic}
        return {domain: state.static[""] for domain, state in domains.items()}

    def match(self, domain: str, path: str, method: str, websocket: bool) -> "tuple[Rule, dict[str, Any]]":
        """Return the rule for a path, and the values of its variables. The path begins with a slash or is empty.

        Raises NoMatch, RequestPath if the path has a slash too few or too many, and RequestAliasRedirect.
        """
        state = self._whole.get((domain, path))
        if state is not None:  # texts are tried before expressions
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
        """Raise RequestPath if a rule matches the path with single slashes."""
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
    for (name, to_python), text in zip(rule.readers, texts):  # noqa: B905 - as many as there are, and the keyword is slow
        values[name] = text if to_python is None else to_python(text)
    return values


def _completed(rule: "Rule", values: dict[str, Any]) -> dict[str, Any]:
    if rule.defaults:
        values.update(rule.defaults)
    if rule.alias and rule.map.redirect_defaults:
        raise RequestAliasRedirect(values, rule.endpoint)
    return values
