"""Handlers in every form that Python has: ``def`` and ``async def`` functions, methods, objects, partials."""

import asyncio
import functools

from antiphon import Response


def in_style(style, function):
    """Return a function as it is for "def", otherwise as an ``async def`` that waits before it calls that."""
    if style == "def":
        return function

    @functools.wraps(function)
    async def waits(*arguments, **named):
        await asyncio.sleep(0)
        return function(*arguments, **named)

    return waits


def sync_handler(request):
    return Response("sync")


async def async_handler(request):
    return Response("async")


class SyncHandler:
    def __call__(self, request):
        return Response("sync")

    def method(self, request):
        return Response("sync")


class AsyncHandler:
    async def __call__(self, request):
        return Response("async")

    async def method(self, request):
        return Response("async")

    @staticmethod
    async def static(request):
        return Response("async")


SYNC_HANDLERS = {
    "def": sync_handler,
    "method": SyncHandler().method,
    "object": SyncHandler(),
    "partial": functools.partial(sync_handler),
    "partial of a partial": functools.partial(functools.partial(sync_handler)),
    "lambda": lambda request: Response("sync"),
}
ASYNC_HANDLERS = {
    "async def": async_handler,
    "method": AsyncHandler().method,
    "static method": AsyncHandler.static,
    "object": AsyncHandler(),
    "partial": functools.partial(async_handler),
    "partial of a partial": functools.partial(functools.partial(async_handler)),
    "partial of an object": functools.partial(AsyncHandler()),
}
