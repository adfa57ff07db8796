"""A check, made when a function is registered, that it can be called as it will be."""

from collections.abc import Callable
from typing import Any

from antiphon.handler.contract import describe, signature_of


def check_arguments(function: Callable[..., Any], *given: str, hint: str = "") -> None:
    """Check that a function can be called with these arguments. Raises TypeError, which names it and the fix."""
    try:
        taken = signature_of(function, follow_wrapped=False)
    except ValueError:  # functions written in C may hide their parameters
        return
    try:
        taken.bind(*given)
    except TypeError:
        called = ", ".join(given)
        raise TypeError(
            f"{describe(function)} takes ({', '.join(taken.parameters)}), and is called with ({called}){hint}"
        ) from None
