"""URLs of routes, made from a route's name or handler and its parameters."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, overload

from antiphon.app.mount import place_of
from antiphon.app.planning.signed_urls import Signing, signed_fields
from antiphon.app.registry import are_apart, places
from antiphon.app.route import Route
from antiphon.explanations import explained
from antiphon.explanations.naming import WORDS, word_for
from antiphon.handler.callables import describe
from antiphon.handler.scope import current_request
from antiphon.http.redirect import CHECKS_OF_WORDS
from antiphon.http.urls.path import quote_segment
from antiphon.http.urls.url import quote_path
from antiphon.http.urls.urlencoded import check_field, format_query
from antiphon.lazy import compiled_late, lazy
from antiphon.request.request import Request
from antiphon.routing.converters import Converter
from antiphon.routing.pattern import Parameter, Segment, parameters_of, parse_host_pattern, parse_pattern, parts_of
from antiphon.routing.router import Router
from antiphon.serialization.signing import Signer

if TYPE_CHECKING:
    from antiphon.app.application import App

P = ParamSpec("P")

_NONE: Mapping[str, Any] = {}
_label = compiled_late("[a-z0-9_~-]+")


class _Way(NamedTuple):
    """A route with its pattern parsed."""

    route: Route
    host: list[Segment]
    path: list[Segment]
    parameters: list[Parameter]
    names: frozenset[str]
    defaults: Mapping[str, Any]
    """Default values of parameters that are not in the URL."""
    filled: Mapping[str, Callable[[], Any]]
    """Functions that return the values of parameters whose converters have a default."""

    def lacks(self, params: Mapping[str, Any]) -> str | None:
        """Return the first parameter that is missing."""
        known = {**(self.route.defaults or _NONE), **params, **self.filled}
        return next((name for name in sorted(self.names) if name not in known), None)

    def contradicts(self, params: Mapping[str, Any]) -> str | None:
        """Return the first parameter for which the route always has a different value."""
        return next((name for name, value in self.defaults.items() if params.get(name, value) != value), None)


class Reverse:
    """The routes of an application by name, from which URLs are made."""

    def __init__(
        self,
        routes: Iterable[Route],
        converters: Mapping[str, Converter],
        signer: Callable[[str], Signer],
        encoded_slashes: bool = False,
    ) -> None:
        self._signer = signer
        self._encoded_slashes = encoded_slashes
        self._converters = dict(converters)
        self._routes: dict[str, list[Route]] = {}
        for route in routes:
            self._routes.setdefault(route.name, []).append(route)
        self._ways: dict[str, list[_Way]] = {}

    def has(self, wanted: object) -> bool:
        """Return True if a route has this name or handler."""
        return wanted in self._routes if isinstance(wanted, str) else bool(self._ways_of(wanted))

    def url(self, name: str | Callable[..., object], params: Mapping[str, Any], signing: Signing) -> str:
        """Return the path and query of a route; ``//host/path`` for a route with a host.

        The route is given by its name or its handler. Arguments that aren't parameters of the route become the query,
        as ``args_as`` reads it. If several routes have the name, the route that accepts the most arguments and has the
        fewest other parameters is used. Raises LookupError for an unknown name, and for a handler without a route or
        with routes under several names. Raises TypeError for anything else, for an unknown option, and for a query
        value that has no text form, such as a dict. Raises ValueError, with the route and the parameter, for a
        parameter that is missing or that the route wouldn't match, and for signature options for an unsigned route.
        """
        given = {key: value for key, value in params.items() if value is not None}
        way = _choose(self._named(name) if isinstance(name, str) else self._handled(name), given)
        values = {**(way.route.defaults or _NONE), **given}
        values |= {key: default() for key, default in way.filled.items() if key not in values}
        texts = {parameter.name: _text(way, parameter, values[parameter.name]) for parameter in way.parameters}
        host = ".".join([_printed_label(way, label, texts) for label in way.host])
        path = "".join([f"/{_quoted(way, segment, texts)}" for segment in way.path])
        self._check_slashes(way, texts)
        self._check_paths(way, texts)
        own = way.names | way.defaults.keys()
        others = {key: value for key, value in given.items() if key not in own}
        _check_options(others)
        fields = [pair for key, value in others.items() for pair in _fields(key, value)]
        query = format_query(signed_fields(self._signer, way.route, host, path, fields, signing))
        path = f"/.{path}" if path.startswith("//") else path  # two slashes would begin a host (RFC 3986 §4.2)
        return (f"//{host}" if host else "") + (f"{path}?{query}" if query else path)

    def named_arguments(
        self, handler: str | Callable[..., object], args: tuple[object, ...], params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return a handler's positional arguments by name, together with the named ones.

        Raises TypeError for too many of them, for an argument that is passed twice, and for a route given by name.
        """
        if isinstance(handler, str):
            raise explained(
                "url-for-value",
                f"url_for {handler!r} takes the parameters of a named route by their names: number=7, not 7",
                TypeError,
            )
        names = [*self._handled(handler)[0].route.arguments.annotations]
        given = dict(zip(names, args, strict=False))
        if len(args) > len(names):
            count = f"{len(names)} argument{'' if len(names) == 1 else 's'} ({', '.join(names)})"
            raise explained(
                "url-for-value", f"url_for: {describe(handler)} takes {count}, not {len(args)} by position", TypeError
            )
        if twice := [name for name in given if name in params]:
            raise explained("url-for-value", f"url_for: {describe(handler)}: {twice[0]!r} is given twice", TypeError)
        return {**given, **params}

    def _handled(self, handler: Callable[..., object]) -> list[_Way]:
        """Return the routes of a handler, or of the function that its decorators wrap."""
        if not callable(handler):
            raise explained(
                "unknown-route-name", f"url_for takes the name or the handler of a route, not {handler!r}", TypeError
            )
        if ways := self._ways_of(handler):
            return self._of_one_name(handler, ways)
        raise explained("unknown-route-name", f"no route has the handler {describe(handler)}", LookupError)

    def _ways_of(self, handler: object) -> list[_Way]:
        found: Any = getattr(getattr(handler, "__view__", None), "function", handler)
        while found is not None:
            if ways := self._ways_by_handler.get(_key(found)):
                return ways
            found = getattr(found, "__wrapped__", None)
        return []

    @lazy
    def _ways_by_handler(self) -> dict[Any, list[_Way]]:
        found: dict[Any, list[_Way]] = {}
        for routes in self._routes.values():
            for route in routes:
                found.setdefault(_key(route.handler), []).append(self._way(route))
        return found

    def _of_one_name(self, handler: Callable[..., object], ways: list[_Way]) -> list[_Way]:
        other = next((way.route for way in ways if way.route.name != ways[0].route.name), None)
        if other is not None:
            names = " and ".join(f"{route.name!r} ({route.where})" for route in (ways[0].route, other))
            raise explained(
                "ambiguous-route-name", f"{describe(handler)} handles {names}: use the name of one", LookupError
            )
        return ways

    def _named(self, name: str) -> list[_Way]:
        if name not in self._ways:
            routes = self._routes.get(name)
            if not routes:
                raise explained("unknown-route-name", f"no route is named {name!r}{self._hint(name)}", LookupError)
            other = next((route for route in routes if are_apart(routes[0], route)), None)
            if other is not None:
                raise explained(
                    "ambiguous-route-name",
                    f"{places(routes[0], other)} are both named {name!r}: give one route another name",
                    LookupError,
                )
            self._ways[name] = [self._way(route) for route in routes]
        return self._ways[name]

    def _hint(self, name: str) -> str:
        """Return a hint for an unknown route name: names with the same last part, or similar names."""
        from difflib import get_close_matches

        if name[:1] == ".":
            return "; names that begin with a dot are for request.url_for"
        last = name.rpartition(".")[2]
        near = [each for each in self._routes if each.rpartition(".")[2] == last] or get_close_matches(
            name, self._routes, 1
        )
        return f": did you mean {' or '.join(map(repr, near[:3]))}?" if near else ""

    def _way(self, route: Route) -> _Way:
        path = parse_pattern(route.pattern, self._converters)
        host = parse_host_pattern(route.host, self._converters) if route.host else []
        parameters = [part for segment in (*host, *path) for part in parameters_of(segment)]
        names = frozenset(part.name for part in parameters)
        defaults = {key: value for key, value in (route.defaults or _NONE).items() if key not in names}
        filled = {part.name: part.converter.default for part in parameters if part.converter.default}
        return _Way(route, host, path, parameters, names, defaults, filled)

    def _check_slashes(self, way: _Way, texts: Mapping[str, str]) -> None:
        """Check that no value contains a slash that would be read as the end of its segment."""
        for segment in way.path:
            for part in parameters_of(segment):
                if not self._encoded_slashes and not part.converter.spans and "/" in texts[part.name]:
                    why = f"{texts[part.name]!r} has a slash: use <path:{part.name}>"
                    raise _refused(way, part.name, why)

    def _check_paths(self, way: _Way, texts: Mapping[str, str]) -> None:
        """Check that multiple path parameters in one URL would be read back unchanged."""
        paths = [part for part in way.parameters if part.converter.spans]
        if len(paths) < 2:
            return
        # Read back by a router of this route alone: the rules need not be written twice.
        router: Router[None] = Router(self._converters)
        router.resource(way.route.pattern)
        segments = [""]
        for segment in way.path:
            printed = _print(way, segment, texts)
            segments += printed.split("/") if _spans(segment) else [printed]
        found = router.search("", segments)
        for part in paths:
            if found is None or found[1].get(part.name) != texts[part.name]:
                raise _refused(way, part.name, f"{texts[part.name]!r} would be read differently with the other paths")


def _check_options(names: Iterable[str]) -> None:
    """Raise TypeError for query names that are meant as options, such as Flask's ``_external``.

    Other names that begin with an underscore may be fields that a client has sent.
    """
    for name in sorted(name for name in names if name[:1] == "_"):
        if ours := word_for(name, WORDS["url_for's option"], _OPTIONS):
            fix = f"did you mean {ours!r}?" if ours in _OPTIONS else f"use {ours}"
            raise explained("url-for-value", f"url_for has no option {name!r}; {fix}", TypeError)


_OPTIONS = ("_absolute", "_expires", "_method")


def _key(handler: Any) -> Any:
    """Return a key for a handler: the handler itself, or its identity if it can't be hashed."""
    return handler if isinstance(handler, Hashable) else id(handler)


def _choose(ways: list[_Way], given: Mapping[str, Any]) -> _Way:
    suitable = [way for way in ways if way.lacks(given) is None and way.contradicts(given) is None]
    if suitable:
        # The one that uses most of what was given, and of these the one with the fewest parameters.
        return max(suitable, key=lambda way: (len(given.keys() & (way.names | way.defaults.keys())), -len(way.names)))
    way = ways[0]
    missing = way.lacks(given)
    if missing is not None:
        raise _refused(way, missing, "it is missing")
    name = way.contradicts(given) or ""
    raise _refused(way, name, f"it is always {way.defaults[name]!r}, not {given[name]!r}")


def _refused(way: _Way, parameter: str, why: str) -> ValueError:
    message = f"url_for {way.route.name!r} ({way.route.where}), parameter {parameter!r}: {why}"
    return explained("url-for-value", message)


def _text(way: _Way, parameter: Parameter, value: Any) -> str:
    try:
        text = parameter.converter.to_url(value)
        parameter.converter.to_python(text)
        quote_path(text)
    except (ValueError, TypeError) as error:
        raise _refused(way, parameter.name, f"{value!r} does not fit {parameter}: {error}") from None
    if "\0" in text:
        raise _refused(way, parameter.name, "it contains a NUL, which no path may have")
    return text


def _print(way: _Way, segment: Segment, texts: Mapping[str, str]) -> str:
    """Return a segment's text. Raises ValueError if it would be read back as different parameters."""
    printed = "".join([part if isinstance(part, str) else texts[part.name] for part in parts_of(segment)])
    if not isinstance(segment, str | Parameter) and not segment.reads(printed, texts):
        names = ", ".join(part.name for part in segment.parameters)
        raise _refused(way, names, f"{printed!r} would be read differently by {segment}")
    return printed


def _printed_label(way: _Way, label: Segment, texts: Mapping[str, str]) -> str:
    printed = _print(way, label, texts)
    if not _label.fullmatch(printed):
        names = ", ".join(part.name for part in parameters_of(label))
        raise _refused(way, names, f"{printed!r} is not a host's label, which is in lower case and has no dots")
    return printed


def _quoted(way: _Way, segment: Segment, texts: Mapping[str, str]) -> str:
    printed = _print(way, segment, texts)
    parameters = parameters_of(segment)
    chunks = printed.split("/") if _spans(segment) else [printed]
    if parameters and not {".", ".."}.isdisjoint(chunks):
        names = ", ".join(part.name for part in parameters)
        raise _refused(way, names, f"{printed!r} has a dot segment, which clients remove (RFC 3986 §5.2.4)")
    return "/".join(map(quote_segment, chunks))


def _spans(segment: Segment) -> bool:
    return isinstance(segment, Parameter) and segment.converter.spans


def _fields(name: str, value: Any) -> list[tuple[str, str]]:
    # The usual types first, without the import below.
    if type(value) is str or type(value) is int:
        return [(name, str(value))]
    from antiphon.serialization.readers import TypeDescription

    for each in value if isinstance(value, list | tuple | set | frozenset) else (value,):
        if each is not None:
            check_field(name, each)
    return [(name, text) for text in TypeDescription.texts_of(value)]


def refuse_name_of_route(location: str) -> None:
    """Raise ValueError for a redirect to the name of a route of the current request's application.

    The name could also be a relative path: it is accepted if the application handles that path.
    """
    request = current_request(None)
    app: Any = None if request is None else request.app
    if request is None or not hasattr(app, "_has_path") or all(route.name != location for route in app.routes):
        return
    path = f"{request.path.rpartition('/')[0]}/{location}"
    if not app._has_path(path):  # noqa: SLF001 - the application's own
        raise explained(
            "redirect-to-name",
            f"{location!r} is the name of a route, and as a location it is {path}, which has no route: redirect to"
            f" request.url_for({location!r})",
        )


CHECKS_OF_WORDS.append(refuse_name_of_route)


@overload
def url_for(
    app: "App",
    route: str,
    /,
    *,
    _expires: float | timedelta | None = ...,
    _method: str | None = ...,
    _mounted_at: str | None = ...,
    **params: object,
) -> str: ...
@overload
def url_for(
    app: "App", route: Callable[Concatenate[Request, P], object], /, *args: P.args, **params: P.kwargs
) -> str: ...
@overload
def url_for(
    app: "App",
    route: Callable[..., object],
    /,
    *args: object,
    _expires: float | timedelta,
    _method: str | None = ...,
    _mounted_at: str | None = ...,
    **params: object,
) -> str: ...
@overload
def url_for(
    app: "App",
    route: Callable[..., object],
    /,
    *args: object,
    _method: str,
    _mounted_at: str | None = ...,
    **params: object,
) -> str: ...
@overload
def url_for(app: "App", route: Callable[..., object], /, *args: object, _mounted_at: str, **params: object) -> str: ...
def url_for(  # type: ignore[misc]  # no handler parameter has the name of an option
    app: "App",
    route: str | Callable[..., object],
    /,
    *args: object,
    _expires: float | timedelta | None = None,
    _method: str | None = None,
    _mounted_at: str | None = None,
    **params: object,
) -> str:
    """Return the URL of a route below the root path, percent-encoded; ``//host/path`` for a route with a host.

    The route is given by its name, or by its handler: ``url_for(show, number=7)``. A handler's parameters can also
    be positional; type checkers check them, unless you also pass options. The name of a blueprint's route includes
    the blueprint: "shop.item". Arguments that aren't parameters of the route become the query, in the format that
    ``args_as`` reads: None is left out, and a list, tuple or set becomes one field per item. The URL of a
    ``signed_url`` route contains a signature. It is valid for ``_expires`` seconds (by default, forever) and for
    requests with ``_method`` (by default, GET and HEAD, or the route's only method). It is valid below one prefix
    only: if an app is mounted more than once, pass that prefix as ``_mounted_at``.

    Raises LookupError for an unknown name, and for a handler without a route or with routes under several names,
    such as those of a blueprint that is registered twice. Raises ValueError, naming the route and the parameter,
    for a missing or invalid parameter, and for an unknown ``_mounted_at``. Raises TypeError for an unknown argument
    that begins with an underscore, as options do, and for a query value that has no text form, such as a dict.
    Raises RuntimeError for a signed route of an app without ``secret_keys``.
    """
    reverse = app._reverse_of_routes()
    place = partial(place_of, app) if _mounted_at is None else _mounted_at
    if args:
        params = reverse.named_arguments(route, args, params)
    return reverse.url(route, params, Signing(_expires, _method, place))
