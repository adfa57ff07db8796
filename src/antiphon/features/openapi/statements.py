"""The statements of a function, read in order: what it takes of the request, what it returns and raises."""

import ast
import functools
from collections.abc import Callable, Iterable
from contextlib import suppress
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from typing import TYPE_CHECKING, get_args

from antiphon.features.openapi.expressions import Expressions
from antiphon.features.openapi.findings import Findings, Raised
from antiphon.features.openapi.narrowing import narrow
from antiphon.features.openapi.parts import item_of
from antiphon.features.openapi.responses import statuses_in
from antiphon.features.openapi.sources import Source
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
)
from antiphon.http.errors import HTTPError, UnprocessableContent

if TYPE_CHECKING:
    from antiphon.features.openapi.reading import CodeReader


class Statements(ast.NodeVisitor):
    """The statements of one function."""

    def __init__(self, source: Source, variables: dict[str, Value], reader: "CodeReader") -> None:
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
        narrow(self._expressions.variables, test, is_true=is_true)
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


def _short(node: ast.expr) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
