"""An application's routes, and the meaning of Pyramid's names, for API documents."""

from collections.abc import Iterator
from functools import partial
from inspect import isclass, signature
from re import sub
from typing import Any
from urllib.parse import quote

from antiphon.dialects.pyramid import httpexceptions
from antiphon.dialects.pyramid.interfaces import IRoutesMapper
from antiphon.dialects.pyramid.request import Request
from antiphon.embedding import DescribedApp

_REQUEST = {"GET": "args", "params": "args", "POST": "form", "json_body": "json", "matchdict": "path_params"}
_MEDIA = {"json": "application/json", "string": "text/plain"}
_current = object()
"""A stand-in for the request in views that are methods."""


class _Self:
    """A stand-in for a class-based view's instance, with the request as an attribute."""

    request = _current


def described(registry: Any) -> DescribedApp:
    """Return an application's description: the views of its routes, and the meaning of Pyramid's names."""
    statuses = httpexceptions.status_map
    errors: dict[type[BaseException], int] = {kind: code for code, kind in statuses.items() if code >= 400}
    return DescribedApp(
        [*_routes(registry)],
        meanings={"request": [_current], "redirect": [kind for code, kind in statuses.items() if 300 <= code < 400]},
        errors=errors,
        attributes=_REQUEST,
        gives_request=True,
        text="text/plain",
        route_of=partial(_route_of, registry),
    )


def _route_of(registry: Any, method: str, host: str, path: str) -> str | None:
    request = Request.blank(quote(path), method=method, host=host)
    _, route = registry.getUtility(IRoutesMapper).find(request)
    return None if route is None else str(route.name)


def _routes(registry: Any) -> Iterator[DescribedApp.Route]:
    patterns = {route.name: route.pattern for route in registry.getUtility(IRoutesMapper).get_routes()}
    for each in registry.introspector.get_category("views") or ():
        entry = each["introspectable"]
        name, view = entry["route_name"], entry["callable"]
        if name not in patterns or view is None or (getattr(view, "__module__", "") or "").startswith("antiphon."):
            continue
        renderer = next((one["name"] for one in each["related"] if one.category_name == "templates"), None)
        media = "text/html" if renderer else _MEDIA["json"]
        methods = entry["request_methods"] or ("GET",)
        methods = (methods,) if isinstance(methods, str) else methods
        pattern = sub(r"\*(\w+)$", r"{\1:.*}", patterns[name])
        yield DescribedApp.Route(_pattern(pattern), methods, name, _function(view, entry["attr"]), renders=media)


def _pattern(pattern: str) -> str:
    """Convert a pattern such as ``/lamps/{number}`` to an Antiphon pattern. Regular expressions are dropped."""
    pattern = sub(r"\{(\w+):\.[*+]\}", r"<path:\1>", pattern)
    return "/" + sub(r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})*)?\}", r"<\1>", pattern).lstrip("/")


def _function(view: Any, attr: str | None) -> Any:
    if isclass(view):
        return partial(getattr(view, attr or "__call__"), _Self())
    function = getattr(view, attr) if attr else view
    takes_context = len(signature(function).parameters) > 1
    return partial(function, None) if takes_context else function
