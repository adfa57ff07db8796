"""What a deploy between versions must neither lose nor do twice: in the store STORE and, if durable, in the database
DEPLOYED; what it did is in the file EFFECTS, a line each. In the version that VERSION calls newer, the durable handler
has one more step.
"""

import os

from antiphon import App, Request, env
from antiphon.features import (
    Durable,
    IdempotentWrites,
    RateLimit,
    ResumableUploads,
    Runs,
    SessionLogin,
    Sessions,
    Users,
    login,
)
from tests.helpers.stores import store_at

LIMIT = 20
app = App(store=store_at(env("STORE")), secret_keys=["a-key-of-32-characters-for-tests"])
runs, durable = Runs[str](name="reports"), Durable(env("DEPLOYED"), lease=6.0, wait=60.0)
for feature in (Sessions(), Users(SessionLogin(str, key=str)), IdempotentWrites(), runs, durable):
    app.use(feature)
app.use(ResumableUploads(folder=env("UPLOADS")))


def note(what: str) -> None:
    """Do something that nothing takes back."""
    with open(env("EFFECTS"), "a") as effects:  # O_APPEND
        effects.write(f"{what}\n")


@app.post("/login")
def log_in(request: Request) -> None:
    login(request, request.text)


@app.post("/orders", idempotent=True)
def order(request: Request):
    number = request.session["orders"] = request.session.get("orders", 0) + 1
    note(f"order {request.text}")
    return f"{request.user} {number}"


@app.post("/films", resumable=True)
def film(request: Request):
    note(f"film {request.text}")
    return request.text


@app.post("/reports")
def report(request: Request):
    def values():
        note(f"run {request_text}")
        yield from ("one", "two")

    request_text = request.text
    return runs.start(values(), owner=str(request.user), key=request.text).id


@app.get("/reports/<id>")
async def read(request: Request, id: str):
    run = await runs.afind(id, owner=str(request.user))
    return " ".join([value async for value in run.values()])


@app.post("/payments", durable=True)
def pay(request: Request):
    for step in ("charged", "mailed", *["checked"] * ("VERSION" in os.environ)):
        durable.step(note, f"{step} {request.text}")
    return request.text


@app.get("/limited", before=RateLimit(f"{LIMIT}/day", by=lambda request: str(request.user)))
def limited(request: Request):
    return ""
