"""Bodies that are read chunk by chunk, under limits of its own."""

from microdot import Microdot, Request

app = Microdot()
Request.max_content_length = 1024 * 1024
Request.max_body_length = 8 * 1024


@app.post("/count")
async def count(request):
    sizes = []
    while chunk := await request.stream.read(4096):
        sizes.append(len(chunk))
    return {"loaded": len(request.body), "streamed": sum(sizes), "largest": max(sizes, default=0)}


@app.post("/exactly")
async def exactly(request):
    return await request.stream.readexactly(request.content_length)


@app.post("/head")
async def head(request):
    return await request.stream.read(5)


REQUESTS = [
    ("POST", "/count", {}, b"x"),
    ("POST", "/count", {}, bytes(8 * 1024)),
    ("POST", "/count", {}, bytes(8 * 1024 + 1)),
    ("POST", "/count", {}, bytes(1024 * 1024)),
    ("POST", "/count", {}, bytes(1024 * 1024 + 1)),
    ("POST", "/exactly", {}, b"0123456789" * 10),
    ("POST", "/exactly", {}, b"0123456789" * 2000),
    ("POST", "/head", {}, b"0123456789"),
]
