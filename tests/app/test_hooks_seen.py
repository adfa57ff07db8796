"""The table of which hooks see a request, in the reference: each cell is measured."""

import logging
import re
from pathlib import Path

import pytest

from antiphon import App, Blueprint, HTTPError, Limits, Response
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

PAGE = Path(__file__).parents[2] / "docs/reference/hooks.md"
HOOKS = ("before routing", "middleware", "before_request", "after_request", "error handler", "blueprint")
SENT = {
    "a request that matches a route": ("GET", "/shop/page", {}),
    "a 404": ("GET", "/nowhere", {}),
    "a 404 below a blueprint's prefix": ("GET", "/shop/nowhere", {}),
    "a 405": ("DELETE", "/shop/page", {}),
    "an OPTIONS without a route": ("OPTIONS", "/shop/page", {}),
    "a 413": ("POST", "/shop/orders", {"body": b"x" * 99}),
    "a file of `app.static`": ("GET", "/static/a.txt", {}),
    "a 404 below `app.static`": ("GET", "/static/b.txt", {}),
    "a request to a mounted app": ("GET", "/inner/page", {}),
    "a 404 from a mounted app": ("GET", "/inner/nowhere", {}),
    "a request for an untrusted host": ("GET", "/shop/page", {"headers": {"host": "evil.example"}}),
    "a write from another site": ("POST", "/shop/orders", {"headers": {"sec-fetch-site": "cross-site"}}),
    "a malformed path": ("GET", "/a%00", {}),
    "an `unguarded` route": ("GET", "/alive", {}),
}


def app_of(seen: list[str], folder: Path) -> App:
    """Return an application whose hooks tell that they were called."""
    app, inner, shop = (
        App(limits=Limits(body=10), trusted_hosts=["testserver"]), App(), Blueprint("shop", prefix="/shop"),
    )  # fmt: skip

    def middleware(name):
        def around(request):
            seen.append(name)
            yield

        return around

    app.middleware(before_routing=True)(middleware("before routing"))
    app.middleware(middleware("middleware"))
    app.before_request(lambda request: seen.append("before_request"))
    app.after_request(lambda request, response: seen.append("after_request"))
    app.errorhandler(HTTPError)(lambda request, error: seen.append("error handler") or Response("", error.status))
    shop.middleware(middleware("blueprint"))
    shop.get("/page")(lambda request: "page")
    shop.post("/orders")(lambda request: request.text)
    inner.get("/page")(lambda request: "inner")
    app.get("/alive", unguarded=True)(lambda request: "alive")
    app.register(shop)
    app.mount("/inner", inner)
    app.static("/static", folder)
    return app


def table() -> dict[str, dict[str, bool]]:
    lines = re.findall(r"^\| (an? .*?) \|(.*)\|$", PAGE.read_text(), re.MULTILINE)
    cells = {name: [cell.strip() for cell in row.split("|")] for name, row in lines}
    assert all({*row} <= {"yes", "no"} for row in cells.values())
    return {name: dict(zip(HOOKS, [each == "yes" for each in row], strict=True)) for name, row in cells.items()}


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_each_cell_is_as_it_is_measured(interface, tmp_path_factory, caplog):
    caplog.set_level(logging.CRITICAL)
    folder = tmp_path_factory.mktemp("static")
    (folder / "a.txt").write_text("a")
    seen: list[str] = []
    client, measured = Client(app_of(seen, folder), interface), {}
    for name, (method, url, options) in SENT.items():
        seen.clear()
        client.request(method, url, **options)
        measured[name] = {hook: hook in seen for hook in HOOKS}
    assert table() == measured
