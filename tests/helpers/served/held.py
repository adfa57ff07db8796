"""All that users can hold or have under way, in the store that ``STORE`` names, and all that takes it away."""

import os
import time
from types import SimpleNamespace

from jinja2 import DictLoader

from antiphon import App, Request, Response, abort
from antiphon.features import (
    APIKey,
    Channel,
    Durable,
    Live,
    OpenAPI,
    Page,
    Passkey,
    PasskeyLogin,
    RefreshTokens,
    ResumableUploads,
    Runs,
    Sessions,
    Templates,
    Tool,
    Tools,
    Users,
    ending,
    login,
    login_required,
)
from tests.helpers.stores import store_at

ending.RENEWED_FOR = float(os.environ.get("RENEWED_FOR", ending.RENEWED_FOR))  # a test doesn't wait for a minute
app = App(store=store_at(os.environ["STORE"]), secret_keys=["k" * 32], trusted_hosts=["contract.example", "127.0.0.1"])
store = app.store


def find(key):
    is_gone, is_demoted = (store.load(f"{what} {key}") is not None for what in ("gone", "demoted"))
    return None if is_gone else SimpleNamespace(id=int(key), is_admin=not is_demoted)


def find_passkey(name):
    entry = store.load(f"key {name}")
    return None if entry is None else Passkey(**entry.data)


def save(passkey):
    data = {name: getattr(passkey, name) for name in ("id", "owner", "public_key", "sign_count")}
    store.change(f"key {passkey.id}", data, owner=f"keys of {passkey.owner}")


def delete(owner):
    return store.delete_owned(f"keys of {owner}")


keys, tokens, runs, room = APIKey(find), RefreshTokens(), Runs(), Channel("room", store)
durable = Durable(os.environ["DATABASE"])
users = Users(PasskeyLogin(find, host="shop.example.com", find=find_passkey, save=save, delete=delete), keys)
for feature in (
    Sessions(), users, Tools(OpenAPI("Held")), tokens, runs, Live(), durable,
    ResumableUploads(folder=os.environ["FOLDER"]),
    Templates(DictLoader({"me.html": "{% block me %}{{ request.user.id }}{% endblock %}"})),
):  # fmt: skip
    app.use(feature)


@app.post("/login/<who>", csrf_exempt=True)
def log_in(request: Request, who: str):
    login(request, find(who))
    return {"key": keys.create(who), "token": tokens.issue(who)}


@app.post("/as/<who>", before=login_required, csrf_exempt=True)
def act_as(request: Request, who: str):
    login(request, find(who))
    return ""


@app.post("/half/<who>", csrf_exempt=True)
def begin(request: Request, who: str):
    request.session["half"] = who
    return ""


@app.post("/code", csrf_exempt=True)
def code(request: Request):
    login(request, find(request.session["half"]) or abort(403))
    return ""


@app.post("/token", csrf_exempt=True)
def refresh(request: Request):
    found = tokens.rotate(request.form["token"])
    return found.token if find(found.owner) else abort(403)


@app.get("/me", before=login_required)
def me(request: Request):
    return str(request.user.id)


@app.get("/admin", before=login_required)
def admin(request: Request):
    return "" if request.user.is_admin else abort(403)


@app.get("/live", live="me", before=login_required)
def live(request: Request):
    return Page("me.html")


@app.get("/stream", before=login_required)
def stream(request: Request):
    if who := request.args.get("as"):
        users.become(request, find(who))

    def source():
        while True:
            yield "."
            time.sleep(0.1)

    return Response(source())


@app.websocket("/socket", before=login_required)
async def feed(request: Request, socket):
    async with room.present(str(request.user.id)):
        await socket.send("open")
        async for message in socket:
            await socket.send(message)


@app.get("/present/<who>")
def is_present(request: Request, who: str):
    return "present" if who in room.members() else "away"


@app.post("/pay", tool=Tool(name="pay", confirm="Pay?"), before=login_required)
def pay(request: Request) -> str:
    return "paid"


@app.post("/upload", resumable=True, before=login_required, csrf_exempt=True)
def upload(request: Request):
    return ""


def forever():
    while True:
        yield 1
        time.sleep(0.1)


@app.post("/run/<who>", csrf_exempt=True)
def run(request: Request, who: str):
    return runs.start(forever(), owner=int(who)).id


@app.get("/run/<who>/<id>")
def state(request: Request, who: str, id: str):
    return runs.find(id, owner=int(who)).state


@app.post("/stop/<who>/<id>", csrf_exempt=True)
def stop(request: Request, who: str, id: str):
    runs.find(id, owner=int(who)).stop()
    store.change(f"job of {who} is over", {})
    return ""


def work(who):
    while store.load(f"job of {who} is over") is None:
        store.increment(f"turns of {who}")
        time.sleep(0.1)


@app.post("/job/<who>", csrf_exempt=True)
def enqueue(request: Request, who: str):
    return durable.enqueue(work, who)


@app.get("/job/<who>")
def turns(request: Request, who: str):
    return str(store.increment(f"turns of {who}", by=0).value)


# What takes it away


@app.post("/end/<who>", csrf_exempt=True)
def end(request: Request, who: str):
    return users.end(find(who))


@app.post("/disconnect/<who>", csrf_exempt=True)
def disconnect(request: Request, who: str):
    users.disconnect(find(who))
    return ""


@app.post("/password/<who>", csrf_exempt=True)
def set_password(request: Request, who: str):
    login(request, find(who), end_others=True)
    return ""


@app.post("/new-key/<who>", csrf_exempt=True)
def replace_key(request: Request, who: str):
    keys.delete_owned(who)
    return keys.create(who)


@app.post("/demoted/<who>", csrf_exempt=True)
def demote(request: Request, who: str):
    store.change(f"demoted {who}", {})
    return ""


@app.post("/gone/<who>", csrf_exempt=True)
def deactivate(request: Request, who: str):
    store.change(f"gone {who}", {})
    return ""
