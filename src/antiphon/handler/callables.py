"""Whether a function can be called as it will be, asked when it is registered."""

from collections.abc import Callable
from typing import Any

from antiphon.handler.contract import describe, signature_of


def check_arguments(function: Callable[..., Any], *given: str, hint: str = "") -> None:
    """Raise TypeError, which names a function and the fix, unless it can be called with these arguments."""
    try:
        taken = signature_of(function, follow_wrapped=False)
    except ValueError:  # what is written in C may hide its parameters
        return
    try:
        taken.bind(*given)
    except TypeError:
        called = ", ".join(given)
        raise TypeError(
            f"{describe(function)} takes ({', '.join(taken.parameters)}), and is called with ({called}){hint}"
        ) from None
