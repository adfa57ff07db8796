"""Durable handlers and a job, on the database DURABLE, which note in a table what they do, and in which process."""

import os
import time

import psycopg

from antiphon import App, Dependency, Request, env
from antiphon.features import Durable
from tests.helpers.databases import LIBRARIES
from tests.helpers.postgres import execute

URL = env("DURABLE")
DATABASE = Dependency("database")
app = App(secret_keys=["a-key-of-32-characters-for-tests"])
app.provide(DATABASE, LIBRARIES["psycopg"](URL).source)
durable = Durable(URL, inside=DATABASE, lease=env("LEASE", 6.0), wait=env("WAIT", 20.0), ttl=3600)
app.use(durable)


def note(what: str, key: str) -> int:
    """Note an effect, which nothing takes back, and return its process."""
    execute(URL, "insert into effects values (%s, %s, %s)", what, key, os.getpid())
    return os.getpid()


def mail(key: str, seconds: float) -> None:
    """Mail by a connection that is open for some seconds before."""
    with psycopg.connect(URL, autocommit=True, application_name="mail") as connection:
        time.sleep(seconds)
        connection.execute("insert into effects values ('mailed', %s, %s)", [key, os.getpid()])


def check(key: str) -> None:
    note("checked", key)


@app.post("/orders", durable=True)
def order(request: Request):
    key = request.idempotency_key
    if env("VERSION", 1) == 3:
        durable.step(check, key)
    durable.step(note, "charged", key)
    durable.step(mail, key, request.args.get("slow", 0.0, type=float))
    if env("VERSION", 1) == 2:
        durable.step(check, key)
    return {"order": key}, 201


@app.post("/waits", durable=True)
async def wait(request: Request):
    key = request.idempotency_key
    await durable.astep(note, "charged", key)
    await durable.asleep(request.args.get("slow", 0.0, type=float))
    await durable.astep(note, "mailed", key)
    return {"order": key}, 201


@app.post("/sleeps", durable=True)
async def sleep(request: Request):
    await durable.asleep(24 * 3600)
    return "Good morning."


def thank(key: str) -> None:
    if os.path.exists(env("MAIL_IS_DOWN", "")):
        raise ConnectionRefusedError("no mail server")
    note("thanked", key)


@app.post("/thanks")
def thanks(request: Request):
    request[DATABASE].execute("insert into effects values ('ordered', %s, 0)", [request.args["key"]])
    durable.enqueue(thank, request.args["key"])
    return "Thank you.", 201 if "fail" not in request.args else request.args.get("fail", type=int) // 0
