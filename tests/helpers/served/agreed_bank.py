"""A bank whose transfers can be previewed, and whose payments need an agreement; its database is in BANK, its
store in BANK_STORE."""

import os
from contextlib import closing
from dataclasses import dataclass

import psycopg

from antiphon import App, Dependency
from antiphon.features import Bearer, IdempotentWrites, OpenAPI, SQLiteStore, Tool, Tools, Users, login_required
from antiphon_ledger import LEDGER, Ledger, Ledgered, is_guarded

DATABASE = Dependency("database")


@dataclass
class Payment:
    note: str
    source: str
    target: str
    amount: int


TABLES = {"public.accounts": ["name", "balance"], "public.transfers": ["id", "source", "target", "amount"]}


def database(request):
    options = "-c default_transaction_read_only=on" if is_guarded(request) else ""
    url = os.environ["BANK"].replace("antiphon@", "teller@")
    with closing(psycopg.connect(url, options=options)) as connection, connection:
        if is_guarded(request):
            connection.execute("set transaction read write")
        yield connection


def transfer(request, order):
    connection = request[DATABASE]
    for name, change in sorted([(order.source, -order.amount), (order.target, order.amount)]):  # all in one order
        connection.execute("update accounts set balance = balance + %s where name = %s", [change, name])
    add = "insert into transfers (note, source, target, amount) values (%s, %s, %s, %s)"
    connection.execute(add, [order.note, order.source, order.target, order.amount])
    return {"done": True}


app = App(secret_keys=["of a test, and not secret"], store=SQLiteStore(os.environ["BANK_STORE"]))
app.use(Users(Bearer({f"of-{name}": name for name in ("ann", "bob", "cy")}.get)))
app.provide(DATABASE, database)
ledger = Ledger(
    DATABASE, os.environ.get("BANK", "postgresql:"), tables=TABLES, keep=3600, person=lambda request: request.user,
    may_agree=lambda request: "x-person" in request.headers,
)  # fmt: skip
api = OpenAPI("Bank")
for feature in (ledger, IdempotentWrites(required=False), api, Tools(api)):
    app.use(feature)


@app.post("/transfers", before=login_required, meta={LEDGER: Ledgered(preview=True, budget=3)})
def move(request):
    return transfer(request, request.json_as(Payment))


@app.post("/payments", before=login_required, idempotent=True, tool=Tool(),
          meta={LEDGER: Ledgered(preview=True, agree=True)})  # fmt: skip
def pay(request) -> dict[str, bool]:
    """Pay."""
    order = request.json_as(Payment)
    return transfer(request, order)


def create(url, accounts):
    """Make the bank's tables, with these balances, and the ledger's schema."""
    with psycopg.connect(url) as connection:
        connection.execute(
            """create table accounts (name text primary key, balance int not null check (balance >= 0));
            create table transfers (id serial primary key, source text, target text, amount int, note text);
            create role teller login; grant all on accounts, transfers to teller;
            grant usage on sequence transfers_id_seq to teller"""
        )
        for row in accounts.items():
            connection.execute("insert into accounts values (%s, %s)", row)
    ledger.records.create(ledger.declared, "teller")
