"""Hooks and middleware that do nothing, sync and async."""

import asyncio


def before(request):
    return None


async def before_async(request):
    await asyncio.sleep(0)


def after(request, response):
    return None


async def after_async(request, response):
    await asyncio.sleep(0)


def around(request):
    yield


async def around_async(request):
    await asyncio.sleep(0)
    yield
    await asyncio.sleep(0)
