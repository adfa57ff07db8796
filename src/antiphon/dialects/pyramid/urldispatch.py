"""Routes: path patterns in the order in which they are tried, and generation of paths from them."""

import re
from collections.abc import Callable
from typing import Any

from zope.interface import implementer

from antiphon.dialects.pyramid.exceptions import URLDecodeError
from antiphon.dialects.pyramid.interfaces import IRoute, IRoutesMapper
from antiphon.dialects.pyramid.traversal import PATH_SAFE, quote_path_segment, split_path_info
from antiphon.dialects.pyramid.util import is_nonstr_iter

_place = re.compile(r"\{([_a-zA-Z][^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
_old_place = re.compile(r"(:[_a-zA-Z]\w*)")
_rest = re.compile(r"\*(\w*)$")

Match = dict[str, Any]

_NO_ENVIRON: dict[str, str] = {}


@implementer(IRoute)
class Route:
    """A route. ``match`` returns a path's values or None, and ``generate`` makes a path from values."""

    def __init__(
        self, name: str, pattern: str, factory: Any = None, predicates: Any = (), pregenerator: Any = None
    ) -> None:
        self.pattern = pattern
        self.path = pattern
        self.match, self.generate = _compile_route(pattern)
        self.name = name
        self.factory = factory
        self.predicates = predicates
        self.pregenerator = pregenerator


@implementer(IRoutesMapper)
class RoutesMapper:
    """All routes, with a search for the first one that matches a request."""

    def __init__(self) -> None:
        self.routelist: list[Route] = []
        self.static_routes: list[Route] = []
        self.routes: dict[str, Route] = {}
        self._planned = -1
        self._literal: frozenset[str | None] = frozenset()
        self._dynamic: list[Route] = []
        self._by_path: dict[str, list[Route]] = {}

    def has_routes(self) -> bool:
        """Return True if any route can match."""
        return bool(self.routelist)

    def get_routes(self, include_static: bool = False) -> list[Route]:
        """Return the routes in order. Routes that only generate URLs are excluded by default."""
        return self.routelist + self.static_routes if include_static else self.routelist

    def get_route(self, name: str) -> Route | None:
        return self.routes.get(name)

    def connect(
        self,
        name: str,
        pattern: str,
        factory: Any = None,
        predicates: Any = (),
        pregenerator: Any = None,
        static: bool = False,
    ) -> Route:
        """Add a route after all others, or replace the one with the same name. A ``static`` route only generates
        URLs.
        """
        if name in self.routes:
            old = self.routes[name]
            if old in self.routelist:
                self.routelist.remove(old)
        route = Route(name, pattern, factory, predicates, pregenerator)
        (self.static_routes if static else self.routelist).append(route)
        self.routes[name] = route
        self._planned = -1
        return route

    def generate(self, name: str, kw: dict[str, Any]) -> str:
        """Generate a route's path. Raises KeyError for an unknown route or a missing value."""
        return self.routes[name].generate(kw)

    def __call__(self, request: Any) -> dict[str, Any]:
        """Return the first matching ``route`` and its ``match``, which are both None if there is none.

        Raises URLDecodeError for a path that is not UTF-8.
        """
        match, route = self.find(request)
        return {"match": match, "route": route}

    def find(self, request: Any) -> tuple[Match | None, Route | None]:
        """Return a request's path values and route, as for a call of this object."""
        try:
            path = getattr(request, "environ", _NO_ENVIRON).get("PATH_INFO") or "/"
            if not path.isascii() or path == "/":
                path = request.path_info or "/"
        except KeyError:
            path = "/"  # in tests
        except UnicodeDecodeError as error:
            raise URLDecodeError(error.encoding, error.object, error.start, error.end, error.reason) from None
        if self._planned != len(self.routelist):
            self._plan()
        for route in self._by_path.get(path) or self._candidates(path):
            match = route.match(path)
            if match is None:
                continue
            if not route.predicates:
                return match, route
            info = {"match": match, "route": route}
            if all(predicate(info, request) for predicate in route.predicates):
                return match, route
        return None, None

    def _candidates(self, path: str) -> list[Route]:
        """Return the routes that may match a path, in order. Patterns without placeholders are compared right away."""
        if path not in self._literal:
            return self._dynamic
        found = self._by_path[path] = [route for route in self.routelist if route.match(path) is not None]
        return found

    def _plan(self) -> None:
        paths = [_literal_path(route.pattern) for route in self.routelist]
        self._literal = frozenset(paths)
        self._dynamic = [route for route, path in zip(self.routelist, paths, strict=True) if path is None]
        self._by_path = {}
        self._planned = len(paths)


def _rooted(pattern: str) -> str:
    if _old_place.search(pattern) and not _place.search(pattern):
        pattern = _old_place.sub(lambda match: f"{{{match[0][1:]}}}", pattern)
    return pattern if pattern.startswith("/") else f"/{pattern}"


def _literal_path(pattern: str) -> str | None:
    """Return the only path that a pattern matches, or None if it has placeholders."""
    pattern = _rooted(pattern)
    return None if _place.search(pattern) or _rest.search(pattern) else pattern


def _compile_route(route: Any) -> tuple[Callable[[str], Match | None], Callable[[dict[str, Any]], str]]:
    """Compile a pattern into two functions: one matches a path, the other generates a path from values."""
    if isinstance(route, bytes):
        try:
            route = route.decode("ascii")
        except UnicodeDecodeError:
            raise ValueError(
                "The pattern value passed to add_route must be either a Unicode string or a plain string without any"
                f" non-ASCII characters (you provided {route!r})."
            ) from None
    pattern = _rooted(route)
    rest = _rest.search(pattern)
    remainder = rest[1] if rest else None
    if rest:
        pattern = pattern[: rest.start()]
    parts = _place.split(pattern)  # text and placeholders alternate
    expression, template = "", ""
    for index, part in enumerate(parts):
        if index % 2:
            name, _, regex = part.partition(":")
            expression += f"(?P<{name}>{regex or '[^/]+'})"
            template += f"%({name})s"
        else:
            expression += re.escape(part)
            template += quote_path_segment(part, safe="/").replace("%", "%%")
    if remainder:
        expression += f"(?P<{remainder}>.*?)"
        template += f"%({remainder})s"
    only = pattern if len(parts) == 1 and not remainder else None
    return _matcher(f"{expression}$", remainder, only), _generator(template, remainder)


def _matcher(expression: str, remainder: str | None, only: str | None) -> Callable[[str], Match | None]:
    match = re.compile(expression).match

    def matcher(path: str) -> Match | None:
        found = match(path)
        if found is None:
            return None
        values = found.groupdict()
        if remainder:
            values[remainder] = split_path_info(values[remainder])
        return values

    def literal(path: str) -> Match | None:
        return {} if path == only else None

    return matcher if only is None else literal


def _generator(template: str, remainder: str | None) -> Callable[[dict[str, Any]], str]:
    def quoted(value: Any) -> str:
        return quote_path_segment(value, safe=PATH_SAFE)

    def generate(values: dict[str, Any]) -> str:
        made = {}
        for name, value in values.items():
            text = value.decode() if isinstance(value, bytes) else value
            if name == remainder and is_nonstr_iter(text):
                made[name] = "/".join(map(quoted, text))
            else:
                made[name] = quoted(str(text))
        return template % made

    return generate
