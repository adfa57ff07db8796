"""A limit of time on a coroutine, and the error that says where the application hangs."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float | None, work: Coroutine[Any, Any, T], late: Callable[[], str]) -> T:
    """Wait for a coroutine, but no longer than so many seconds.

    Raises TimeoutError with what ``late`` says then. Without a limit no event loop is needed for this.
    """
    if seconds is None:
        return await work
    limit = asyncio.timeout(seconds)
    said = ""
    try:
        async with limit:
            try:
                return await work
            except asyncio.CancelledError:
                said = late()
                raise
    except TimeoutError as error:
        if not limit.expired() or not said:
            raise
        raise TimeoutError(said) from error
