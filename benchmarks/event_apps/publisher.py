"""Clients that listen, and events that are published to all of them."""

import asyncio

QUEUES: set[asyncio.Queue[str]] = set()
"""The queue of each client that listens."""
PAUSE = 0.01
"""Seconds after an event, in which each client has taken it: so each waits for the next one."""
EVENT = '{"order": %d, "state": "packed", "at": "2026-11-20T14:03:11Z"}'


async def publish(count: int) -> None:
    """Publish some events, one after another."""
    for number in range(count):
        for queue in QUEUES:
            queue.put_nowait(EVENT % number)
        while any(not queue.empty() for queue in QUEUES):
            await asyncio.sleep(0)
        await asyncio.sleep(PAUSE)
