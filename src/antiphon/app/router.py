"""From a path to what answers it: a dictionary for literal paths, a tree of segments for those with parameters.

The time that a lookup takes depends on the path's segments and not on the number of routes.
"""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from antiphon.app.pattern import Converter, Parameter, parse_pattern

T = TypeVar("T")

_NO_PARAMS: dict[str, Any] = {}


class Resource(Generic[T]):
    """What answers each method at one path. ``names`` are those of its parameters, in order."""

    __slots__ = ("methods", "names", "pattern")

    def __init__(self, pattern: str, names: tuple[str, ...]) -> None:
        self.pattern = pattern
        self.names = names
        self.methods: dict[str, T] = {}


class _Node(Generic[T]):
    """A place in the tree: where literal segments lead, where parameters do, and what is here."""

    __slots__ = ("literals", "parameters", "resource")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.parameters: list[tuple[Converter, _Node[T]]] = []
        self.resource: Resource[T] | None = None

    def child(self, segment: str | Parameter) -> "_Node[T]":
        """The node behind a segment, made if it isn't there."""
        if isinstance(segment, str):
            return self.literals.setdefault(segment, _Node())
        for converter, node in self.parameters:
            if converter is segment.converter:
                return node
        node = _Node[T]()
        self.parameters.append((segment.converter, node))
        self.parameters.sort(key=lambda entry: entry[0].rank)
        return node


class Router(Generic[T]):
    """All resources of an application."""

    def __init__(self) -> None:
        self._literal: dict[str, tuple[Resource[T], Mapping[str, Any]]] = {}
        self._root = _Node[T]()
        self.resources: list[Resource[T]] = []

    def resource(self, pattern: str) -> Resource[T]:
        """The resource at a path, made if it isn't there.

        Raises ValueError for a malformed path, or one that differs from another's in its parameters' names only.
        """
        segments = parse_pattern(pattern)
        names = tuple(segment.name for segment in segments if isinstance(segment, Parameter))
        if not names:
            if pattern not in self._literal:
                self._literal[pattern] = self._new(pattern, names), _NO_PARAMS
            return self._literal[pattern][0]
        node = self._root
        for segment in segments:
            node = node.child(segment)
        if node.resource is None:
            node.resource = self._new(pattern, names)
        elif node.resource.names != names:
            raise ValueError(f"{pattern!r} and {node.resource.pattern!r} match the same paths; name them alike")
        return node.resource

    def _new(self, pattern: str, names: tuple[str, ...]) -> Resource[T]:
        resource = Resource[T](pattern, names)
        self.resources.append(resource)
        return resource

    def find(self, path: str) -> tuple[Resource[T], Mapping[str, Any]] | None:
        """The resource for a path and the values of its parameters, converted; None when there is none."""
        return self._literal.get(path) or self._search(path)

    def _search(self, path: str) -> tuple[Resource[T], Mapping[str, Any]] | None:
        values: list[Any] = []
        resource = _walk(self._root, path.split("/"), 1, values)
        return (resource, dict(zip(resource.names, values, strict=True))) if resource else None


def _walk(node: _Node[T], segments: list[str], at: int, values: list[Any]) -> Resource[T] | None:
    if at == len(segments):
        return node.resource
    segment = segments[at]
    if following := node.literals.get(segment):
        found = _walk(following, segments, at + 1, values)
        if found:
            return found
    if segment:
        for converter, following in node.parameters:
            try:
                value = converter.to_python(segment)
            except ValueError:
                continue
            values.append(value)
            found = _walk(following, segments, at + 1, values)
            if found:
                return found
            values.pop()
    return None
