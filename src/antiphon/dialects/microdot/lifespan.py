"""Functions to run before the first request of a process and after the last."""

from collections.abc import Awaitable, Callable
from typing import Any

from antiphon.embedding import ON_LOOP

LifespanFunction = Callable[[dict[str, Any]], Awaitable[object]]


class Lifespan:
    """Two optional coroutine functions. Each gets a scope of ASGI's lifespan."""

    def __init__(
        self, lifespan_startup: LifespanFunction | None = None, lifespan_shutdown: LifespanFunction | None = None
    ) -> None:
        self._startup = lifespan_startup
        self._shutdown = lifespan_shutdown

    async def startup(self) -> None:
        """Call the function for startup."""
        await _call(self._startup)

    async def shutdown(self) -> None:
        """Call the function for shutdown."""
        await _call(self._shutdown)


async def _call(function: LifespanFunction | None) -> None:
    if function is not None:
        await ON_LOOP
        await function({"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}})
