"""The statements of a function, read in order: what it reads of the request, returns and raises."""

import ast
import functools
from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import copy
from dataclasses import replace
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from typing import TYPE_CHECKING, get_args

from antiphon.features.openapi.code.changes import changed, without_item
from antiphon.features.openapi.code.expressions import Expressions
from antiphon.features.openapi.code.findings import Findings, Raised
from antiphon.features.openapi.code.narrowing import classes_in, dotted, narrow
from antiphon.features.openapi.code.operators import is_method
from antiphon.features.openapi.code.parts import item_of
from antiphon.features.openapi.code.patterns import fits, fitting, left_by
from antiphon.features.openapi.code.responses import statuses_in
from antiphon.features.openapi.code.sources import MISSING, Source
from antiphon.features.openapi.code.values import (
    NEVER,
    NONE,
    UNKNOWN,
    Answer,
    Either,
    Fields,
    Items,
    Known,
    Local,
    Of,
    Raisable,
    TheRequest,
    Value,
    alternatives,
    either,
)
from antiphon.http.errors import HTTPError

if TYPE_CHECKING:
    from antiphon.features.openapi.code.reading import CodeReader


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
        """Read the statements of the function, which returns None at the end."""
        if not self._run(body):
            self._returns(NONE)

    def _run(self, statements: Iterable[ast.stmt]) -> bool:
        """Read statements in order. Return True if the code after them is never reached."""
        return any(self.visit(each) for each in statements)

    def generic_visit(self, node: ast.AST) -> None:
        """Read the expressions of a statement without branches."""
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
            text = f"`return {_short(node.value)}` returns a value that is not known before it runs"
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
                self._expressions.unread(f"`raise {_short(node.exc)}` raises an unknown exception", node, "raised")
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
            variables[target.value.id] = replace(owner, statuses=statuses_in(value))
        elif any(isinstance(each, TheRequest) for each in alternatives(value)):
            text = f"the request is stored as {ast.unparse(target)}, and what is read from it there is not known"
            self._expressions.unread(text, target, "taken")

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        value = self._expressions.value(node.value)
        if isinstance(node.target, ast.Name) and node.target.id in self._expressions.variables:
            known = self._expressions.variables[node.target.id]
            if any(isinstance(each, Fields | Items) for each in alternatives(known)):
                operator = "|" if isinstance(node.op, ast.BitOr) else "+"
                self._expressions.put(
                    node.target, either(*[changed(each, operator, [value], {}) for each in alternatives(known)])
                )
            else:
                self._expressions.variables[node.target.id] = either(known, value) if value is not UNKNOWN else known

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Read a nested function as if it were called where it is defined."""
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

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                owner, key = self._expressions.value(target.value), self._expressions.value(target.slice)
                self._expressions.put(target.value, without_item(owner, key))

    def visit_Import(self, node: ast.Import) -> None:
        for each in node.names:
            found = self._source.imported(each.name if each.asname else each.name.partition(".")[0])
            self._expressions.assign(
                ast.Name(each.asname or each.name.partition(".")[0]), UNKNOWN if found is MISSING else Known(found)
            )

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for each in node.names:
            found = self._source.imported(node.module or "", node.level, each.name)
            self._expressions.assign(ast.Name(each.asname or each.name), UNKNOWN if found is MISSING else Known(found))

    # Branches

    def visit_Assert(self, node: ast.Assert) -> bool:
        test = self._expressions.value(node.test)
        self._expressions.value(node.msg)
        narrow(self._expressions, node.test, is_true=True)
        return test == Known(False)

    def visit_If(self, node: ast.If) -> bool:
        test = self._expressions.value(node.test)
        if isinstance(test, Known) and isinstance(test.value, bool):  # depends on the method of the request
            return self._run(node.body if test.value else node.orelse)
        return self._branches(
            functools.partial(self._run_if, node.test, node.body, is_true=True),
            functools.partial(self._run_if, node.test, node.orelse, is_true=False),
        )

    def _run_if(self, test: ast.expr, body: list[ast.stmt], *, is_true: bool) -> bool:
        narrow(self._expressions, test, is_true=is_true)
        return self._run(body)

    def _branches(self, *ways: Callable[[], bool]) -> bool:
        """Read several branches, one of which is taken. Return True if none of them continues after them."""
        before, going_on = self._expressions.variables, []
        for way in ways:
            self._expressions.variables = dict(before)
            if not way():
                going_on.append(self._expressions.variables)
        names = {name for each in going_on for name in each}
        names -= {name for name in names if "." in name and not all(name in each for each in going_on)}
        joined = {name: _joined([each[name] for each in going_on if name in each]) for name in names}
        self._expressions.variables = joined if going_on else before
        return not going_on

    def visit_For(self, node: ast.For | ast.AsyncFor) -> bool:
        item = item_of(self._expressions.value(node.iter))

        def run_body() -> bool:
            self._expressions.assign(node.target, item)
            return self._run(node.body)

        self._repeat(run_body)
        return self._run(node.orelse) and not _breaks(node.body)

    def _repeat(self, run_body: Callable[[], bool]) -> None:
        """Read the body of a loop: once for its effect on variables, and then as the code of any iteration."""
        kept = copy(vars(self._findings))
        kept.update({name: [*each] for name, each in kept.items() if isinstance(each, list)})
        self._branches(run_body, lambda: False)
        vars(self._findings).update(kept)
        self._branches(run_body, lambda: False)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> bool:
        return self.visit_For(node)

    def visit_While(self, node: ast.While) -> bool:
        self._expressions.value(node.test)
        breaks = _breaks(node.body)
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value) and not breaks
        self._repeat(functools.partial(self._run_if, node.test, node.body, is_true=True))
        if not breaks:
            narrow(self._expressions, node.test, is_true=False)
        return endless or (self._run(node.orelse) and not breaks)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> bool:
        for item in node.items:
            value = self._expressions.value(item.context_expr)
            if item.optional_vars is not None:
                self._expressions.assign(item.optional_vars, _entered(value))
        mark, ends = self._findings.mark(), self._run(node.body)
        for item in node.items:
            if isinstance(item.context_expr, ast.Call) and self._is_suppress(item.context_expr):
                self._findings.take_caught(mark, self._kinds(item.context_expr.args))
                ends = False
        return ends

    def _is_suppress(self, context: ast.Call) -> bool:
        """Return True for a call of ``contextlib.suppress``, after which the code continues."""
        return self._expressions.value(context.func) == Known(suppress)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> bool:
        return self.visit_With(node)

    def visit_Match(self, node: ast.Match) -> bool:
        left = self._expressions.value(node.subject)
        method = left.value if isinstance(left, Known) and is_method(node.subject) else None
        ways: list[Callable[[], bool]] = []
        for case in node.cases:
            fitted = fits(self._expressions, case.pattern, method)
            if fitted is False:
                continue
            ways.append(functools.partial(self._run_case, node.subject, case, left))
            if case.guard is None:
                left = NEVER if fitted else left_by(self._expressions, case.pattern, left)
            if left is NEVER:
                return self._branches(*ways)
        return self._branches(*ways, lambda: False)

    def _run_case(self, subject: ast.expr, case: ast.match_case, value: Value) -> bool:
        found = fitting(self._expressions, case.pattern, value)
        if (name := dotted(subject)) is not None:
            self._expressions.variables[name] = found
        if case.guard is not None:
            self._expressions.value(case.guard)
            narrow(self._expressions, case.guard, is_true=True)
        return self._run(case.body)

    def visit_Try(self, node: ast.Try | ast.TryStar) -> bool:
        mark, before = self._findings.mark(), dict(self._expressions.variables)
        catches = [self._caught_by(each) for each in node.handlers]
        ends = self._run(node.body)
        ways: list[Callable[[], bool]] = [lambda: ends or self._run(node.orelse)]
        for handler, kinds in zip(node.handlers, catches, strict=True):
            ways.append(functools.partial(self._handle, handler, kinds, self._findings.take_caught(mark, kinds)))
        self._expressions.variables = {**before, **self._expressions.variables}
        ended = self._branches(*ways)
        return self._run(node.finalbody) or ended

    def visit_TryStar(self, node: ast.TryStar) -> bool:
        return self.visit_Try(node)

    def _caught_by(self, handler: ast.ExceptHandler) -> tuple[type[BaseException], ...]:
        if handler.type is None:
            return (BaseException,)
        return self._kinds([handler.type])

    def _kinds(self, nodes: Iterable[ast.expr]) -> tuple[type[BaseException], ...]:
        found = [classes_in(self._expressions.value(node)) for node in nodes]
        return tuple(kind for kinds in found for kind in kinds)

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
    """Return the value of a context manager, by its annotation if it has one."""
    if isinstance(value, Of):
        arguments = get_args(value.type)
        return Of(arguments[0]) if arguments else value
    return UNKNOWN


def _breaks(body: list[ast.stmt]) -> bool:
    """Return True if a loop's body has a ``break`` out of this loop, not only out of loops inside it."""
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
