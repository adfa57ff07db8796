"""Calls: what is known about their results, and the problem details of errors that they create (RFC 9457)."""

import ast
import copy
import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum, EnumType
from functools import cache, partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, NewType, cast, get_args, get_origin

import msgspec

from antiphon import HTTPError, Response, abort
from antiphon.embedding import http_error, signature_of
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.findings import Read, ReadAs
from antiphon.features.openapi.code.flow import Stop
from antiphon.features.openapi.code.methods import (
    HASH,
    PURE,
    Call,
    call_function,
    call_method,
    lost,
    make_response,
    method_for,
)
from antiphon.features.openapi.code.objects import changed, copied, fields_in, is_text, text_of
from antiphon.features.openapi.code.operators import folded, is_number, simple_type
from antiphon.features.openapi.code.parts import item_of, kind_of, said
from antiphon.features.openapi.code.responses import headers_of_error, statuses_in, value_of_page
from antiphon.features.openapi.code.values import (
    NEVER,
    NONE,
    TEXT,
    UNKNOWN,
    Bound,
    Closure,
    Encoded,
    Fields,
    FormOf,
    Instance,
    Items,
    Known,
    Local,
    Of,
    Pairs,
    Part,
    Partial,
    Raisable,
    Ref,
    TheRequest,
    Tuple,
    Value,
    alternatives,
    either,
)
from antiphon.http import FieldError

if TYPE_CHECKING:
    from antiphon.features.openapi.code.frames import Frame


def detail_of(made: Call, value: Value | None) -> str | None:
    """Return an error's detail, with an f-string's variables in braces, as in ``Bid at least {least}``."""
    node = made.node
    if (found := text_of(value)) is not None or value is None or not isinstance(node, ast.Call):
        return found
    given = [*node.args, *[each.value for each in node.keywords if each.arg == "detail"]]
    return next((_shown(each) for each in given if isinstance(each, ast.JoinedStr)), None)


def _shown(node: ast.JoinedStr) -> str:
    return "".join(str(each.value) if isinstance(each, ast.Constant) else _name(each) for each in node.values)


def _name(part: ast.expr) -> str:
    value = part.value if isinstance(part, ast.FormattedValue) else part
    name = value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else "..."
    return f"{{{name.strip('_')}}}"


def problem_of(frame: "Frame", made: Call) -> tuple[str | None, Fields | None]:
    """Return the type and the members that are passed to an error, and record which members are unknown."""
    kind, members = made.named.get("type", NONE), made.named.get("members", NONE)
    content = frame.flow.frozen(members)
    if (kind is not NONE and text_of(kind) is None) or (content is not NONE and not isinstance(content, Fields)):
        text = f"{made.written} is given a type or members that are not known before it runs"
        frame.unread(text, made.node, "raised")
    return text_of(kind), content if isinstance(content, Fields) else None


def _headers_of(frame: "Frame", made: Call) -> tuple[str, ...]:
    return headers_of_error({name: frame.flow.frozen(each) for name, each in made.named.items()})


def names_in(function: object) -> list[str]:
    """Return the names of attributes and keyword arguments in a function's code."""
    code = cast(FunctionType, function).__code__
    return [*code.co_names, *[each for held in code.co_consts if isinstance(held, tuple) for each in held]]


_HASHES = frozenset(getattr(hashlib, name) for name in sorted(hashlib.algorithms_guaranteed) if hasattr(hashlib, name))
_BUILTIN: dict[Any, Value] = {
    **dict.fromkeys(_HASHES, Of(HASH)),
    **dict.fromkeys((repr, chr, format), TEXT), **dict.fromkeys((len, id, hash, ord), Of(int)), print: NONE,
    **dict.fromkeys((any, all, isinstance, callable, hasattr, issubclass), Of(bool)),
}  # fmt: skip
"""The results of built-in functions that change nothing."""


_COPY: frozenset[Any] = frozenset({
    copy.copy, copy.deepcopy, dataclasses.replace, msgspec.structs.replace, getattr(copy, "replace", copy.copy)
})  # fmt: skip
"""Functions that return a copy of their first argument, perhaps with other values in its fields."""
_AS_DICT: frozenset[Any] = frozenset({dataclasses.asdict, msgspec.structs.asdict, vars})
"""Functions that return a record's fields as a dict."""


_AS_JSON: dict[Any, type] = {json.dumps: str, msgspec.json.encode: bytes}
"""Functions that return a value's JSON."""
_LOOKS = frozenset({"indent", "sort_keys", "separators", "ensure_ascii", "allow_nan"})
"""Their options that do not change what it means."""


_FOLDED = (int, str, len, min, max, abs)


def _is_folded(called: Any) -> bool:
    """True for functions that are called for constants: what they return is one."""
    if isinstance(called, EnumType):
        return annotations.method_of(called, "_missing_") is annotations.method_of(Enum, "_missing_")
    return any(called is each for each in _FOLDED)


CACHED = type(cache(len))
"""The class of a function decorated with ``functools.cache``."""
_OF_ITEMS: dict[Any, type] = {sorted: list, iter: Iterator}


def call(frame: "Frame", made: Call) -> Value:
    """Return a call's result and record how the call uses the request. Raises Stop if it does not return."""
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
        case Ref() if (followed := method_for(frame, made.called, "__call__")) is not None:
            return call_function(frame, made, followed, made.called)
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
    if isinstance(called, FunctionType | BuiltinFunctionType) and made.positional:
        if called in _AS_JSON and made.named.keys() <= _LOOKS:
            kind, content = _AS_JSON[called], frame.flow.frozen(made.positional[0])
            return frame.use(*made.given, result=Encoded(kind, content))
        if called in _COPY:
            return copy_of(frame, made, made.positional[0])
        if called in _AS_DICT and len(made.given) == 1 and _has_only_fields(called, made.positional[0]):
            return as_dict(frame, made, made.positional[0])
    if _is_folded(called) and made.positional and not made.is_open and not made.named:
        found = folded(called, *made.positional)
        if found is not UNKNOWN:
            return found
    if isinstance(called, type):
        return call_class(frame, made, called)
    if isinstance(called, partial):
        keywords = tuple((name, Known(value)) for name, value in called.keywords.items())
        whole = Partial(Known(called.func), tuple(map(Known, called.args)), keywords)
        return call(frame, made._replace(called=whole))
    if isinstance(called, MethodType) and isinstance(called.__self__, type):
        return call_method(frame, made, Bound(Known(called.__self__), called, called.__name__))
    if isinstance(called, MethodType):
        return call_function(frame, made, cast(FunctionType, called.__func__), Known(called.__self__))
    if isinstance(called, FunctionType):
        return call_function(frame, made, called)
    if isinstance(called, CACHED):
        return call(frame, made._replace(called=Known(called.__wrapped__)))
    if isinstance(called, NewType):
        return Of(called)
    if isinstance(called, BuiltinFunctionType):
        return _call_builtin(frame, made, called)
    if (method := annotations.method_of(type(called), "__call__")) is not None:
        return call_function(frame, made, method, Known(called))
    return lost(frame, made, "its code is not known")


def copy_of(frame: "Frame", made: Call, record: Value) -> Value:
    """Return a copy of a value; the values of the fields that are replaced have the same types."""
    frame.escape(*made.positional[1:], *made.named.values())
    frozen = frame.flow.frozen
    several = [each if isinstance(each, TheRequest | Pairs) else frozen(each) for each in alternatives(record)]
    return frame.hold(made.node, either(*several))


def as_dict(frame: "Frame", made: Call, record: Value) -> Value:
    """Return the fields of a record as a dict."""
    return frame.hold(made.node, either(*[fields_in(each) for each in alternatives(frame.flow.content(record))]))


def _has_only_fields(called: Any, record: Value) -> bool:
    """True unless ``vars`` may return more than a record's fields, as after a ``__post_init__``."""
    if called is not vars:
        return True
    kinds = [annotations.class_of(each.type) if isinstance(each, Of) else None for each in alternatives(record)]
    return all(hasattr(each, "__dataclass_fields__") and not hasattr(each, "__post_init__") for each in kinds)


def _call_builtin(frame: "Frame", made: Call, called: Any) -> Value:
    shown = frame.use(*made.given, result=_BUILTIN.get(called, _number(frame, called, made)))
    for each in made.given:  # it calls the functions passed to it
        if isinstance(each, Closure):
            items = [frame.items_of(one, made.node) for one in made.positional if one is not each]
            frame.loop(partial(each.frame.call_closure, each, Call(made.node, each, items[:1], {})))
    first = made.positional[0] if made.positional else UNKNOWN
    if called in _OF_ITEMS:
        return frame.hold(made.node, copied(_OF_ITEMS[called], frame.flow.content(first)))
    if called in (min, max, next):
        defaults = [*made.positional[1:], *[value for name, value in made.named.items() if name == "default"]]
        is_item = called is next or len(made.positional) == 1
        return either(frame.items_of(first, made.node) if is_item else first, *defaults)
    if called in _BUILTIN or (shown is not UNKNOWN and called in (abs, round, sum)):
        return shown
    if called in (getattr, setattr) and (name := text_of(made.argument(1, "name"))) is not None:
        if called is setattr and len(made.positional) == 3:
            frame.set_attribute(first, name, made.positional[2], made.node)
            return NONE
        if len(made.positional) == 2:
            return frame.attribute(first, name, made.node)
    if (getattr(called, "__module__", None) or "").partition(".")[0] not in PURE - {"builtins"}:
        return lost(frame, made, "its code is not known")
    return UNKNOWN


def _number(frame: "Frame", called: Any, made: Call) -> Value:
    """Return the result of a function that calculates with numbers; UNKNOWN for other functions and objects."""
    if called not in (abs, round, sum) or not made.positional:
        return UNKNOWN
    first = frame.flow.content(made.positional[0])
    kind = simple_type(item_of(first) if called is sum else first)
    if called is round and len(made.given) == 1 and kind in (int, float, bool):
        return Of(int)
    return Of(int if kind is bool else kind) if kind in (int, float, bool) else UNKNOWN


def _call_abort(frame: "Frame", made: Call, called: Callable[..., Any]) -> Value:
    codes = statuses_in(made.argument(0, "status") or UNKNOWN)
    detail = detail_of(made, made.argument(1, "detail"))
    if codes is None or made.is_open:
        text = f"{made.written} is given a status that is not known before it runs"
        frame.unread(text, made.node, "raised")
        codes = ()
    headers = _headers_of(frame, made)
    errors = [
        Raisable(HTTPError.by_status.get(code, HTTPError), code, detail, *problem_of(frame, made), headers)
        for code in codes
    ]
    if called is http_error:
        return frame.hold(made.node, either(*errors)) if errors else UNKNOWN
    for error in errors:
        frame.reader.note_raised(frame, error, made.node)
    raise Stop


# Classes

_COPIES = (list, dict, set, frozenset, tuple)


def call_class(frame: "Frame", made: Call, cls: type) -> Value:
    if hasattr(cls, "__takes__"):
        return _make_reader(frame, made, cls)
    if issubclass(cls, Response) and not _has_own(frame, cls):
        return make_response(frame, made, "")
    if annotations.is_page(cls):
        frozen = frame.flow.frozen
        named = {name: frozen(value) for name, value in made.named.items()}
        status_at = 2 if annotations.is_page(cls, "Block") else 1
        frame.escape(*[each for each in made.given if not _is_only_shown(frame.flow.frozen(each))])
        return frame.hold(made.node, value_of_page(made.positional, named, status_at))
    if cls in (enumerate, zip, map, range, filter, reversed):
        return _call_iterator(frame, made, cls)
    if cls in _COPIES:
        frame.use(*made.given)
        given = (
            frame.flow.content(made.positional[0]) if made.positional else Fields(()) if cls is dict else Items(NEVER)
        )
        content = either(*[copied(cls, each) for each in alternatives(given)])
        return frame.hold(made.node, changed(content, "update", [], made.named) if made.named else content)
    if cls is type and len(made.given) == 1:
        kinds = [*map(kind_of, alternatives(frame.flow.content(made.given[0])))]
        return UNKNOWN if None in kinds else either(*map(Known, kinds))
    if cls in (type, super, object):
        frame.escape(*made.given)
        return UNKNOWN
    if cls.__module__ == "builtins" and not issubclass(cls, BaseException):
        is_finite = cls is not float or all(map(is_number, made.positional))
        return frame.use(*made.given, result=Of(cls) if is_finite else either(Of(float), NONE))  # JSON has no NaN
    if cls is partial and made.positional:
        return Partial(made.positional[0], tuple(made.positional[1:]), tuple(made.named.items()))
    is_followed = _is_followed(frame, cls)
    instance = frame.hold(made.node, Instance(cls)) if is_followed else Of(cls)
    for name in ("__new__", "__init__", "__post_init__", "_missing_"):
        method = annotations.method_of(cls, name)
        if method is not None and (frame.reader.follows(method) or (made.is_given_request and name == "__init__")):
            initial = made if name != "__post_init__" else Call(made.node, made.called, [], {})
            call_function(frame, initial, method, instance)
    is_pure = cls.__module__.partition(".")[0] in PURE
    shown = frame.use(*made.given, result=TEXT if is_pure else UNKNOWN)
    if not is_pure and not is_followed:
        is_read = _has_own(frame, cls)
        frame.escape(*[each for each in made.given if not (is_read and isinstance(each, TheRequest))])
    if issubclass(cls, BaseException):
        return frame.hold(made.node, _make_error(frame, made, cls))
    return shown if isinstance(shown, Part) else instance  # such as a Link to the next page


def _is_followed(frame: "Frame", cls: type) -> bool:
    """True for a class whose instances have only the attributes that the application's code sets."""
    names = ("__new__", "__setattr__", "__getattribute__", "__delattr__", *["__init__"] * (not _has_own(frame, cls)))
    is_plain = type(cls) is type and all(getattr(cls, name) is getattr(object, name) for name in names)
    others = ("__getattr__", "__slots__", "__dataclass_fields__", "__attrs_attrs__")
    return is_plain and not any(hasattr(cls, name) for name in others)


def _is_only_shown(value: Value) -> bool:
    """True for values that a template neither changes nor calls: an error, a URL."""
    return isinstance(value, Raisable | Part)


def _call_iterator(frame: "Frame", made: Call, cls: type) -> Value:
    if cls is range:
        return Items(Of(int), Iterator)
    if cls in (map, filter) and made.positional:
        function, *given = made.positional
        items = [frame.items_of(each, made.node) for each in given]
        found: list[Value] = []
        frame.loop(lambda: found.append(frame.each(function, lambda one: frame.call(Call(made.node, one, items, {})))))
        return Items(either(*found, *([] if found else [NEVER])) if cls is map else either(*items), Iterator)
    items = [frame.items_of(each, made.node) for each in made.positional]
    if cls is reversed:
        return Items(either(*items), Iterator)
    return Items(Tuple((Of(int), *items) if cls is enumerate else tuple(items)), Iterator)


def _make_reader(frame: "Frame", made: Call, cls: Any) -> Value:
    """Return an object that reads a part of the request as a type, such as a form, and record what it reads."""
    wanted = made.argument(0, "wanted")
    names = signature_of(cls.__takes__).parameters
    given = {name: _plain(frame, value) for name, value in made.named.items() if name in names and name != "wanted"}
    if not isinstance(wanted, Known):
        frame.unread(f"{made.written} is made of a type that is not known before it runs", made.node, "taken")
        return UNKNOWN
    escaping = [*made.given]
    part: ReadAs = "query"
    if None not in given.values():
        with suppress(TypeError, LookupError, ValueError):  # the call itself fails, too
            part, kind = cls.__takes__(wanted.value, **given)
            refusals = () if part == "query" else (400, 415)  # after other errors, it is shown again
            frame.flow.always(part, kind)
            frame.findings.reads.append(Read(part, kind, frame.source.place_of(made.node), refusals))
            escaping = [each for each in escaping if not isinstance(each, TheRequest)]
    frame.escape(*escaping)
    return FormOf(wanted.value, part == "query", cls)


def _plain(frame: "Frame", value: Value) -> str | tuple[str, ...] | None:
    """Return text, or the strings in a sequence, in any order, or None if they are not known."""
    if (text := text_of(value)) is not None:
        return text
    content = frame.flow.content(value)
    if isinstance(content, Known) and isinstance(content.value, list | tuple):
        return tuple(map(str, content.value))
    if not isinstance(content, Tuple | Items):
        return None
    items = content.items if isinstance(content, Tuple) else alternatives(content.item)
    found = [text_of(each) for each in items]
    return None if None in found else tuple(map(str, found))


def _has_own(frame: "Frame", cls: type) -> bool:
    """True for a class that the application's own code initializes."""
    method = annotations.method_of(cls, "__init__")
    return method is not None and frame.reader.follows(method)


def _make_error(frame: "Frame", made: Call, cls: type[BaseException]) -> Value:
    if issubclass(cls, FieldError):
        return Raisable(cls, 422, "A field is not valid.")
    status, detail = made.argument(1, "status"), None
    if _has_own(frame, cls):
        names = names_in(annotations.method_of(cls, "__init__"))
        is_plain = not issubclass(cls, HTTPError) or (cls.status != HTTPError.status and "status" not in names)
        return Raisable(cls) if is_plain else UNKNOWN
    if issubclass(cls, HTTPError):
        status, detail = made.argument(0, "status"), made.argument(1, "detail")
        if status is not None and is_text(status):  # as in NotFound("There is no such lamp.")
            status, detail = None, status
    codes = statuses_in(status)
    kind, members = problem_of(frame, made) if issubclass(cls, HTTPError) else (None, None)
    headers = _headers_of(frame, made) if issubclass(cls, HTTPError) else ()
    return Raisable(cls, codes[0] if codes else None, detail_of(made, detail), kind, members, headers)
