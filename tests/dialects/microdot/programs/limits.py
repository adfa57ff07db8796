"""Limits that change while the application runs, and what is left of a request that is beyond them."""

from microdot import Microdot, Request

app, part = Microdot(), Microdot()
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@app.get("/set/<int:content>/<int:body>")
async def set_limits(request, content, body):
    Request.max_content_length = content
    Request.max_body_length = body
    return "set"


@app.post("/body")
async def body(request):
    return [len(request.body), request.content_length]


@app.post("/read")
def read(request):
    return [request.json, request.form and dict(request.form)]


@app.post("/stream")
async def stream(request):
    first = await request.stream.read(10)
    exact = await request.stream.readexactly(3)
    rest = 0
    while chunk := await request.stream.read(16):
        rest += len(chunk)
    return [len(request.body), first.decode(), exact.decode(), rest]


@app.post("/unread")
async def unread(request):
    return "unread"


@part.post("/")
async def in_part(request):
    return "part"


@part.errorhandler(413)
async def not_called(request):
    return "a refused body finds no route", 413


@app.errorhandler(413)
async def too_large(request):
    return {"path": request.path, "length": request.content_length, "body": len(request.body)}, 413


@app.after_error_request
def after_error(request, response):
    response.headers["X-Status"] = f"{response.status_code}, of {len(request.body)}"


app.mount(part, "/part", local=True)

TEXT = b"0123456789" * 10
REQUESTS = [
    ("POST", "/body", {}, TEXT), ("POST", "/body", {}, TEXT * 164), ("GET", "/set/50/50"),
    ("POST", "/body", {}, TEXT), ("POST", "/part/", {}, TEXT), ("POST", "/nowhere", {}, TEXT),
    ("POST", "/nowhere", {}, TEXT[:50]), ("GET", "/set/100/50"), ("POST", "/body", {}, TEXT),
    ("POST", "/body", {}, TEXT[:50]), ("POST", "/stream", {}, TEXT), ("POST", "/stream", {}, TEXT[:40]),
    ("POST", "/unread", {}, TEXT), ("POST", "/read", FORM, b"a=" + TEXT), ("POST", "/read", FORM, b"a=" + TEXT[:90]),
    ("POST", "/read", JSON, b"[1]"), ("GET", "/set/100/0"), ("POST", "/body", {}, b"abc"),
    ("POST", "/stream", {}, TEXT),
]  # fmt: skip
