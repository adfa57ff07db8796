"""Cross-origin resource sharing (CORS, Fetch §3.2), which lets pages from other origins read responses, as a feature of
an app or a blueprint.

app.use(CORS(origins=["https://shop.example.com", "https://*.example.org"]))
"""

import re
from collections.abc import Generator, Iterable
from contextlib import suppress
from copy import copy
from datetime import timedelta

from antiphon import Request, Response, explained
from antiphon.embedding import Added, Advice, errors_name_it, is_token, parse_origin, seconds_of
from antiphon.http import Forbidden
from antiphon.types import Route, Routes

Fields = list[tuple[str, str]]

_ALWAYS_SENT = ("authorization", "content-type")
"""Request headers of pages that log in or send JSON."""


@errors_name_it
class CORS:
    """A feature that lets pages from some origins read responses, and send requests that need a preflight.

        app.use(CORS(["https://shop.example.com"]))

    ``origins`` are exact ("https://shop.example.com"), patterns for a host's subdomains at any depth
    ("https://*.example.com"), or "*" for every page. Sandboxed pages have the origin "null", which is allowed only if
    it is listed. ``methods`` are the methods that pages may use. ``headers`` are request headers that they may send in
    addition to "authorization" and "content-type", and ``expose`` are response headers that they may read. With
    ``credentials``, requests may include cookies. ``max_age`` is how long browsers cache the response to a preflight,
    in whole seconds or a timedelta.

    ``origin in cors`` is True if the origin is listed, exactly or by a pattern.
    """

    __slots__ = ("_actual", "_advice", "_any", "_exact", "_patterns", "_preflight")

    def __init__(
        self,
        origins: Iterable[str],
        *,
        methods: Iterable[str] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
        headers: Iterable[str] = (),
        expose: Iterable[str] = (),
        credentials: bool = False,
        max_age: int | timedelta = 600,
    ) -> None:
        """Raises ValueError for invalid values, and for "*" together with ``credentials``, which browsers refuse."""
        self._advice = Advice()
        named = ["*"] if origins == "*" else _listed("origins", origins)
        self._any = "*" in named
        self._exact = frozenset(_exact(origin) for origin in named if "*" not in origin)
        patterns = "|".join([_pattern(origin) for origin in named if "*" in origin and origin != "*"])
        self._patterns = re.compile(patterns) if patterns else None
        allowed = [method.upper() for method in _tokens("methods", methods)]
        besides = [name for name in _tokens("headers", headers) if name.lower() not in _ALWAYS_SENT]
        sent, exposed = [*_ALWAYS_SENT, *besides], _tokens("expose", expose)
        if credentials and "*" in [*named, *allowed, *sent, *exposed]:
            raise explained(
                "bad-feature-option", 'with credentials, browsers refuse "*": name the origins, methods and headers'
            )
        age = seconds_of(max_age)
        if not isinstance(age, int) or age < 0:
            raise explained("bad-feature-option", f"max_age must be a number of seconds, not {max_age!r}")
        both: Fields = [("access-control-allow-credentials", "true")] if credentials else []
        self._actual = both + _field("access-control-expose-headers", exposed)
        self._preflight = [
            *both,
            *_field("access-control-allow-methods", allowed),
            *_field("access-control-allow-headers", sent),
            ("access-control-max-age", str(age)),
        ]

    def __contains__(self, origin: object) -> bool:
        if not isinstance(origin, str):
            return False
        return origin in self._exact or bool(self._patterns and self._patterns.fullmatch(origin))

    def install(self, app: Routes) -> None:
        """Register the middleware that handles preflights and adds the headers to responses.

        Listed origins are also trusted to send requests that write; "*" adds no trusted origin.
        """
        app.middleware(self._add_headers)
        app.trusted_origins.add(self)

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        own = ("access-control-allow-origin", *[name for name, _ in self._actual])
        yield Added(headers=own if self._any else (*own, "vary"))
        if method == "OPTIONS":
            yield Added(204, headers=tuple(name for name, _ in self._preflight))
            yield Added(403, Forbidden)

    def _add_headers(self, request: Request) -> Generator[None, Response, Response | None]:
        origin = request.origin
        allowed = self._allowed(origin)
        if origin is not None and _is_preflight(request):
            return self._respond_to_preflight(origin, allowed)
        response = yield
        present = dict(response.headers.items())
        if "access-control-allow-origin" in present:
            return None
        response = copy(response)  # a handler may return the same object again
        added = [] if allowed is None else [("access-control-allow-origin", allowed), *self._actual]
        if "vary" in present and not self._any:
            response.vary("origin")
        elif not self._any:
            added.append(("vary", "origin"))
        response.headers.extend(added)
        return response

    def _allowed(self, origin: str | None) -> str | None:
        """Return the value of Access-Control-Allow-Origin. With "*" it never changes, so caches can serve everyone."""
        if self._any:
            return "*"
        return origin if origin in self else None

    def _respond_to_preflight(self, origin: str, allowed: str | None) -> Response:
        """Handle a preflight. The browser compares methods and headers, and its console shows what is missing."""
        if allowed is None:
            with suppress(ValueError):  # the origin of a page without its own
                declarable = parse_origin(origin)
                self._advice.give(f"A preflight of a page at {declarable}", f'CORS(origins=["{declarable}"])')
            raise Forbidden(f"Pages from {origin[:200]} may not use this.", headers={"vary": "origin"})
        response = Response(None, 204, [("access-control-allow-origin", allowed), *self._preflight])
        if not self._any:
            response.vary("origin")
        return response


def _is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and request.head.field("access-control-request-method") is not None


def _listed(name: str, values: Iterable[str]) -> list[str]:
    if isinstance(values, str):
        raise explained("list-wanted", f"{name} must be a list: [{values!r}]")
    return list(values)


def _tokens(name: str, values: Iterable[str]) -> list[str]:
    listed = _listed(name, values)
    if bad := [value for value in listed if not is_token(value)]:
        raise explained("bad-feature-option", f"{bad[0]!r} cannot be one of {name}")
    return listed


def _field(name: str, values: list[str]) -> Fields:
    return [(name, ", ".join(values))] if values else []


def _exact(origin: str) -> str:
    return origin if origin == "null" else parse_origin(origin)


def _pattern(pattern: str) -> str:
    """Return the regular expression for ``scheme://*.host``. The star stands for one or more labels."""
    scheme, _, host = pattern.partition("://*.")
    below = f"{scheme}://{host}"
    if "*" in below or below == pattern:
        raise explained("bad-feature-option", f'a pattern must be like "https://*.example.com", not {pattern[:200]!r}')
    scheme, _, host = parse_origin(below).partition("://")
    if "." not in host and host.partition(":")[0] != "localhost":
        raise explained(
            "bad-feature-option", f"{pattern[:200]!r} would allow anyone's hosts: write your own domain after the star"
        )
    return rf"{re.escape(scheme)}://[a-z0-9_.-]+\.{re.escape(host)}"
