"""Tests of an application, as users write them."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from antiphon import App, Dependency, Request, Response
from antiphon.features import Bearer, MemoryStore, SessionLogin, Sessions, Users, login_required
from antiphon.http import Event, parse_events
from antiphon.testing import AsyncClient, Client, ClientResponse, ContractError


@dataclass
class Member:
    id: int
    name: str


class Mailer:
    def send(self, to: str) -> None:
        raise ConnectionError(to)


class FakeMailer(Mailer):
    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, to: str) -> None:
        self.sent.append(to)


ADA = Member(1, "Ada")
MAILER = Dependency[Mailer]("mailer")
CurrentMember = Dependency[Member]("member")


def make_app() -> App:
    app = App()
    app.use(Sessions(MemoryStore()))
    app.use(Users(Bearer({"k7Qz": ADA}.get), SessionLogin({"1": ADA}.get), required=CurrentMember))
    app.provide(MAILER, lambda request: Mailer())

    @app.get("/")
    def index(request: Request) -> dict[str, str]:
        return {"hello": request.args.get("name", "you")}

    @app.post("/cart/<item>")
    def add(request: Request, item: str) -> list[str]:
        cart: list[str] = request.session.setdefault("cart", [])
        cart.append(item)
        return cart

    @app.get("/account", before=login_required)
    async def account(request: Request) -> str:
        return request[CurrentMember].name

    @app.post("/invitations/<name>")
    def invite(request: Request, name: str) -> None:
        request[MAILER].send(name)

    @app.get("/events")
    async def events(request: Request) -> Response:
        async def source() -> AsyncIterator[Event]:
            yield Event("a", id="1")

        return Response.events(source())

    @app.post("/pictures")
    def picture(request: Request) -> tuple[str, int]:
        return request.files["picture"].filename, 201

    return app


def test_login() -> None:
    client = Client(make_app(), follow_redirects=False)
    assert client.get("/account").status == 401
    client.login(ADA)
    assert client.get("/account").text == "Ada"


def test_overrides() -> None:
    app = make_app()
    with app.override(MAILER, FakeMailer()) as mailer, app.override(CurrentMember, Member(2, "Bob")):
        assert Client(app).post("/invitations/grace").status == 204
        assert mailer.sent == ["grace"]


def test_source_that_is_closed() -> None:
    app, closed = make_app(), list[str]()

    def fake(request: Request) -> Iterator[Mailer]:
        yield FakeMailer()
        closed.append(request.path)

    with app.override(MAILER, source=fake):
        Client(app).post("/invitations/grace")
    assert closed == ["/invitations/grace"]


def test_async_client() -> None:
    async def use() -> ClientResponse:
        async with AsyncClient(make_app(), "rsgi") as client:
            client.login(ADA)
            return await client.get("/account")

    assert asyncio.run(use()).text == "Ada"


def test_events() -> None:
    with Client(make_app()).stream("GET", "/events") as response:
        text = b"".join(response).decode()
    assert [event.id for event in parse_events(text)] == ["1"]


def test_a_breach_of_the_contract() -> None:
    app = make_app()

    @app.get("/wrong")
    def wrong(request: Request) -> Member:
        return Member(json.loads("null"), "Bob")

    with pytest.raises(ContractError, match="integer"):
        Client(app, contract=True).get("/wrong")


PROGRAMS = [
    test_login,
    test_overrides,
    test_source_that_is_closed,
    test_async_client,
    test_events,
    test_a_breach_of_the_contract,
]
