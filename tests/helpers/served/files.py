"""Applications that send files: one that the query names, in the way that the path names, and a static folder."""

import os
from pathlib import Path

from antiphon import App, Response, to_app

FOLDER = Path(__file__).parents[2] / "docs"
"""A folder beside those of other tests."""

folder_app = App()
folder_app.static("/static", FOLDER)


def part(request, path):
    response = Response.file(path)
    return Response(response.body.window(2, 5), 206, {"content-length": "5"})


def gone(request, path):
    response = Response.file(path)
    os.unlink(path)
    return response


def shrunk(request, path):
    response = Response.file(path)
    os.truncate(path, response.body.length // 2)
    return response


def grown(request, path):
    response = Response.file(path)
    with open(path, "ab") as file:
        file.write(b"more")
    return response


def removed_after(request, path):
    response = Response.file(path)
    request.after_response(lambda: os.unlink(path))
    return response


def opened(request, path):
    return Response.file(open(path, "rb"))


def piped(request, path):
    """Send a file object without a position, and so without a length."""

    class Pipe:
        def __init__(self):
            self._file = open(path, "rb")  # noqa: SIM115 - it is closed with the response
            self.read, self.close = self._file.read, self._file.close

    return Response.file(Pipe())


WAYS = {
    f"/{way.__name__}": way
    for way in (part, gone, shrunk, grown, removed_after, opened, piped)
}  # fmt: skip


def answer(request):
    path = request.args["path"]
    way = WAYS.get(request.path)
    return way(request, path) if way else Response.file(path)


app = to_app(answer)
