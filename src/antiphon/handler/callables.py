"""Functions that an application registers: their kinds, names and signatures, and how they may be called."""

import sys
from collections.abc import Callable, Coroutine
from functools import partial
from os import environ
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.explanations import explained

if TYPE_CHECKING:
    from inspect import Signature

T = TypeVar("T")

READS_CODE = environ.get("ANTIPHON_READS_CODE") != "0"
"""False if no code of functions is read, which only makes documents fuller, requests faster and errors earlier."""


def check_arguments(function: Callable[..., Any], *given: str, sync: str | None = None, **named: object) -> None:
    """Check that a function can be called with these arguments. Raises TypeError with the function's name.

    ``named`` are passed by name; their values don't matter. ``sync`` is the role of a function that isn't awaited.
    """
    if sync is not None:
        check_sync(sync, function)
    if not callable(function):
        raise explained(
            "wrong-arguments", f"{function!r} is not a function, but is called with ({', '.join(given)})", TypeError
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
            f"{describe(function)} takes ({', '.join(taken.parameters)}), but is called with {called}",
            TypeError,
        ) from None


def _fix(function: Any) -> str:
    is_view = isinstance(function, type) and any(hasattr(function, each) for each in ("get", "post"))
    return ": write a function for each method instead of a class" if is_view else ""


def check_no_decorator(hook: str, request: object) -> None:
    """Check that a hook is called with a request. Raises TypeError if it was used as a decorator of a handler."""
    if callable(request):
        raise explained(
            "hook-as-decorator",
            f'{hook.partition("(")[0]} is a hook, not a decorator: write @app.get("/", before={hook})',
            TypeError,
        )


def check_sync(role: str, function: Callable[..., Any] | None) -> None:
    """Check that a function that isn't awaited isn't async. Raises TypeError with the function and its role.

    An async function would return a coroutine, which is always truthy.
    """
    if function is not None and is_async(function):
        raise explained(
            "async-where-nobody-awaits",
            f"{describe(function)}: `{role}` is called without `await`, so write it as `def`",
            TypeError,
        )


def check_returns(role: str, function: Callable[..., Any] | None) -> None:
    """Check that a function that is called for its result doesn't yield. Raises TypeError with the function and its
    role.
    """
    if function is not None and is_generator(function):
        raise explained(
            "yields-where-nobody-resumes",
            f"{describe(function)}: `{role}` is called for its result, but yields: return the result",
            TypeError,
        )


def is_generator(function: Callable[..., Any]) -> bool:
    """True if a call returns a generator, sync or async.

    Understands functions, partials, methods and objects with ``__call__``.
    """
    from inspect import isgeneratorfunction

    called = without_partials(function)
    return isgeneratorfunction(called) or isgeneratorfunction(type(called).__call__) or is_async_generator(function)


def is_async_generator(function: Callable[..., Any]) -> bool:
    """True if a call returns an async generator; understands the same callables as ``is_generator``."""
    from inspect import isasyncgenfunction

    called = without_partials(function)
    return isasyncgenfunction(called) or isasyncgenfunction(type(called).__call__)


_CO_COROUTINE = 0x80
"""A flag of ``inspect``, copied because that module takes long to import."""


def is_async(function: Callable[..., Any]) -> bool:
    """True if a call returns a coroutine. Understands functions, partials, methods and objects with ``__call__``."""
    called = without_partials(function)
    plain = getattr(called, "__func__", called)
    if type(plain) is FunctionType and not plain.__dict__:  # nothing marks it as a coroutine function
        return bool(plain.__code__.co_flags & _CO_COROUTINE)
    from inspect import iscoroutinefunction

    return iscoroutinefunction(called) or iscoroutinefunction(type(called).__call__)


def without_partials(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function inside partials."""
    while isinstance(function, partial):
        function = function.func
    return function


def innermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function inside partials and decorators, as far as the decorators set ``__wrapped__``."""
    from inspect import unwrap

    inner: Callable[..., Any] = unwrap(without_partials(function))
    return inner


def signature_of(function: Callable[..., Any], *, follow_wrapped: bool = True) -> "Signature":
    """Return a function's signature. Its annotations may contain names that only type checkers know (PEP 649).

    Raises ValueError for a C function without a signature, and TypeError for an object that isn't callable.
    """
    from inspect import signature

    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return signature(function, follow_wrapped=follow_wrapped, annotation_format=Format.FORWARDREF)
    return signature(function, follow_wrapped=follow_wrapped)


def annotations_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return a function's annotations, which may contain names that only type checkers know (PEP 649)."""
    from inspect import get_annotations

    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return get_annotations(function, format=Format.FORWARDREF)
    return get_annotations(function)


def describe(function: Callable[..., Any]) -> str:
    """Return a function's name, file and line, for error messages to developers. An object of this package, such as an
    App, has only a name, since its class does not show where it was made.
    """
    inner = innermost(function)
    code, call = getattr(inner, "__code__", None), type(inner).__call__
    if code is None and not getattr(call, "__module__", "").startswith("antiphon."):
        code = getattr(call, "__code__", None)
    name = getattr(inner, "__qualname__", None) or type(inner).__qualname__
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else str(name)


def is_pending(value: object) -> bool:
    """True for a coroutine and for a future.

    Other awaitable objects, such as database clients, are values.
    """
    kind = type(value)
    return hasattr(kind, "__await__") and (hasattr(kind, "send") or hasattr(kind, "_asyncio_future_blocking"))


def ready(function: Callable[..., Any], value: T) -> T:
    """Return the value that a function returned. Raise TypeError for a coroutine or a future, which would be truthy."""
    if is_pending(value):
        raise wrong_return(function, value, "write it as `async def`, or await the result in it")
    return value


def wrong_return(
    function: Callable[..., Any], value: object, wanted: str, error: type[TypeError] = TypeError
) -> TypeError:
    """Return the error for a value that a function must not return, with the function's name, file and line."""
    if isinstance(value, Coroutine):
        # It would otherwise warn that nothing awaits it.
        value.close()
        fix = "`await` it there" if is_async(innermost(function)) else "write it as `async def`, so that it is awaited"
        return explained("coroutine-not-awaited", error(f"{describe(function)} returned a coroutine: {fix}"))
    kind = type(value).__name__
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    return explained("wrong-return", error(f"{describe(function)} returned {article} {kind}; {wanted}"))
