"""An application whose features share the store that ``STORE`` names, a file or a URL."""

import os
import signal

from antiphon import App, Request
from antiphon.features import IdempotentWrites, RateLimit, Sessions
from tests.helpers.stores import store_at

app = App(store=store_at(os.environ["STORE"], timeout=0.5))
app.use(Sessions())
app.use(IdempotentWrites())


@app.get("/visits")
def count(request: Request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return str(request.session["visits"])


@app.get("/a", before=RateLimit("3/hour"))
def one(request: Request):
    return str(os.getpid())


@app.get("/b", before=RateLimit("3/hour"))
async def other(request: Request):
    return str(os.getpid())


@app.post("/pay", idempotent=True)
def pay(request: Request):
    return str(os.getpid())


@app.get("/pid")
def pid(request: Request):
    return str(os.getpid())


@app.post("/die", csrf_exempt=True)
def die(request: Request):
    os.kill(os.getpid(), signal.SIGKILL)
