"""Clients that send their bodies slowly, or not to the end: they hold up nobody else, over any interface."""

import asyncio

from antiphon.cli.workers.options import Guards
from antiphon.concurrency.workers import RECEIVING, WORKERS
from antiphon.testing import AsyncClient
from tests.dialects import programs
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE


def guarded():
    return Guards(refuse_cross_site=True).around(programs.pyramid(), None, "shop:app")


PROGRAMS = [programs.asok, programs.flask, programs.kay, programs.pyramid, programs.webob, programs.werkzeug, guarded]
SMALL = {"content-length": "2"}
LARGE = {"content-length": str(1 << 20)}


@rows("interface", ["asgi", "rsgi"])
@rows(
    "headers, asking",
    [(SMALL, WORKERS + 1), (LARGE, RECEIVING), ({"transfer-encoding": "chunked"}, RECEIVING)],
    ids=["small", "large", "of unknown length"],
)
@rows("program", PROGRAMS)
def test_bodies_that_don_t_come_hold_no_thread_that_others_need(program, headers, asking, interface):
    async def main():
        asked, go_on = asyncio.Semaphore(0), asyncio.Event()

        async def half_sent():
            yield b"x"
            asked.release()
            await go_on.wait()

        async with AsyncClient(program(), interface, timeout=None, raise_errors=False) as client:
            slow = [
                asyncio.create_task(client.post("/read", body=half_sent(), headers=headers)) for _ in range(WORKERS + 1)
            ]
            for _ in range(WORKERS + 1 if program is programs.asok else asking):  # Asok's pages never read on threads
                await asyncio.wait_for(asked.acquire(), DEADLINE)
            quick = await asyncio.wait_for(asyncio.gather(*[client.get("/hello") for _ in range(5)]), DEADLINE)
            go_on.set()
            await asyncio.gather(*slow, return_exceptions=True)  # they break off
            return {answer.text for answer in quick}

    assert asyncio.run(main()) == {"hello"}


@rows("interface", ["asgi", "rsgi"])
@rows("size", [2, 200_000])
@rows("program", PROGRAMS)
def test_a_body_that_comes_in_pieces_is_read_as_a_whole(program, size, interface):
    async def pieces():
        yield b"x"
        await asyncio.sleep(0)
        yield bytes(size - 1)

    async def main():
        async with AsyncClient(program(), interface) as client:
            return await client.post("/read", body=pieces(), headers={"content-length": str(size)})

    assert asyncio.run(main()).text == str(size)
