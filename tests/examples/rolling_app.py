"""An app for many machines: what it knows is in one Valkey, and what it sells in one database."""

import asyncio
import os
import sqlite3
from contextlib import closing
from hashlib import sha256

from antiphon import App, Request, WebSocket, env
from antiphon.features import Health, IdempotentWrites, RateLimit, Sessions, ValkeyStore

DAY = 24 * 3600
LIMIT = 100_000
store = ValkeyStore(env("VALKEY_URL", "valkey://127.0.0.1:6379/0"))
app = App(
    trusted_hosts=["shop.example.com"],
    trusted_proxies=env("TRUSTED_PROXIES", "").split(),
    secret_keys=env("SECRET_KEYS", "a-key-for-nothing").split(),
)
app.use(Health())
app.use(Sessions(store))
app.use(IdempotentWrites(store, by=lambda _: "a client"))
counted = RateLimit(f"{LIMIT}/day", store, by=lambda _: "all", when_unavailable="refuse")
tokens = app.signer("tokens")


def process():
    return {"process": os.getpid()}


@app.post("/orders", idempotent=True)
def order(request: Request):
    with closing(sqlite3.connect(env("DATABASE", ""), timeout=30)) as database, database:
        row = database.execute("insert into orders (key) values (?)", [request.idempotency_key])
        return {"number": row.lastrowid, **process()}, 201


@app.get("/visits")
def visits(request: Request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return {"visits": request.session["visits"], **process()}


@app.post("/counted", before=counted)
def count(request: Request):
    return process()


@app.post("/uploads", receive="stream")
async def upload(request: Request):
    digest, size = sha256(), 0
    async for chunk in request.stream:
        digest.update(chunk)
        size += len(chunk)
    return {"digest": digest.hexdigest(), "size": size, **process()}


@app.get("/tokens")
def token(request: Request):
    return {"token": tokens.sign("good"), **process()}


@app.post("/tokens")
def check(request: Request):
    return {"is_good": tokens.unsign(request.text) == "good", **process()}


@app.websocket("/echo")
async def echo(request: Request, socket: WebSocket):
    await socket.accept()
    async for message in socket:
        await asyncio.sleep(0)
        await socket.send(message)
