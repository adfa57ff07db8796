"""Films that are uploaded in parts. ``STORE`` is a URL, or the path of a file; each film is a line in ``FILMS``."""

import os
import time
from hashlib import sha256

from antiphon import App, Limits, Response
from antiphon.features import ResumableUploads
from tests.helpers.stores import store_at

app = App(limits=Limits(body=64 << 20))
app.use(ResumableUploads(store_at(os.environ["STORE"], timeout=30), folder=os.environ["FOLDER"]))


def note():
    with open(os.environ["FILMS"], "a") as films:  # O_APPEND
        films.write(f"{os.getpid()}\n")


@app.post("/films", resumable=True)
def film(request):
    """Note a film; one with ``x-wait`` takes until the file of that name exists."""
    note()
    while (name := request.headers.get("x-wait")) and not os.path.exists(name):
        time.sleep(0.01)
    digest = sha256()
    for chunk in request.stream:
        digest.update(chunk)
    return {"title": request.headers.get("x-title"), "sha256": digest.hexdigest()}, 201


@app.post("/async/films", resumable=True, receive="stream")
async def async_film(request):
    note()
    digest = sha256()
    async for chunk in request.stream:
        digest.update(chunk)
    return {"title": request.headers.get("x-title"), "sha256": digest.hexdigest()}, 201


@app.get("/pid")
def pid(request):
    return {"pid": os.getpid()}


@app.get("/")
def page(request):
    """A page with the script in the file ``SCRIPT``."""
    with open(os.environ["SCRIPT"]) as script:
        return Response.html(f"<!doctype html><title>Films</title><script type=module>{script.read()}</script>")
