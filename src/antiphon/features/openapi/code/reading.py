"""Functions, and the findings about the code of each, which is read once for the same arguments."""

import ast
import functools
import sysconfig
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.calls import Call
from antiphon.features.openapi.code.expressions import Expressions
from antiphon.features.openapi.code.findings import Findings, Raised, Unread
from antiphon.features.openapi.code.sources import Place, Source, Sources
from antiphon.features.openapi.code.statements import Statements
from antiphon.features.openapi.code.values import (
    NEVER,
    UNKNOWN,
    Known,
    Of,
    Raisable,
    Tuple,
    Value,
)
from antiphon.features.openapi.code.words import Words
from antiphon.features.users import Users
from antiphon.handler.contract import without_partials
from antiphon.http.errors import HTTPError
from antiphon.http.redirect import RaisedAnswer, Redirect

_DEEPEST = 12
"""The depth to which nested calls are followed."""

_LIBRARIES = tuple(
    {path for name in ("stdlib", "platstdlib", "purelib", "platlib") if (path := sysconfig.get_path(name))}
)


def function_of(called: Callable[..., Any]) -> FunctionType | None:
    """Return the function that a call of an object runs, without partials, or None if it is written in C."""
    called = without_partials(called)
    called = getattr(called, "__func__", called)
    return called if isinstance(called, FunctionType) else annotations.method_of(type(called), "__call__")


def is_ours(function: FunctionType | None) -> bool:
    """True for a function of this package."""
    return function is not None and (function.__module__ or "").partition(".")[0] == "antiphon"


def _is_of_application(function: FunctionType) -> bool:
    return not is_ours(function) and not function.__code__.co_filename.startswith(_LIBRARIES)


class CodeReader:
    """The functions that were read for one document, each once for the same arguments."""

    def __init__(self, words: Words | None = None, sources: Sources | None = None) -> None:
        self.words = words or Words()
        """The terms of another framework whose views are read."""
        self._sources = sources or Sources()
        self._read: dict[Any, Findings] = {}
        self._open: list[FunctionType] = []
        self.method = ""
        """The method of the request with which functions are called."""
        self.users: Users[Any] | None = None
        """The users that the application knows."""

    def read(self, called: Callable[..., Any], *others: Value) -> Findings:
        """Read a function that is called with the request, and perhaps with more arguments after it."""
        given: list[Value] = [*self.words.given, *others]
        named: dict[str, Value] = {}
        while isinstance(called, functools.partial):
            given = [*map(Known, called.args), *given]
            named = {**{name: Known(value) for name, value in called.keywords.items()}, **named}
            called = called.func
        if isinstance(called, MethodType):
            given.insert(0, Known(called.__self__))
            called = called.__func__
        elif not isinstance(called, FunctionType):
            given.insert(0, Known(called))
            called = annotations.method_of(type(called), "__call__") or called
        if not isinstance(called, FunctionType):
            return _without_source(called)
        found = self._read_function(called, _bound(called, given, named))
        wrapped = getattr(called, "__wrapped__", None)
        if wrapped is None or (found.result is not UNKNOWN and found.result is not NEVER):
            return found
        inner = self.read(wrapped, *others)
        joined = Findings(result=inner.result, place=inner.place, streams=inner.streams)
        for each in (found, inner):
            joined.add(each)
        return joined

    def read_call(self, expressions: Expressions, made: Call, function: FunctionType) -> Findings | None:
        """Read a called function, add the findings, and return them, or None if it isn't read."""
        if not (made.is_given_request or _is_of_application(function)):
            return None
        if function in self._open or len(self._open) >= _DEEPEST:
            return Findings(result=UNKNOWN)
        found = self._read_function(function, _bound(function, made.positional, made.named))
        if is_ours(function):  # our own functions are described separately
            found = Findings(raised=found.raised, result=found.result, reads_user=found.reads_user)
        if made.is_given_request or not found.unread:
            expressions.findings.add(found)
        else:
            expressions.findings.add(Findings(raised=found.raised))
        return found

    def _read_function(self, function: FunctionType, variables: dict[str, Value]) -> Findings:
        key: Any
        try:
            key = (self.method, id(self.users), function, frozenset(variables.items()))
        except TypeError:  # some value can't be hashed
            key = object()
        if key not in self._read:
            source = self._sources.find(function)
            if source is None:
                return _without_source(function)
            self._read[key] = self._read_source(function, source, variables)
        return self._read[key]

    def _read_source(self, function: FunctionType, source: Source, variables: dict[str, Value]) -> Findings:
        self._open.append(function)
        try:
            return Statements(source, variables, self).read()
        except Exception as error:  # objects that the code names may do anything when they are looked at
            place = source.place_of(source.node)
            text = f"reading it failed: {type(error).__name__}: {error}"
            return Findings(result=UNKNOWN, place=place, unread=[Unread(text, place, "all")])
        finally:
            self._open.pop()

    def note_raised(self, expressions: Expressions, error: Raisable, node: ast.AST) -> None:
        """Note that an exception is raised, or report that its status is unknown."""
        place = expressions.source.place_of(node)
        if error.status is None and issubclass(error.kind, HTTPError | RaisedAnswer):
            status = 303 if error.kind is Redirect else getattr(error.kind, "status", None)
            if error.kind is HTTPError or not isinstance(status, int):
                text = f"{error.kind.__name__} is raised with a status that is not known before it runs"
                expressions.findings.unread.append(Unread(text, place, "raised"))
                return
            error = Raisable(error.kind, status, error.detail)
        expressions.findings.raised.append(Raised(error, place))


def _without_source(called: Any) -> Findings:
    code = getattr(called, "__code__", None)
    name = getattr(called, "__qualname__", None) or repr(called)
    place = Place(name, code.co_filename, code.co_firstlineno) if code else Place(name, "no file", 0)
    findings = Findings(result=UNKNOWN, place=place)
    findings.unread.append(Unread("its source can't be read", place, "all"))
    return findings


def _bound(function: FunctionType, positional: list[Value], named: dict[str, Value]) -> dict[str, Value]:
    """Return the arguments of a function by name: the given values, else their defaults or annotations."""
    code, hints = function.__code__, annotations.hints_of(function)
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    variables: dict[str, Value] = {name: Of(hints[name]) if name in hints else UNKNOWN for name in names}
    defaults = function.__defaults__ or ()
    for name, default in zip(
        code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount], defaults, strict=True
    ):
        variables[name] = variables[name] if default is None and name in hints else Known(default)
    variables.update(zip(code.co_varnames[: code.co_argcount], positional, strict=False))
    variables.update({name: value for name, value in named.items() if name in variables})
    rest = code.co_varnames[len(names) : len(names) + bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)]
    extra = positional[code.co_argcount :]
    variables.update(dict.fromkeys(rest, UNKNOWN))
    if code.co_flags & 0x04:
        variables[rest[0]] = Tuple(tuple(extra)) if extra else UNKNOWN
    return variables
