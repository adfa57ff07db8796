"""A program for Microdot: `async def` handlers over ASGI."""

from importlib import import_module
from typing import Any


def build(package: str) -> Any:
    """The application, made with the modules of a package: `microdot`, or the dialect."""
    app = import_module(f"{package}.asgi").Microdot()
    with_form_data = import_module(f"{package}.multipart").with_form_data

    @app.get("/hello")
    async def hello(_request):
        return "Hello, world!"

    @app.get("/args")
    async def read(request):
        args = request.args
        return f"page {args.get('page')} of {args.get('size', type=int)} by {args.get('sort')}"

    @app.post("/json")
    async def create(request):
        account = request.json
        return {"created": account["name"], "tags": len(account["tags"])}

    @app.get("/created")
    async def created(_request):
        return {"created": True}, 201

    @app.post("/form")
    async def form(request):
        values = request.form
        return f"{values['name']}, {values['email']}, {values.get('note')}"

    @app.post("/upload")
    @with_form_data
    async def upload(request):
        file = request.files["file"]
        content = await file.read()
        return f"{request.form['title']}: {file.filename}, {len(content)} bytes"

    return app
