"""`antiphon routes`: the routes of an application, and the route that handles a request."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from click import ClickException

from antiphon.app.application import App
from antiphon.app.dispatch.plan import Plan
from antiphon.app.mount import Mount
from antiphon.app.route import Route
from antiphon.app.route_keys import RouteKeys
from antiphon.cli.commands import aligned
from antiphon.cli.errors import BadCommand
from antiphon.cli.interface import shorten
from antiphon.cli.target import Target, find_target
from antiphon.handler.callables import describe
from antiphon.request.request import Request

if TYPE_CHECKING:
    from antiphon.cli.route_facts import Fact

T = TypeVar("T")
Row: TypeAlias = tuple[str, str, str, str]
"""The methods, the host and path, the name, and the handler with its location."""


def load_app(target: str | None = None) -> App:
    """Return the application that a command works on: ``load_app("shop:app")``.

    Without a target, this is the application that ANTIPHON_APP names. If that isn't set, it is the only application in
    the modules of the current directory, as for `antiphon run`. If there is no application, if it can't be loaded, or
    if it is not an ``App``, raises BadCommand, which ends the command with a message and exit code 2.
    """
    return load(find_target(target))


def load_feature(target: str | None, kind: type[T]) -> T:
    """Return an application's feature of the given class: ``load_feature("shop:app", Flags)``.

    If the application uses several such features, the first is returned. Raises BadCommand as ``load_app`` does, and
    ``click.ClickException`` if the application does not use such a feature.
    """
    feature = load_app(target).find_feature(kind)
    if feature is None:
        raise ClickException(f"This app does not use {kind.__name__}: app.use({kind.__name__}(...)).")
    return feature


def load(target: Target) -> App:
    """Return a target's application. Raises `BadCommand` if it is not an App."""
    app = target.load(None)
    if isinstance(app, App):
        return app
    raise BadCommand(f"{target} is of type {type(app).__name__}, whose routes are unknown: name an App.")


def table(app: App, prefix: str = "", host: str = "") -> list[Row]:
    """Return the routes of an application, then those of each application mounted in it."""
    rows = [_row(route, prefix, host) for route in app.routes]
    for mount in app.mounts:
        where = mount.host or host
        if isinstance(mount.application, App):
            rows += table(mount.application, prefix + mount.prefix, where)
        else:
            rows.append(("*", f"{where}{prefix}{mount.prefix}/...", "", _described(mount)))
    return rows


def find_handling(
    app: App, request: Request, *, has_host: bool, above: tuple[Plan, ...] = ()
) -> tuple[list[str], bool]:
    """Return lines that describe how a request is handled, with the facts about its route, and True if it reaches a
    handler. ``above`` are the plans of the mounts on the way to the app.

    No middleware or handler is called.
    """
    routing = app._freeze()
    plan, error = (routing if has_host else routing.without_looking()).find(request)
    route = plan.route
    if error is not None:
        return [f"{error.status} {error.title}: {error.detail}"], False
    if plan is routing.redirecting:
        return ["308: the path is redirected to its other form, with or without a trailing slash"], True
    values = [f"  {name} = {value!r}" for name, value in request.path_params.items()]
    if (mount := plan.mount) is not None:
        first = [f"mounted at {mount.where}: {_described(mount)}"]
        if isinstance(mount.application, App):
            below = mount.below(request)
            lines, is_handled = find_handling(mount.application, below, has_host=has_host, above=(*above, plan))
            return [*first, *lines], is_handled
    elif route.name:
        first = aligned([_row(route)])
    else:
        return [f"{request.method} is handled by the app itself", *values], True
    from antiphon.cli.route_facts import facts_of  # imported late: it takes longer than to find the route

    return [*first, *values, "", *explained_by(facts_of((*above, plan), request.method))], True


def explained_by(facts: "Sequence[Fact]") -> list[str]:
    """Return facts as lines: what each is about, how it is known, from where, and the fact."""
    earlier = ["", *(each.about for each in facts)]
    about = [each.about * (each.about != before) for each, before in zip(facts, earlier, strict=False)]
    return aligned([(name, each.source, each.text) for name, each in zip(about, facts, strict=True)])


def _row(route: Route, prefix: str = "", host: str = "") -> Row:
    where = f"{route.host or host}{prefix}{route.pattern}"
    methods = "WebSocket" if route.websocket else ",".join(route.methods)
    name = f"{route.name} (tool)" if route.meta.get(RouteKeys.tool) else route.name
    return methods, where, name, shorten(route.handled_by)


def _described(mount: Mount) -> str:
    article = "a" if mount.interface == "wsgi" else "an"
    kind = f"{article} {mount.interface.upper()} application, " if mount.interface else ""
    return kind + shorten(describe(mount.application))
