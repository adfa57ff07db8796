"""Uploads: files with a form, and one file after another as they arrive."""

import io

from microdot import Microdot, Request
from microdot.multipart import FormDataIter, with_form_data

app = Microdot()
Request.max_content_length = 1024 * 1024


@app.post("/upload")
@with_form_data
async def upload(request):
    file = request.files["file"]
    copy = io.BytesIO()
    await file.save(copy)
    return {
        "form": {name: request.form.get(name) for name in sorted(request.form)},
        "file": [file.filename, file.content_type, len(copy.getvalue()), sum(copy.getvalue())],
    }


@app.post("/each")
async def each(request):
    seen = []
    async for name, value in FormDataIter(request):
        if isinstance(value, str):
            seen.append([name, value])
        else:
            size = 0
            while chunk := await value.read(1000):
                size += len(chunk)
            seen.append([name, value.filename, size])
    return seen


@app.post("/none")
@with_form_data
async def none(request):
    return str((request.form, request.files))


def form(*parts):
    sent = b""
    for name, filename, content in parts:
        file = f'; filename="{filename}"\r\nContent-Type: image/png' if filename else ""
        sent += f'--b0\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"
    return sent + b"--b0--\r\n"


PARTS = {"Content-Type": "multipart/form-data; boundary=b0"}
SMALL = form(("title", None, b"A photo"), ("file", "photo.png", bytes(range(256))))
LARGE = form(("file", "large.png", bytes(range(256)) * 1000), ("title", None, "größer".encode()))
REQUESTS = [
    ("POST", "/upload", PARTS, SMALL),
    ("POST", "/upload", PARTS, LARGE),
    ("POST", "/each", PARTS, SMALL),
    ("POST", "/each", PARTS, LARGE),
    ("POST", "/each", {"Content-Type": "text/plain"}, b"x"),
    ("POST", "/none", {"Content-Type": "text/plain"}, b"x"),
    ("POST", "/upload", PARTS, form(("file", "f", bytes(1024 * 1024)))),
]
