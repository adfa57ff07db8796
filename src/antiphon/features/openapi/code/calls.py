"""Calls, and what is known about their results: readers of the request, responses, errors, helpers."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, NewType, NoReturn, Self, cast, get_args, get_origin
from typing import Never as NeverReturned

from antiphon.app.planning.cross_site import SAFE_METHODS
from antiphon.features.forms.form import Form
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.annotations import list_of, tuple_of
from antiphon.features.openapi.code.findings import Named, Read, ReadAs
from antiphon.features.openapi.code.flow import Stop
from antiphon.features.openapi.code.objects import changed, copied, returned, text_of, with_headers
from antiphon.features.openapi.code.parts import said
from antiphon.features.openapi.code.responses import answer_of_page, answer_of_response, argument, statuses_in
from antiphon.features.openapi.code.values import (
    NEVER,
    NONE,
    PASSED,
    RECEIVED,
    TEXT,
    UNKNOWN,
    Answer,
    Bound,
    Closure,
    Fields,
    FormOf,
    Items,
    Known,
    Local,
    Of,
    Pairs,
    Partial,
    Raisable,
    Ref,
    TheRequest,
    Tuple,
    Value,
    alternatives,
    either,
)
from antiphon.http.errors import ERRORS, ContentTooLarge, HTTPError, NotFound, UnprocessableContent, abort, http_error
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.features.openapi.code.expressions import Expressions

READERS: dict[str, ReadAs] = {"json_as": "json", "form_as": "form", "args_as": "query"}
_TEXTS = frozenset(dir(str)) & {
    "capitalize", "casefold", "format", "join", "lower", "lstrip", "removeprefix", "removesuffix", "replace", "rstrip",
    "strip", "title", "upper", "zfill",
}  # fmt: skip
"""The methods of text that return text."""
_BUILTIN: dict[Any, Any] = {
    len: int, repr: str, any: bool, all: bool, isinstance: bool, callable: bool, hasattr: bool, issubclass: bool,
    print: None, id: int, hash: int, ord: int, chr: str, round: int, format: str,
}  # fmt: skip
"""Functions that change nothing, and the types of their results."""
_OF_ITEMS: dict[Any, type] = {sorted: list, iter: Iterator}
_COPIES = (list, dict, set, frozenset, tuple)
_PURE = frozenset({
    "antiphon", "base64", "builtins", "datetime", "decimal", "hashlib", "hmac", "html", "json", "logging", "math",
    "msgspec", "pathlib", "re", "secrets", "statistics", "textwrap", "time", "urllib", "uuid",
})  # fmt: skip
"""Modules and packages whose functions change none of their arguments, and keep none."""
CONDITIONS = ("If-Match", "If-Unmodified-Since", "If-None-Match", "If-Modified-Since")


class Call(NamedTuple):
    """A call of one value, with the values of its arguments."""

    node: ast.AST
    called: Value
    positional: list[Value]
    named: dict[str, Value]
    is_open: bool = False
    """True if it may have more arguments, which aren't known."""
    is_awaited: bool = False

    def argument(self, at: int, name: str) -> Value | None:
        """Return an argument by its position or its name, or None if it isn't given."""
        return argument(self.positional, self.named, at, name)

    @property
    def given(self) -> list[Value]:
        """All arguments."""
        return [*self.positional, *self.named.values()]

    @property
    def is_given_request(self) -> bool:
        """True if the request is one of the arguments."""
        return any(isinstance(one, TheRequest) for given in self.given for one in alternatives(given))

    @property
    def written(self) -> str:
        """The call as written, without its arguments."""
        return ast.unparse(self.node.func if isinstance(self.node, ast.Call) else self.node)


def call(frame: "Expressions", made: Call) -> Value:
    """Return the result of a call, and note how it uses the request. Raises Stop if it does not return."""
    match made.called:
        case Bound():
            return _call_method(frame, made, made.called)
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
            _lost(frame, made, "is not known before it runs")
            return said(get_args(kind)[-1]) if get_origin(annotations.plain(kind)) is Callable else UNKNOWN
    return _lost(frame, made, "is not known before it runs")


def _lost(frame: "Expressions", made: Call, why: str) -> Value:
    """Note that code which isn't read is called: it may change what it is given."""
    if made.is_given_request:
        frame.unread(f"{made.written}(...) is given the request, and {why}", made.node, "taken")
    frame.escape(*[each for each in made.given if not isinstance(each, TheRequest)])
    frame.flow.forget_attributes()
    return UNKNOWN


def call_method_of(
    frame: "Expressions", owner: Value, name: str, given: Sequence[Value], node: ast.AST
) -> Value | None:
    """Return the result of a special method of the application, such as ``__getitem__``; None if there is none."""
    kind = (
        type(owner.value)
        if isinstance(owner, Known)
        else annotations.class_of(owner.type)
        if isinstance(owner, Of)
        else None
    )
    method = None if kind is None else annotations.method_of(kind, name)
    if method is None or not frame.reader.follows(method):
        return None
    return call_function(frame, Call(node, owner, [*given], {}), method, owner)


# Methods


def _call_method(frame: "Expressions", made: Call, method: Bound) -> Value:
    owner = method.owner
    match owner:
        case TheRequest():
            return _call_of_request(frame, made, method)
        case Pairs():
            return _call_of_pairs(frame, made, owner, method.name)
        case FormOf():
            return _call_of_form(frame, made, owner, method.name)
        case Ref():
            return _call_of_object(frame, made, owner, method.name)
        case Bound(owner=Ref() as response, name="headers"):
            frame.flow.change(response, lambda one: with_headers(one, method.name, made.positional, made.named))
            return UNKNOWN
        case Known(value) if isinstance(value, type):
            return _call_of_class(frame, made, value, method)
    if isinstance(method.function, FunctionType):
        found = call_function(frame, made, method.function, owner)
        return owner if isinstance(found, Of) and found.type is Self else found
    if _is_text(owner) and method.name in _TEXTS:
        return TEXT
    return _call_of_builtin(frame, made, owner, method.name)


def _call_of_object(frame: "Expressions", made: Call, owner: Ref, name: str) -> Value:
    """Return the result of a method of a dict, a list, a response or an error."""
    before = alternatives(frame.flow.content(owner))
    known = [*map(frame.flow.content, made.positional)]
    named = made.named
    given = known if name in ("update", "extend", "union") else made.positional
    frame.change(owner, lambda each: changed(each, name, given, named), *made.given)
    if any(changed(each, name, given, named) is UNKNOWN for each in before):
        return _lost(frame, made, "is not known before it runs")
    found = either(*[_returned(frame, each, owner, name, given) for each in before])
    return frame.hold(made.node, found)


def _returned(frame: "Expressions", content: Value, owner: Ref, name: str, given: Sequence[Value]) -> Value:
    match content:
        case Answer():
            return owner if name in ("conditional", "freeze", "afreeze") else UNKNOWN
        case Raisable():
            return owner if name == "with_traceback" else NONE
        case Of():
            frame.escape(*given)
            return UNKNOWN
    return returned(content, name, given)


def _call_of_request(frame: "Expressions", made: Call, method: Bound) -> Value:
    name = method.name
    if name in READERS:
        return _read_as(frame, made, READERS[name], made.argument(0, "wanted"))
    if name == "parts":
        frame.note_read("files", made.node)
        frame.findings.reads[-1] = frame.findings.reads[-1]._replace(refusals=(400, 413, 415))
        return UNKNOWN
    if name == "precondition":
        frame.findings.named += [Named("header", each) for each in CONDITIONS]
        return call_function(frame, made, method.function, TheRequest())
    if name == "after_request" and made.positional:
        frame.flow.set(PASSED, RECEIVED)
        hook = made._replace(positional=[TheRequest(), PASSED], named={})
        frame.each(made.positional[0], lambda one: call(frame, hook._replace(called=one)))
        frame.findings.passed = either(frame.findings.passed, frame.flow.frozen(PASSED))
        del frame.flow.state[PASSED]
    if name == "copy":
        return TheRequest()
    frame.escape(*made.given)
    found = annotations.NOT_SAID if method.function is None else annotations.returned_by(method.function)
    return said(found)


def _read_as(frame: "Expressions", made: Call, part: ReadAs, wanted: Value | None) -> Value:
    read = [*alternatives(wanted or UNKNOWN)]
    for each in read:
        if isinstance(each, Known) and each.value is not None:
            frame.read_as(part, each.value, made.node)
        else:
            text = f"{ast.unparse(made.node)} reads a type that is not known before it runs"
            frame.unread(text, made.node, "taken")
    return either(*[Of(each.value) if isinstance(each, Known) else UNKNOWN for each in read])


def _call_of_pairs(frame: "Expressions", made: Call, owner: Pairs, name: str) -> Value:
    key = made.argument(0, "key")
    if key is None or name not in ("get", "getone", "getall"):
        frame.escape(owner)
        return UNKNOWN
    wanted = made.argument(2, "type") or made.argument(9, "type")
    kind = wanted.value if isinstance(wanted, Known) and isinstance(wanted.value, type) else str
    found = frame.field(owner, key, kind, is_required=name == "getone", is_list=name == "getall")
    if name != "get":
        return found
    default = made.argument(1, "default")
    return either(found, NONE if default is None else default)


def _call_of_form(frame: "Expressions", made: Call, owner: FormOf, name: str) -> Value:
    if name == "error":
        wrong = Raisable(UnprocessableContent, 422, "A field is not valid.")
        errors = (wrong,) if owner.is_query else (wrong, Raisable(ContentTooLarge, 413, "The body is too large."))
        return frame.hold(made.node, either(*errors))
    is_sent = frame.reader.method not in SAFE_METHODS or owner.is_query
    return Of(bool) if is_sent or name not in ("validate", "avalidate") else Known(False)


def _call_of_class(frame: "Expressions", made: Call, cls: type, method: Bound) -> Value:
    """Return the result of a function of a class, such as ``Response.html``."""
    if issubclass(cls, Response):
        return _response(frame, made, method.name)
    function = method.function
    if isinstance(function, MethodType):
        return call_function(frame, made, cast(FunctionType, function.__func__), Known(cls))
    if isinstance(function, FunctionType):
        return call_function(frame, made, function)
    if cls is dict and method.name == "fromkeys":
        return UNKNOWN
    frame.escape(*made.given)
    return Of(cls) if function is not None and method.name.startswith("from") else UNKNOWN


def _response(frame: "Expressions", made: Call, maker: str) -> Value:
    """Return a response, whose body is written at once."""
    if made.is_open:
        return _lost(frame, made, "is not known before it runs")
    frozen = frame.flow.frozen
    positional, named = [*map(frozen, made.positional)], {name: frozen(each) for name, each in made.named.items()}
    if maker == "file":
        source = argument(positional, named, 0, "source")
        if not (isinstance(source, Known) and isinstance(source.value, str | PathLike) and Path(source.value).exists()):
            frame.reader.note_raised(frame, Raisable(NotFound), made.node)
    return frame.hold(made.node, answer_of_response(maker, positional, named))


def _is_text(owner: Value) -> bool:
    return (isinstance(owner, Of) and owner.type is str) or (isinstance(owner, Known) and isinstance(owner.value, str))


def _call_of_builtin(frame: "Expressions", made: Call, owner: Value, name: str) -> Value:
    """Return the result of a method of a dict or a list that is not made here."""
    kind = annotations.class_of(owner.type) if isinstance(owner, Of) else None
    arguments = get_args(owner.type) if isinstance(owner, Of) else ()
    if isinstance(owner, Known) and isinstance(owner.value, dict) and name in ("get", "items", "values", "keys"):
        held = Fields(tuple((str(key), Of(type(each))) for key, each in owner.value.items()))
        return returned(held, name, made.positional) if owner.value else UNKNOWN
    _lost(frame, made, "its code is not known")
    if kind is None or annotations.has_variables(getattr(owner, "type", None)):
        return UNKNOWN
    if len(arguments) == 2 and issubclass(kind, Mapping):
        key, item = arguments
        match name:
            case "get" | "pop":
                default = made.argument(1, "default")
                missing = () if name == "pop" and default is None else (NONE if default is None else default,)
                return either(Of(item), *missing)
            case "setdefault":
                return Of(item)
            case "values":
                return Of(list_of(item))
            case "keys":
                return Of(list_of(key))
            case "items":
                return Of(list_of(tuple_of(key, item)))
            case "copy":
                return owner
    if arguments and issubclass(kind, list) and name in ("pop", "copy"):
        return Of(arguments[0]) if name == "pop" else owner
    return UNKNOWN


# Objects


def _call_object(frame: "Expressions", made: Call, called: Any) -> Value:
    if called is abort or called is http_error:
        return _call_abort(frame, made, called)
    if isinstance(called, type):
        return _call_class(frame, made, called)
    if isinstance(called, partial):
        keywords = {**{name: Known(value) for name, value in called.keywords.items()}, **made.named}
        positional = [*map(Known, called.args), *made.positional]
        return call(frame, made._replace(called=Known(called.func), positional=positional, named=keywords))
    if isinstance(called, MethodType):
        return call_function(frame, made, cast(FunctionType, called.__func__), Known(called.__self__))
    if isinstance(called, FunctionType):
        return call_function(frame, made, called)
    if isinstance(called, NewType):
        return Of(called)
    if isinstance(called, BuiltinFunctionType):
        return _call_builtin(frame, made, called)
    if (method := annotations.method_of(type(called), "__call__")) is not None:
        return call_function(frame, made, method, Known(called))
    return _lost(frame, made, "its code is not known")


def _call_builtin(frame: "Expressions", made: Call, called: Any) -> Value:
    frame.use(*made.given)
    for each in made.given:  # it calls the functions that it is given
        if isinstance(each, Closure):
            items = [frame.items_of(one, made.node) for one in made.positional if one is not each]
            frame.loop(partial(each.frame.call_closure, each, Call(made.node, each, items[:1], {})))
    first = made.positional[0] if made.positional else UNKNOWN
    if called in _OF_ITEMS:
        content = frame.flow.content(made.positional[-1] if called is filter and len(made.positional) > 1 else first)
        return frame.hold(made.node, copied(_OF_ITEMS[called], content))
    if called in (min, max, next):
        found = (
            either(*made.positional)
            if len(made.positional) > 1 and called is not next
            else frame.items_of(first, made.node)
        )
        defaults = [*made.positional[1:]] if called is next else []
        return either(found, *defaults, *[value for name, value in made.named.items() if name == "default"])
    if called in _BUILTIN:
        kind = _BUILTIN[called]
        return NONE if kind is None else Of(kind)
    if called is getattr and (name := text_of(made.argument(1, "name"))) is not None and len(made.positional) == 2:
        return frame.attribute(first, name, made.node)
    if (getattr(called, "__module__", None) or "").partition(".")[0] not in _PURE - {"builtins"}:
        return _lost(frame, made, "its code is not known")
    return UNKNOWN


def _call_abort(frame: "Expressions", made: Call, called: Callable[..., Any]) -> Value:
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


def _call_class(frame: "Expressions", made: Call, cls: type) -> Value:
    if issubclass(cls, Form):
        return _make_form(frame, made)
    if issubclass(cls, Response) and not _has_own(frame, cls):
        return _response(frame, made, "")
    if annotations.is_page(cls):
        frozen = frame.flow.frozen
        named = {name: frozen(value) for name, value in made.named.items()}
        status_at = 2 if annotations.is_page(cls, "Block") else 1
        frame.escape(*made.given)
        return frame.hold(made.node, answer_of_page(made.positional, named, status_at))
    if cls in (enumerate, zip, map, range, filter, reversed):
        return _call_iterator(frame, made, cls)
    if cls in _COPIES:
        frame.use(*made.given)
        given = (
            frame.flow.content(made.positional[0]) if made.positional else Fields(()) if cls is dict else Items(NEVER)
        )
        content = either(*[copied(cls, each) for each in alternatives(given)])
        return frame.hold(made.node, changed(content, "update", [], made.named) if made.named else content)
    if cls in (type, super, object):
        frame.escape(*made.given)
        return UNKNOWN
    if cls.__module__ == "builtins" and not issubclass(cls, BaseException):
        frame.use(*made.given)
        return Of(cls)
    if cls is partial and made.positional:
        return Partial(made.positional[0], tuple(made.positional[1:]), tuple(made.named.items()))
    for name in ("__new__", "__init__", "__post_init__", "_missing_"):
        method = annotations.method_of(cls, name)
        if method is not None and (frame.reader.follows(method) or (made.is_given_request and name == "__init__")):
            initial = made if name != "__post_init__" else Call(made.node, made.called, [], {})
            call_function(frame, initial, method, Of(cls))
    frame.use(*made.given)
    if cls.__module__.partition(".")[0] not in _PURE:
        is_read = _has_own(frame, cls)
        frame.escape(*[each for each in made.given if not (is_read and isinstance(each, TheRequest))])
    return frame.hold(made.node, _make_error(frame, made, cls)) if issubclass(cls, BaseException) else Of(cls)


def _call_iterator(frame: "Expressions", made: Call, cls: type) -> Value:
    if cls is range:
        return Items(Of(int), Iterator)
    if cls in (map, filter) and made.positional:
        function, *given = made.positional
        items = [frame.items_of(each, made.node) for each in given]
        found: list[Value] = []
        frame.loop(lambda: found.append(frame.each(function, lambda one: call(frame, Call(made.node, one, items, {})))))
        return Items(either(*found, *([] if found else [NEVER])) if cls is map else either(*items), Iterator)
    items = [frame.items_of(each, made.node) for each in made.positional]
    if cls is reversed:
        return Items(either(*items), Iterator)
    return Items(Tuple((Of(int), *items) if cls is enumerate else tuple(items)), Iterator)


def _make_form(frame: "Expressions", made: Call) -> Value:
    wanted, method = made.argument(0, "wanted"), made.named.get("method")
    if not isinstance(wanted, Known):
        frame.unread(f"{made.written} is made of a type that is not known before it runs", made.node, "taken")
        return UNKNOWN
    part: ReadAs = "query" if isinstance(method, Known) and method.value == "get" else "form"
    place = frame.source.place_of(made.node)
    refusals = () if part == "query" else (400, 415)  # after other errors, the form is shown again
    frame.flow.always(part, wanted.value)
    frame.findings.reads.append(Read(part, wanted.value, place, refusals))
    return FormOf(wanted.value, part == "query")


def _has_own(frame: "Expressions", cls: type) -> bool:
    """True for a class that the application initializes in its own way."""
    method = annotations.method_of(cls, "__init__")
    return method is not None and frame.reader.follows(method)


def _make_error(frame: "Expressions", made: Call, cls: type[BaseException]) -> Value:
    status, detail = made.argument(1, "status"), None
    if _has_own(frame, cls):
        code = cast(FunctionType, annotations.method_of(cls, "__init__")).__code__
        names = [*code.co_names, *[each for held in code.co_consts if isinstance(held, tuple) for each in held]]
        is_plain = not issubclass(cls, HTTPError) or (cls.status != HTTPError.status and "status" not in names)
        return Raisable(cls) if is_plain else UNKNOWN
    if issubclass(cls, HTTPError):
        status, detail = made.argument(0, "status"), made.argument(1, "detail")
        if status is not None and _is_text(status):  # as in NotFound("There is no such lamp.")
            status, detail = None, status
    codes = statuses_in(status)
    return Raisable(cls, codes[0] if codes else None, text_of(detail))


# Functions


def call_function(frame: "Expressions", made: Call, function: FunctionType, owner: Value | None = None) -> Value:
    """Return the result of a function: what its annotation says, if that says enough, else what its code returns."""
    stated = annotations.returned_by(function)
    if stated in (NoReturn, NeverReturned):
        stated = annotations.NOT_SAID
    given = made if owner is None else made._replace(positional=[owner, *made.positional])
    found = frame.reader.call(frame, given, function)
    if found is None:
        if (function.__module__ or "").partition(".")[0] in _PURE:
            frame.use(*made.given)
            return _typed(stated)
        _lost(frame, given, "its code is not known")
        return _typed(stated)
    frame.flow.forget_attributes()
    cls = None if stated is annotations.NOT_SAID else annotations.class_of(stated)
    if stated is annotations.NOT_SAID or (cls is not None and issubclass(cls, Response | BaseException)):
        return found
    if annotations.is_loose(stated) and found is not UNKNOWN:
        return found
    frame.escape(found)
    return _typed(stated)


def _typed(annotation: Any) -> Value:
    return NONE if annotation in (None, NoneType) else said(annotation)
