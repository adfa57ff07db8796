"""An application for uploads that reports what its process has open."""

import os
from hashlib import sha256
from pathlib import Path

from antiphon import App, Blueprint, Limits, Request, Response
from antiphon.http.errors import Forbidden

MIB = 1 << 20
LIMIT = 1 * MIB
"""The body limit of the routes with ``limited`` in their path, in bytes."""
TIMEOUT = 1
"""The longest wait of the routes with ``impatient`` in their path, in seconds."""

app = App(limits=Limits(body=64 * MIB), upload_folder=os.environ.get("UPLOAD_FOLDER"))
impatient = Limits(timeout=TIMEOUT, rate=0)
few = Limits(body=LIMIT)


def report(request: Request):
    """Answer a form with its fields and files."""
    files = [(name, file.filename, file.size, file.digest()) for name, file in request.files.items()]
    return {"fields": list(request.form.items()), "files": files}


def digest(request: Request):
    return sha256(request.body).hexdigest()


async def digest_async(request: Request):
    hashed = sha256()
    async for chunk in request.stream:
        hashed.update(chunk)
    return hashed.hexdigest()


async def report_async(request: Request):
    return report(request)


def report_streamed(request: Request):
    """Answer a form with its fields and files, read part by part."""
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
    app.post(f"/def{path}/form", limits=limits)(report)
    app.post(f"/async{path}/form", limits=limits)(report_async)
    app.post(f"/def{path}/digest", limits=limits)(digest)
    app.post(f"/async{path}/digest", limits=limits)(digest_async)
    app.post(f"/lazy{path}/form", limits=limits, receive="lazy")(report)
    app.post(f"/streamed{path}/form", limits=limits, receive="stream")(report_streamed)


def refuse(request):
    raise Forbidden


forbidden = Blueprint("forbidden")
forbidden.before_request(refuse)
forbidden.post("/forbidden")(digest)
app.register(forbidden)


@app.post("/refused", receive="stream")
async def refused(request):
    """Answer after the first chunk."""
    assert await anext(aiter(request.stream))
    return Response("no", 422)


@app.post("/unread", receive="lazy")
async def unread(_: Request):
    return "unread"


@app.get("/about")
def about(request: Request):
    """Return the numbers of open descriptors and of uploads among them, and the peak of memory in KiB."""
    targets = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            targets.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        except FileNotFoundError:  # the descriptor of the listing itself
            continue
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    uploads = [target for target in targets if target.startswith(os.environ.get("UPLOAD_FOLDER", "/nowhere"))]
    return {"descriptors": len(targets), "uploads": len(uploads), "peak": int(status["VmHWM"].split()[0])}


@app.get("/hello")
def hello(request: Request):
    return Response("hello")
