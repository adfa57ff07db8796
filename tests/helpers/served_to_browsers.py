"""An application that gives browsers an empty page, and tells what forms bring."""

import json

from antiphon import App, Limits, Request, Response

LIMIT = 1 << 20
"""Bytes that the routes accept that accept few."""

app = App(limits=Limits(body=64 << 20))
few = Limits(body=LIMIT)


@app.get("/")
def page(request: Request):
    return Response.html("<!doctype html><meta charset=utf-8><title>Empty</title>")


def told(request: Request):
    files = [(name, file.filename, file.mimetype, file.size, file.digest()) for name, file in request.files.items()]
    return Response.text(json.dumps({"fields": list(request.form.items()), "files": files}))


async def awaited(request: Request):
    return told(request)


for limits, path in ((None, "/told"), (few, "/limited")):
    app.post(f"/def{path}", limits=limits)(told)
    app.post(f"/async{path}", limits=limits)(awaited)
