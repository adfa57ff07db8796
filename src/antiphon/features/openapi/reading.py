"""The code of a function, read statement by statement: what it takes of the request, what it returns and raises."""

import ast
import functools
import sysconfig
from collections.abc import Callable, Iterable
from contextlib import suppress
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from types import FunctionType, MethodType
from typing import Any, get_args

from antiphon.features.openapi import annotations
from antiphon.features.openapi.calls import Call
from antiphon.features.openapi.expressions import Expressions, item_of
from antiphon.features.openapi.findings import Findings, Raised, Unread
from antiphon.features.openapi.responses import statuses_in
from antiphon.features.openapi.sources import Place, Source, Sources
from antiphon.features.openapi.values import (
    NEVER,
    NONE,
    UNKNOWN,
    Answer,
    Either,
    Known,
    Local,
    Of,
    Raisable,
    TheRequest,
    Tuple,
    Value,
    alternatives,
    either,
    without_none,
)
from antiphon.handler.contract import without_partials
from antiphon.http.errors import HTTPError, UnprocessableContent
from antiphon.http.redirect import RaisedAnswer, Redirect

_DEEPEST = 12
"""Calls within calls that are followed."""

_LIBRARIES = tuple(
    {path for name in ("stdlib", "platstdlib", "purelib", "platlib") if (path := sysconfig.get_path(name))}
)


def function_of(called: Callable[..., Any]) -> FunctionType | None:
    """Return the function that a call of an object runs, without its partials; None if that is written in C."""
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

    def __init__(self) -> None:
        self._sources = Sources()
        self._read: dict[Any, Findings] = {}
        self._open: list[FunctionType] = []
        self.method = ""
        """The method of the request with which functions are called."""

    def read(self, called: Callable[..., Any], *others: Value) -> Findings:
        """Read a function that is called with the request, and perhaps with others after it."""
        given: list[Value] = [TheRequest(), *others]
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
        """Read a function that is called, add what it finds, and return that; None for one that isn't read."""
        if not (made.is_given_request or _is_of_application(function)):
            return None
        if function in self._open or len(self._open) >= _DEEPEST:
            return Findings(result=UNKNOWN)
        found = self._read_function(function, _bound(function, made.positional, made.named))
        if is_ours(function):  # which reads for itself
            found = Findings(raised=found.raised, result=found.result, reads_user=found.reads_user)
        if made.is_given_request or not found.unread:
            expressions.findings.add(found)
        else:
            expressions.findings.add(Findings(raised=found.raised))
        return found

    def _read_function(self, function: FunctionType, variables: dict[str, Value]) -> Findings:
        key: Any
        try:
            key = (self.method, function, frozenset(variables.items()))
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
        """Note that an exception is raised, or report that its status can't be told."""
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
    """Return the arguments of a function by name: those that are given, else their defaults or annotations."""
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


class Statements(ast.NodeVisitor):
    """The statements of one function."""

    def __init__(self, source: Source, variables: dict[str, Value], reader: CodeReader) -> None:
        self._source = source
        self._reader = reader
        self._findings = Findings(place=source.place_of(source.node))
        self._expressions = Expressions(source, variables, reader, self._findings)
        self._caught: list[list[Raised]] = []

    def read(self) -> Findings:
        """Read all statements."""
        self._findings.streams = bool(self._source.code.co_flags & (CO_GENERATOR | CO_ASYNC_GENERATOR))
        self.read_body(self._source.body)
        return self._findings

    def read_body(self, body: Iterable[ast.stmt]) -> None:
        """Read the statements of the function; at their end it returns None."""
        if not self._run(body):
            self._returns(NONE)

    def _run(self, statements: Iterable[ast.stmt]) -> bool:
        """Read statements in order. Return True if what follows them is never reached."""
        return any(self.visit(each) for each in statements)

    def generic_visit(self, node: ast.AST) -> None:
        """Read the expressions of a statement that decides nothing."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._expressions.value(child)

    # What is returned and raised

    def _returns(self, value: Value) -> None:
        found = self._findings
        found.result = either(found.result, value) if value is not UNKNOWN else _with_unknown(found.result)

    def visit_Return(self, node: ast.Return) -> bool:
        value = NONE if node.value is None else self._expressions.value(node.value)
        if value is not NEVER:
            self._returns(value)
        if node.value is not None and value is UNKNOWN:
            text = f"`return {_short(node.value)}` gives what is not known before it runs"
            self._expressions.unread(text, node, "given")
        return True

    def visit_Raise(self, node: ast.Raise) -> bool:
        if node.exc is None:
            self._findings.raised += [each for caught in self._caught[-1:] for each in caught]
            return True
        value = self._expressions.value(node.exc)
        for each in alternatives(value):
            error = _raisable(each)
            if error is not None:
                self._reader.note_raised(self._expressions, error, node)
            else:
                self._expressions.unread(f"`raise {_short(node.exc)}` raises what is not known", node, "raised")
        return True

    # Names

    def visit_Assign(self, node: ast.Assign) -> None:
        value = self._expressions.value(node.value)
        for target in node.targets:
            self._assign(target, value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is None:
            return
        value = self._expressions.value(node.value)
        said = self._expressions.value(node.annotation)
        if value is UNKNOWN and isinstance(said, Known):
            value = Of(said.value)
        self._assign(node.target, value)

    def _assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Attribute):
            self._assign_attribute(target, value)
        else:
            self._expressions.assign(target, value)

    def _assign_attribute(self, target: ast.Attribute, value: Value) -> None:
        owner = self._expressions.value(target.value)
        variables = self._expressions.variables
        if isinstance(owner, Answer) and target.attr == "status" and isinstance(target.value, ast.Name):
            variables[target.value.id] = Answer(statuses_in(value), owner.media, owner.body, owner.headers)
        elif any(isinstance(each, TheRequest) for each in alternatives(value)):
            text = f"the request is kept as {ast.unparse(target)}, and what is read of it there is not known"
            self._expressions.unread(text, target, "taken")

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        value = self._expressions.value(node.value)
        if isinstance(node.target, ast.Name) and node.target.id in self._expressions.variables:
            known = self._expressions.variables[node.target.id]
            self._expressions.variables[node.target.id] = either(known, value) if value is not UNKNOWN else known

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Read a function within the function as if it was called where it is defined."""
        arguments = node.args
        names = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        inner = {**self._expressions.variables, **dict.fromkeys(names, UNKNOWN)}
        reading = Statements(self._source, inner, self._reader)
        reading._caught = self._caught
        reading.read_body(node.body)
        said = self._expressions.value(node.returns) if node.returns is not None else None
        result = Of(said.value) if isinstance(said, Known) and said.value is not None else reading._findings.result
        reading._findings.unread = [each for each in reading._findings.unread if each.about != "given"]
        self._findings.add(reading._findings)
        self._expressions.variables[node.name] = Local(result)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    # Branches

    def visit_If(self, node: ast.If) -> bool:
        test = self._expressions.value(node.test)
        if isinstance(test, Known) and isinstance(test.value, bool):  # by the method of the request
            return self._run(node.body if test.value else node.orelse)
        return self._branches(
            functools.partial(self._run_if, node.test, node.body, is_true=True),
            functools.partial(self._run_if, node.test, node.orelse, is_true=False),
        )

    def _run_if(self, test: ast.expr, body: list[ast.stmt], *, is_true: bool) -> bool:
        _narrow(self._expressions.variables, test, is_true=is_true)
        return self._run(body)

    def _branches(self, *ways: Callable[[], bool]) -> bool:
        """Read several ways, one of which is taken. Return True if none of them goes on behind them."""
        before, going_on = self._expressions.variables, []
        for way in ways:
            self._expressions.variables = dict(before)
            if not way():
                going_on.append(self._expressions.variables)
        names = {name for each in going_on for name in each}
        joined = {name: _joined([each[name] for each in going_on if name in each]) for name in names}
        self._expressions.variables = joined if going_on else before
        return not going_on

    def visit_For(self, node: ast.For | ast.AsyncFor) -> bool:
        self._expressions.assign(node.target, item_of(self._expressions.value(node.iter)))
        self._branches(lambda: self._run(node.body), lambda: False)
        return self._run(node.orelse) and not _breaks(node.body)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> bool:
        return self.visit_For(node)

    def visit_While(self, node: ast.While) -> bool:
        self._expressions.value(node.test)
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value) and not _breaks(node.body)
        self._branches(lambda: self._run(node.body), lambda: False)
        return endless or (self._run(node.orelse) and not _breaks(node.body))

    def visit_With(self, node: ast.With | ast.AsyncWith) -> bool:
        for item in node.items:
            value = self._expressions.value(item.context_expr)
            if item.optional_vars is not None:
                self._expressions.assign(item.optional_vars, _entered(value))
        suppresses = any(self._suppresses(item.context_expr) for item in node.items)
        return self._run(node.body) and not suppresses

    def _suppresses(self, context: ast.expr) -> bool:
        """True for a call of ``contextlib.suppress``, behind which the code goes on."""
        return isinstance(context, ast.Call) and self._expressions.value(context.func) == Known(suppress)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> bool:
        return self.visit_With(node)

    def visit_Match(self, node: ast.Match) -> bool:
        self._expressions.value(node.subject)
        for case in node.cases:
            self._expressions.value(case.guard)
        is_total = any(
            isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None
            for case in node.cases
        )
        ways = [functools.partial(self._run, case.body) for case in node.cases]
        return self._branches(*ways, *([] if is_total else [lambda: False]))

    def visit_Try(self, node: ast.Try | ast.TryStar) -> bool:
        found = self._findings
        raised, reads, before = len(found.raised), len(found.reads), dict(self._expressions.variables)
        catches = [self._caught_by(each) for each in node.handlers]
        caught = tuple(kind for each in catches for kind in each)
        ends = self._run(node.body)
        inside = found.raised[raised:]
        found.raised[raised:] = [each for each in inside if not issubclass(each.error.kind, caught)]
        if issubclass(UnprocessableContent, caught):
            found.reads[reads:] = [each._replace(may_fail=False) for each in found.reads[reads:]]
        after = self._expressions.variables
        ways: list[Callable[[], bool]] = [lambda: ends or self._run(node.orelse)]
        for handler, kinds in zip(node.handlers, catches, strict=True):
            again = [each for each in inside if issubclass(each.error.kind, kinds)]
            ways.append(functools.partial(self._handle, handler, kinds, again))
        self._expressions.variables = {**before, **after}
        ended = self._branches(*ways)
        return self._run(node.finalbody) or ended

    def visit_TryStar(self, node: ast.TryStar) -> bool:
        return self.visit_Try(node)

    def _caught_by(self, handler: ast.ExceptHandler) -> tuple[type[BaseException], ...]:
        if handler.type is None:
            return (BaseException,)
        value = self._expressions.value(handler.type)
        kinds = value.items if isinstance(value, Tuple) else (value,)
        return tuple(each.value for each in kinds if isinstance(each, Known) and isinstance(each.value, type))

    def _handle(self, handler: ast.ExceptHandler, kinds: tuple[type[BaseException], ...], again: list[Raised]) -> bool:
        place = self._source.place_of(handler)
        own = [
            kind for kind in kinds if issubclass(kind, HTTPError) and "status" in vars(kind) and kind is not HTTPError
        ]
        known = again or [Raised(Raisable(kind, kind.status), place) for kind in own]
        if handler.name:
            errors = [each.error for each in known]
            self._expressions.variables[handler.name] = either(*errors) if errors else either(*map(Raisable, kinds))
        self._caught.append(known)
        try:
            return self._run(handler.body)
        finally:
            self._caught.pop()

    def visit_Expr(self, node: ast.Expr) -> bool:
        return self._expressions.value(node.value) is NEVER

    def visit_Break(self, node: ast.Break) -> bool:  # noqa: ARG002
        return True

    def visit_Continue(self, node: ast.Continue) -> bool:  # noqa: ARG002
        return True


def _raisable(value: Value) -> Raisable | None:
    """Return the exception that a value is, or that raising a class makes."""
    if isinstance(value, Raisable):
        return value
    kind = value.type if isinstance(value, Of) else value.value if isinstance(value, Known) else None
    return Raisable(kind) if isinstance(kind, type) and issubclass(kind, BaseException) else None


def _with_unknown(value: Value) -> Value:
    return Either((*alternatives(value), UNKNOWN)) if alternatives(value) else UNKNOWN


def _joined(values: list[Value]) -> Value:
    known = [each for each in values if each is not UNKNOWN]
    return either(*known) if known else UNKNOWN


def _entered(value: Value) -> Value:
    """Return what a context manager gives: of an annotated one the type that it says."""
    if isinstance(value, Of):
        arguments = get_args(value.type)
        return Of(arguments[0]) if arguments else value
    return UNKNOWN


def _breaks(body: list[ast.stmt]) -> bool:
    """True if there is a ``break`` out of the loop of a body, not out of loops inside of it."""
    inside: list[ast.AST] = [*body]
    for node in inside:
        if isinstance(node, ast.Break):
            return True
        if isinstance(node, ast.For | ast.AsyncFor | ast.While):
            inside += node.orelse
        else:
            inside += ast.iter_child_nodes(node)
    return False


def _narrow(variables: dict[str, Value], test: ast.expr, *, is_true: bool) -> None:
    """Take None from what a variable may be, where a test says that it is not."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        _narrow(variables, test.operand, is_true=not is_true)
    elif isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And if is_true else ast.Or):
        for each in test.values:
            _narrow(variables, each, is_true=is_true)
    elif isinstance(test, ast.Compare) and len(test.ops) == 1 and _is_none(test.comparators[0]):
        if isinstance(test.ops[0], ast.IsNot if is_true else ast.Is):
            _narrow(variables, test.left, is_true=True)
    elif is_true and isinstance(test, ast.Name | ast.NamedExpr):
        name = test.id if isinstance(test, ast.Name) else test.target.id
        if name in variables:
            variables[name] = without_none(variables[name])


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _short(node: ast.expr) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
