"""An application that gives browsers an empty page, and answers forms with their fields and files, as JSON."""

import json

from antiphon import App, Limits, Request, Response

LIMIT = 1 << 20
"""The body limit of the routes below ``/def/limited`` and ``/async/limited``, in bytes."""

app = App(limits=Limits(body=64 << 20))
few = Limits(body=LIMIT)


@app.get("/")
def page(request: Request):
    return Response.html("<!doctype html><meta charset=utf-8><title>Empty</title>")


def report(request: Request):
    files = [(name, file.filename, file.mimetype, file.size, file.digest()) for name, file in request.files.items()]
    return Response.text(json.dumps({"fields": list(request.form.items()), "files": files}))


async def report_async(request: Request):
    return report(request)


for limits, path in ((None, "/told"), (few, "/limited")):
    app.post(f"/def{path}", limits=limits)(report)
    app.post(f"/async{path}", limits=limits)(report_async)
