"""Heads whose bodies come as they are told to, and ways to receive them."""

import asyncio
import gc
import os
import time
from contextlib import suppress

from antiphon.http.head import uncoded_length
from tests.helpers.waiting import eventually


class Told:
    """A head with a body that comes in chunks; an error is raised in its turn, and a number is a wait in seconds.

    It blocks, or has to be awaited; then it has its chunks at once, or only after a turn of the loop.
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

    async def receive(self):
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


WAYS = {
    "blocking": {"blocks": True},
    "blocking, on a loop": {"blocks": True, "is_on_loop": True},
    "at once": {"is_on_loop": True},
    "awaited": {"waits": True, "is_on_loop": True},
}
"""How a body comes, and whether it is received on an event loop."""


class Way:
    """One of them."""

    def __init__(self, name):
        self._options = dict(WAYS[name])
        self.is_on_loop = self._options.pop("is_on_loop", False)

    def head(self, *chunks, **headers):
        return Told(*chunks, **self._options, **headers)

    def run(self, coroutine):
        """What a coroutine returns, taken where it belongs."""
        if self.is_on_loop:
            return asyncio.run(coroutine)
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value
        raise AssertionError("it waited, where that blocks")


def in_chunks(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


def files_in(folder):
    """The paths of what this process has open in a folder, by a name or without."""
    gc.collect()
    paths = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the listing's own
            paths.append(os.readlink(f"/proc/self/fd/{name}"))
    return [path for path in paths if path.startswith(f"{folder}/")]


def is_without_files(folder):
    """Whether this process has nothing open in a folder, as soon as worker threads have let go of their last work."""
    return eventually(lambda: True if not files_in(folder) else None, f"files in {folder} are still open")
