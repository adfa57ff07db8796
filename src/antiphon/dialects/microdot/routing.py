"""Routes. If several match a path, the one that was registered first wins."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from itertools import takewhile
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from antiphon.dialects.microdot.application import Microdot


class Segment(NamedTuple):
    """A variable segment of a pattern: its name, type, and group in the regular expression."""

    name: str
    type: str
    group: str


class URLPattern:
    """A path with variable segments in angle brackets: ``/users/<int:id>``.

    A type is ``string`` (the default), ``int``, ``path``, ``re:`` followed by a regular expression, or one that was
    registered with ``register_type``. All other text is literal.
    """

    segment_patterns: ClassVar[dict[str, str]] = {"string": "[^/]+", "int": "-?[0-9]+", "path": ".+"}
    """The regular expression of each type."""
    segment_parsers: ClassVar[dict[str, Callable[[str], Any] | None]] = {"int": int}
    """The functions that convert a segment's text, by type."""

    @classmethod
    def register_type(cls, type_name: str, pattern: str = "[^/]+", parser: Callable[[str], Any] | None = None) -> None:
        """Register a segment type. The segment does not match if ``parser`` returns None."""
        cls.segment_patterns[type_name] = pattern
        cls.segment_parsers[type_name] = parser

    def __init__(self, url_pattern: str) -> None:
        self.url_pattern = url_pattern
        self.segments: list[Segment] = []
        self.regex: re.Pattern[str] | None = None
        path = "/" + url_pattern.lstrip("/")
        self.literal = None if "/<" in path else path
        """The only path that matches, if no segment is variable; otherwise None."""

    def compile(self) -> re.Pattern[str]:
        """Return the regular expression for paths. Raises ValueError for a malformed pattern or an unknown type."""
        segments: list[Segment] = []
        parts = [self._part(written, segments) for written in self.url_pattern.lstrip("/").split("/")]
        self.segments = segments
        self.regex = re.compile("".join([f"/{part}" for part in parts]), re.DOTALL)
        return self.regex

    def _part(self, written: str, segments: list[Segment]) -> str:
        if written[:1] != "<":
            return re.escape(written)
        if written[-1] != ">":
            raise ValueError(f"invalid URL pattern: {self.url_pattern!r}")
        kind, colon, name = written[1:-1].rpartition(":")
        kind = kind if colon else "string"
        pattern = kind[3:] if kind.startswith("re:") else self.segment_patterns.get(kind)
        if pattern is None:
            raise ValueError(f"invalid URL segment type {kind!r}: {self.url_pattern!r}")
        segment = Segment(name, kind, f"segment_{len(segments)}_")
        segments.append(segment)
        return f"(?P<{segment.group}>{pattern})"

    def match(self, path: str) -> dict[str, Any] | None:
        """Return the variable segments' values by name, or None if the path does not match."""
        if self.literal is not None:
            return {} if path == self.literal else None
        found = (self.regex or self.compile()).fullmatch(path)
        if found is None:
            return None
        values: dict[str, Any] = {}
        for name, kind, group in self.segments:
            value: Any = found[group]
            parse = self.segment_parsers.get(kind)
            if parse is not None:
                value = parse(value)
                if value is None:
                    return None
            values[name] = value
        return values

    def __repr__(self) -> str:
        return f"URLPattern: {self.url_pattern}"


Entry: TypeAlias = tuple[list[str], URLPattern, Callable[..., Any], str, "Microdot | None"]
"""A route's methods, pattern and handler, and the prefix and application from which it was mounted."""


class Found(NamedTuple):
    """The result of routing: a handler, or the status if there is no route."""

    handler: Callable[..., Any] | int
    prefix: str
    subapp: "Microdot | None"
    values: dict[str, Any] | None
    """The values of the variable segments in the path."""


_NOWHERE = Found(404, "", None, None)


class RouteTable:
    """An application's routes by path.

    Literal paths are looked up; other patterns are tried in order. Variable patterns are matched for each request,
    since a parser may change its result, and its errors belong to that request.
    """

    def __init__(self, entries: Sequence[Entry] = (), version: object = None) -> None:
        self.version = version
        """The version of the list when the routes were read."""
        self._variable = [entry for entry in entries if _literal(entry) is None]
        self._tried = _by_literal_path(entries)
        self._settled = {path: _settled(tried) for path, tried in self._tried.items()}

    def find(self, method: str, path: str) -> Found:
        """Find the route for a method and a path. The result is 405 if routes match the path but not the method."""
        settled = self._settled.get(path)
        if settled is not None and (found := settled.get(method)):
            return found
        return _first_fitting(self._tried.get(path, self._variable), method, path)

    def methods(self, path: str) -> list[str]:
        """Return the methods for a path without duplicates, in the order of its routes."""
        tried = self._tried.get(path, self._variable)
        return [*dict.fromkeys(method for (methods, *_), _ in _fitting(tried, path) for method in methods)]


def _literal(entry: Entry) -> str | None:
    """Return the only path that an entry matches; None if its pattern is variable or of a program's own class."""
    return entry[1].literal if type(entry[1]) is URLPattern else None


Fitting: TypeAlias = tuple[Entry, dict[str, Any]]
"""An entry that matches a path, with the values of the variable segments."""


def _fitting(entries: Sequence[Entry], path: str) -> Iterator[Fitting]:
    for entry in entries:
        values = entry[1].match(path)
        if values is not None:
            yield entry, values


def _first_fitting(tried: Sequence[Entry], method: str, path: str) -> Found:
    found = _NOWHERE
    for entry, values in _fitting(tried, path):
        if method in entry[0]:
            return _answering(entry, values)
        found = _refusing(entry)
    return found


def _by_literal_path(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Return the entries that may match each literal path, in order: its own and the variable ones."""
    variable: list[tuple[int, Entry]] = []
    own: dict[str, list[tuple[int, Entry]]] = {}
    for place, entry in enumerate(entries):
        path = _literal(entry)
        (variable if path is None else own.setdefault(path, [])).append((place, entry))
    return {
        path: [entry for _, entry in sorted(mine + _that_may_fit(variable, path), key=itemgetter(0))]
        for path, mine in own.items()
    }


def _that_may_fit(placed: Sequence[tuple[int, Entry]], path: str) -> list[tuple[int, Entry]]:
    return [(place, entry) for place, entry in placed if _may_fit(entry[1], path)]


def _may_fit(pattern: URLPattern, path: str) -> bool:
    """Return True if a path matches before parsers are applied.

    Malformed patterns also match, so that requests get their error. A program's own patterns always match.
    """
    if type(pattern) is not URLPattern:
        return True
    try:
        return (pattern.regex or pattern.compile()).fullmatch(path) is not None
    except Exception:
        return True


def _settled(tried: Sequence[Entry]) -> dict[str, Found]:
    """Return a literal path's results by method, as far as they don't depend on parsers. The first route wins."""
    found: dict[str, Found] = {}
    for entry in takewhile(lambda entry: _literal(entry) is not None, tried):
        for method in entry[0]:
            found.setdefault(method, _answering(entry, {}))
    return found


def _answering(entry: Entry, values: dict[str, Any]) -> Found:
    _, _, handler, prefix, subapp = entry
    return Found(handler, prefix, subapp, values)


def _refusing(entry: Entry) -> Found:
    """Return the result for other methods, from the path's last route, whose application may handle the error."""
    return Found(405, entry[3], entry[4], None)


class URLMap(list[Entry]):
    """A list of routes. Each change replaces ``version``, so there is no need to compare whole lists."""

    version: object


def _changing(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def change(self: URLMap, *arguments: Any, **named: Any) -> Any:
        try:
            return method(self, *arguments, **named)
        finally:
            self.version = object()

    return change


for _name in (
    "__delitem__", "__iadd__", "__imul__", "__init__", "__setitem__", "append", "clear", "extend", "insert", "pop",
    "remove", "reverse", "sort",
):  # fmt: skip
    setattr(URLMap, _name, _changing(getattr(list, _name)))
