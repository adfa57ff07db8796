"""The tour: its first page, and what each of its cards needs. The cards themselves are in `cards`."""

import re
from asyncio import to_thread
from pathlib import Path
from typing import Any

from antiphon import App, Request, Response
from antiphon.cli import docs, docs_pages
from antiphon.features import BlockScript, Live, MemoryStore, Page, ResumableUploads, SecurityHeaders, Templates
from antiphon.http import NotFound
from examples.tour import ways
from examples.tour.cards import bug, document, live, readers, typed, upload

HERE = Path(__file__).parent
INTERFACES = ("wsgi", "asgi", "rsgi")

app = App(store=MemoryStore(), trusted_hosts=["localhost", "127.0.0.1", "[::1]"])
app.use(SecurityHeaders())
app.use(Live())
app.use(BlockScript())
app.use(Templates("templates"))
app.use(document.document)
app.use(ResumableUploads())
app.static("/static", HERE / "static")
app.static("/house", HERE.parent / "guestbook/static", name="house")
for part in (readers.readers, typed.typed, document.lamps, bug.bug, live.live, upload.upload):
    app.register(part)
app.register(docs_pages.pages, prefix="/docs")


@app.get("/")
def index(request: Request):
    program, interface = request.args.get("program", "form"), request.args.get("interface", "asgi")
    if program not in ways.BY_NAME or interface not in INTERFACES:
        raise NotFound("There is no such program or interface.")
    sources = {path.stem: path.read_text() for path in (HERE / "cards").glob("*.py")}
    mounted = [mount.prefix.strip("/") for mount in app.mounts if mount.prefix != "/ways"]
    return Page(
        "index.html",
        programs=ways.BY_NAME,
        program=ways.BY_NAME[program],
        interfaces=INTERFACES,
        interface=interface,
        ways=ways.compared(program, interface),
        sources=sources,
        mounted=mounted,
        votes=live.votes,
        direction="rtl" if request.args.get("direction") == "rtl" else "ltr",
    )


@app.get("/upload.js")
def upload_script(request: Request) -> Response:
    """Send the function that the docs show, as it stands there."""
    found = re.search(r"^```js\n(.*?)^```", docs.pages()["how-to/resumable-uploads"], re.MULTILINE | re.DOTALL)
    return Response(found[1] if found else "", content_type="text/javascript")


async def each_way(scope: Any, receive: Any, send: Any) -> None:
    """Serve each way of each program under its own path, such as /ways/form/flask/."""
    name = scope["path"].removeprefix(scope["root_path"]).lstrip("/").partition("/")[0]
    known = await to_thread(ways.app_of, name) if name in ways.BY_NAME else App()
    await known(scope | {"root_path": scope["root_path"].removesuffix("/ways")}, receive, send)


app.mount("/ways", each_way)
