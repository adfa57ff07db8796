"""The tables that statements read and write, and when those of a transaction are told."""

import asyncio
import gc

import pytest
from sqlalchemy import delete, event, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, joinedload

from antiphon.features import live_reads, live_writes
from antiphon.features.live import statements
from antiphon.features.live.statements import Reading, is_read, named, tables_written, words_in
from tests.features.live.orders import Base, Customer, Note, Order
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

WRITTEN = [
    ("INSERT INTO orders (name) VALUES (?) RETURNING id", {"orders"}),
    ("insert or replace into orders values (1)", {"orders"}),
    ("INSERT IGNORE INTO `orders` VALUES (1)", {"orders"}),
    ("replace into orders values (1)", {"orders"}),
    ("UPDATE shop.orders SET name = ?", {"orders"}),
    ('UPDATE ONLY "Shop"."Order Items" SET n = 1', {"order items"}),
    ("update or ignore orders set n = 1", {"orders"}),
    ("UPDATE [dbo].[orders] SET n = 1", {"orders"}),
    ("DELETE FROM orders WHERE id = ?", {"orders"}),
    ("delete  from\n only orders", {"orders"}),
    ("MERGE INTO orders AS o USING notes AS n ON o.id = n.id", {"orders"}),
    ("TRUNCATE TABLE orders", {"orders"}),
    ("copy orders from stdin", {"orders"}),
    ("WITH gone AS (DELETE FROM orders RETURNING *) INSERT INTO notes SELECT * FROM gone", {"orders", "notes"}),
    ("INSERT INTO orders VALUES (1) ON CONFLICT DO UPDATE SET n = 2", {"orders"}),
    ("SELECT * FROM orders FOR UPDATE OF orders", set()),
    ("SELECT * FROM orders FOR UPDATE SKIP LOCKED", set()),
    ("SELECT replace(name, 'a', 'b'), copy FROM orders", set()),
    ("CREATE TABLE orders (id int)", set()),
    ("update " * 50_000, {"update"}),
    (f'update "{"x" * 300}" set n = 1', set()),
    ('"' * 200_000, set()),
    ("update a." * 30_000, {"update"}),
]


@rows("statement, tables", WRITTEN)
def test_the_tables_that_a_statement_writes(statement, tables):
    assert tables_written(statement) == tables


def test_each_table_of_a_statement_is_among_those_that_it_may_read():
    words = words_in('SELECT a FROM Shop.orders JOIN "Order Items" AS i ON (SELECT 1 FROM notes) -- done')
    assert all(is_read(named(table), words) for table in ("orders", "Order Items", "NOTES"))
    assert not any(is_read(named(table), words) for table in ("customers", "item", "order customers"))


@pytest.fixture
def told(engine):
    """The tables that are told, in order."""

    class Told(list):
        __hash__ = object.__hash__

        def __call__(self, tables):
            self.append(sorted(tables))

    told = Told()
    statements.tell_of_writes(told)
    return told


def test_tables_are_told_after_the_commit(engine, told):
    with Session(engine) as session:
        customer = Customer(name="Ann")
        session.add(Order(name="Tea", customer=customer))
        session.flush()
        assert told == []
        session.commit()
        assert told == [["customers", "orders"]]
        customer.name = "Anna"
        session.commit()
        session.execute(update(Note).values(id=1))
        session.rollback()
        session.execute(text("delete from orders"))
        session.commit()
    assert told == [["customers", "orders"], ["customers"], ["orders"]]


def test_tables_of_a_connection_are_told_when_it_is_used_again_after_the_commit(engine, told):
    with engine.connect() as connection:
        connection.execute(insert(Note))
        connection.commit()
        connection.execute(select(Note))
        assert told == [["notes"]]
        connection.exec_driver_sql("delete from notes")
    assert told == [["notes"]]  # rolled back
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(delete(Order))
    assert told == [["notes"], ["orders"]]


def test_nothing_is_told_of_a_connection_that_was_forgotten_before_the_commit(engine, told):
    connection = engine.connect()
    connection.execute(insert(Note))
    del connection
    gc.collect()
    with engine.connect() as connection:
        connection.execute(select(Note))
        connection.commit()
    assert told == []


def test_nothing_is_told_of_a_lost_connection_whose_rollback_is_no_error(engine, told):
    with engine.connect() as connection:
        connection.execute(insert(Note))
        connection.invalidate()
        connection.rollback()
        assert connection.execute(select(Note)).all() == []
    assert told == []


def test_tables_are_not_told_before_the_commit_is_done(engine, told):
    seen = []
    event.listen(engine, "commit", lambda _: seen.append([*told]))
    with engine.begin() as connection:
        connection.execute(insert(Note))
    assert (seen, told) == ([[]], [["notes"]])


def test_tables_of_a_commit_that_the_database_refuses_are_not_told(engine, told):
    with engine.connect() as connection:
        connection.exec_driver_sql("pragma foreign_keys = on")
        connection.execute(insert(Note))
        connection.exec_driver_sql("pragma defer_foreign_keys = on")
        connection.execute(insert(Order).values(name="Tea", customer_id=7))
        with pytest.raises(IntegrityError):
            connection.commit()
        connection.rollback()
        assert connection.execute(select(Note)).all() == [(1,)]  # SQLite goes on
        assert told == []
        connection.execute(delete(Order))
        connection.commit()
    assert told == [["notes", "orders"]]


async def in_turn(url, told):
    """Write and read by SQLAlchemy's asynchronous engine, as the tests above do."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session:
        session.add(Order(name="Tea", customer=Customer(name="Ann")))
        await session.flush()
        assert told == []
        await session.commit()
        assert told == [["customers", "orders"]]
        await session.execute(update(Note).values(id=1))
        await session.rollback()
        await session.execute(text("delete from orders"))
        await session.commit()
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(insert(Note))
    assert told == [["customers", "orders"], ["orders"], ["notes"]]
    with Reading() as words:
        async with AsyncSession(engine) as session:
            await (await session.stream(select(Order.name).join(Order.customer))).close()
            await asyncio.create_task(session.execute(text("delete from notes")))
            await session.commit()
    assert (len(told), {"orders", "customers", "notes"} - words) == (3, set())
    await engine.dispose()


@pytest.mark.parametrize("kind", ["aiosqlite", pytest.param("psycopg", marks=pytest.mark.processes)])
def test_an_asynchronous_engine_is_seen_as_well(kind, told, request, tmp_path):
    if kind == "psycopg":
        asyncio.run(in_turn(request.getfixturevalue("postgres").replace(":", "+psycopg:", 1), told))
    else:
        asyncio.run(in_turn(f"sqlite+aiosqlite:///{tmp_path / 'async.db'}", told))


@rows("read", [
    lambda session: session.scalars(select(Order).options(joinedload(Order.customer))).all(),
    lambda session: session.execute(select(Order.name).join(Order.customer)).all(),
    lambda session: session.execute(select(Order.name).where(Order.customer.has(name="Ann"))).all(),
    lambda session: [order.customer for order in session.scalars(select(Order))],
    lambda session: session.execute(text("select * from orders, customers")).all(),
    lambda session: session.connection().exec_driver_sql("select * from orders, customers").all(),
    lambda session: live_reads("orders", "Customers"),
])  # fmt: skip
def test_reads_by_the_orm_by_core_as_text_and_by_hand_are_seen(engine, read):
    with Session(engine) as session:
        session.add(Order(name="Tea", customer=Customer(name="Ann")))
        session.flush()
        with Reading() as words:
            read(session)
    assert [is_read(table, words) for table in ("orders", "customers", "notes")] == [True, True, False]


def test_what_a_render_writes_is_not_told_since_it_would_cause_the_next_one(engine, told):
    with Reading(), Session(engine) as session, session.begin():
        session.add(Note())
        live_writes("notes")
    assert told == []
    live_writes("Notes", "shop of 7")
    assert told == [["notes", "shop of 7"]]


@rows("name", ["", "--", "x" * 201])
def test_a_name_must_have_words(name):
    for function in (live_reads, live_writes):
        with pytest.raises(ValueError, match="a table's name must have letters or digits"):
            function(name)
