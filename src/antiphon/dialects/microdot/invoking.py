"""Calling ``def`` and ``async def`` functions from a coroutine."""

from antiphon.dialects.microdot.dispatch import call_on_loop

__all__ = ["invoke_handler", "iscoroutine"]

invoke_handler = call_on_loop
"""What a function returns: awaited if it is a coroutine function, else called on a worker thread."""


def iscoroutine(value: object) -> bool:
    """Whether a value is a coroutine, to be awaited."""
    return hasattr(value, "send") and hasattr(value, "throw") and hasattr(value, "__await__")
