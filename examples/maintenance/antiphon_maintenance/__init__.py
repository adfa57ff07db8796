"""A maintenance switch with an audit log: while it is on, an app answers 503, except to its own people.

app.use(Maintenance(store, allow=lambda request: request.ip in OFFICE))
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from antiphon import App, Dependency, Request, Response, RouteKey, abort
from antiphon.cli import load_feature
from antiphon.features import HealthCheck, Store
from antiphon.http import ServiceUnavailable

__reads__ = "named"

OPEN = RouteKey[bool]("open during maintenance")
"""``@app.get("/status", meta={OPEN: True})`` is a route that still answers."""

IS_ON = Dependency[bool]("maintenance", fix="app.use(Maintenance(store))")


class Maintenance:
    """A switch that all workers share, by default in the app's store. Changes are kept with author and reason."""

    def __init__(
        self, store: Store | None = None, *, allow: Callable[[Request], bool] = lambda _: False, retry_after: int = 300
    ) -> None:
        self._own, self._allow, self._retry_after = store, allow, retry_after

    @property
    def __reads__(self) -> tuple[object, ...]:
        return IS_ON, self._allow

    def install(self, app: App) -> None:
        self._store = app.store_for(self, self._own)
        app.provide(IS_ON, lambda request: self.is_on, blocking=self._store.blocks)
        app.template_context(maintenance=lambda request: request[IS_ON])
        app.before_request(self._refuse)
        app.use(HealthCheck(self._is_ready, name="maintenance"))
        app.get("/maintenance/log", meta={OPEN: True}, name="maintenance.log")(self._show_log)

    @property
    def is_on(self) -> bool:
        """True while the switch is on."""
        entry = self._store.load("maintenance")
        return entry is not None and bool(entry.data["is_on"])

    @property
    def log(self) -> list[dict[str, Any]]:
        """The changes of the switch, oldest first."""
        entry = self._store.load("maintenance")
        return [] if entry is None else list(entry.data["log"])

    def switch(self, is_on: bool, by: str, reason: str = "") -> None:
        """Switch maintenance on or off. If two do it at once, both are in the log."""
        while True:
            entry = self._store.load("maintenance")
            change = {"at": datetime.now(UTC), "is_on": is_on, "by": by, "reason": reason}
            data = {"is_on": is_on, "log": [*(entry.data["log"] if entry else ()), change]}
            if entry is None and self._store.add("maintenance", data):
                return
            if entry is not None and self._store.replace("maintenance", data, version=entry.version):
                return

    def _refuse(self, request: Request) -> None:
        if request[IS_ON] and not request.route.meta.get(OPEN) and not self._allow(request):
            raise ServiceUnavailable("We will be back soon.", headers={"retry-after": str(self._retry_after)})

    def _is_ready(self) -> bool:
        return not self.is_on

    def _show_log(self, request: Request) -> Response:
        if not self._allow(request):
            abort(404)
        return Response.json(self.log)


@click.command()
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--by", required=True, help="The person who switches it.")
@click.option("--reason", default="", help="The reason for the log.")
@click.argument("target", metavar="[MODULE:APP]", required=False)
def command(state: str, by: str, reason: str, target: str | None) -> None:
    """Switch the maintenance of an app on or off."""
    load_feature(target, Maintenance).switch(state == "on", by, reason)
    click.echo(f"Maintenance is {state}.")
