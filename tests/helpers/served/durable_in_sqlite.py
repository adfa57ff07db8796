"""A durable handler and a job of its transaction, in the SQLite file DURABLE, which note what they do in a file."""

import sys
import time
from pathlib import Path

import pysqlite3

sys.modules["sqlite3"] = pysqlite3  # a newer SQLite than that of Debian 12
sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2

from collections.abc import Iterator  # noqa: E402
from contextlib import closing  # noqa: E402

from antiphon import App, Dependency, Request, env  # noqa: E402
from antiphon.features import Durable  # noqa: E402

PLACE = Path(env("DURABLE"))
DATABASE = Dependency("database")
app = App(secret_keys=["a-key-of-32-characters-for-tests"])
durable = Durable(f"sqlite:///{PLACE}", inside=DATABASE, lease=6, wait=20)
app.use(durable)


def connect(request: Request) -> Iterator[pysqlite3.Connection]:
    with closing(pysqlite3.connect(PLACE, timeout=30)) as connection, connection:
        yield connection


app.provide(DATABASE, connect)


def note(what: str) -> None:
    with PLACE.with_name("effects").open("a") as file:
        file.write(f"{what}\n")


@app.post("/orders", durable=True)
def order(request: Request):
    durable.step(note, "charged")
    time.sleep(request.args.get("slow", 0.0, type=float))
    durable.step(note, "mailed")
    durable.enqueue(note, "thanked")
    return "Thank you.", 201
