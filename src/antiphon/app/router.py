"""From a path to what answers it: a dictionary for literal paths, a tree of segments for those with parameters.

The time that a lookup takes depends on the path's segments and not on the number of routes.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from antiphon.app.pattern import Converter, Parameter, parse_pattern

T = TypeVar("T")


class SamePathsError(ValueError):
    """Two patterns match the same paths, and name their parameters differently."""

    def __init__(self, pattern: str, earlier: str) -> None:
        super().__init__(f"{pattern!r} and {earlier!r} match the same paths; name their parameters alike")
        self.earlier = earlier


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
        self.parameters: list[tuple[Converter, Callable[[str], Any], _Node[T]]] = []
        self.resource: Resource[T] | None = None

    def child(self, segment: str | Parameter) -> "_Node[T]":
        """The node behind a segment, made if it isn't there."""
        if isinstance(segment, str):
            return self.literals.setdefault(segment, _Node())
        wanted = segment.converter
        for converter, _, node in self.parameters:
            if converter is wanted:
                return node
        node = _Node[T]()
        self.parameters.append((wanted, wanted.to_python, node))
        self.parameters.sort(key=lambda entry: entry[0].rank)
        return node


class Router(Generic[T]):
    """All resources of an application.

    ``literal`` has what answers each method at each path without parameters; the others are searched.
    """

    def __init__(self) -> None:
        self.literal: dict[str, dict[str, T]] = {}
        self._literal: dict[str, Resource[T]] = {}
        self._root = _Node[T]()
        self.resources: list[Resource[T]] = []

    def resource(self, pattern: str) -> Resource[T]:
        """The resource at a path, made if it isn't there.

        Raises ValueError for a malformed path, SamePathsError for one that differs from another's in names only.
        """
        segments = parse_pattern(pattern)
        names = tuple(segment.name for segment in segments if isinstance(segment, Parameter))
        if not names:
            if pattern not in self._literal:
                self._literal[pattern] = self._new(pattern, names)
                self.literal[pattern] = self._literal[pattern].methods
            return self._literal[pattern]
        node = self._root
        for segment in segments:
            node = node.child(segment)
        if node.resource is None:
            node.resource = self._new(pattern, names)
        elif node.resource.names != names:
            raise SamePathsError(pattern, node.resource.pattern)
        return node.resource

    def _new(self, pattern: str, names: tuple[str, ...]) -> Resource[T]:
        resource = Resource[T](pattern, names)
        self.resources.append(resource)
        return resource

    def search(self, path: str) -> tuple[dict[str, T], dict[str, Any]] | None:
        """The methods of the resource with parameters for a path, and their values; None when there is none."""
        values: list[Any] = []
        resource = _walk(self._root, path.split("/"), 1, values)
        return (resource.methods, dict(zip(resource.names, values))) if resource else None  # noqa: B905 - made to fit


def _walk(node: _Node[T], segments: list[str], at: int, values: list[Any]) -> Resource[T] | None:
    """Follow the segments from ``at`` on; the parameters' values are added to ``values``."""
    while at < len(segments):
        segment = segments[at]
        literal = node.literals.get(segment)
        parameters = node.parameters
        if literal is not None and not parameters:
            node = literal
        elif literal is None and len(parameters) == 1:
            _, to_python, node = parameters[0]
            try:
                values.append(to_python(segment))
            except ValueError:
                return None
        else:
            return _try_each(literal, parameters, segments, at, values)
        at += 1
    return node.resource


def _try_each(
    literal: _Node[T] | None,
    parameters: list[tuple[Converter, Callable[[str], Any], _Node[T]]],
    segments: list[str],
    at: int,
    values: list[Any],
) -> Resource[T] | None:
    """Where several ways lead on, or none, try the literal one, then the parameters by rank."""
    known = len(values)
    if literal is not None and (found := _walk(literal, segments, at + 1, values)):
        return found
    for _, to_python, node in parameters:
        del values[known:]
        try:
            values.append(to_python(segments[at]))
        except ValueError:
            continue
        if found := _walk(node, segments, at + 1, values):
            return found
    return None
