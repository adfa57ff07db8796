"""Tests that are coroutines."""

import asyncio
from functools import wraps


def on_loop(test):
    """Run a test on an event loop of its own."""

    @wraps(test)
    def run(**fixtures):
        asyncio.run(test(**fixtures))

    return run
