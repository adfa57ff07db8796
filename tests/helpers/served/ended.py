"""Everything that users can have under way, in the store that ``STORE`` names.

A login waits as long as there is a file named in ``HOLD``. A process whose ``DIE`` names a file that is there is killed
while it replaces a refresh token, before or after it has written the next one.
"""

import asyncio
import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

from antiphon import App, Request, Response
from antiphon.features import (
    APIKey,
    Bearer,
    RefreshTokens,
    Runs,
    SessionLogin,
    Sessions,
    Users,
    login,
    login_required,
    logout,
)
from tests.helpers.stores import class_at

url, hold, dies = os.environ["STORE"], Path(os.environ["HOLD"]), Path(os.environ["DIE"])


def die(moment: str) -> None:
    if dies.exists() and dies.read_text() == moment:
        dies.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


class Deadly:
    """A store in which a process is killed."""

    def replace(self, *arguments, **options):
        die("before")
        replaced = super().replace(*arguments, **options)
        die("after")
        return replaced


def find(key):
    return SimpleNamespace(id=int(key))


class DeadlyStore(Deadly, class_at(url)):
    pass


app = App(store=DeadlyStore(url, timeout=1 if "://" in url else 5))
keys, tokens, runs = APIKey(find), RefreshTokens(), Runs()
users = Users(SessionLogin(find), keys, Bearer(find), revoke=lambda user: 0)
for feature in (Sessions(), users, tokens, runs):
    app.use(feature)


@app.post("/login/<who>")
def log_in(request: Request, who: str):
    while request.args.get("waits") and hold.exists():
        hold.with_suffix(".waits").touch()
        time.sleep(0.02)
    login(request, find(who))
    return {"key": keys.create(who), "token": tokens.issue(who, name="phone")}


@app.post("/alogin/<who>")
async def alog_in(request: Request, who: str):
    while request.args.get("waits") and hold.exists():
        hold.with_suffix(".waits").touch()
        await asyncio.sleep(0.02)
    login(request, find(who))
    return "Hello."


@app.post("/token")
def refresh(request: Request):
    return {"token": tokens.rotate(request.form["token"]).token}


@app.get("/me", before=login_required)
def me(request: Request):
    return str(request.user.id)


@app.post("/logout", before=login_required, csrf_exempt=True)
def log_out(request: Request):
    logout(request, everywhere=True)
    return "Goodbye."


@app.post("/alogout", before=login_required, csrf_exempt=True)
async def alog_out(request: Request):
    logout(request, everywhere=True)
    return "Goodbye."


@app.post("/end/<who>")
def end(request: Request, who: str):
    return users.end(find(who))


@app.post("/disconnect/<who>")
def disconnect(request: Request, who: str):
    users.disconnect(find(who))
    return "done"


async def for_long():
    for number in range(2000):
        yield str(number)
        await asyncio.sleep(0.1)


def for_long_on_thread():
    for number in range(2000):
        yield str(number)
        time.sleep(0.1)


@app.get("/events", before=login_required)
async def events(request: Request):
    return Response.events(for_long())


@app.get("/silent", before=login_required)
async def silent(request: Request):
    async def source():
        yield "0"
        await asyncio.sleep(200)

    return Response.events(source())


@app.get("/events-of-def", before=login_required)
def events_of_def(request: Request):
    return Response.events(for_long_on_thread())


@app.get("/lines")
async def lines(request: Request):
    async def source():
        yield "who?\n"
        await asyncio.sleep(0.1)
        yield f"{request.user.id}\n"  # only here is the user read
        async for each in for_long():
            yield f"{each}\n"

    return Response(source())


@app.websocket("/feed", before=login_required)
async def feed(request: Request, socket):
    await socket.send("open")
    async for message in socket:
        await socket.send(message)


@app.websocket("/feed-of-def", before=login_required)
def feed_of_def(request: Request, socket):
    socket.send("open")
    for message in socket:
        socket.send(message)


@app.post("/run/<who>")
async def run(request: Request, who: str):
    return (await runs.astart(for_long(), owner=int(who))).id


@app.get("/run/<who>/<id>")
async def state(request: Request, who: str, id: str):
    return (await runs.afind(id, owner=int(who))).state
