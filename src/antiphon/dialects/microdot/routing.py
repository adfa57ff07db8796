"""Paths and what answers there: the first pattern that was registered and fits decides."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from itertools import takewhile
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from antiphon.dialects.microdot.application import Microdot


class Segment(NamedTuple):
    """A dynamic segment of a pattern: the names of its value, of its type, and of its group in the expression."""

    name: str
    type: str
    group: str


class URLPattern:
    """A path in which segments in angle brackets are variable: ``/users/<int:id>``.

    Types are ``string`` (the default), ``int``, ``path``, ``re:`` with a regular expression, and what
    ``register_type`` was given. What stands outside of the brackets is literal.
    """

    segment_patterns: ClassVar[dict[str, str]] = {"string": "[^/]+", "int": "-?[0-9]+", "path": ".+"}
    """The regular expression of each type."""
    segment_parsers: ClassVar[dict[str, Callable[[str], Any] | None]] = {"int": int}
    """What makes a value of a segment, where it is no text."""

    @classmethod
    def register_type(cls, type_name: str, pattern: str = "[^/]+", parser: Callable[[str], Any] | None = None) -> None:
        """Register a type of segments. Where ``parser`` gives None, the segment does not fit."""
        cls.segment_patterns[type_name] = pattern
        cls.segment_parsers[type_name] = parser

    def __init__(self, url_pattern: str) -> None:
        self.url_pattern = url_pattern
        self.segments: list[Segment] = []
        self.regex: re.Pattern[str] | None = None
        path = "/" + url_pattern.lstrip("/")
        self.literal = None if "/<" in path else path
        """The only path that fits, where nothing in it is variable."""

    def compile(self) -> re.Pattern[str]:
        """The regular expression for paths. Raises ValueError for a malformed pattern or an unknown type."""
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
        """The values of the variable segments, by name; None for a path that does not fit."""
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
"""Methods, pattern, handler, and, if it is a mounted application's, its prefix and that application."""


class Found(NamedTuple):
    """What answers a method at a path: a handler, or the status that says that there is none."""

    handler: Callable[..., Any] | int
    prefix: str
    subapp: "Microdot | None"
    values: dict[str, Any] | None
    """Those of the variable segments of the path."""


_NOWHERE = Found(404, "", None, None)


class RouteTable:
    """The routes of an application by path. Those of a literal path are looked up, others tried in order.

    What is variable is tried anew for each request: what a parser says may change, and an error that it raises, or that
    its pattern has, is that request's.
    """

    def __init__(self, entries: Sequence[Entry] = (), version: object = None) -> None:
        self.version = version
        """That of the list in which they were."""
        self._variable = [entry for entry in entries if _literal(entry) is None]
        self._tried = _by_literal_path(entries)
        self._settled = {path: _settled(tried) for path, tried in self._tried.items()}

    def find(self, method: str, path: str) -> Found:
        """What answers a method at a path: 405 where routes have the path, and none of them the method."""
        settled = self._settled.get(path)
        if settled is not None and (found := settled.get(method)):
            return found
        return _first_fitting(self._tried.get(path, self._variable), method, path)

    def methods(self, path: str) -> list[str]:
        """The methods that a path has, each once, in the order of its routes."""
        tried = self._tried.get(path, self._variable)
        return [*dict.fromkeys(method for (methods, *_), _ in _fitting(tried, path) for method in methods)]


def _literal(entry: Entry) -> str | None:
    """The only path that fits an entry, where nothing in it is variable, and its class is not a program's own."""
    return entry[1].literal if type(entry[1]) is URLPattern else None


Fitting: TypeAlias = tuple[Entry, dict[str, Any]]
"""An entry that a path fits, and the values of its variable segments."""


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
    """The entries that each literal path may fit, in their order: its own, and those that are variable."""
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
    """Whether a path fits, unless a parser says otherwise. One that is malformed may: then requests get its error. So
    may a pattern of a program's own.
    """
    if type(pattern) is not URLPattern:
        return True
    try:
        return (pattern.regex or pattern.compile()).fullmatch(path) is not None
    except Exception:
        return True


def _settled(tried: Sequence[Entry]) -> dict[str, Found]:
    """What answers each method of a literal path whatever parsers say: of several routes the first."""
    found: dict[str, Found] = {}
    for entry in takewhile(lambda entry: _literal(entry) is not None, tried):
        for method in entry[0]:
            found.setdefault(method, _answering(entry, {}))
    return found


def _answering(entry: Entry, values: dict[str, Any]) -> Found:
    _, _, handler, prefix, subapp = entry
    return Found(handler, prefix, subapp, values)


def _refusing(entry: Entry) -> Found:
    """The answer to other methods: that of the last route of the path, whose application may have a handler for it."""
    return Found(405, entry[3], entry[4], None)


class URLMap(list[Entry]):
    """Routes. ``version`` is another object after each change: so nobody has to compare them to see one."""

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
