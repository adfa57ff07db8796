"""Heads whose bodies follow a script of chunks, waits and errors, and ways of delivering them."""

import asyncio
import time

from antiphon.body.receiver import result_of
from antiphon.http.head import uncoded_length


class ScriptedHead:
    """A head whose body follows a script: bytes are received, an error is raised, a number is a wait in seconds.

    ``receive`` blocks where the head ``blocks``. Elsewhere it has to be awaited, and suspends each time if the head
    ``waits``.
    """

    method = "POST"

    def __init__(self, *chunks, blocks=False, waits=False, has_body=True, **headers):
        self.chunks = [*chunks]
        self.blocks = blocks
        self.waits = waits
        self.has_body = has_body
        self.headers = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        self.asked = 0

    def field(self, name):
        return self.headers.get(name)

    def fields(self):
        return [*self.headers.items()]

    @property
    def uncoded_length(self):
        return uncoded_length(self.field)

    def receive(self):
        receiving = self.next_chunk()
        return result_of(receiving) if self.blocks else receiving

    async def next_chunk(self):
        self.asked += 1
        if self.waits:
            await asyncio.sleep(0)
        while self.chunks and isinstance(self.chunks[0], float):
            seconds = self.chunks.pop(0)
            if self.blocks:
                time.sleep(seconds)
            else:
                await asyncio.sleep(seconds)
        chunk = self.chunks.pop(0) if self.chunks else b""
        if isinstance(chunk, BaseException):
            raise chunk
        return chunk


DELIVERIES = {
    "blocking": {"blocks": True}, "blocking, on a loop": {"blocks": True, "is_on_loop": True},
    "at once": {"is_on_loop": True}, "awaited": {"waits": True, "is_on_loop": True},
}  # fmt: skip
"""Ways in which a server delivers a body, and True where that is on an event loop."""


class Delivery:
    """One of ``DELIVERIES``: makes heads, and runs the coroutines that receive their bodies."""

    def __init__(self, name):
        self._options = dict(DELIVERIES[name])
        self.is_on_loop = self._options.pop("is_on_loop", False)

    def head(self, *chunks, **headers):
        return ScriptedHead(*chunks, **self._options, **headers)

    def run(self, coroutine):
        """Run a coroutine on an event loop, or on this thread, and return its result."""
        if self.is_on_loop:
            return asyncio.run(coroutine)
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value
        raise AssertionError("the coroutine suspends where no loop runs")

    def load(self, request):
        self.run(self.loading(request.content, request.limits))

    def loading(self, content, limits):
        return content.aload(limits) if self.is_on_loop else content.load(limits)

    def advancing(self, content, limits):
        """Return the coroutine that receives the next chunk of a body."""
        return content.aadvance(limits) if self.is_on_loop else content.advance(limits)


async def receive_small_body(request, limits):
    """Receive a small body, at once or later. True if it came as one chunk."""
    is_read = request._read_small_body(limits)
    return is_read if isinstance(is_read, bool) else await is_read
