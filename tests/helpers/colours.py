"""Functions of both colours in all their forms, and steps taken to their end."""

import functools

from antiphon import Response


def plain(request):
    return Response("plain")


async def waiting(request):
    return Response("waiting")


class Plain:
    def __call__(self, request):
        return Response("plain")

    def method(self, request):
        return Response("plain")


class Waiting:
    async def __call__(self, request):
        return Response("waiting")

    async def method(self, request):
        return Response("waiting")

    @staticmethod
    async def static(request):
        return Response("waiting")


BLOCKS = {
    "def": plain,
    "method": Plain().method,
    "object": Plain(),
    "partial": functools.partial(plain),
    "partial of a partial": functools.partial(functools.partial(plain)),
    "lambda": lambda request: Response("plain"),
}
WAITS = {
    "async def": waiting,
    "method": Waiting().method,
    "static method": Waiting.static,
    "object": Waiting(),
    "partial": functools.partial(waiting),
    "partial of a partial": functools.partial(functools.partial(waiting)),
    "partial of an object": functools.partial(Waiting()),
}


def drive(steps):
    """Take steps to their end where nothing really waits: the changes of place they wanted, and what they returned."""
    seen = []
    try:
        while True:
            seen.append(steps.send(None))
    except StopIteration as end:
        return seen, end.value
