"""Budgets of statements, with each library and database: what is counted, and what the error says."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from jinja2 import DictLoader
from sqlalchemy import ForeignKey, create_engine, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from antiphon import App, Request
from antiphon.features import Page, Sessions, SQLiteStore, Templates
from antiphon.testing import AsyncClient, Client
from tests.helpers.databases import CREATE, DATABASE, KINDS, LIBRARIES, rows_of
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]


@pytest.mark.parametrize(
    ("library", "url"), [kind for kind in KINDS if kind[0] not in ("aiosqlite", "asyncpg")], indirect=["url"]
)
@pytest.mark.processes
def test_statements_are_counted_with_each_library(library, url, interface):
    rows_of(url, CREATE)
    database = LIBRARIES[library](url)
    app = App()
    app.provide(DATABASE, database.source)

    def pay(request: Request):
        for number in range(7):
            database.execute(request[DATABASE], f"insert into payments values ('secret {number}')")
        return "paid"

    async def apay(request: Request):
        for number in range(7):
            await database.execute(request[DATABASE], f"insert into payments values ('secret {number}')")
        return "paid"

    app.post("/pay")(apay if database.is_async else pay)
    assert Client(app, interface, queries=7).post("/pay").text == "paid"
    with pytest.raises(AssertionError) as raised:
        Client(app, interface, queries=6).post("/pay")
    first, second, *others = str(raised.value).splitlines()
    assert first == "POST /pay sent 7 statements to the database, more than 6:"
    assert second.startswith("7 x insert into payments values (?) (tests/")
    assert second.endswith(" -> ask once before the loop, with IN or a join")
    assert (others, raised.value.__notes__) == ([], ["To read more: antiphon explain too-many-queries"])
    assert len(rows_of(url, "select * from payments")) == 14


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list["Order"]] = relationship(back_populates="customer")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    customer: Mapped[Customer] = relationship(back_populates="orders")


@pytest.fixture
def engine(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all(Order(customer=Customer(name=f"Ann {number}")) for number in range(8))
    yield engine
    engine.dispose()


TEMPLATE = "<ul>\n{% for order in orders %}\n<li>{{ order.customer.name }}\n{% endfor %}"


@rows(
    "read, place, cure",
    (
        lambda session: [order.customer.name for order in session.scalars(select(Order))],
        "test_queries.py, line",
        "load it with the list: .options(selectinload(Order.customer))",
    ),
    (
        lambda session: [len(customer.orders) for customer in session.scalars(select(Customer))],
        "test_queries.py, line",
        "load it with the list: .options(selectinload(Customer.orders))",
    ),
    (
        lambda session: Page("orders.html", orders=session.scalars(select(Order))),
        "orders.html, line 3",
        "load it with the list: .options(selectinload(Order.customer))",
    ),
    (
        lambda session: [session.execute(text(f"select '{n}', {n}")).one()[1] for n in range(8)],
        "test_queries.py, line",
        "ask once before the loop, with IN or a join",
    ),
)
def test_a_repeated_statement_has_its_line_and_the_cure(engine, interface, read, place, cure):
    app = App()
    app.use(Templates(DictLoader({"orders.html": TEMPLATE})))

    @app.get("/")
    def show(request: Request):
        session = Session(engine)
        request.after_response(session.close)
        return read(session)

    with pytest.raises(AssertionError) as raised:
        Client(app, interface, queries=1).get("/")
    (line,) = [each for each in str(raised.value).splitlines() if each.startswith("8 x")]
    assert place in line
    assert line.endswith(f" -> {cure}")
    assert "Ann" not in line


def test_statements_of_other_requests_and_of_antiphon_itself_are_not_counted(tmp_path, interface):
    app = App()
    app.use(Sessions(SQLiteStore(tmp_path / "sessions.db")))

    @app.get("/")
    def show(request: Request):
        request.session["count"] = request.session.get("count", 0) + 1
        with closing(sqlite3.connect(tmp_path / "other.db")) as connection, connection:
            return str(connection.execute("select 1").fetchone()[0] + request.session["count"])

    @app.get("/moved")
    def moved(request: Request):
        return request.app.url_for("show")

    client = Client(app, interface, queries=1)
    assert [client.get("/").text for _ in range(3)] == ["2", "3", "4"]
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:  # of the test itself
        connection.execute("select 1")
        connection.execute("select 1")
    assert client.get("/").text == "5"
    with pytest.raises(AssertionError, match="sent 1 statements"):
        Client(app, interface, queries=0).get("/")
    assert Client(app, interface).get("/").text == "2"


def test_each_request_of_many_at_once_has_its_own_budget(tmp_path):
    app = App()

    @app.get("/<int:count>")
    def show(request: Request, count: int):
        with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
            return [connection.execute("select 1").fetchone()[0] for _ in range(count)]

    async def send():
        client = AsyncClient(app, "asgi", queries=3)
        sent = [await client.get("/3") for _ in range(2)], *[client.get("/3") for _ in range(5)]
        await asyncio.gather(*sent[1:])
        with pytest.raises(AssertionError, match="GET /4 sent 4 statements"):
            await client.get("/4")

    asyncio.run(send())


def test_a_budget_needs_an_app():
    with pytest.raises(TypeError, match="queries=5 needs an App"):
        Client(lambda environ, start_response: [], "wsgi", queries=5)


def test_a_request_beside_another_one_has_its_own_budget(tmp_path):
    async def ask():
        began, ended = asyncio.Event(), asyncio.Event()
        app = App()

        @app.get("/many")
        async def many(request: Request):
            began.set()
            await ended.wait()
            with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
                for number in range(2):
                    connection.execute(f"select {number}")

        app.get("/none")(lambda request: "none")
        client = AsyncClient(app, queries=1)
        waiting = asyncio.create_task(client.get("/many"))
        await began.wait()
        assert (await client.get("/none")).text == "none"
        ended.set()
        with pytest.raises(AssertionError, match="GET /many sent 2 statements"):
            await waiting

    asyncio.run(ask())
