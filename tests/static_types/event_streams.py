"""Programs that send events, stream, or work after the response."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

from antiphon import App, Request, Response, abort
from antiphon.features import Health
from antiphon.http import Event


@dataclass
class Price:
    item: str
    cents: int


class Board:
    """Prices, and who waits for the next one."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.prices: list[Price] = []

    async def following(self, start: int) -> AsyncIterator[tuple[int, Price]]:
        for number in count(start):
            while number >= len(self.prices):
                await self.changed.wait()
            yield number, self.prices[number]


def texts() -> App:
    app = App()

    @app.get("/ticks")
    async def ticks(request: Request) -> Response:
        async def source() -> AsyncIterator[str]:
            for number in range(3):
                yield f"tick {number}"
                await asyncio.sleep(0)

        return Response.events(source(), heartbeat=5.0)

    return app


def named_events() -> App:
    app = App()

    @app.get("/sales")
    def sales(request: Request) -> Response:
        start = int(request.headers.get("last-event-id", "0"))

        def source() -> Iterator[Event]:
            for number in range(start, start + 3):
                yield Event({"price": number}, event="sale", id=str(number))

        return Response.events(source(), on_drain="finish")

    return app


def state_of_a_lifespan() -> App:
    app = App()

    @app.lifespan
    async def board() -> AsyncIterator[Board]:
        yield Board()

    @app.get("/board")
    async def follow(request: Request) -> Response:
        async def source() -> AsyncIterator[Event]:
            async for number, price in request[board].following(0):
                yield Event(price, id=str(number))

        return Response.events(source())

    @app.post("/board")
    async def add(request: Request) -> None:
        request[board].prices.append(request.json_as(Price))
        request[board].changed.set()

    return app


def context_manager() -> App:
    app = App()

    @app.lifespan
    @asynccontextmanager
    async def queue() -> AsyncIterator[asyncio.Queue[Price]]:
        yield asyncio.Queue()

    @app.get("/next")
    async def following(request: Request) -> Price:
        return await asyncio.wait_for(request[queue].get(), request.lifetime.remaining)

    return app


def work_after_the_response() -> App:
    app = App()
    sent: list[str] = []

    async def mail(to: str, *, urgent: bool = False) -> None:
        sent.append(to.upper() if urgent else to)

    @app.post("/orders")
    def create(request: Request) -> tuple[str, int]:
        request.after_response(mail, request.form["mail"], urgent=True)

        @request.after_response
        def log() -> None:
            sent.append(request.id)

        return "Thank you.", 202

    return app


def deadlines() -> App:
    app = App(deadline=30.0)

    @app.get("/slow", deadline=2.0)
    async def slow(request: Request) -> str:
        started = time.monotonic()
        with request.lifetime.shield():
            await asyncio.sleep(0)
        if request.lifetime.is_draining:
            abort(503, "The process ends.", retry_after=1)
        return f"{time.monotonic() - started:.3f}"

    return app


def health() -> App:
    app = App()
    started = time.time()

    def is_warm() -> bool:
        return time.time() >= started

    async def answers() -> None:
        await asyncio.sleep(0)

    app.use(Health(checks={"warm": is_warm, "answers": answers}))
    return app


PROGRAMS = [texts, named_events, state_of_a_lifespan, context_manager, work_after_the_response, deadlines, health]
