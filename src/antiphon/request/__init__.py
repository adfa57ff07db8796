"""The request: its head, body and dependencies, and the trusted proxies that report where it came from."""

from typing import NoReturn


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(
        f"module {__name__!r} has no attribute {name!r}. `from antiphon import request` imports this module: a handler"
        " gets its request as the first argument, and current_request() returns it elsewhere",
        name=name,
    )
