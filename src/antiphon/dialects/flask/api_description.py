"""An application's routes, and the meaning of Flask's names, for API documents."""

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import antiphon.dialects.flask as flask
from antiphon.dialects.werkzeug import exceptions
from antiphon.embedding import DescribedApp

if TYPE_CHECKING:
    from antiphon.dialects.flask.app import Flask

_REQUEST = {"get_json": "json", "data": "body", "get_data": "body", "values": "args"}
_AUTOMATIC = {"HEAD", "OPTIONS"}


class _Self:
    """A placeholder for a class-based view's instance, about which nothing is known before a request."""


def described(app: "Flask") -> DescribedApp:
    """Return an application's description: its rules, except those for static files, and Flask's names."""
    errors: dict[type[BaseException], int] = {kind: code for code, kind in exceptions.default_exceptions.items()}
    pages: list[object] = [flask.render_template, flask.render_template_string]
    return DescribedApp(
        [*_routes(app)],
        meanings={
            "request": [flask.request],
            "abort": [flask.abort, exceptions.abort],
            "json": [flask.jsonify],
            "redirect": [flask.redirect],
            "page": pages,
            "file": [flask.send_file, flask.send_from_directory],
        },
        errors=errors,
        attributes=_REQUEST,
        route_of=partial(_route_of, app),
    )


def _route_of(app: "Flask", method: str, host: str, path: str) -> str | None:
    try:
        endpoint, _ = app.url_map.bind(host).match(path, method)
    except exceptions.HTTPException:
        return None
    return str(endpoint)


def _routes(app: "Flask") -> Iterator[DescribedApp.Route]:
    for rule in app.url_map.iter_rules():
        view: Any = app.view_functions.get(rule.endpoint)
        methods = sorted((rule.methods or {"GET"}) - _AUTOMATIC)
        if view is None or rule.endpoint.rpartition(".")[2] == "static":
            continue
        pattern, host = _pattern_of(rule.rule), getattr(rule, "host", None)
        blueprint, _, _ = rule.endpoint.rpartition(".")
        for several, function in _functions(view, methods):
            yield DescribedApp.Route(pattern, several, rule.endpoint, function, host, blueprint or None)


def _functions(view: Any, methods: list[str]) -> Iterator[tuple[list[str], Any]]:
    """Yield each function of a view with the methods it handles: one per method for a class-based view."""
    kind = getattr(view, "view_class", None)
    if kind is None:
        yield methods, view
        return
    for method in methods:
        function = getattr(kind, method.lower(), None) or kind.dispatch_request
        yield [method], partial(function, _Self())


_PARAMETER = re.compile(r"<(?:(\w+)(\([^)]*\))?:)?(\w+)>")
_KNOWN = frozenset({"int", "float", "uuid", "path", "any"})


def _pattern_of(rule: str) -> str:
    """Convert a rule to an Antiphon pattern. Unknown converters become plain text; most options are dropped."""

    def converted(found: re.Match[str]) -> str:
        name, options, parameter = found.groups()
        if name not in _KNOWN:
            return f"<{parameter}>"
        kept = options or "" if name == "any" else ""
        return f"<{name}{kept.replace(' ', '').replace(chr(34), '').replace(chr(39), '')}:{parameter}>"

    return _PARAMETER.sub(converted, rule)
