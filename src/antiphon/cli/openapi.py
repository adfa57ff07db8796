"""`antiphon openapi`: the OpenAPI document of an application, and its differences from an existing one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from antiphon.app.application import App
from antiphon.cli.errors import BadCommand
from antiphon.cli.routes import aligned
from antiphon.cli.target import Target
from antiphon.features.openapi.code.words import DescribedApp
from antiphon.features.openapi.document import Info, OpenAPIDocument, make_document
from antiphon.features.openapi.feature import OpenAPI
from antiphon.features.tools.definitions import Definition
from antiphon.features.tools.feature import features_of


def load(target: Target) -> App | DescribedApp:
    """Return a target's application, or a dialect's description of it. Raises `BadCommand` for any other target."""
    app = target.load(None)
    if isinstance(app, App):
        return app
    describe = getattr(app, "described_api", None)
    if describe is None:
        raise BadCommand(
            f"{target} is of type {type(app).__name__}, whose routes are unknown: name an App, or an app of Flask or"
            " Pyramid with --dialect."
        )
    described: DescribedApp = describe()
    return described


def document(target: Target, app: App | DescribedApp, prefix: str | None) -> OpenAPIDocument:
    """Return the document of an application's `OpenAPI` feature; without one, a document of all routes.

    Raises `BadCommand` if the application has several documents and no prefix selects one.
    """
    title = target.module.rpartition(".")[2]
    if isinstance(app, DescribedApp):
        return make_document(app, Info(title, prefix=prefix or ""))
    features = [
        feature for route in app.routes if isinstance(feature := getattr(route.handler, "__self__", None), OpenAPI)
    ]
    known = {feature.prefix: feature for feature in features}
    if prefix is None and len(known) > 1:
        raise BadCommand(f"{target} has {len(known)} documents: add --prefix, one of {', '.join(map(repr, known))}.")
    if prefix is None and known:
        return next(iter(known.values())).document(app)
    feature = known.get(prefix or "") or OpenAPI(title, prefix=prefix or "")
    return feature.document(app)


def written(document: OpenAPIDocument) -> str:
    """Return a document as text."""
    return json.dumps(document.content, indent=2, ensure_ascii=False)


def drift(document: OpenAPIDocument, path: Path) -> list[str]:
    """Return the places where a file differs from a document. Raises `BadCommand` if the file is not JSON."""
    try:
        known = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadCommand(f"{str(path)!r} can't be read as JSON: {error}.") from None
    return [*differences(known, json.loads(written(document)))]


_MISSING = object()


def differences(written: Any, made: Any, place: str = "") -> Iterator[str]:
    """Yield the places where an existing document differs from the current one, with both values."""
    if isinstance(written, dict) and isinstance(made, dict):
        for key in dict.fromkeys((*written, *made)):
            yield from differences(written.get(key, _MISSING), made.get(key, _MISSING), _below(place, key))
    elif isinstance(written, list) and isinstance(made, list) and _named(written) and _named(made):
        yield from differences(_by_name(written), _by_name(made), place)
    elif written is _MISSING:
        yield f"{place}: the application has it now: {_shown(made)}"
    elif made is _MISSING:
        yield f"{place}: the application no longer has it: it was {_shown(written)}"
    elif written != made:
        yield f"{place}: {_shown(written)} is now {_shown(made)}"


def _below(place: str, key: str) -> str:
    return f"{place} {key}" if place else key


def _named(items: list[Any]) -> bool:
    """Return True for parameters and tags, whose order is irrelevant."""
    return all(isinstance(each, dict) and "name" in each for each in items)


def _by_name(items: list[Any]) -> dict[str, Any]:
    return {f"{each.get('in', '')} {each['name']}".strip(): each for each in items}


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def table(app: App) -> list[str]:
    """Return a line for each tool: its name, its request, what a call may do, and its description."""
    rows = [_row(each) for each in definitions_of(app)]
    return aligned(rows) if rows else ["No route is a tool: @app.get(..., tool=True) makes one."]


def written_tools(app: App) -> str:
    """Return the tools as JSON, as a client sees them after a login."""
    return json.dumps([each.as_json(has_any_result=True) for each in definitions_of(app)], indent=2, ensure_ascii=False)


def definitions_of(app: App) -> list[Definition]:
    """Return an application's tools. Raises `BadCommand` if it serves none, or if a route can't be a tool."""
    features = features_of(app)
    if not features:
        raise BadCommand("This application serves no tools: add app.use(Tools(api)).")
    try:
        return [each for feature in features for each in feature.definitions(app).values()]
    except (LookupError, ValueError) as error:
        raise BadCommand(f"{error.args[0]}.") from None


def _row(each: Definition) -> tuple[str, str, str, str]:
    effect = "reads" if each.is_read_only else "destroys" if each.is_destructive else "writes"
    if each.options.confirm is not None:
        effect += ", asks first"
    if each.requires_user:
        effect += ", login"
    return each.name, f"{each.method} {each.path}", effect, each.description.partition("\n")[0]
