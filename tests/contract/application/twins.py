"""One handler in both colours: registered as it is below ``/def``, and as a coroutine function below ``/async``."""

import asyncio
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeAlias

from antiphon import App, Limits, Request
from antiphon.app.route import BodyPolicy

Answer: TypeAlias = Callable[[Request], Any]


def twins(
    app: App,
    pattern: str,
    methods: Iterable[str] = ("GET",),
    *,
    limits: Limits | None = None,
    body: BodyPolicy = "load",
    below: str = "",
) -> Callable[[Answer], Answer]:
    """Register a ``def`` handler and its ``async def`` twin, which waits before it answers the same.

    They answer at ``{below}/def{pattern}`` and ``{below}/async{pattern}``.
    """

    def register(handler: Answer) -> Answer:
        @wraps(handler)
        async def twin(request: Request) -> Any:
            await asyncio.sleep(0)
            return handler(request)

        app.route(f"{below}/def{pattern}", methods, limits=limits, body=body)(handler)
        app.route(f"{below}/async{pattern}", methods, limits=limits, body=body)(twin)
        return handler

    return register
