"""The life of an application, or of what it holds."""

import asyncio

from antiphon.handler.drive import driven


def live(living, between=lambda: None):
    """From startup to shutdown, in one task."""

    async def steps():
        await living.startup()
        between()
        await living.shutdown()

    async def main():
        await asyncio.wait_for(driven(steps()), 10)

    asyncio.run(main())
