"""Runs in the store that ``STORE`` names, for users that the field X-User names."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from http import HTTPStatus

from antiphon import App, Request, Response
from antiphon.features import OpenAPI, Runs, ToolCall, Tools, current_run, ui_message_stream
from tests.helpers.stores import store_at

app = App(secret_keys=["of tests, and not secret"])
store = store_at(os.environ["STORE"], timeout=1)
runs = Runs(store, max_runs=1000, max_runs_per_owner=1000, lease=float(os.environ.get("LEASE", "1.5")), ttl=600)
if os.environ.get("USES", "yes") == "yes":
    app.use(runs)
api = OpenAPI(title="Runs", version="1", openapi="3.2")
app.use(api)
app.use(Tools(api, tasks=runs))


@dataclass
class Counted:
    n: int
    pid: int


async def numbers(count: int, pause: float) -> AsyncIterator[Counted]:
    for n in range(1, count + 1):
        await asyncio.sleep(pause)
        yield Counted(n, os.getpid())


def numbers_of_def(count: int, pause: float) -> Iterator[Counted]:
    for n in range(1, count + 1):
        time.sleep(pause)
        yield Counted(n, os.getpid())


typed = Runs[Counted](store)  # the same runs


@runs.restartable
async def numbers_again(count: int, pause: float) -> AsyncIterator[Counted]:
    for n in range(len(current_run().earlier_values()) + 1, count + 1):
        await asyncio.sleep(pause)
        yield Counted(n, os.getpid())


async def words(count: int, pause: float) -> AsyncIterator[str]:
    for n in range(1, count + 1):
        await asyncio.sleep(pause)
        yield f"{n} "


SOURCES = {"async": numbers, "def": numbers_of_def, "again": numbers_again, "words": words}


def source(request: Request):
    return SOURCES[request.args.get("source", "async")](int(request.args["count"]), float(request.args["pause"]))


def owner(request: Request):
    return request.headers.get("x-user", "ann")


@app.post("/runs")
async def start(request: Request):
    run = await runs.astart(source(request), owner=owner(request))
    return Response.json({"id": run.id, "pid": os.getpid()}, HTTPStatus.ACCEPTED)


@app.post("/runs-now")
def start_now(request: Request):
    run = runs.start(source(request), owner=owner(request))
    return Response.json({"id": run.id, "pid": os.getpid()}, HTTPStatus.ACCEPTED)


@app.get("/runs")
async def owned(request: Request):
    return [{"id": run.id, "state": run.state} for run in await runs.aowned_by(owner(request))]


@app.get("/runs/<id>")
async def follow(request: Request, id: str):
    run = await runs.afind(id, owner=owner(request))
    return Response.events(run.follow(request.last_event_id), retry=0.1)


@app.get("/runs-now/<id>")
def follow_of_def(request: Request, id: str):
    return Response.events(runs.find(id, owner=owner(request)).follow(request.last_event_id), retry=0.1)


@app.get("/lines/<id>")
async def lines(request: Request, id: str):
    return Response.ndjson((await runs.afind(id, owner=owner(request))).values())


@app.get("/values/<id>")
async def values(request: Request, id: str) -> AsyncIterator[Counted]:
    return (await typed.afind(id, owner=owner(request))).values()


@app.get("/ui/<id>")
async def ui(request: Request, id: str):
    return ui_message_stream(await runs.afind(id, owner=owner(request)))


@app.delete("/runs/<id>")
async def stop(request: Request, id: str):
    return {"stopped": await (await runs.afind(id, owner=owner(request))).astop()}


@app.delete("/runs-now/<id>")
def stop_now(request: Request, id: str):
    return {"stopped": runs.find(id, owner=owner(request)).stop()}


@app.websocket("/sockets/<id>")
async def socket(request: Request, socket, id: str):
    run = await runs.afind(id, owner=owner(request))
    await socket.send_each(run.follow(request.args.get("since")))


@app.post("/counts", tool=True)
async def count(request: Request) -> Response:
    """Count to six, also when a worker is lost."""
    return ToolCall.of(request).follow(await runs.astart(numbers_again(6, 0.1), owner="agent"))


@app.get("/plain")
async def plain(request: Request):
    """Send values without a run, to compare."""
    return Response.events(numbers(int(request.args["count"]), float(request.args["pause"])))


PAGE = """<!doctype html><title>Runs</title><pre id="events"></pre><pre id="fetched"></pre>
<script>
const url = location.hash.slice(1);
const source = new EventSource(url);
source.onmessage = (event) => { events.append(event.data); };
source.addEventListener("missed", (event) => events.append("missed"));
for (const end of ["done", "failed", "stopped", "interrupted"])
  source.addEventListener(end, () => { source.close(); events.append(end); });
(async () => {
  const lines = await fetch(url.replace("/runs/", "/lines/"));
  for await (const part of lines.body.pipeThrough(new TextDecoderStream())) fetched.append(part);
  fetched.append("end");
})().catch(() => fetched.append("cut"));
</script>"""


@app.get("/page")
def page(request: Request):
    return Response.html(PAGE)
