"""The router: dictionaries for literal paths, a tree of segments for paths with parameters, and path prefixes. The time
a lookup takes depends on the number of segments in the path, not on the number of routes. Even with backtracking, the
search visits each tree node at most once for each segment.

Without a GIL, lookups take no locks, except in ``dict.get`` of Python 3.13. Lookup strings are interned, and nodes and
resources have no ``__slots__``: reading a slot that another thread has set usually needs a lock.
"""

from collections.abc import Callable, Mapping
from sys import intern
from typing import Any, Generic, NamedTuple, NoReturn, TypeAlias, TypeVar

from antiphon.routing.converters import CONVERTERS, Converter
from antiphon.routing.pattern import Mixed, Parameter, Segment, distinct_parameters, parse_host_pattern, parse_pattern

T = TypeVar("T")

_MIXED_RANK = 0

Slot: TypeAlias = str | tuple[str, ...]
"""The parameter names of one segment: a single name, or several."""


class Params(dict[str, Any]):
    """The values of a route's parameters, by name. The KeyError for an unknown name lists the existing names."""

    __slots__ = ()

    def __missing__(self, name: str) -> NoReturn:
        known = f"the parameters {', '.join(self)}" if self else "no parameters"
        raise KeyError(f"there is no parameter {name!r}: the route has {known}")


class SamePathsError(ValueError):
    """Two patterns that match the same paths, but name their parameters differently."""

    def __init__(self, pattern: str, earlier: "Resource[Any]") -> None:
        super().__init__(f"{pattern!r} and {earlier.pattern!r} match the same paths: name their parameters alike")
        self.earlier = earlier


class Resource(Generic[T]):
    """The value for each method at one path.

    ``parameters`` are those of its first pattern, ``slots`` their names in the order of values, ``only`` a single name.
    """

    def __init__(self, pattern: str, slots: tuple[Slot, ...], parameters: list[Parameter]) -> None:
        self.pattern = pattern
        self.slots = slots
        self.parameters = parameters
        self.only = slots[0] if len(slots) == 1 and isinstance(slots[0], str) else None
        self.is_mixed = not all(isinstance(slot, str) for slot in slots)
        self.methods: dict[str, T] = {}

    def params(self, values: list[Any]) -> dict[str, Any]:
        """Return the values by name."""
        if not self.is_mixed:
            return Params(zip(self.slots, values))  # type: ignore[arg-type]  # noqa: B905 - names only, one for each value
        params = Params()
        for slot, value in zip(self.slots, values, strict=True):
            params.update([(slot, value)] if isinstance(slot, str) else zip(slot, value, strict=True))
        return params


class _Node(Generic[T]):
    """A node of the tree: the nodes after literal segments and after parameters, and the resource at this node.

    ``rest`` is the node after a path parameter; ``sole`` is the parameter, if there is only one and no path parameter.
    ``branches`` is True if there is any parameter.
    """

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.parameters: list[tuple[Callable[[str], Any], _Node[T]]] = []
        self.ranks: list[tuple[tuple[int, int], str]] = []
        self.rest: _Node[T] | None = None
        self.sole: tuple[Callable[[str], Any], _Node[T]] | None = None
        self.branches = False
        self.may_be_empty = False
        """True if a path parameter before this node also matches no segment at all, as in "/"."""
        self.resource: Resource[T] | None = None

    def child(self, segment: Segment) -> "_Node[T]":
        """Return the node after a segment, creating it if needed."""
        if isinstance(segment, str):
            return self.literals.setdefault(intern(segment), _Node())
        if isinstance(segment, Parameter) and segment.converter.spans:
            self.rest = self.rest or _Node()
            child = self.rest
            child.may_be_empty = child.may_be_empty or segment.converter.may_be_empty
        else:
            child = self._parameter(segment)
        self.branches = True
        self.sole = self.parameters[0] if len(self.parameters) == 1 and self.rest is None else None
        return child

    def _parameter(self, segment: Parameter | Mixed) -> "_Node[T]":
        to_python: Callable[[str], Any] = (
            segment.to_python if isinstance(segment, Mixed) else segment.converter.to_python
        )
        if isinstance(segment, Mixed):
            rank, key = (_MIXED_RANK, -segment.text_length), segment.shape
        else:
            rank, key = (segment.converter.rank, 0), segment.converter.name
        for (_, known), (_, node) in zip(self.ranks, self.parameters, strict=True):
            if known == key:
                return node
        at = sum(known <= rank for known, _ in self.ranks)
        node = _Node[T]()
        self.ranks.insert(at, (rank, key))
        self.parameters.insert(at, (to_python, node))
        return node


class Router(Generic[T]):
    """All resources of an application.

    ``literal`` contains the methods of parameterless paths with one slash. All other paths need a search. Parameterless
    paths with more slashes are looked up literally if the request has no encoded slashes; paths whose only parameter is
    the last segment are looked up by the text before it; all others are searched for in the tree.
    """

    def __init__(self, converters: Mapping[str, Converter] = CONVERTERS) -> None:
        self.literal: dict[str, dict[str, T]] = {}
        self.has_hosts = False
        self.converters = converters
        self._without_parameters: dict[str, Resource[T]] = {}
        self._deep: set[str] = set()
        """The parameterless paths that ``literal`` contains once slashes are trusted."""
        self._root = _Node[T]()
        self._before_last: dict[str, _Node[T]] = {}
        self._hosts = _Node[T]()
        self.resources: list[Resource[T]] = []

    def resource(self, pattern: str, host: str | None = None) -> Resource[T]:
        """Return the resource at a path, on one host or on all, creating it if needed.

        Raises ValueError for a malformed path, and SamePathsError if only the parameter names differ from those of
        another path.
        """
        pattern = intern(pattern)
        segments = parse_pattern(pattern, self.converters)
        if host is not None:
            return self._at_host(host, pattern, segments)
        if all(isinstance(segment, str) for segment in segments):
            if pattern not in self._without_parameters:
                self._without_parameters[pattern] = resource = self._new(pattern, (), [])
                if not self.has_hosts and pattern.count("/") > 1:
                    self._deep.add(pattern)
                elif not self.has_hosts:
                    self.literal[pattern] = resource.methods
            return self._without_parameters[pattern]
        node, literals = self._root, segments[:-1]
        if all(isinstance(segment, str) for segment in literals):
            for segment in literals:
                node = node.child(segment)
            self._before_last[intern("".join([f"/{segment}" for segment in literals]))] = node
            segments = segments[-1:]
        return self._in_tree(node, segments, pattern)

    def _at_host(self, host: str, pattern: str, segments: list[Segment]) -> Resource[T]:
        """Return the resource of one host. In the tree, its labels come first, from right to left, then the path."""
        whole = [*reversed(parse_host_pattern(host, self.converters)), "", *segments]
        self.has_hosts = True
        self.literal.clear()
        self._deep.clear()
        return self._in_tree(self._hosts, whole, host.lower() + pattern)

    def _in_tree(self, node: _Node[T], segments: list[Segment], pattern: str) -> Resource[T]:
        slots = tuple(_slot(segment) for segment in segments if not isinstance(segment, str))
        parameters = distinct_parameters(segments, pattern)
        for segment in segments:
            node = node.child(segment)
        if node.resource is None:
            node.resource = self._new(pattern, slots, parameters)
        elif node.resource.slots != slots:
            raise SamePathsError(pattern, node.resource)
        return node.resource

    def _new(self, pattern: str, slots: tuple[Slot, ...], parameters: list[Parameter]) -> Resource[T]:
        resource = Resource[T](pattern, slots, parameters)
        self.resources.append(resource)
        return resource

    def search_for(self, pattern: str) -> None:
        """Make lookups search for a literal path, so that its requests get parameters like all others."""
        self._deep.discard(pattern)
        self.literal.pop(pattern, None)

    def trust_slashes(self) -> None:
        """Look up literal paths with any number of slashes, because encoded slashes are treated as slashes."""
        self.literal |= {pattern: self._without_parameters[pattern].methods for pattern in self._deep}
        self._deep.clear()

    def search(
        self, path: str, segments: list[str] | None = None, host: str = ""
    ) -> tuple[dict[str, T], dict[str, Any]] | None:
        """Return the methods and parameters of the resource for a path that ``literal`` lacks; None if there is none.

        ``segments`` are the segments of the path, if some contain encoded slashes.
        """
        if host and self.has_hosts:
            labels = host.removesuffix(".").split(".")
            found = _find(self._hosts, [*reversed(labels), *(segments or path.split("/"))], 0)
            if found is not None:
                return found
        if segments is None:
            if path in self._without_parameters:
                return self._without_parameters[path].methods, {}
            if found := self._with_last(path):
                return found
            segments = path.split("/")
        return _find(self._root, segments, 1)

    def _with_last(self, path: str) -> tuple[dict[str, T], dict[str, Any]] | None:
        """Return the result of ``_find`` for a path whose last segment is its only parameter, like most paths.

        The tree contains no literal path, so none has to be tried first.
        """
        before, slash, last = path.rpartition("/")
        node = self._before_last.get(before) if slash else None
        if node is None or node.sole is None:
            return None
        to_python, node = node.sole
        resource = node.resource
        if resource is None or resource.only is None:
            return None
        params = Params()  # creating it with the value takes longer
        try:
            params[resource.only] = to_python(last)
        except ValueError:
            return None
        return resource.methods, params


def _slot(segment: Parameter | Mixed) -> Slot:
    return segment.name if isinstance(segment, Parameter) else tuple([part.name for part in segment.parameters])


def _find(root: _Node[T], segments: list[str], at: int) -> tuple[dict[str, T], dict[str, Any]] | None:
    values: list[Any] = []
    resource = _walk(root, segments, at, values, {})
    if resource is None:
        return None
    if resource.only is not None:
        params = Params()  # creating it with the value takes longer
        params[resource.only] = values[0]
        return resource.methods, params
    return resource.methods, resource.params(values)


def _walk(
    node: _Node[T], segments: list[str], start: int, values: list[Any], left: dict[_Node[T], int]
) -> Resource[T] | None:
    """Follow the segments from ``start``. Adds the parameters' values to ``values``."""
    for at in range(start, len(segments)):
        segment = segments[at]
        literal = node.literals.get(segment)
        if not node.branches:
            if literal is None:
                return None
            node = literal
        elif literal is None and node.sole is not None:
            to_python, node = node.sole
            try:
                values.append(to_python(segment))
            except ValueError:
                return None
        else:
            return _try_each(node, literal, segments, at, values, left)
    return node.resource


def _try_each(
    node: _Node[T], literal: _Node[T] | None, segments: list[str], at: int, values: list[Any], left: dict[_Node[T], int]
) -> Resource[T] | None:
    """Try the literal branch, if any, then the parameters by rank, then a path parameter."""
    known = len(values)
    if literal is not None and (found := _walk(literal, segments, at + 1, values, left)):
        return found
    for to_python, child in node.parameters:
        del values[known:]
        try:
            values.append(to_python(segments[at]))
        except ValueError:
            continue
        if found := _walk(child, segments, at + 1, values, left):
            return found
    del values[known:]
    return _try_path(node.rest, segments, at, values, left) if node.rest else None


def _try_path(
    node: _Node[T], segments: list[str], start: int, values: list[Any], left: dict[_Node[T], int]
) -> Resource[T] | None:
    """Match a path parameter from ``start`` to the last position after which the remaining segments match, or to the
    last segment.

    Its possible ends don't depend on its start. ``left`` contains the first end that failed; all later ones failed,
    too.
    """
    if segments[start][:1] in ("", "/") and not (node.may_be_empty and segments[start:] == [""]):
        return None
    known = len(values)
    for end in range(left.get(node, len(segments)) - 1, start, -1):
        if node.branches or segments[end] in node.literals:
            values.append(None)
            if found := _walk(node, segments, end, values, left):
                values[known] = "/".join(segments[start:end])
                return found
            del values[known:]
    left[node] = min(left.get(node, len(segments)), start + 1)
    if node.resource:
        values.append("/".join(segments[start:]))
    return node.resource


_ALL = ""


class TakenError(ValueError):
    """The error for a prefix that is already taken."""


class Match(NamedTuple, Generic[T]):
    """The value at a prefix, and the prefix's parameters."""

    found: T
    params: dict[str, Any]


class Prefixes(Generic[T]):
    """Values at prefixes. A path gets the value at its longest prefix of whole segments."""

    def __init__(self, converters: Mapping[str, Converter]) -> None:
        self._router: Router[T] = Router(converters)
        self._router.trust_slashes()
        self._deepest = -1

    def add(self, prefix: str, host: str | None, value: T) -> None:
        """Put a value at a prefix. Raises TakenError if the prefix already has a value, and ValueError if it is
        malformed.
        """
        try:
            resource = self._router.resource(prefix or "/", host)
        except SamePathsError as error:
            raise TakenError(str(error)) from None
        if _ALL in resource.methods:
            raise TakenError(f"{host or ''}{prefix or '/'} is already taken")
        resource.methods[_ALL] = value
        self._router.trust_slashes()
        self._deepest = max(self._deepest, prefix.count("/"))

    def __bool__(self) -> bool:
        return self._deepest >= 0

    def find(self, path: str, host: str, segments: list[str] | None = None) -> Match[T] | None:
        """Return the match for the longest prefix of a path, or None.

        ``segments`` are the segments of the path, if some contain encoded slashes.
        """
        all_segments = segments or path.split("/", self._deepest + 1)
        for count in range(min(self._deepest, len(all_segments) - 1), -1, -1):
            above = all_segments[: count + 1]
            prefix = "/".join(above)
            encoded = above if segments and prefix.count("/") > count else None
            methods = None if encoded else self._router.literal.get(prefix or "/")
            found = (methods, Params()) if methods else self._router.search(prefix or "/", encoded, host)
            if found is not None:
                return Match(found[0][_ALL], found[1])
        return None
