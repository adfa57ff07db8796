"""Calls, and what is known about their results."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, NewType, cast, get_args, get_origin

from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.classes import call_class
from antiphon.features.openapi.code.flow import Stop
from antiphon.features.openapi.code.functions import PURE, Call, call_function, lost
from antiphon.features.openapi.code.methods import call_method
from antiphon.features.openapi.code.objects import copied, text_of
from antiphon.features.openapi.code.parts import said
from antiphon.features.openapi.code.responses import statuses_in
from antiphon.features.openapi.code.values import (
    NONE,
    TEXT,
    UNKNOWN,
    Bound,
    Closure,
    Known,
    Local,
    Of,
    Partial,
    Raisable,
    Value,
    either,
)
from antiphon.http.errors import ERRORS, HTTPError, abort, http_error

if TYPE_CHECKING:
    from antiphon.features.openapi.code.frames import Frame

_BUILTIN: dict[Any, Value] = {
    **dict.fromkeys((repr, chr, format), TEXT), **dict.fromkeys((len, id, hash, ord), Of(int)), print: NONE,
    **dict.fromkeys((any, all, isinstance, callable, hasattr, issubclass), Of(bool)),
}  # fmt: skip
"""The results of functions that change nothing."""


_CACHED = type(cache(len))
"""The class of a function with ``functools.cache``."""
_OF_ITEMS: dict[Any, type] = {sorted: list, iter: Iterator}


def call(frame: "Frame", made: Call) -> Value:
    """Return the result of a call, and note how it uses the request. Raises Stop if it does not return."""
    match made.called:
        case Bound():
            return call_method(frame, made, made.called)
        case Partial(function, positional, named):
            given = made._replace(positional=[*positional, *made.positional], named={**dict(named), **made.named})
            return frame.each(function, lambda one: call(frame, given._replace(called=one)))
        case Local(result):
            return frame.hold(made.node, result)
        case Closure(frame=inner):
            return cast(Value, inner.call_closure(made.called, made))
        case Known(value):
            return _call_object(frame, made, value)
        case Of(kind):
            cls = annotations.class_of(kind)
            if (method := cls and annotations.method_of(cls, "__call__")) and get_origin(
                annotations.plain(kind)
            ) is not Callable:
                return call_function(frame, made, method, made.called)
            lost(frame, made, "is not known before it runs")
            return said(get_args(kind)[-1]) if get_origin(annotations.plain(kind)) is Callable else UNKNOWN
    return lost(frame, made, "is not known before it runs")


def _call_object(frame: "Frame", made: Call, called: Any) -> Value:
    if called is abort or called is http_error:
        return _call_abort(frame, made, called)
    if isinstance(called, type):
        return call_class(frame, made, called)
    if isinstance(called, partial):
        keywords = {**{name: Known(value) for name, value in called.keywords.items()}, **made.named}
        positional = [*map(Known, called.args), *made.positional]
        return call(frame, made._replace(called=Known(called.func), positional=positional, named=keywords))
    if isinstance(called, MethodType):
        return call_function(frame, made, cast(FunctionType, called.__func__), Known(called.__self__))
    if isinstance(called, FunctionType):
        return call_function(frame, made, called)
    if isinstance(called, _CACHED):
        return call(frame, made._replace(called=Known(called.__wrapped__)))
    if isinstance(called, NewType):
        return Of(called)
    if isinstance(called, BuiltinFunctionType):
        return _call_builtin(frame, made, called)
    if (method := annotations.method_of(type(called), "__call__")) is not None:
        return call_function(frame, made, method, Known(called))
    return lost(frame, made, "its code is not known")


def _call_builtin(frame: "Frame", made: Call, called: Any) -> Value:
    shown = frame.use(*made.given, result=_BUILTIN.get(called, UNKNOWN))
    for each in made.given:  # it calls the functions that it is given
        if isinstance(each, Closure):
            items = [frame.items_of(one, made.node) for one in made.positional if one is not each]
            frame.loop(partial(each.frame.call_closure, each, Call(made.node, each, items[:1], {})))
    first = made.positional[0] if made.positional else UNKNOWN
    if called in _OF_ITEMS:
        return frame.hold(made.node, copied(_OF_ITEMS[called], frame.flow.content(first)))
    if called in (min, max, next):
        found = (
            either(*made.positional)
            if len(made.positional) > 1 and called is not next
            else frame.items_of(first, made.node)
        )
        defaults = [*made.positional[1:]] if called is next else []
        return either(found, *defaults, *[value for name, value in made.named.items() if name == "default"])
    if called in _BUILTIN:
        return shown
    if called is getattr and (name := text_of(made.argument(1, "name"))) is not None and len(made.positional) == 2:
        return frame.attribute(first, name, made.node)
    if (getattr(called, "__module__", None) or "").partition(".")[0] not in PURE - {"builtins"}:
        return lost(frame, made, "its code is not known")
    return UNKNOWN


def _call_abort(frame: "Frame", made: Call, called: Callable[..., Any]) -> Value:
    codes = statuses_in(made.argument(0, "status") or UNKNOWN)
    detail = text_of(made.argument(1, "detail"))
    if codes is None or made.is_open:
        text = f"{made.written} is given a status that is not known before it runs"
        frame.unread(text, made.node, "raised")
        codes = ()
    errors = [Raisable(ERRORS.get(code, HTTPError), code, detail) for code in codes]
    if called is http_error:
        return frame.hold(made.node, either(*errors)) if errors else UNKNOWN
    for error in errors:
        frame.reader.note_raised(frame, error, made.node)
    raise Stop
