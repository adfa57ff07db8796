"""Every way of reading a request's body, sync and async; the result is a value, or an error's status."""

import asyncio
from dataclasses import dataclass

from antiphon.http.errors import HTTPError


@dataclass
class Order:
    """The type that ``json_as`` and ``form_as`` read."""

    name: str
    count: int


def files(request):
    read = []
    for name, upload in request.files.items():
        upload.seek(0)
        read.append((name, upload.filename, upload.mimetype, upload.read()))
    return read


async def files_async(request):
    read = []
    for name, upload in request.files.items():
        upload.seek(0)
        read.append((name, upload.filename, upload.mimetype, await upload.aread()))
    return read


def order(value):
    return value.name, value.count


def a_chunk(request):
    """Read the first chunk and leave the stream; True if the chunk is the start of the body."""
    chunk = next(iter(request.stream), b"")
    return request.body.startswith(chunk) and bool(chunk) == bool(request.body)


async def a_chunk_async(request):
    chunk = await anext(aiter(request.stream), b"")
    return request.body.startswith(chunk) and bool(chunk) == bool(request.body)


def a_part(request):
    return next((part.name, part.filename, part.read()) for part in request.parts())


async def a_part_async(request):
    part = await anext(aiter(request.parts()))
    return part.name, part.filename, await part.aread()


async def stream(request):
    return b"".join([chunk async for chunk in request.stream])


async def parts(request):
    return [(part.name, part.filename, await part.aread()) async for part in request.parts()]


SYNC_READERS = {
    "body": lambda request: request.body,
    "text": lambda request: request.text,
    "json": lambda request: request.json,
    "form": lambda request: list(request.form.items()),
    "files": files,
    "stream": lambda request: b"".join(request.stream),
    "parts": lambda request: [(part.name, part.filename, part.read()) for part in request.parts()],
    "json_as": lambda request: order(request.json_as(Order)),
    "form_as": lambda request: order(request.form_as(Order)),
    "a chunk": a_chunk,
    "a part": a_part,
}

ASYNC_READERS = {
    "files": files_async, "stream": stream, "parts": parts, "a chunk": a_chunk_async, "a part": a_part_async,
}  # fmt: skip
"""The ways that are another function on an event loop."""


def outcome(error):
    """Return the status of an error, or a word for its message."""
    if isinstance(error, HTTPError):
        return error.status
    words_of = {"request.aload()": "not loaded", "have been streamed, and are gone": "gone"}
    return next((name for words, name in words_of.items() if words in str(error)), repr(error))


def read(request, name):
    """Read in one way where that may block; return the value, or the outcome of the error."""
    try:
        return SYNC_READERS[name](request)
    except Exception as error:
        return outcome(error)


async def read_async(request, name):
    """Read in one way on an event loop; return the value, or the outcome of the error."""
    try:
        return await ASYNC_READERS[name](request) if name in ASYNC_READERS else SYNC_READERS[name](request)
    except Exception as error:
        return outcome(error)


class Readings:
    """Handlers, hooks and middleware that read the body by a plan, which names for each layer the ways of reading.

    ``seen`` has a triple of layer, way and result for each read. With ``loads``, async layers load the body first.
    """

    def __init__(self):
        self.plan = {}
        self.seen = []
        self.loads = False

    def begin(self, plan, loads=False):
        self.plan, self.seen, self.loads = plan, [], loads

    def read(self, layer, request):
        for name in self.plan.get(layer, ()):
            self.seen.append((layer, name, read(request, name)))

    async def read_async(self, layer, request):
        if self.loads and self.plan.get(layer):
            await self.load(layer, request)
        for name in self.plan.get(layer, ()):
            self.seen.append((layer, name, await read_async(request, name)))

    async def load(self, layer, request):
        try:
            await request.aload()
        except Exception as error:
            self.seen.append((layer, "load", outcome(error)))

    def around(self, name, is_async):
        """Return middleware that reads before and after."""

        def sync(request):
            self.read(f"{name} before", request)
            yield
            self.read(f"{name} after", request)

        async def waiting(request):
            await asyncio.sleep(0)
            await self.read_async(f"{name} before", request)
            yield
            await self.read_async(f"{name} after", request)

        return waiting if is_async else sync

    def hook(self, layer, is_async, then=lambda request: None):
        """Return a handler or hook that reads, and then calls ``then``."""

        def sync(request, *_):
            self.read(layer, request)
            return then(request)

        async def waiting(request, *_):
            await self.read_async(layer, request)
            return then(request)

        return waiting if is_async else sync

    def last(self, layer, is_async, request):
        """Return a function for after the response, which reads."""

        def sync():
            self.read(layer, request)

        async def waiting():
            await self.read_async(layer, request)

        return waiting if is_async else sync
