"""A ledger in PostgreSQL or SQLite, as ``LEDGER`` says: accounts, transfers and holds, with retries that get the first
response. Between the commit and the response there is time to be killed.
"""

import os
import sqlite3
import time
from contextlib import closing

import psycopg
from psycopg_pool import ConnectionPool

from antiphon import App, Dependency, Response, abort
from antiphon.features import IdempotentWrites

URL = os.environ["LEDGER"]
PAUSE = 0.01
IS_POSTGRES = "://" in URL
TABLES = """
create table accounts (name text primary key, balance integer not null check (balance >= 0));
create table transfers (number {serial}, note text not null, source text not null, target text not null,
    amount integer not null);
create table holds (number {serial}, note text not null, account text not null, amount integer not null);
"""
DATABASE = Dependency("database")
app = App()


def create(accounts):
    """Create the tables, with some accounts and their balances."""
    tables = TABLES.format(serial="serial primary key" if IS_POSTGRES else "integer primary key").split(";")
    rows = [f"insert into accounts values ('{name}', {balance})" for name, balance in accounts.items()]
    with psycopg.connect(URL) if IS_POSTGRES else sqlite3.connect(URL) as connection:
        if not IS_POSTGRES:
            connection.execute("pragma journal_mode = wal")
        for statement in [*tables[:-1], *rows]:
            connection.execute(statement)
    connection.close()


def postgres(request):
    with request[pool].connection() as connection:
        yield connection


def sqlite(request):
    with closing(sqlite3.connect(URL, timeout=10, isolation_level=None)) as connection:
        connection.execute("begin immediate")
        with connection:
            yield connection


@app.lifespan
def pool():
    if not IS_POSTGRES:
        yield None
        return
    with ConnectionPool(URL, min_size=0, max_size=8, timeout=5, check=ConnectionPool.check_connection) as pool:
        yield pool


app.provide(DATABASE, postgres if IS_POSTGRES else sqlite)
app.use(IdempotentWrites(inside=DATABASE))


@app.errorhandler(psycopg.OperationalError)
@app.errorhandler(sqlite3.OperationalError)
def come_back(request, error):
    return Response("The database is away.\n", 503, {"retry-after": "1"})


@app.middleware
def pause(request):
    response = yield
    response.headers["x-by"] = str(os.getpid())
    time.sleep(PAUSE)


def execute(request, query, *values):
    return request[DATABASE].execute(query.replace("?", "%s") if IS_POSTGRES else query, values)


def locked(request, *names):
    """Return the balances of accounts that nobody else changes meanwhile; in SQLite, nobody else writes at all."""
    marks, locks = ", ".join("?" * len(names)), " for update" if IS_POSTGRES else ""
    query = f"select name, balance from accounts where name in ({marks}) order by name{locks}"
    return dict(execute(request, query, *names).fetchall())


@app.post("/transfers", idempotent=True)
def transfer(request):
    source, target, amount, note = (request.json[name] for name in ("from", "to", "amount", "note"))
    if locked(request, source, target)[source] < amount:
        abort(402, f"There is not enough money for {note}.")
    execute(request, "update accounts set balance = balance - ? where name = ?", amount, source)
    execute(request, "update accounts set balance = balance + ? where name = ?", amount, target)
    query = "insert into transfers (note, source, target, amount) values (?, ?, ?, ?) returning number"
    [number] = execute(request, query, note, source, target, amount).fetchone()
    time.sleep(PAUSE)
    return {"number": number, "note": note, "by": os.getpid()}, 201


@app.post("/holds", idempotent=True)
def hold(request):
    account, amount, note = (request.json[name] for name in ("from", "amount", "note"))
    free = locked(request, account)[account]
    [held] = execute(request, "select coalesce(sum(amount), 0) from holds where account = ?", account).fetchone()
    if free - held < amount:
        return f"{account} has no {amount} left for {note}.\n", 409
    query = "insert into holds (note, account, amount) values (?, ?, ?) returning number"
    [number] = execute(request, query, note, account, amount).fetchone()
    time.sleep(PAUSE)
    return {"number": number, "note": note, "by": os.getpid()}, 201
