"""Streams to clients that leave, where the framework tells of them only if it is asked."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from antiphon.concurrency.iterables import aclose
from antiphon.concurrency.loop import wait_ended

LOOK = 0.5
"""Seconds after which a framework is asked again."""


async def until_left(chunks: Any, has_left: Callable[[], bool]) -> AsyncGenerator[bytes]:
    """Iterate the chunks of a stream until it ends, or the client has left; close it in every case.

    One task reads the stream, so that a timeout or a group of tasks may be open in it from one chunk to the next.
    """
    loop = asyncio.get_running_loop()
    arrival: asyncio.Future[Any] = loop.create_future()
    taken = asyncio.Event()

    async def read() -> None:
        async for chunk in chunks:
            arrival.set_result(chunk)
            await taken.wait()
            taken.clear()

    reading: asyncio.Task[Any] = loop.create_task(read())
    try:
        while True:
            while not (await asyncio.wait([reading, arrival], timeout=LOOK, return_when=asyncio.FIRST_COMPLETED))[0]:
                if has_left():
                    return
            if not arrival.done():
                reading.result()
                return
            if has_left():
                return
            chunk, arrival = arrival.result(), loop.create_future()
            yield chunk
            taken.set()
    finally:
        reading.cancel()
        await wait_ended(reading)
        del reading  # it keeps an error that was raised, whose frames keep this one
        await aclose(chunks)
