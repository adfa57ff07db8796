"""One body, five readers: it is received once, and each reads all of it."""

from hashlib import sha256

from antiphon import Blueprint, Request

readers = Blueprint("readers")


@readers.middleware(loads_body=True)
def before_the_handler(request: Request):
    request.g.note = request.form.get("note", "")
    response = yield
    response.headers["x-body-size"] = str(len(request.body))


@readers.post("/readers")
def read(request: Request):
    streamed = sha256()
    for chunk in request.stream:
        streamed.update(chunk)
    return {
        "1 middleware": request.g.note,
        "2 stream": streamed.hexdigest(),
        "3 raw body": sha256(request.body).hexdigest(),
        "4 form": request.form.to_lists(),
        "5 file": {file.filename: file.digest("sha256") for file in request.files.values() if file},
    }
