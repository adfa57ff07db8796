"""`antiphon tools`: the tools of an application, as clients of the Model Context Protocol see them."""

import json
from typing import Any

from antiphon.app.application import App
from antiphon.cli.errors import BadCommand
from antiphon.cli.routes import aligned
from antiphon.features.tools.definitions import Definition
from antiphon.features.tools.feature import Tools


def features_of(app: App) -> list[Tools]:
    """Return the features that serve tools of an application. Raises `BadCommand` if there are none."""
    found = [each for route in app.routes if isinstance(each := getattr(route.handler, "__self__", None), Tools)]
    if not found:
        raise BadCommand("This application serves no tools: app.use(Tools(api)) does.")
    return found


def table(app: App) -> list[str]:
    """Return a line for each tool: its name, its request, what a call may do, and its description."""
    rows = [_row(each) for feature in features_of(app) for each in definitions_of(feature, app).values()]
    return aligned(rows) if rows else ["No route is a tool: @app.get(..., tool=True) makes one."]


def written(app: App) -> str:
    """Return the tools as JSON, as a client sees them after a login."""
    for feature in features_of(app):
        definitions_of(feature, app)
    listed: list[dict[str, Any]] = [each for feature in features_of(app) for each in feature.listed(app)]
    return json.dumps(listed, indent=2, ensure_ascii=False)


def definitions_of(feature: Tools, app: App) -> dict[str, Definition]:
    """Return the tools of a feature. Raises `BadCommand` for a route that can't be a tool."""
    try:
        return feature.definitions(app)
    except (LookupError, ValueError) as error:
        raise BadCommand(f"{error.args[0]}.") from None


def _row(each: Definition) -> tuple[str, str, str, str]:
    effect = "reads" if each.is_read_only else "destroys" if each.is_destructive else "writes"
    if each.options.confirm is not None:
        effect += ", asks first"
    if each.requires_user:
        effect += ", login"
    return each.name, f"{each.method} {each.path}", effect, each.description.partition("\n")[0]
