"""`antiphon tools`: the tools of an application, as clients of the Model Context Protocol see them."""

import json

from antiphon.app.application import App
from antiphon.cli.errors import BadCommand
from antiphon.cli.routes import aligned
from antiphon.features.tools.definitions import Definition
from antiphon.features.tools.feature import features_of


def table(app: App) -> list[str]:
    """Return a line for each tool: its name, its request, what a call may do, and its description."""
    rows = [_row(each) for each in definitions_of(app)]
    return aligned(rows) if rows else ["No route is a tool: @app.get(..., tool=True) makes one."]


def written(app: App) -> str:
    """Return the tools as JSON, as a client sees them after a login."""
    return json.dumps([each.as_json(has_any_result=True) for each in definitions_of(app)], indent=2, ensure_ascii=False)


def definitions_of(app: App) -> list[Definition]:
    """Return the tools of an application. Raises `BadCommand` if it serves none, or for a route that can't be one."""
    features = features_of(app)
    if not features:
        raise BadCommand("This application serves no tools: app.use(Tools(api)) does.")
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
