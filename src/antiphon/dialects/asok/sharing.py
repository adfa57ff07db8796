"""Values that an application shares: functions of the dialect's request become functions of the native one."""

from collections.abc import Callable
from inspect import Parameter
from typing import TYPE_CHECKING, Any

from antiphon import Request as NativeRequest
from antiphon.dialects.asok.request import Request
from antiphon.embedding import signature_of

if TYPE_CHECKING:
    from antiphon.dialects.asok.app import Asok

_VARIADIC = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def shared_natively(app: "Asok", value: Any) -> Any:
    """Return a value to be shared natively.

    A callable is called with the request when it is first used, or without it if it takes no arguments. A class, or a
    callable that needs more arguments, is shared itself. Each request gets its own copy of a form.
    """
    if hasattr(type(value), "for_request"):
        value = value.for_request
    if not callable(value):
        return value
    count = None if isinstance(value, type) else _arguments(value)
    if count is None:
        return lambda _native: value
    if count == 0:
        return lambda _native: value()

    def call(native: NativeRequest) -> Any:
        return value(Request.of(app, native))

    return call


def _arguments(function: Callable[..., Any]) -> int | None:
    """Return the number of arguments to call a shared function with, 0 or 1, or None if it needs others."""
    try:
        parameters = [*signature_of(function).parameters.values()]
    except (TypeError, ValueError):  # some functions in C have no signature
        return 1
    needed = [each for each in parameters if each.default is each.empty and each.kind not in _VARIADIC]
    if len(needed) > 1 or any(each.kind is each.KEYWORD_ONLY for each in needed):
        return None
    return int(bool(needed) or bool(parameters and parameters[0].name in ("request", "req")))
