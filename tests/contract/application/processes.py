"""Handlers that report on their process: its loop, its start, and what ran after a response."""

import asyncio
import os
import time

from antiphon import App, Request
from tests.contract.application.registration import def_and_async

STOPPED = "the contract's application has shut down"
LATE = "function has run after the response"

imported_in = os.getpid()
started: list[str] = []
"""A line for each startup hook: which it was, in which process, and after how many requests."""
answered = 0
done_after: list[str] = []


def register(app: App) -> None:
    _register_loop(app)
    _register_startup(app)
    _register_after(app)


def _register_loop(app: App) -> None:
    @app.get("/async/loop")
    async def loop(_: Request) -> dict[str, object]:
        await asyncio.sleep(0)
        return {"pid": os.getpid(), "imported_in": imported_in, "loop": id(asyncio.get_running_loop())}


def _register_startup(app: App) -> None:
    def note(hook: str) -> None:
        started.append(f"{hook} in {os.getpid()} after {answered} requests")

    @app.on_startup
    def start() -> None:
        note("def")

    @app.on_startup
    async def start_async() -> None:
        await asyncio.sleep(0)
        note("async")

    @app.on_shutdown
    async def stop() -> None:
        global answered  # noqa: PLW0603 - one count a process
        await asyncio.sleep(0)
        started.clear()
        answered = 0
        os.write(2, f"{STOPPED} in {os.getpid()}\n".encode())

    @app.before_request
    def count(_: Request) -> None:
        global answered  # noqa: PLW0603 - one count a process
        answered += 1

    @def_and_async(app, "/startup")
    def startup(_: Request) -> dict[str, object]:
        return {"pid": os.getpid(), "started": started}


def _register_after(app: App) -> None:
    @def_and_async(app, "/after/<name>")
    def after(request: Request) -> str:
        name: str = request.path_params["name"]

        @request.after_response
        def after_sync() -> None:
            done_after.append(f"{name} def")

        @request.after_response
        async def after_async() -> None:
            await asyncio.sleep(0)
            done_after.append(f"{name} async")

        return "later\n"

    @def_and_async(app, "/after/slow")
    def slow(request: Request) -> str:
        @request.after_response
        def after_sync() -> None:
            time.sleep(0.2)
            os.write(2, f"def {LATE}\n".encode())

        @request.after_response
        async def after_async() -> None:
            await asyncio.sleep(0.2)
            os.write(2, f"async def {LATE}\n".encode())

        return "later\n"

    @def_and_async(app, "/after/<name>/done")
    def done(request: Request) -> list[str]:
        return [entry for entry in done_after if entry.startswith(f"{request.path_params['name']} ")]
