"""Calls of sync and async functions from a coroutine."""

from antiphon.dialects.microdot.dispatch import call_on_loop

__all__ = ["invoke_handler", "iscoroutine"]

invoke_handler = call_on_loop
"""Call a function: await a coroutine function, call any other one on a worker thread."""


def iscoroutine(value: object) -> bool:
    """Return True if a value is a coroutine."""
    return hasattr(value, "send") and hasattr(value, "throw") and hasattr(value, "__await__")
