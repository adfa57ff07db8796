"""Coroutines of the library, run to their end by a test."""

import asyncio
from contextvars import copy_context

from antiphon.handler.drive import driven


def drive(steps):
    """Run a coroutine that never really waits; return the switches that it asked for, and its result.

    It has a context of its own, as a task has, so that the next test knows nothing of its request.
    """
    return copy_context().run(_drive, steps)


def _drive(steps):
    switches = []
    try:
        while True:
            switches.append(steps.send(None))
    except StopIteration as end:
        return switches, end.value


def run_lifespan(lifetime, between=lambda: None):
    """Start an application or a lifespan up, call ``between``, and shut it down, all in one task."""

    async def steps():
        await lifetime.startup()
        between()
        await lifetime.shutdown()

    async def main():
        await asyncio.wait_for(driven(steps()), 10)

    asyncio.run(main())
