"""A shop for all kinds of callers. ``STORE`` is a URL or a file; each payment is a line in ``PAYMENTS``."""

import os
from types import SimpleNamespace

from antiphon import App, Request, view
from antiphon.features import Bearer, Channel, IdempotentWrites, Runs, SessionLogin, Sessions, Signatures, Users, login
from antiphon.http import NotFound
from tests.helpers.callers import KEYS
from tests.helpers.served.payments import store_at

store = store_at(os.environ["STORE"])
SECRETS = ["only for tests " * 4]


def user(key):
    return SimpleNamespace(id=key)


def user_of_token(token):
    name, _, secret = token.partition("-")
    return user(name) if secret == "secret" else None


def pay(request):
    with open(os.environ["PAYMENTS"], "a") as payments:  # O_APPEND
        payments.write("1\n")
    with open(os.environ["PAYMENTS"]) as payments:
        return f"payment {len(payments.readlines())}"


app = App(secret_keys=SECRETS, store=store)
app.use(Sessions())
app.use(Users(SessionLogin(user), Bearer(user_of_token)))
app.use(IdempotentWrites())
app.use(runs := Runs())
app.post("/pay", idempotent=True)(pay)


@app.post("/login")
def log_in(request: Request):
    login(request, user(request.json))
    return ""


@app.post("/run")
async def run(request: Request):
    return (await runs.astart(iter([1]), owner=request.json)).id


@app.post("/find-run")
async def find_run(request: Request):
    id_, owner = request.json
    try:
        return f"{(await runs.afind(id_, owner=owner)).id == id_}"
    except NotFound:
        return "nothing"


@app.post("/read-run")
async def read_run(request: Request):
    id_, owner = request.json
    found = await runs.afind(id_, owner=owner)
    return [event.data or event.comment async for event in found.follow()]


@app.post("/send")
async def send(request: Request):
    channel, text = request.json
    return await Channel(channel, store).asend(text)


# Those who sign, and those who come through Flask

signed, mounted = App(secret_keys=SECRETS, store=store), App(store=store)
signed.use(Signatures(KEYS, everywhere=True))
for each in (signed, mounted):
    each.use(IdempotentWrites())
    each.post("/pay", idempotent=True)(pay)
signed.mount("/in", mounted)
app.mount("/signed", signed)


def flask():
    from flask import Flask

    inner = Flask("inner", root_path="/")
    inner.post("/pay", endpoint="pay")(view(pay, methods=("POST",), idempotent=IdempotentWrites(store)))
    return inner


app.mount("/flask", flask())
