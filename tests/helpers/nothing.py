"""Hooks and middleware of both colours that do nothing."""

import asyncio


def before(request):
    return None


async def before_waiting(request):
    await asyncio.sleep(0)


def after(request, response):
    return None


async def after_waiting(request, response):
    await asyncio.sleep(0)


def around(request):
    yield


async def around_waiting(request):
    await asyncio.sleep(0)
    yield
    await asyncio.sleep(0)
