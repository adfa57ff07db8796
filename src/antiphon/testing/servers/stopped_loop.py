"""A running event loop in the guise of a stopped one: for ``__rsgi_init__`` and ``__rsgi_del__``."""

import asyncio
from collections.abc import Awaitable
from concurrent.futures import Future
from threading import get_ident
from typing import Any, TypeVar

T = TypeVar("T")


class StoppedLoop:
    """Looks, from another thread, like the loop before it is started: ``run_until_complete`` works.

    All other methods of the loop are called on the loop's own thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = get_ident()

    def is_running(self) -> bool:
        """Always False."""
        return False

    def run_until_complete(self, awaitable: Awaitable[T]) -> T:
        """Wait for an awaitable, which the loop runs."""

        async def run() -> T:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._loop, name)
        if get_ident() == self._thread or not callable(attribute):
            return attribute

        def call(*arguments: Any, **options: Any) -> Any:
            outcome: Future[Any] = Future()

            def run() -> None:
                try:
                    outcome.set_result(attribute(*arguments, **options))
                except BaseException as error:
                    outcome.set_exception(error)

            self._loop.call_soon_threadsafe(run)
            return outcome.result()

        return call
