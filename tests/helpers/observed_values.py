"""Iterators, sync and async, that count how many values were read and how often they were closed."""

import asyncio


class Values:
    """Values that end, or fail with ``error``."""

    def __init__(self, values=("a", "b"), error=None):
        self._values = iter(values)
        self._error = error
        self.read = 0
        self.closed = 0

    def _next(self, end):
        for value in self._values:
            self.read += 1
            return value
        raise self._error or end


class SyncValues(Values):
    def __iter__(self):
        return self

    def __next__(self):
        return self._next(StopIteration)

    def close(self):
        self.closed += 1


class AsyncValues(Values):
    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.sleep(0)
        return self._next(StopAsyncIteration)

    async def aclose(self):
        await asyncio.sleep(0)
        self.closed += 1
