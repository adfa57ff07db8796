"""Antiphon: `def` handlers over WSGI, `async def` handlers over ASGI."""

from antiphon import App, Limits, Request
from benchmarks.apps.work import upload
from benchmarks.forms import NAMES
from benchmarks.upload_apps.answers import fields, large_file

LARGE = Limits(body=4 << 30)

wsgi = App()
asgi = App()


@wsgi.post("/large", limits=LARGE)
def large(request: Request) -> str:
    file = request.files["file"]
    return large_file(request.form["title"], file.filename, file)


@wsgi.post("/file")
def small(request: Request) -> str:
    file = request.files["file"]
    return upload(request.form["title"], file.filename, file.read())


@wsgi.post("/parts")
def parts(request: Request) -> str:
    values = request.form
    return fields([values[name] for name in NAMES])


@asgi.post("/large", limits=LARGE)
async def large_async(request: Request) -> str:
    file = request.files["file"]
    return large_file(request.form["title"], file.filename, file)


@asgi.post("/file")
async def small_async(request: Request) -> str:
    file = request.files["file"]
    return upload(request.form["title"], file.filename, file.read())


@asgi.post("/parts")
async def parts_async(request: Request) -> str:
    values = request.form
    return fields([values[name] for name in NAMES])


@asgi.post("/hash", limits=LARGE)
def hashed(request: Request) -> str:
    """It is `def`, since to hash takes a while."""
    return request.files["file"].digest("sha256")


@asgi.get("/hello")
async def hello(_request: Request) -> str:
    return "Hello, world!"
