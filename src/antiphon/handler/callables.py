"""Checks at registration that a function can be called in the way it will be."""

from collections.abc import Callable
from typing import Any

from antiphon.explanations import explained
from antiphon.handler.contract import describe, is_async, signature_of, without_partials


def check_arguments(function: Callable[..., Any], *given: str, **named: object) -> None:
    """Check that a function can be called with these arguments. Raises TypeError with the function's name.

    ``named`` are passed by name; their values don't matter.
    """
    if not callable(function):
        raise explained(
            "wrong-arguments", TypeError(f"{function!r} is not a function, but is called with ({', '.join(given)})")
        )
    try:
        taken = signature_of(function, follow_wrapped=False)
    except ValueError:  # functions written in C may hide their parameters
        return
    try:
        taken.bind(*given, **named)
    except TypeError:
        called = f"({', '.join(given)}){_fix(function)}"
        raise explained(
            "wrong-arguments",
            TypeError(f"{describe(function)} takes ({', '.join(taken.parameters)}), but is called with {called}"),
        ) from None


def _fix(function: Any) -> str:
    is_view = isinstance(function, type) and any(hasattr(function, each) for each in ("get", "post"))
    return ": write a function for each method instead of a class" if is_view else ""


def check_no_decorator(hook: str, request: object) -> None:
    """Check that a hook is called with a request. Raises TypeError if it was used as a decorator of a handler."""
    if callable(request):
        raise explained(
            "hook-as-decorator",
            TypeError(f'{hook.partition("(")[0]} is a hook, not a decorator: write @app.get("/", before={hook})'),
        )


def check_sync(role: str, function: Callable[..., Any] | None) -> None:
    """Check that a function that isn't awaited isn't async. Raises TypeError with the function and its role.

    An async function would return a coroutine, which is always truthy.
    """
    if function is not None and is_async(function):
        raise explained(
            "async-where-nobody-awaits",
            TypeError(f"{describe(function)}: `{role}` is called without `await`, so write it as `def`"),
        )


def check_returns(role: str, function: Callable[..., Any] | None) -> None:
    """Check that a function that is called for its result doesn't yield. Raises TypeError with the function and its
    role.
    """
    if function is not None and (is_generator(function) or is_async_generator(function)):
        raise explained(
            "yields-where-nobody-resumes",
            TypeError(f"{describe(function)}: `{role}` is called for its result, but yields: return the result"),
        )


def is_generator(function: Callable[..., Any]) -> bool:
    """True if a call returns a generator. Understands functions, partials, methods and objects with ``__call__``."""
    from inspect import isgeneratorfunction

    called = without_partials(function)
    return isgeneratorfunction(called) or isgeneratorfunction(type(called).__call__)


def is_async_generator(function: Callable[..., Any]) -> bool:
    """True if a call returns an async generator; understands the same callables as ``is_generator``."""
    from inspect import isasyncgenfunction

    called = without_partials(function)
    return isasyncgenfunction(called) or isasyncgenfunction(type(called).__call__)
