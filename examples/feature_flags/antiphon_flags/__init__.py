"""Feature flags: visitors switch them on with a page, which sets a signed cookie, and a service for everyone.

app.use(Flags("new-checkout", "dark", folder="/var/lib/shop/flags"))
"""

import os
from functools import partial
from pathlib import Path

from antiphon import App, BadSignature, Blueprint, Dependency, Request, Response, RouteKey, abort, explained
from antiphon.features import HealthCheck, Page, Templates

__reads__ = "named"

FLAG = RouteKey[str]("flag")
"""The flag that hides a route while it is off: ``@app.get("/checkout", meta={FLAG: "new-checkout"})``."""

COOKIE = "flags"
YEAR = 365 * 24 * 3600


class Switches:
    """The flags of a request: ``request[SWITCHES].is_on("dark")``."""

    def __init__(self, feature: "Flags", chosen: list[str]) -> None:
        self._feature = feature
        self._chosen = chosen

    def is_on(self, name: str) -> bool:
        """Return True if a flag is on for the visitor or for everyone. Raises LookupError for an unknown flag."""
        self._feature.check(name)
        return name in self._chosen or self._feature.is_on_for_everyone(name)


SWITCHES = Dependency[Switches]("flags", fix='app.use(Flags("dark", folder=...))')


class Flags:
    """A feature for flags of an app with ``secret_keys``. The ``folder`` has a file for each flag that is on for
    everyone.
    """

    __reads__ = (SWITCHES,)

    def __init__(self, *names: str, folder: str | os.PathLike[str], prefix: str = "/flags") -> None:
        self.names = names
        self._folder = Path(folder)
        self._prefix = prefix

    def install(self, app: App) -> None:
        self._choices, self._orders = app.signer("antiphon-flags"), app.signer("antiphon-flags for everyone")
        app.provide(SWITCHES, lambda request: Switches(self, self._chosen(request)))
        app.template_context(flags=lambda request: request[SWITCHES])
        app.before_request(self._hide)
        app.after_request(self._vary)
        app.on_startup(partial(self._check_routes, app))
        app.use(HealthCheck(self._check_folder, name="flags"))
        pages = Blueprint("flags", prefix=self._prefix)
        pages.use(Templates("templates", overridable=True))
        pages.get("", name="show")(self._show)
        pages.post("", name="choose")(self._choose)
        pages.post("/everyone", csrf_exempt=True, name="order")(self._order)
        app.register(pages)

    def check(self, name: str) -> None:
        if name not in self.names:
            known = ", ".join(self.names)
            raise explained("flags.unknown-flag", LookupError(f"there is no flag {name!r}, but {known}"))

    def is_on_for_everyone(self, name: str) -> bool:
        return (self._folder / name).exists()

    def order_for_everyone(self, name: str, is_on: bool) -> str:
        """Return the signed body with which a service switches a flag for everyone: ``POST /flags/everyone``."""
        self.check(name)
        return self._orders.sign({"flag": name, "is_on": is_on})

    def _chosen(self, request: Request) -> list[str]:
        try:
            chosen: list[str] = self._choices.unsign(request.cookies.get(COOKIE))
        except BadSignature:
            return []
        return chosen

    def _hide(self, request: Request) -> None:
        name = request.route.meta.get(FLAG)
        if name is not None and not request[SWITCHES].is_on(name):
            abort(404)

    def _vary(self, request: Request, response: Response) -> None:
        if SWITCHES in request:
            response.vary("cookie")

    def _check_routes(self, app: App) -> None:
        for route in app.routes:
            if (name := route.meta.get(FLAG)) is not None:
                self.check(name)

    def _check_folder(self) -> None:
        os.listdir(self._folder)

    def _show(self, request: Request) -> Page:
        return Page("flags/list.html", names=self.names)

    def _choose(self, request: Request) -> Response:
        chosen = [name for name in self.names if name in request.form.getall("flag")]
        response = Response.redirect(request.url_for(".show"), 303)
        response.set_cookie(COOKIE, self._choices.sign(chosen), max_age=YEAR, httponly=True, secure=request.is_secure)
        return response

    def _order(self, request: Request) -> None:
        order = self._orders.unsign(request.text, max_age=60)
        self.check(order["flag"])
        if order["is_on"]:
            (self._folder / order["flag"]).touch()
        else:
            (self._folder / order["flag"]).unlink(missing_ok=True)
