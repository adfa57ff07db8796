"""A check, made when a function is registered, that it can be called as it will be."""

from collections.abc import Callable
from typing import Any

from antiphon.handler.contract import describe, signature_of


def check_arguments(function: Callable[..., Any], *given: str, **named: object) -> None:
    """Check that a function can be called with these arguments. Raises TypeError, which names the function.

    ``named`` are given by their names; their values don't matter.
    """
    if not callable(function):
        raise TypeError(f"{function!r} is no function, and is called with ({', '.join(given)})")
    try:
        taken = signature_of(function, follow_wrapped=False)
    except ValueError:  # functions written in C may hide their parameters
        return
    try:
        taken.bind(*given, **named)
    except TypeError:
        called = ", ".join(given)
        raise TypeError(
            f"{describe(function)} takes ({', '.join(taken.parameters)}), and is called with ({called})"
        ) from None
