"""Every way of reading a request's body, in both colours, and what came of it: a value, or an error's status."""

import asyncio
from dataclasses import dataclass

from antiphon.http.errors import HTTPError


@dataclass
class Order:
    """What is read by ``json_as`` and ``form_as``."""

    name: str
    count: int


def files(request):
    read = []
    for name, upload in request.files.items():
        upload.seek(0)
        read.append((name, upload.filename, upload.mimetype, upload.read()))
    return read


async def afiles(request):
    read = []
    for name, upload in request.files.items():
        upload.seek(0)
        read.append((name, upload.filename, upload.mimetype, await upload.aread()))
    return read


def order(value):
    return value.name, value.count


def a_chunk(request):
    """Whether the first chunk is one, and the stream is left then."""
    chunk = next(iter(request.stream), b"")
    return request.body.startswith(chunk) and bool(chunk) == bool(request.body)


async def a_chunk_awaited(request):
    chunk = await anext(aiter(request.stream), b"")
    return request.body.startswith(chunk) and bool(chunk) == bool(request.body)


def a_part(request):
    return next((part.name, part.filename, part.read()) for part in request.parts())


async def a_part_awaited(request):
    part = await anext(aiter(request.parts()))
    return part.name, part.filename, await part.aread()


async def stream(request):
    return b"".join([chunk async for chunk in request.stream])


async def parts(request):
    return [(part.name, part.filename, await part.aread()) async for part in request.parts()]


BLOCKING = {
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

AWAITED = {"files": afiles, "stream": stream, "parts": parts, "a chunk": a_chunk_awaited, "a part": a_part_awaited}
"""Those that are another function on an event loop."""


def outcome(error):
    """The status of an error, or what it says."""
    if isinstance(error, HTTPError):
        return error.status
    said = {"request.load()": "not loaded", "have been streamed, and are gone": "gone"}
    return next((name for words, name in said.items() if words in str(error)), repr(error))


def read(request, name):
    """What is read, where that may block."""
    try:
        return BLOCKING[name](request)
    except Exception as error:
        return outcome(error)


async def aread(request, name):
    """The same on an event loop."""
    try:
        return await AWAITED[name](request) if name in AWAITED else BLOCKING[name](request)
    except Exception as error:
        return outcome(error)


class Readings:
    """Paints layers that read the body by a plan: ``plan`` names for each layer the ways, ``seen`` tells what came.

    Where it ``loads``, what is async awaits the body before it reads.
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

    async def aread(self, layer, request):
        if self.loads and self.plan.get(layer):
            await self.load(layer, request)
        for name in self.plan.get(layer, ()):
            self.seen.append((layer, name, await aread(request, name)))

    async def load(self, layer, request):
        try:
            await request.load()
        except Exception as error:
            self.seen.append((layer, "load", outcome(error)))

    def around(self, name, colour):
        """Middleware that reads before and after."""

        def blocks(request):
            self.read(f"{name} before", request)
            yield
            self.read(f"{name} after", request)

        async def waits(request):
            await asyncio.sleep(0)
            await self.aread(f"{name} before", request)
            yield
            await self.aread(f"{name} after", request)

        return waits if colour.is_async else blocks

    def hook(self, layer, colour, then=lambda request: None):
        """A function that reads, and then does this."""

        def blocks(request, *_):
            self.read(layer, request)
            return then(request)

        async def waits(request, *_):
            await self.aread(layer, request)
            return then(request)

        return waits if colour.is_async else blocks

    def last(self, layer, colour, request):
        """The same without an argument."""

        def blocks():
            self.read(layer, request)

        async def waits():
            await self.aread(layer, request)

        return waits if colour.is_async else blocks
