"""Tools of an application of a dialect, such as Flask, that is mounted in one of ours: its views by their names."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from antiphon.app.route import Tool, tool_of
from antiphon.explanations import explained
from antiphon.features.openapi.described import app_of
from antiphon.features.openapi.document import Info, described_routes, make_document
from antiphon.features.openapi.feature import OpenAPI
from antiphon.features.tools.definitions import Definition, ToolRoute, definitions_of

if TYPE_CHECKING:
    from antiphon.app.application import App


def definitions_of_dialect(
    app: "App", mounted: Any, tools: Mapping[str, bool | Tool], api: OpenAPI
) -> dict[str, Definition]:
    """Return the tools of an application of a dialect, with the schemas that its code gives.

    Raises LookupError for names that are not those of its routes, and for an application that is not mounted.
    """
    prefix = next((each.prefix for each in app.mounts if each.application is mounted), None)
    if prefix is None:
        raise explained("bad-tool", LookupError("the application with the tools is not mounted: app.mount(prefix, it)"))
    described = mounted.described_api()
    content = make_document(described, Info(api.title, api.version, api.description)).content
    wanted = {name: tool for name, given in tools.items() if (tool := tool_of(given, name)) is not None}
    routes = [*_marked(app_of(described), wanted, prefix)]
    if unknown := wanted.keys() - {each.route.name for each in routes}:
        raise explained("bad-tool", LookupError(f"there is no route with the name {min(unknown)!r}"))
    return definitions_of(routes, content)


def _marked(app: "App", wanted: Mapping[str, Tool], prefix: str) -> Iterator[ToolRoute]:
    for each in described_routes(app):
        if each.route.name in wanted:
            methods = tuple(method for method in each.route.methods if method not in ("HEAD", "OPTIONS"))
            yield ToolRoute(each.route._replace(tool=wanted[each.route.name], methods=methods), each.path, prefix)
