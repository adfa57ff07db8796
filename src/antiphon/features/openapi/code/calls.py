"""Calls, and what is known about their results: readers of the request, responses, errors, helpers."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, NamedTuple, NewType, NoReturn, Self, cast, get_args, get_origin
from typing import Never as NeverReturned

from antiphon.app.planning.cross_site import SAFE_METHODS
from antiphon.features.forms.form import Form
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.annotations import list_of, tuple_of
from antiphon.features.openapi.code.findings import Read, ReadAs, read_as
from antiphon.features.openapi.code.responses import answer_of_page, answer_of_response, argument, statuses_in
from antiphon.features.openapi.code.values import (
    NEVER,
    NONE,
    TEXT,
    UNKNOWN,
    Answer,
    Bound,
    Fields,
    FormOf,
    Items,
    Known,
    Local,
    Of,
    Pairs,
    Raisable,
    TheRequest,
    Value,
    alternatives,
    either,
)
from antiphon.http.errors import ERRORS, ContentTooLarge, FieldError, HTTPError, UnprocessableContent, abort, http_error
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.features.openapi.code.expressions import Expressions

READERS: dict[str, ReadAs] = {"json_as": "json", "form_as": "form", "args_as": "query"}
_TEXTS = frozenset(dir(str)) & {
    "capitalize", "casefold", "format", "join", "lower", "lstrip", "removeprefix", "removesuffix", "replace", "rstrip",
    "strip", "title", "upper", "zfill",
}  # fmt: skip
"""The methods of text that return text."""
_BUILTIN: dict[Any, Any] = {len: int, sorted: list, repr: str, any: bool, all: bool, isinstance: bool, callable: bool}


class Call(NamedTuple):
    """A call of one value, with the values of its arguments."""

    node: ast.Call
    called: Value
    positional: list[Value]
    named: dict[str, Value]

    def argument(self, at: int, name: str) -> Value | None:
        """Return an argument by its position or its name, or None if it isn't given."""
        return argument(self.positional, self.named, at, name)

    @property
    def is_given_request(self) -> bool:
        """True if the request is one of the arguments."""
        return any(
            isinstance(one, TheRequest)
            for given in (*self.positional, *self.named.values())
            for one in alternatives(given)
        )

    @property
    def written(self) -> str:
        """The call as written, without its arguments."""
        return ast.unparse(self.node.func)


def call(expressions: "Expressions", made: Call) -> Value:
    """Return the result of a call, and note how it uses the request."""
    called = made.called
    match called:
        case Bound():
            return _call_method(expressions, made, called)
        case Local(result):
            return result
        case Known(value):
            return _call_object(expressions, made, value)
    if made.is_given_request:
        expressions.unread(
            f"{made.written}(...) is given the request, and is not known before it runs", made.node, "taken"
        )
    if isinstance(called, Of) and get_origin(annotations.plain(called.type)) is Callable:
        return Of(get_args(called.type)[-1])
    return UNKNOWN


# Methods


def _call_method(expressions: "Expressions", made: Call, method: Bound) -> Value:
    owner = method.owner
    if isinstance(owner, TheRequest):
        return _call_of_request(expressions, made, method)
    if isinstance(owner, Pairs):
        return _call_of_pairs(expressions, made, owner, method.name)
    if isinstance(owner, FormOf):
        if method.name == "error":
            wrong = Raisable(UnprocessableContent, 422, "A field is not valid.")
            return wrong if owner.is_query else either(wrong, Raisable(ContentTooLarge, 413, "The body is too large."))
        is_sent = expressions.reader.method not in SAFE_METHODS or owner.is_query
        return Of(bool) if is_sent or method.name not in ("validate", "avalidate") else Known(False)
    if isinstance(owner, Answer):
        if method.name in ("conditional", "freeze", "afreeze"):
            return _conditional(made, owner) if method.name == "conditional" else owner
        return NONE
    if isinstance(owner, Known) and isinstance(owner.value, type):
        return _call_of_class(expressions, made, owner.value, method)
    if isinstance(method.function, FunctionType):
        returned = _call_function(expressions, made, method.function, owner)
        return owner if isinstance(returned, Of) and returned.type is Self else returned
    if _is_text(owner) and method.name in _TEXTS:
        return TEXT
    return _call_of_builtin(expressions, made, owner, method.name)


def _conditional(made: Call, answer: Answer) -> Answer:
    """Return a response that answers the conditions of the request."""
    return replace(answer, is_conditional=True, has_ranges=made.named.get("ranges") != Known(False))


def _call_of_request(expressions: "Expressions", made: Call, method: Bound) -> Value:
    name = method.name
    if name in READERS:
        return _read_as(expressions, made, READERS[name], made.argument(0, "wanted"))
    if name == "parts":
        expressions.note_read("files", made.node)
        expressions.findings.reads[-1] = expressions.findings.reads[-1]._replace(refusals=(400, 413, 415))
        return UNKNOWN
    if name == "precondition":
        return _call_function(expressions, made, method.function, TheRequest())
    said = annotations.returned_by(method.function) if method.function is not None else annotations.NOT_SAID
    return UNKNOWN if said is annotations.NOT_SAID else Of(said)


def _read_as(expressions: "Expressions", made: Call, part: ReadAs, wanted: Value | None) -> Value:
    read = [*alternatives(wanted or UNKNOWN)]
    for each in read:
        if isinstance(each, Known) and each.value is not None:
            expressions.findings.reads.append(read_as(part, each.value, expressions.source.place_of(made.node)))
        else:
            text = f"{ast.unparse(made.node)} reads a type that is not known before it runs"
            expressions.unread(text, made.node, "taken")
    return either(*[Of(each.value) if isinstance(each, Known) else UNKNOWN for each in read])


def _call_of_pairs(expressions: "Expressions", made: Call, owner: Pairs, name: str) -> Value:
    key = made.argument(0, "key")
    if key is None or name not in ("get", "getone", "getall"):
        return UNKNOWN
    wanted = made.argument(2, "type") or made.argument(9, "type")
    kind = wanted.value if isinstance(wanted, Known) and isinstance(wanted.value, type) else str
    found = expressions.field(owner, key, kind, is_required=name == "getone", is_list=name == "getall")
    if name != "get":
        return found
    default = made.argument(1, "default")
    return either(found, NONE if default is None else default)


def _call_of_class(expressions: "Expressions", made: Call, cls: type, method: Bound) -> Value:
    """Return the result of a function of a class, such as ``Response.html``."""
    if issubclass(cls, Response):
        return answer_of_response(method.name, made.positional, made.named)
    function = method.function
    if isinstance(function, MethodType):
        return _call_function(expressions, made, cast(FunctionType, function.__func__), Known(cls))
    if isinstance(function, FunctionType):
        return _call_function(expressions, made, function)
    return Of(cls) if function is not None and method.name.startswith("from") else UNKNOWN


def _is_text(owner: Value) -> bool:
    return (isinstance(owner, Of) and owner.type is str) or (isinstance(owner, Known) and isinstance(owner.value, str))


def _call_of_builtin(expressions: "Expressions", made: Call, owner: Value, name: str) -> Value:
    """Return the result of a method of a dict or a list."""
    kind = annotations.class_of(owner.type) if isinstance(owner, Of) else None
    arguments = get_args(owner.type) if isinstance(owner, Of) else ()
    if kind is not None and len(arguments) == 2 and issubclass(kind, Mapping):
        key, value = arguments
        if name in ("get", "pop", "setdefault"):
            default = made.argument(1, "default")
            missing = default if default is not None else NONE if name == "get" else NEVER
            return either(Of(value), missing)
        found = {
            "values": list_of(value), "keys": list_of(key), "items": list_of(tuple_of(key, value)),
        }  # fmt: skip
        return Of(found[name]) if name in found else UNKNOWN
    if kind is list and arguments and name == "pop":
        return Of(arguments[0])
    if made.is_given_request and not isinstance(owner, Items | Fields):
        expressions.unread(f"{made.written}(...) is given the request, and its code is not known", made.node, "taken")
    return UNKNOWN


# Objects


def _call_object(expressions: "Expressions", made: Call, called: Any) -> Value:
    if called is abort or called is http_error:
        return _call_abort(expressions, made, called)
    if isinstance(called, type):
        return _call_class(expressions, made, called)
    if isinstance(called, partial):
        keywords = {**{name: Known(value) for name, value in called.keywords.items()}, **made.named}
        positional = [*map(Known, called.args), *made.positional]
        return call(expressions, Call(made.node, Known(called.func), positional, keywords))
    if isinstance(called, MethodType):
        return _call_function(expressions, made, cast(FunctionType, called.__func__), Known(called.__self__))
    if isinstance(called, FunctionType):
        return _call_function(expressions, made, called)
    if isinstance(called, NewType):
        return Of(called)
    if isinstance(called, BuiltinFunctionType):
        return _call_builtin(made, called)
    function = annotations.method_of(type(called), "__call__")
    if function is not None:
        return _call_function(expressions, made, function, Known(called))
    if made.is_given_request:
        expressions.unread(f"{made.written}(...) is given the request, and its code is not known", made.node, "taken")
    return UNKNOWN


def _call_builtin(made: Call, called: Any) -> Value:
    if called is sorted and made.positional:
        given = made.positional[0]
        item = annotations.item_of(given.type) if isinstance(given, Of) else annotations.NOT_SAID
        return given if isinstance(given, Items) else UNKNOWN if item is annotations.NOT_SAID else Of(list_of(item))
    return Of(_BUILTIN[called]) if called in _BUILTIN else UNKNOWN


def _call_abort(expressions: "Expressions", made: Call, called: Callable[..., Any]) -> Value:
    codes = statuses_in(made.argument(0, "status") or UNKNOWN)
    said = _text_in(made.argument(1, "detail"))
    if codes is None:
        text = f"{made.written} is given a status that is not known before it runs"
        expressions.unread(text, made.node, "raised")
        codes = ()
    errors = [Raisable(ERRORS.get(code, HTTPError), code, said) for code in codes]
    if called is http_error:
        return either(*errors) if errors else UNKNOWN
    for error in errors:
        expressions.reader.note_raised(expressions, error, made.node)
    return NEVER


def _call_class(expressions: "Expressions", made: Call, cls: type) -> Value:
    if issubclass(cls, Form):
        return _make_form(expressions, made)
    if issubclass(cls, Response):
        return answer_of_response("", made.positional, made.named)
    if annotations.is_page(cls):
        return answer_of_page(made.positional, made.named, 2 if annotations.is_page(cls, "Block") else 1)
    if issubclass(cls, BaseException):
        return _make_error(made, cls)
    if cls is list and made.positional:
        return _call_builtin(made, sorted)
    initialize = annotations.method_of(cls, "__init__")
    if made.is_given_request and initialize is not None:
        _call_function(expressions, made, initialize, Of(cls))
    return Of(cls)


def _make_form(expressions: "Expressions", made: Call) -> Value:
    wanted, method = made.argument(0, "wanted"), made.named.get("method")
    if not isinstance(wanted, Known):
        expressions.unread(f"{made.written} is made of a type that is not known before it runs", made.node, "taken")
        return UNKNOWN
    part: ReadAs = "query" if isinstance(method, Known) and method.value == "get" else "form"
    place = expressions.source.place_of(made.node)
    refusals = () if part == "query" else (400, 415)  # after other errors, the form is shown again
    expressions.findings.reads.append(Read(part, wanted.value, place, refusals))
    return FormOf(wanted.value, part == "query")


def _make_error(made: Call, cls: type[BaseException]) -> Raisable:
    if issubclass(cls, FieldError):
        return Raisable(cls, 422, "A field is not valid.")
    status, detail = made.argument(1, "status"), None
    if issubclass(cls, HTTPError):
        status, detail = made.argument(0, "status"), made.argument(1, "detail")
        if status is not None and _is_text(status):  # as in NotFound("There is no such lamp.")
            status, detail = None, status
    codes = statuses_in(status)
    return Raisable(cls, codes[0] if codes else None, _text_in(detail))


def _text_in(value: Value | None) -> str | None:
    """Return a text that is known before the code runs."""
    return value.value if isinstance(value, Known) and isinstance(value.value, str) else None


# Functions


def _call_function(expressions: "Expressions", made: Call, function: FunctionType, owner: Value | None = None) -> Value:
    said = annotations.returned_by(function)
    if said in (NoReturn, NeverReturned):
        said = annotations.NOT_SAID
    given = made if owner is None else made._replace(positional=[owner, *made.positional])
    found = expressions.reader.read_call(expressions, given, function)
    if said is annotations.NOT_SAID:
        return UNKNOWN if found is None else found.result
    cls = annotations.class_of(said)
    if found is not None and cls is not None and issubclass(cls, Response | BaseException):
        return found.result
    return NONE if said is type(None) else Of(said)
