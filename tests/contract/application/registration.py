"""Handlers that are registered twice: as ``def`` below ``/def``, and as ``async def`` below ``/async``."""

import asyncio
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeAlias

from antiphon import App, Limits, Request
from antiphon.app.route import BodyPolicy

Answer: TypeAlias = Callable[[Request], Any]


def def_and_async(
    app: App,
    pattern: str,
    methods: Iterable[str] = ("GET",),
    *,
    limits: Limits | None = None,
    receive: BodyPolicy = "load",
    below: str = "",
) -> Callable[[Answer], Answer]:
    """Register a ``def`` handler, and an ``async def`` one that waits before it gives the same answer.

    They stand at ``{below}/def{pattern}`` and ``{below}/async{pattern}``.
    """

    def register(handler: Answer) -> Answer:
        @wraps(handler)
        async def handler_async(request: Request) -> Any:
            await asyncio.sleep(0)
            return handler(request)

        app.route(f"{below}/def{pattern}", methods, limits=limits, receive=receive)(handler)
        app.route(f"{below}/async{pattern}", methods, limits=limits, receive=receive)(handler_async)
        return handler

    return register
