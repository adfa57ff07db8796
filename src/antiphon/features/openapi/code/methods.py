"""Methods of responses, forms, dicts, lists and the objects that read the request, and what is known about their
results.
"""

import ast
import hashlib
import html
import textwrap
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from types import FunctionType, MethodType, NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Self, cast
from typing import Never as NeverReturned

from antiphon import HTTPError, Response
from antiphon.embedding import SAFE_METHODS
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.findings import Named, ReadAs
from antiphon.features.openapi.code.objects import changed, fields_in, is_text, returned, with_headers
from antiphon.features.openapi.code.operators import has_edge
from antiphon.features.openapi.code.parts import kind_of, said, type_of
from antiphon.features.openapi.code.responses import argument, value_of_response
from antiphon.features.openapi.code.values import (
    NONE,
    PASSED,
    RECEIVED,
    TEXT,
    UNKNOWN,
    Bound,
    Closure,
    Encoded,
    Fields,
    FormOf,
    Instance,
    Known,
    Of,
    Pairs,
    Part,
    PathText,
    Raisable,
    Ref,
    ResponseValue,
    RowsOf,
    TheRequest,
    Tuple,
    Value,
    alternatives,
    either,
    is_constant,
    problem_details,
)
from antiphon.http import ContentTooLarge, NotFound, UnprocessableContent, UnsupportedMediaType

if TYPE_CHECKING:
    from antiphon.features.openapi.code.frames import Frame

PURE = frozenset({
    "antiphon", "base64", "builtins", "datetime", "decimal", "hashlib", "hmac", "html", "json", "logging", "math",
    "msgspec", "pathlib", "re", "secrets", "statistics", "textwrap", "time", "urllib", "uuid",
})  # fmt: skip
"""Modules and packages whose functions neither change nor keep their arguments."""
_MAKE_TEXT = (
    html.escape, textwrap.dedent, urllib.parse.quote, urllib.parse.quote_plus, urllib.parse.urlencode,
    urllib.parse.urljoin,
)  # fmt: skip
"""Functions in these modules that return text but have no annotations."""
_LOG = frozenset({"critical", "debug", "error", "exception", "info", "log", "warning"})
"""Functions and methods of logging that only show their arguments."""


class Call(NamedTuple):
    """A call of one value, with the values of its arguments."""

    node: ast.AST
    called: Value
    positional: list[Value]
    named: dict[str, Value]
    is_open: bool = False
    """True if there may be additional arguments that aren't known."""
    is_awaited: bool = False

    def argument(self, at: int, name: str) -> Value | None:
        """Return an argument by position or name, or None if it isn't passed."""
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
        """The call as written in the code, without its arguments."""
        return ast.unparse(self.node.func if isinstance(self.node, ast.Call) else self.node)


class Parameters(NamedTuple):
    """The names of a function's parameters, and of those for the arguments that are left."""

    by_position: Sequence[str]
    by_name: Sequence[str]
    rest: str | None
    more: str | None

    @classmethod
    def of(cls, node: ast.arguments) -> Self:
        """Return the parameters of a function as it is written."""
        rest, more = (each.arg if each is not None else None for each in (node.vararg, node.kwarg))
        by_position = [each.arg for each in (*node.posonlyargs, *node.args)]
        return cls(by_position, [each.arg for each in node.kwonlyargs], rest, more)

    def bound(self, positional: Sequence[Value], named: Mapping[str, Value], *, is_open: bool) -> dict[str, Value]:
        """Return the arguments by parameter; with ``is_open``, there may be others."""
        names = {*self.by_position, *self.by_name}
        found = dict(zip(self.by_position, positional, strict=False))
        found |= {name: value for name, value in named.items() if name in names}
        if self.rest is not None:
            found[self.rest] = UNKNOWN if is_open else Tuple(tuple(positional[len(self.by_position) :]))
        if self.more is not None:
            left = tuple(each for each in named.items() if each[0] not in names)
            found[self.more] = UNKNOWN if is_open else Fields(left)
        return found


def lost(frame: "Frame", made: Call, why: str) -> Value:
    """Record a call of unread code, which may change its arguments."""
    if made.is_given_request:
        frame.unread(f"{made.written}(...) is given the request, and {why}", made.node, "taken")
    frame.escape(*[each for each in made.given if not isinstance(each, TheRequest)])
    frame.flow.forget_attributes()
    return UNKNOWN


def kind_of_owner(frame: "Frame", owner: Value) -> type | None:
    """Return a value's class, or None if the application defines no method of it, as far as is known."""
    match owner:
        case Known(held):
            kind: type | None = type(held)
        case Ref():
            return kind_of_owner(frame, frame.flow.content(owner))
        case Of(annotation):
            kind = annotations.class_of(annotation)
        case _:
            return None
    return None if kind is None or kind.__module__.partition(".")[0] in ("antiphon", "builtins") else kind


def method_for(frame: "Frame", owner: Value, name: str) -> FunctionType | None:
    """Return a method that the application defines for a value, or None."""
    kind = kind_of_owner(frame, owner)
    method = None if kind is None else annotations.method_of(kind, name)
    return method if method is not None and frame.reader.follows(method) else None


def call_method_of(frame: "Frame", owner: Value, name: str, given: Sequence[Value], node: ast.AST) -> Value | None:
    """Return the result of a special method that the application defines, such as ``__getitem__``, or None."""
    method = method_for(frame, owner, name)
    return None if method is None else call_function(frame, Call(node, owner, [*given], {}), method, owner)


def call_function(frame: "Frame", made: Call, function: FunctionType, owner: Value | None = None) -> Value:
    """Return a function's result, from its annotation if that is specific enough, or else from its code."""
    stated = annotations.returned_by(function)
    if stated in (NoReturn, NeverReturned):
        stated = annotations.NOT_SAID
    given = made if owner is None else made._replace(positional=[owner, *made.positional])
    found = frame.reader.call(frame, given, function)
    if stated is annotations.NOT_SAID and (found is None or UNKNOWN in alternatives(found)):
        positional, named = ([*map(frame.flow.frozen, each)] for each in (given.positional, given.named.values()))
        types = dict(zip(given.named, map(type_of, named), strict=True))
        stated = annotations.returned_for(function, [*map(type_of, positional)], types)
    if found is None:
        if (function.__module__ or "").partition(".")[0] in PURE:
            made_by = owner if stated is Self and owner is not None else _typed(stated)
            if function.__module__ == "logging" and function.__name__ in _LOG:
                made_by = NONE
            return frame.use(*given.given, result=TEXT if function in _MAKE_TEXT else made_by)
        lost(frame, given, "its code is not known")
        return _typed(stated)
    frame.flow.forget_attributes()
    cls = None if stated is annotations.NOT_SAID else annotations.class_of(stated)
    if stated is annotations.NOT_SAID or (cls is not None and issubclass(cls, Response | BaseException)):
        return found
    has_status = any(isinstance(each, Tuple) for each in alternatives(found))
    contents = alternatives(frame.flow.content(found))
    is_constant_ = cls in (int, str) and all(map(is_constant, contents))
    is_made = cls is not None and all(isinstance(each, Instance) and issubclass(each.type, cls) for each in contents)
    if has_status or is_constant_ or is_made or (annotations.is_loose(stated) and found is not UNKNOWN):
        return found
    result = frame.use(found, result=_typed(stated))
    frame.escape(found if result != found else NONE)
    return result


def _typed(annotation: Any) -> Value:
    return NONE if annotation in (None, NoneType) else said(annotation)


READERS: dict[str, ReadAs] = {
    "json_as": "json", "form_as": "form", "args_as": "query", "headers_as": "headers", "values_as": "rows",
    "patched": "patch",
}  # fmt: skip


_OF_TEXT: dict[str, Value] = {
    **dict.fromkeys((
        "capitalize", "casefold", "center", "expandtabs", "format", "join", "ljust", "lower", "lstrip", "removeprefix",
        "removesuffix", "replace", "rjust", "rstrip", "strip", "swapcase", "title", "translate", "upper", "zfill",
    ), TEXT),
    **dict.fromkeys(("rsplit", "split", "splitlines"), Of(list[str])),
    **dict.fromkeys(("partition", "rpartition"), Tuple((TEXT, TEXT, TEXT))),
    **dict.fromkeys(("count", "find", "index", "rfind", "rindex"), Of(int)),
    **dict.fromkeys(("endswith", "startswith", *[name for name in dir(str) if name.startswith("is")]), Of(bool)),
    "encode": Of(bytes),
}  # fmt: skip
"""The methods of text, and their results."""


HASH: type = type(hashlib.sha256())
_OF_HASHES: dict[str, Value] = {"hexdigest": TEXT, "digest": Of(bytes), "copy": Of(HASH), "update": NONE}
"""The methods of a hash, and their results."""

CONDITIONS = ("If-Match", "If-Unmodified-Since", "If-None-Match", "If-Modified-Since")


def call_method(frame: "Frame", made: Call, method: Bound) -> Value:
    owner = method.owner
    if method.function is HTTPError.problem:
        return frame.hold(made.node, either(*map(problem_details, alternatives(frame.flow.content(owner)))))
    match owner:
        case TheRequest():
            return _call_of_request(frame, made, method)
        case Pairs():
            return _call_of_pairs(frame, made, owner, method.name)
        case FormOf():
            return _call_of_form(frame, made, owner, method.name)
        case Ref() if isinstance(method.function, FunctionType) and frame.reader.follows(method.function):
            return call_function(frame, made, method.function, owner)
        case Ref():
            return _call_of_object(frame, made, owner, method.name)
        case Bound(owner=Ref() as response, name="headers"):
            given = [*map(frame.flow.frozen, made.positional)]
            frame.flow.change(response, lambda one: with_headers(one, method.name, given, made.named))
            return UNKNOWN
        case Known(value) if isinstance(value, type):
            return _call_of_class(frame, made, value, method)
    if method.name in ("_asdict", "model_dump") and not made.given:
        return frame.hold(made.node, fields_in(owner))
    if method.name in ("_replace", "model_copy") and isinstance(owner, Of):
        frame.escape(*made.given)
        return owner
    if kind_of(owner) is HASH and method.name in _OF_HASHES:
        return frame.use(owner, *made.given, result=_OF_HASHES[method.name])
    if isinstance(method.function, FunctionType):
        return call_function(frame, made, method.function, owner)
    if isinstance(owner, PathText) and method.name in ("startswith", "endswith"):
        return has_edge(owner, method.name, made.argument(0, "prefix"))
    if isinstance(owner, Encoded) and method.name == "encode":
        return replace(owner, type=bytes)
    if is_text(owner):
        return frame.use(owner, *made.given, result=_OF_TEXT.get(method.name, UNKNOWN))
    return _call_of_object(frame, made, owner, method.name)


def _call_of_object(frame: "Frame", made: Call, owner: Value, name: str) -> Value:
    """Return the result of calling a method of a dict, a list, a response or an error."""
    before = alternatives(frame.flow.content(owner))
    known = [*map(frame.flow.content, made.positional)]
    named = made.named
    given = known if name in ("update", "extend", "union") else made.positional
    frame.change(owner, lambda each: changed(each, name, given, named), *made.given)
    if any(changed(each, name, given, named) is UNKNOWN for each in before):
        return lost(frame, made, "is not known before it runs")
    found = either(*[_returned(frame, made, each, owner, name, given) for each in before])
    return frame.hold(made.node, found)


def _returned(frame: "Frame", made: Call, content: Value, owner: Value, name: str, given: Sequence[Value]) -> Value:
    match content:
        case ResponseValue():
            return owner if name in ("make_conditional", "freeze", "afreeze") else UNKNOWN
        case Raisable():
            return owner if name == "with_traceback" else NONE
    found = returned(content, name, given)
    if found is UNKNOWN and isinstance(content, Part):
        frame.escape(content)
    return lost(frame, made, "its code is not known") if found is UNKNOWN else found


def _call_of_request(frame: "Frame", made: Call, method: Bound) -> Value:
    name = method.name
    if name in READERS:
        return _read_by(frame, made, READERS[name])
    if name == "parts":
        frame.note_read("files", made.node)
        frame.findings.reads[-1] = frame.findings.reads[-1]._replace(refusals=(400, 413, 415))
        return UNKNOWN
    if name == "precondition":
        frame.findings.named += [Named("header", each) for each in CONDITIONS]
        return call_function(frame, made, method.function, TheRequest())
    if name == "on_response" and made.positional:
        frame.flow.set(PASSED, RECEIVED)
        hook = made._replace(positional=[TheRequest(), PASSED], named={})
        given = frame.each(made.positional[0], lambda one: frame.call(hook._replace(called=one)))
        instead = [each for each in alternatives(frame.flow.frozen(given)) if each != NONE]
        passed = frame.findings.passed, RECEIVED, frame.flow.frozen(PASSED)  # it may not come to this
        frame.findings.passed = either(*passed, *instead)
        del frame.flow.state[PASSED]
    if name == "copy":
        return TheRequest()
    frame.escape(*made.given)
    found = annotations.NOT_SAID if method.function is None else annotations.returned_by(method.function)
    return said(found)


def _read_by(frame: "Frame", made: Call, part: ReadAs) -> Value:
    """Return the value that one of the request's readers returns, and record the types that it reads."""
    read = _types_read(frame, made, part)
    unknown = made.named.get("unknown", Known("refuse" if part == "patch" else "ignore"))
    file = made.named.get("file", NONE)
    if made.is_open or not isinstance(unknown, Known) or None in map(kind_of, alternatives(file)):
        frame.unread(f"{made.written} is given an option that is not known before it runs", made.node, "taken")
    for each in read:
        if not (isinstance(each, Known) and each.value is not None):
            text = f"{ast.unparse(made.node)} reads a type that is not known before it runs"
            frame.unread(text, made.node, "taken")
        elif part != "rows" or NONE in alternatives(file):
            frame.read_as(part, each.value, made.node, is_strict=unknown == Known("refuse"))
    if file != NONE:
        wrong = Raisable(UnsupportedMediaType, 415, "The file has an unsupported media type.")
        frame.reader.note_raised(frame, wrong, made.node)
    several = [each.value if isinstance(each, Known) else None for each in read]
    if part == "rows":
        on_fault = made.named.get("on_fault", Known("raise"))
        frame.escape(on_fault)
        collects = on_fault == Known("collect") or isinstance(on_fault, Closure | Bound)
        return either(*[UNKNOWN if each is None else RowsOf(each, collects) for each in several])
    return either(*[UNKNOWN if each is None else Of(each) for each in several])


def _types_read(frame: "Frame", made: Call, part: ReadAs) -> list[Value]:
    """Return the types that one of the request's readers reads; that of the current value for a patch without one."""
    wanted = made.argument(1 if part == "patch" else 0, "wanted")
    if part != "patch" or (wanted is not None and wanted != NONE):
        return [*alternatives(wanted or UNKNOWN)]
    current = frame.flow.content(made.argument(0, "current") or UNKNOWN)
    kinds = [each.type if isinstance(each, Of) else kind_of(each) for each in alternatives(current)]
    return [UNKNOWN if kind is None else Known(kind) for kind in kinds]


def _call_of_pairs(frame: "Frame", made: Call, owner: Pairs, name: str) -> Value:
    key = made.argument(0, "key")
    if key is None or name not in ("get", "getone", "getall"):
        frame.escape(owner)
        return UNKNOWN if owner.kind == "files" else returned(Of(dict[str, str]), name, [])
    wanted = made.argument(2, "type") or made.argument(9, "type")
    kind = wanted.value if isinstance(wanted, Known) and isinstance(wanted.value, type) else str
    default = made.argument(1, "default") if name == "get" else None
    used = default.value if isinstance(default, Known) and type(default.value) is kind else None
    found = frame.field(owner, key, kind, is_required=name == "getone", is_list=name == "getall", default=used)
    if name != "get":
        return found
    return either(found, NONE if default is None else default)


def _call_of_form(frame: "Frame", made: Call, owner: FormOf, name: str) -> Value:
    if name == "error":
        wrong = Raisable(UnprocessableContent, 422, "A field is not valid.")
        errors = (wrong,) if owner.is_query else (wrong, Raisable(ContentTooLarge, 413, "The body is too large."))
        return frame.hold(made.node, either(*errors))
    if name == "apply":
        frame.escape(*made.given)  # which are changed
        return Of(list[str])
    if name == "csv":
        return frame.hold(made.node, ResponseValue((200,), "text/csv", TEXT, ("content-disposition",)))
    is_sent = frame.reader.method not in SAFE_METHODS or owner.is_query
    return Of(bool) if is_sent or name not in ("validate", "avalidate") else Known(False)


def _call_of_class(frame: "Frame", made: Call, cls: type, method: Bound) -> Value:
    """Return the result of calling a function of a class, such as ``Response.html``."""
    if issubclass(cls, Response):
        return make_response(frame, made, method.name)
    function = method.function
    if isinstance(function, MethodType):
        return call_function(frame, made, cast(FunctionType, function.__func__), Known(cls))
    if isinstance(function, FunctionType):
        return call_function(frame, made, function)
    if cls is dict and method.name == "fromkeys":
        return UNKNOWN
    frame.escape(*made.given)
    return Of(cls) if function is not None and method.name.startswith("from") else UNKNOWN


def make_response(frame: "Frame", made: Call, maker: str) -> Value:
    """Return a response whose body is encoded immediately."""
    if made.is_open:
        return lost(frame, made, "is not known before it runs")
    frozen = frame.flow.frozen
    positional, named = [*map(frozen, made.positional)], {name: frozen(each) for name, each in made.named.items()}
    if maker == "file":
        source = argument(positional, named, 0, "source")
        if not (isinstance(source, Known) and isinstance(source.value, str | PathLike) and Path(source.value).exists()):
            frame.reader.note_raised(frame, Raisable(NotFound), made.node)
    return frame.hold(made.node, value_of_response(maker, positional, named))
