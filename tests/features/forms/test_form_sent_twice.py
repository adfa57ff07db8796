"""Forms whose route is ``idempotent``: what a second click, or a form from the browser's history, does."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass

import pytest

from antiphon import App, Dependency, Request, Response, Upload
from antiphon.features import CookieStore, Form, IdempotentWrites, MemoryStore, Sessions
from antiphon.features.idempotency.claims import in_use
from antiphon.testing import Client
from tests.features.forms.markup import parsed, submission
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style")]


@dataclass
class Order:
    street: str
    photo: Upload | None = None


class Shop:
    """A shop that writes down each order, in the database that its claims are in, or beside its store."""

    def __init__(self, interface, style, *, inside=None, visits=None, counted_in=()):
        self.app, self.orders, self.lasts = App(secret_keys=["k" * 32]), [], threading.Event()
        self.entered = threading.Event()
        self.lasts.set()
        if inside is None:
            self.app.use(IdempotentWrites(MemoryStore()))
        else:
            database = Dependency("database")

            def connect(request: Request):
                with closing(sqlite3.connect(inside, check_same_thread=False)) as connection, connection:
                    yield connection

            self.app.provide(database, connect)
            self.app.use(IdempotentWrites(inside=database))
        if visits:
            self.app.use(Sessions(visits(self.app)))

        def order(request: Request):
            form = Form(Order, request)
            if request.method in counted_in:
                request.session["visits"] = request.session.get("visits", 0) + 1
            if form.validate():
                self.entered.set()
                self.lasts.wait(10)
                self.orders.append(form.data.street)
                return Response.redirect(f"/orders/{len(self.orders)}")
            return form, form.status

        async def aorder(request: Request):
            return order(request)

        handler = order if style == "def" else aorder
        self.app.get("/order", name="order")(handler)
        self.app.post("/order", idempotent=True, name="send")(handler)
        self.client = Client(self.app, interface, follow_redirects=False, base_url="https://shop.example")

    def page(self):
        """Return the fields of a new page's form."""
        return dict(submission(parsed(self.client.get("/order").text))) | {"photo": ""}

    def send(self, fields, photo=None):
        fields = {name: value for name, value in fields.items() if name != "photo"}
        file = ("", b"") if photo is None else ("lamp.png", photo)
        return self.client.post("/order", form=fields, files={"photo": file})


@rows(
    "name, sent, outcomes, orders",
    ("twice", [("High", None)] * 2, ["/orders/1"] * 2, ["High"]),
    ("with a file, separated by a new boundary", [("High", b"png")] * 2, ["/orders/1"] * 2, ["High"]),
    ("corrected after a 422", [("", None), ("High", None)], [422, "/orders/1"], ["High"]),
    ("changed after it was sent", [("High", None), ("Low", None)], ["/orders/1", 422], ["High"]),
    ("with another file", [("High", b"png"), ("High", b"gif")], ["/orders/1", 422], ["High"]),
)  # fmt: skip
@pytest.mark.parametrize("kept", ["store", "transaction"])
def test_a_form_is_carried_out_once(name, sent, outcomes, orders, kept, interface, style, tmp_path):
    shop = Shop(interface, style, inside=tmp_path / f"{len(name)}.db" if kept == "transaction" else None)
    page = shop.page()
    responses = [shop.send({**page, "street": street}, photo) for street, photo in sent]
    assert [response.location or response.status for response in responses] == outcomes
    assert shop.orders == orders
    if len(orders) < len(sent) and outcomes[-1] == 422:
        assert "This form was sent before, with other values or another login." in responses[-1].text
    assert shop.send({**shop.page(), "street": orders[0]}).location == "/orders/2"  # a new page orders again


@rows("visits", [lambda app: MemoryStore(), lambda app: CookieStore(app.secret_keys)])
@rows("counted_in", [["GET", "POST"], ["POST"]])
def test_a_session_that_the_first_one_began_or_changed_makes_no_difference(visits, counted_in, interface, style):
    shop = Shop(interface, style, visits=visits, counted_in=counted_in)
    page = {**shop.page(), "street": "High"}
    assert [shop.send(page).location for _ in range(3)] == ["/orders/1"] * 3


def test_the_second_click_waits_for_the_first(interface):
    shop = Shop(interface, "def")
    page, found = {**shop.page(), "street": "High"}, []
    shop.lasts.clear()
    clicks = [threading.Thread(target=lambda: found.append(shop.send(page).location)) for _ in range(2)]
    clicks[0].start()
    assert shop.entered.wait(10)
    clicks[1].start()
    clicks[1].join(0.1)
    shop.lasts.set()
    for click in clicks:
        click.join()
    assert (found, shop.orders) == (["/orders/1"] * 2, ["High"])


@rows(
    "path, action, has_key",
    ("/order", None, True),
    ("/order?page=2", None, True),
    ("/other", None, False),
    ("/other", "/order", True),
    ("/other", "order?from=other", True),
    ("/other", "https://shop.example/order", True),
    ("/other", "https://bank.example/order", False),
    ("/other", "/nothing", False),
    ("/other", "//[", False),
)  # fmt: skip
def test_a_page_has_a_key_if_its_form_goes_to_an_idempotent_route(path, action, has_key):
    shop = Shop("wsgi", "def")

    @shop.app.get("/other")
    def other(request: Request):
        return Form(Order, request, action=action)

    page = shop.client.get(path)
    assert ("idempotency_key" in page.text) == has_key
    assert (page.headers.get("cache-control") == "private") == has_key  # a cache would hand one key to many


@rows(
    "key, required, status, kind",
    ("a b", True, 200, None),
    ("k" * 255, True, 200, None),
    (None, True, 400, "missing"),
    ("", True, 400, "malformed"),
    ("a\0b", True, 400, "malformed"),
    ("ä", True, 400, "malformed"),
    ("k" * 256, True, 400, "malformed"),
    (None, False, 200, None),
    ("a\0b", False, 400, "malformed"),
    ("k" * 256, False, 400, "malformed"),
)  # fmt: skip
@pytest.mark.axes("interface")
def test_a_key_is_checked_as_in_the_header(key, required, status, kind, interface):
    app = App()
    app.use(IdempotentWrites(MemoryStore(), required=required))

    @app.post("/", idempotent=True)
    def order(request: Request):
        return "ordered"

    client = Client(app, interface)
    response = client.post("/", form={} if key is None else {"idempotency_key": key}, headers={"accept": "*/*"})
    assert response.status == status
    if kind:
        assert response.json["type"] == f"urn:antiphon:problem:idempotency-key-{kind}"
        assert response.json["detail"].endswith("Reload the page, and send the form again.")  # a visitor reads this
    if key and status == 200:  # it is the same key, with another body
        assert client.post("/", headers={"idempotency-key": f'"{key}"'}).status == 422


@pytest.mark.axes("interface")
def test_visitors_are_told_of_their_form_and_not_of_a_header(interface):
    app = App()
    app.use(IdempotentWrites(MemoryStore()))

    @app.post("/", idempotent=True, deadline=0.02)
    async def order(request: Request):
        await asyncio.sleep(1000)

    client = Client(app, interface)
    first, second = [client.post("/", form={"idempotency_key": "1"}) for _ in range(2)]
    assert (first.status, second.status) == (504, 409)
    in_progress = in_use(is_of_form=True)  # a second click waits longer than a test may
    for detail in (second.json["detail"], in_progress.detail):
        assert detail.startswith("This form was sent before, and")
