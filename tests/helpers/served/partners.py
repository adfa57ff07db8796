"""A shop for all kinds of callers. ``STORE`` is a URL or a file; each payment is a line in ``PAYMENTS``."""

import os
from types import SimpleNamespace

from antiphon import App, Dependency, Request, view
from antiphon.features import (
    APIKey,
    Bearer,
    Channel,
    IdempotentWrites,
    OpenAPI,
    Recorder,
    Runs,
    SessionLogin,
    Sessions,
    Signatures,
    Users,
    login,
    login_required,
    logout,
    scopes_required,
)
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
app.use(Users(SessionLogin(user), Bearer(user_of_token, scopes=lambda user: ["pay"]), keys := APIKey(user)))
app.use(IdempotentWrites())
app.use(runs := Runs())
app.use(keep := Recorder())
app.use(OpenAPI("Shop"))
app.post("/pay", idempotent=True)(pay)
app.post("/scoped", before=scopes_required("pay"))(pay)


@app.post("/login")
def log_in(request: Request):
    login(request, user(request.json))
    return ""


@app.post("/logout")
def log_out(request: Request):
    logout(request, everywhere=True)
    return ""


@app.get("/me", before=login_required)
def me(request: Request):
    return request.user.id


@app.post("/key")
def make_key(request: Request):
    return keys.create("ann", scopes=request.json)


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


@app.post("/fail")
def fail(request: Request):
    raise LookupError


@app.get("/kept")
def kept(request: Request):
    keep.flush()
    return f"{len(keep.all())}"


# Those who sign, those who come through Flask, and the administrators

signed, mounted = App(secret_keys=SECRETS, store=store), App(store=store)
signed.use(Signatures(KEYS, everywhere=True))
for each in (signed, mounted):
    each.use(IdempotentWrites())
    each.post("/pay", idempotent=True)(pay)
signed.mount("/in", mounted)
app.mount("/signed", signed)

admin = App(secret_keys=SECRETS, store=store)
admin.use(Sessions(cookie="admin"))
admin.use(Users(SessionLogin(user), dependency=Dependency("admin")))
admin.post("/login")(lambda request: request.session.rotate("root") or request.session.update(_user_id="root") or "")
admin.get("/me", before=login_required)(lambda request: request.user.id)
app.mount("/admin", admin)


def flask():
    from flask import Flask

    inner = Flask("inner", root_path="/")
    inner.post("/pay", endpoint="pay")(view(pay, methods=("POST",), idempotent=IdempotentWrites(store)))
    return inner


app.mount("/flask", flask())
