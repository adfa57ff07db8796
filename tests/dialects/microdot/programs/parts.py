"""Forms in parts, one part after another: those that are skipped, copied, saved, or read in part."""

import io

from microdot import Microdot
from microdot.multipart import FileUpload, FormDataIter, with_form_data

app = Microdot()


@app.post("/skip")
async def skip(request):
    return [name async for name, _ in FormDataIter(request)]


@app.post("/begin")
async def begin(request):
    return [
        [name, (await value.read(4)).decode()]
        async for name, value in FormDataIter(request)
        if isinstance(value, FileUpload)
    ]


@app.post("/copy")
async def copy(request):
    copies = [await value.copy(100) async for _, value in FormDataIter(request) if isinstance(value, FileUpload)]
    sizes = []
    for file in copies:
        sizes.append([file.filename, *[len(await file.read(size)) for size in (10, -1, -1)]])
        await file.close()
    return sizes


@app.post("/save")
async def save(request):
    target = io.BytesIO()
    async for _, value in FormDataIter(request):
        if isinstance(value, FileUpload):
            await value.save(target)
    return target.getvalue()


@app.post("/plain")
@with_form_data
def plain(request):
    names = None if request.form is None else sorted(request.form)
    return [names, None if request.files is None else {name: file.filename for name, file in request.files.items()}]


@app.post("/undecorated")
async def undecorated(request):
    return [request.form, request.files, request.json, len(request.body)]


def form(*parts):
    sent = [b"--b0\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + body + b"\r\n" for head, body in parts]
    return b"".join(sent) + b"--b0--\r\n"


PARTS = {"Content-Type": "multipart/form-data; boundary=b0"}
BODY = form(
    (b'name="a"', b"1"),
    (b'name="short"; filename="a b.txt"\r\nContent-Type: text/plain', b"hello\r\nworld\n"),
    (b'name="a"', "é".encode()),
    (b'name="long"; filename="long.bin"', bytes(range(256)) * 12),
    (b'name="nothing"; filename=""\r\nContent-Type: application/octet-stream', b""),
)
PATHS = ("/skip", "/begin", "/copy", "/save", "/plain", "/undecorated")
REQUESTS = [("POST", path, PARTS, BODY) for path in PATHS]
REQUESTS += [("POST", path, PARTS, form((b'name="a"', b""))) for path in PATHS]
REQUESTS += [("POST", path, {"Content-Type": "application/x-www-form-urlencoded"}, b"") for path in PATHS[:-1]]
REQUESTS += [("POST", "/skip", {"Content-Type": "multipart/form-data; charset=utf-8; boundary=b0"}, BODY)]
