"""An application to which much is uploaded, and which tells what that has cost its process."""

import os
from hashlib import sha256
from pathlib import Path

from antiphon import App, Blueprint, Limits, Request, Response
from antiphon.http.errors import Forbidden

MIB = 1 << 20
LIMIT = 1 * MIB
"""Bytes that the routes accept that accept few."""
TIMEOUT = 1
"""Seconds for which the routes wait that do not wait for long."""

app = App(limits=Limits(body=64 * MIB), upload_folder=os.environ.get("UPLOAD_FOLDER"))
impatient = Limits(timeout=TIMEOUT, rate=0)
few = Limits(body=LIMIT)


def told(request: Request):
    """What a form brought."""
    files = [(name, file.filename, file.size, file.digest()) for name, file in request.files.items()]
    return {"fields": list(request.form.items()), "files": files}


def digest(request: Request):
    return sha256(request.body).hexdigest()


async def awaited_digest(request: Request):
    hashed = sha256()
    async for chunk in request.stream:
        hashed.update(chunk)
    return hashed.hexdigest()


async def awaited_told(request: Request):
    return told(request)


def streamed(request: Request):
    """The same of a form that is not kept."""
    fields, files = [], []
    for part in request.parts():
        content = sha256()
        size = 0
        for chunk in part:
            content.update(chunk)
            size += len(chunk)
        files.append((part.name, part.filename, size, content.hexdigest()))
    return {"fields": fields, "files": files}


for path, limits in (("", None), ("/limited", few), ("/impatient", impatient)):
    app.post(f"/def{path}/form", limits=limits)(told)
    app.post(f"/async{path}/form", limits=limits)(awaited_told)
    app.post(f"/def{path}/digest", limits=limits)(digest)
    app.post(f"/async{path}/digest", limits=limits)(awaited_digest)
    app.post(f"/lazy{path}/form", limits=limits, body="lazy")(told)
    app.post(f"/streamed{path}/form", limits=limits, body="stream")(streamed)


def refuse(request):
    raise Forbidden


forbidden = Blueprint("forbidden")
forbidden.before_request(refuse)
forbidden.post("/forbidden")(digest)
app.register(forbidden)


@app.post("/refused", body="stream")
async def refused(request):
    """Answer when a chunk has been looked at."""
    assert await anext(aiter(request.stream))
    return Response("no", 422)


@app.get("/about")
def about(request: Request):
    """How many descriptors this process has open, how many of them are uploads, and its peak of memory in KiB."""
    targets = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            targets.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        except FileNotFoundError:  # the one by which they were listed
            continue
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    uploads = [target for target in targets if target.startswith(os.environ.get("UPLOAD_FOLDER", "/nowhere"))]
    return {"descriptors": len(targets), "uploads": len(uploads), "peak": int(status["VmHWM"].split()[0])}


@app.get("/hello")
def hello(request: Request):
    return Response("hello")
