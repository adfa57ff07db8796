"""Chunks go from one task to another one at a time, and none is lost before the channel is closed."""

import asyncio

from antiphon.adapters.foreign.asgi import Channel
from tests.helpers.rows import rows


async def settled():
    for _ in range(10):
        await asyncio.sleep(0)


@rows("putters", [1, 2, 5])
def test_every_chunk_is_got_once(putters):
    async def play():
        chunks = Channel()
        given = [asyncio.create_task(chunks.put(bytes([number]))) for number in range(putters)]
        taken = [await chunks.get() for _ in given]
        await asyncio.gather(*given)
        return sorted(taken)

    assert asyncio.run(play()) == [bytes([number]) for number in range(putters)]


def test_a_chunk_outlives_the_putter_and_the_getter_that_was_cancelled():
    async def play():
        chunks = Channel()
        for waiting in (chunks.get(), chunks.put(b"a")):
            task = asyncio.create_task(waiting)
            await settled()
            task.cancel()
            await settled()
        return await chunks.get()

    assert asyncio.run(play()) == b"a"


def test_nobody_waits_at_a_closed_one():
    async def play():
        chunks = Channel()
        putters = [asyncio.create_task(chunks.put(chunk)) for chunk in (b"a", b"b")]
        await settled()
        chunks.close()
        await asyncio.gather(*putters)
        await chunks.put(b"late")
        return [await chunks.get() for _ in range(3)]

    assert asyncio.run(play()) == [b"a", None, None]
