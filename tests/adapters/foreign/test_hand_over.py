"""Chunks go from one task to another one at a time, and none is lost before the end."""

import asyncio

import pytest

from antiphon.adapters.foreign.asgi import HandOver


async def settled():
    for _ in range(10):
        await asyncio.sleep(0)


def test_giving_waits_for_taking():
    async def play():
        chunks = HandOver()
        giver = asyncio.create_task(chunks.give(b"a"))
        await settled()
        assert not giver.done()
        assert await chunks.take() == b"a"
        await giver

    asyncio.run(play())


def test_taking_waits_for_giving():
    async def play():
        chunks = HandOver()
        taker = asyncio.create_task(chunks.take())
        await settled()
        assert not taker.done()
        await chunks.give(b"a")
        assert await taker == b"a"

    asyncio.run(play())


@pytest.mark.parametrize("givers", [1, 2, 5])
def test_every_chunk_is_taken_once(givers):
    async def play():
        chunks = HandOver()
        given = [asyncio.create_task(chunks.give(bytes([number]))) for number in range(givers)]
        taken = [await chunks.take() for _ in given]
        await asyncio.gather(*given)
        return sorted(taken)

    assert asyncio.run(play()) == [bytes([number]) for number in range(givers)]


def test_a_chunk_outlives_the_giver_and_the_taker_that_was_cancelled():
    async def play():
        chunks = HandOver()
        for waiting in (chunks.take(), chunks.give(b"a")):
            task = asyncio.create_task(waiting)
            await settled()
            task.cancel()
            await settled()
        return await chunks.take()

    assert asyncio.run(play()) == b"a"


def test_at_the_end_nobody_waits():
    async def play():
        chunks = HandOver()
        givers = [asyncio.create_task(chunks.give(chunk)) for chunk in (b"a", b"b")]
        await settled()
        chunks.end()
        await asyncio.gather(*givers)
        await chunks.give(b"late")
        return [await chunks.take() for _ in range(3)]

    assert asyncio.run(play()) == [b"a", None, None]
