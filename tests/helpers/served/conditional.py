"""An application that answers conditional requests with a file. The query names the file, the path the kind of body.

``/open`` counts the bodies that are not closed yet.
"""

import asyncio
import io
from pathlib import Path

from antiphon import App, Response

MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT"
STRONG, WEAK = '"v1"', 'W/"v1"'
FOR_CACHES = {"cache-control": "max-age=60", "content-location": "/v1", "vary": "accept-language"}
BOTH = FOR_CACHES | {"etag": STRONG, "last-modified": MODIFIED}

CHUNK = 64

app = App()
opened = set()


class Closable:
    """A body that counts as open until it is closed."""

    def __init__(self):
        opened.add(self)

    def close(self):
        opened.discard(self)


class File(io.BytesIO, Closable):
    def __init__(self, content):
        io.BytesIO.__init__(self, content)
        Closable.__init__(self)

    def close(self):
        Closable.close(self)
        io.BytesIO.close(self)


class Pipe(File):
    def seekable(self):
        return False


class Stream(Closable):
    def __init__(self, content):
        super().__init__()
        self._chunks = iter([content[start : start + CHUNK] for start in range(0, len(content), CHUNK)])

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._chunks)


class AsyncStream(Stream):
    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.sleep(0)
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration

    async def aclose(self):
        self.close()


def measured(fields, content):
    return fields | {"content-length": str(len(content))}


KINDS = {
    "bytes": lambda path: Response(path.read_bytes(), headers=BOTH),
    "weak": lambda path: Response(path.read_bytes(), headers=BOTH | {"etag": WEAK}),
    "undated": lambda path: Response(path.read_bytes(), headers=FOR_CACHES | {"etag": STRONG}),
    "dated": lambda path: Response(path.read_bytes(), headers=FOR_CACHES | {"last-modified": MODIFIED}),
    "path": lambda path: Response.file(path, headers=FOR_CACHES),
    "file": lambda path: Response.file(File(path.read_bytes()), headers=BOTH),
    "pipe": lambda path: Response.file(Pipe(path.read_bytes()), headers=BOTH),
    "stream": lambda path: Response(Stream(path.read_bytes()), headers=BOTH),
}


@app.get("/<kind>")
def send(request):
    return KINDS[request.path_params["kind"]](Path(request.args["path"])).make_conditional(request)


@app.get("/measured")
def send_measured(request):
    content = Path(request.args["path"]).read_bytes()
    return Response(Stream(content), headers=measured(BOTH, content)).make_conditional(request)


@app.get("/measured-async")
async def send_measured_async(request):
    content = Path(request.args["path"]).read_bytes()
    return Response(AsyncStream(content), headers=measured(BOTH, content)).make_conditional(request)


@app.get("/open")
def count_open(request):
    return str(len(opened))
