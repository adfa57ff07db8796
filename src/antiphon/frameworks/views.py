"""Views with their paths and URLs: one call adds the views to an application of any framework."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from antiphon.app.application import App
from antiphon.app.blueprint import Blueprint
from antiphon.app.planning.signed_urls import Signing
from antiphon.app.route import Route, make_route
from antiphon.app.url_for import Reverse
from antiphon.explanations import explained
from antiphon.frameworks.framework import Framework, ViewRoute
from antiphon.frameworks.recognition import framework_of_app
from antiphon.frameworks.view import shown_as, view
from antiphon.frameworks.view_function import View
from antiphon.http.urls.url import quote_path, unquote
from antiphon.request.request import Request
from antiphon.request.route import PLACED_VIEW
from antiphon.routing.converters import CONVERTERS
from antiphon.routing.pattern import Parameter, Segment, parse_pattern
from antiphon.serialization.signing import Signer


class Views:
    """Views by their paths, all added to an application by one call: ``Views({"/": index}).add_to(app, "/feedback")``.

    A path is written as in an ``App``, ``/<int:number>``, with whole segments as parameters. A view is a function,
    which handles GET and HEAD, or a view with options, made by ``view``. In each view, ``request.url_for("item",
    number=7)`` returns the path of another view, wherever the views have been added, even below a prefix that the
    framework itself adds.

    Raises TypeError for functions that can't be called with a request and the parameters of their path, and ValueError
    for malformed paths.
    """

    def __init__(self, views: Mapping[str, Callable[..., Any]]) -> None:
        self._views = {pattern: _as_view(function) for pattern, function in views.items()}
        routes = [make_route(pattern, each.options.methods, each.function, {}) for pattern, each in self._views.items()]
        self._paths = {route.pattern: _Path(route) for route in routes}
        self.reverse = Reverse(routes, CONVERTERS, _not_signed)
        for path in self._paths.values():
            path.views = self

    def add_to(self, app: Any, prefix: str = "") -> None:
        """Add the views to an application, below a prefix.

        ``app`` is an ``App`` or a ``Blueprint`` of Antiphon; an application of aiohttp, Bottle, Falcon, FastAPI, Flask,
        Litestar, Quart, Sanic, Starlette or Tornado, or its blueprint or router; Pyramid's configurator; or Django's
        list of URL patterns. Each view gets a name for the framework's own ``url_for``, such as ``feedback_item``: the
        prefix and the function's name.

        Raises TypeError for any other object.
        """
        prefix = prefix.rstrip("/")
        if isinstance(app, App | Blueprint):
            for pattern, each in self._views.items():
                options = each.options
                if options.idempotent is not None or options.signed_by is not None:
                    raise explained("bad-view", "idempotent and signed_by must be features of an App, not of its views")
                methods = [method for method in options.methods if method != "HEAD"]
                path = self._paths[pattern]
                name, meta = _name(prefix, path.route.name), {PLACED_VIEW: path}
                app.route(
                    prefix + pattern, methods, name=name, limits=options.limits, before=options.before, meta=meta
                )(each.function)
            return
        framework = framework_of_app(app)
        for pattern, each in self._views.items():
            path = self._paths[pattern]
            written = path.written(prefix, framework)
            called = shown_as(View(each.function, each.options, path), "auto")
            try:
                framework.add_route(app, ViewRoute(written, _name(prefix, path.route.name), called))
            except (NotImplementedError, AttributeError) as error:
                if isinstance(error, AttributeError) and error.obj is not app:
                    raise
                kind = type(app)
                raise explained(
                    "bad-view",
                    f"views can't be added to a {kind.__module__}.{kind.__qualname__}: call them there",
                    TypeError,
                ) from None


def _as_view(function: Callable[..., Any]) -> View:
    made: View = getattr(function, "__view__", None) or view(function).__view__  # type: ignore[attr-defined]
    if made.options.methods:
        return made
    return View(made.function, made.options._replace(methods=("GET", "HEAD")))


def _not_signed(salt: str) -> Signer:  # noqa: ARG001 - the argument of such a function
    raise explained("bad-signed-url", "the URLs of views must not be signed")


def _name(prefix: str, name: str) -> str:
    words = [*prefix.strip("/").split("/"), name] if prefix.strip("/") else [name]
    return "_".join("".join(each if each.isalnum() else "_" for each in word) for word in words)


class _Path:
    """The path of a view, in the syntax of any framework, and the location of the views in a request's path."""

    views: Views

    def __init__(self, route: Route) -> None:
        self.route = route
        self._segments = parse_pattern(route.pattern)
        self._parameters = {each.name: each for each in self._segments if isinstance(each, Parameter)}
        self._spanning = [name for name, each in self._parameters.items() if each.converter.spans]
        if any(not isinstance(each, str | Parameter) for each in self._segments):
            raise explained("bad-path", f"a parameter of a view's path must be a whole segment: {route.pattern!r}")
        route.arguments.check(route.handler, route.where, [*self._parameters.values()], ())

    @property
    def names(self) -> list[str]:
        """The names of the parameters, in the order of the path."""
        return [*self._parameters]

    def written(self, prefix: str, framework: Framework) -> str:
        """Return the path in a framework's syntax, below a prefix."""
        return framework.literal(prefix) + "".join(f"/{_written(each, framework)}" for each in self._segments)

    def texts(self, request: Request, params: Mapping[str, Any], framework: Framework) -> dict[str, str]:
        """Return the decoded values of parameters as text, and tell the request its location for ``url_for``."""
        texts = {name: str(params[name]) for name in self._parameters}
        for name in self._spanning:
            texts[name] = (unquote(texts[name].encode()) if framework.encoded_spans else texts[name]).lstrip("/")
        request._urls = _URLs(self, request.path, texts)
        return texts

    def urls(self, request: Request, wanted: object) -> "_URLs | None":
        """Return the URLs of the views as seen from a request to an application of Antiphon, if they have the route."""
        if not self.views.reverse.has(wanted):
            return None
        return _URLs(self, request.path, {name: str(request.path_params[name]) for name in self._parameters})

    def converted(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Convert parameters with the path's converters. Raises ValueError for an invalid value."""
        return {name: each.converter.to_python(texts[name]) for name, each in self._parameters.items()}

    def prefix_in(self, path: str, texts: Mapping[str, str]) -> str:
        """Return the part of a request's path that precedes the view's path with these parameter values.

        Frameworks add their own prefixes, so only the request reveals it.
        """
        count = len(self._segments) + sum(text.count("/") for text in texts.values())  # some slashes are sent encoded
        segments = path.split("/")
        if self._segments[-1] == "" and segments[-1] != "":  # the framework also accepts the path without its slash
            count -= 1
        elif self._segments[-1] != "" and segments[-1] == "":
            count += 1
        return "/".join(segments[: len(segments) - count])


def _written(segment: Segment, framework: Framework) -> str:
    if isinstance(segment, Parameter):
        return framework.parameters[segment.converter.spans].format(segment.name)
    return framework.literal(str(segment))


class _URLs:
    """The URLs of views, as seen from one request."""

    def __init__(self, path: _Path, requested: str, texts: Mapping[str, str]) -> None:
        self._path = path
        self._requested = requested
        self._texts = texts

    def url_for(
        self,
        route: str | Callable[..., object],
        /,
        *args: object,
        _expires: float | timedelta | None = None,
        _method: str | None = None,
        _mounted_at: str = "",
        **params: object,
    ) -> str:
        """Return the path of a view below the root path. Raises the same errors as ``App.url_for``."""
        reverse = self._path.views.reverse
        named = reverse.named_arguments(route, args, params) if args else params
        below = reverse.url(route, named, Signing(_expires, _method, _mounted_at))
        return quote_path(self._path.prefix_in(self._requested, self._texts)) + below
