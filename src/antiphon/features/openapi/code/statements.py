"""The statements of a function, read in order: what it reads from the request, returns and raises."""

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import replace
from functools import partial
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from typing import Any, get_args

from antiphon import HTTPError
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.expressions import Expressions
from antiphon.features.openapi.code.findings import Findings, Raised
from antiphon.features.openapi.code.flow import Exit, State, Stop, is_fact, joined
from antiphon.features.openapi.code.frames import short
from antiphon.features.openapi.code.methods import Call, Parameters, call_method_of
from antiphon.features.openapi.code.objects import changed, with_headers, without_item
from antiphon.features.openapi.code.operators import classes_in, dotted, fits, fitting, left_by
from antiphon.features.openapi.code.parts import item_of, kind_of, known
from antiphon.features.openapi.code.values import (
    NEVER,
    NONE,
    PASSED,
    UNKNOWN,
    Bound,
    Closure,
    Fields,
    Items,
    Known,
    Of,
    Raisable,
    Ref,
    Tuple,
    Value,
    alternatives,
    either,
)


class Statements(Expressions, ast.NodeVisitor):
    """A call of one function, with its statements. After a statement that raises Stop, the rest of its block is not
    read.
    """

    caught: tuple[Value, ...] = ()
    """The errors caught by each handler around the statement."""

    # Functions

    def read(self) -> Findings:
        """Read the function and return the findings, including the values that it returns."""
        found = self.findings
        found.streams = bool(self.source.code.co_flags & (CO_GENERATOR | CO_ASYNC_GENERATOR))
        exits = self.run_function(self.source.body)
        frozen, now = self.flow.frozen, list[Value]()
        for each in exits:
            self.flow.state = each.state
            found.passed = either(found.passed, frozen(each.state.get(PASSED, NEVER)))
            now.append(frozen(each.value))
        found.result = either(*now)
        facts = [{key for key in each.state if is_fact(key)} for each in exits]
        found.always = frozenset(set.intersection(*facts)) if facts else frozenset()
        return found

    def run_function(self, body: Iterable[ast.stmt]) -> list[Exit]:
        """Follow a function's statements and return its exits by ``return``."""
        mark = len(self.flow.exits)
        end = self.flow.attempt(lambda: self._run(body))
        exits = self.flow.take_exits(mark, "return")
        return exits if end is None else [*exits, Exit("return", NONE, end)]

    def run_call(self, body: Iterable[ast.stmt]) -> Value:
        """Follow a call in the same state and return its result. Raises Stop if it doesn't return."""
        exits = self.run_function(body)
        if not exits:
            raise Stop
        self.flow.state = joined([each.state for each in exits])
        return either(*[each.value for each in exits])

    def call_closure(self, closure: Closure, made: Call | None) -> Value:
        """Follow a call of a function that was defined in this call; if ``made`` is None, its arguments are unknown."""
        node = closure.node
        scope = (*self.scope, "call", node if made is None else made.node)
        if not self.reader.can_follow(node):
            self.flow.escape(closure, *(made.given if made else ()))
            if node not in self.reader.open:
                self.unread("it calls code that can't be read", node, "raised")
            return UNKNOWN
        inner = Statements(self.source, node, self.reader, self.flow, self.findings, scope, self)
        inner.caught, inner.is_inner = self.caught, True
        parameters = Parameters.of(node.args)
        given: dict[str, Value] = dict.fromkeys((*parameters.by_position, *parameters.by_name), UNKNOWN)
        if made is None or made.is_open:
            given |= parameters.bound([], {}, is_open=True)
        else:
            given |= dict(closure.defaults) | parameters.bound(made.positional, made.named, is_open=False)
        with self.reader.following(node):
            for name, value in given.items():
                inner.bind(name, inner.hold(name, value))
            body = [ast.copy_location(ast.Return(node.body), node)] if isinstance(node, ast.Lambda) else node.body
            if not any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(node)):
                return inner.run_call(body)
            self.loop(partial(inner.run_call, body))  # as far as its items are requested
        self.flow.escape(*given.values(), closure)
        return Items(UNKNOWN, Iterator)

    is_inner = False

    def _run(self, statements: Iterable[ast.stmt]) -> None:
        for each in statements:
            self.at = each
            self.visit(each)

    def generic_visit(self, node: ast.AST) -> Value:
        """Read an expression or statement for which there is no rule. Everything that it mentions or sets is
        unknown.
        """
        if isinstance(node, ast.stmt):
            self.escape(*self.captured(node))
            for each in ast.walk(node):
                if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                    self.bind(each.id, UNKNOWN)
                elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                    self.escape(Closure(each, self))
            if isinstance(node, ast.ClassDef):
                self.bind(node.name, UNKNOWN)
            return UNKNOWN
        return super().generic_visit(node)

    def visit_Pass(self, node: ast.stmt) -> None: ...

    visit_Global = visit_Nonlocal = visit_Pass  # noqa: N815

    def visit_Expr(self, node: ast.Expr) -> None:
        self.value(node.value)

    # Returning and raising

    def _leave(self, kind: Any, value: Value = NONE) -> None:
        self.flow.exits.append(Exit(kind, value, self.flow.state))
        raise Stop

    def visit_Return(self, node: ast.Return) -> None:
        value = NONE if node.value is None else self.value(node.value)
        if not self.is_inner and node.value is not None and self.flow.frozen(value) is UNKNOWN:
            text = f"`return {short(node.value)}` returns a value that is not known before it runs"
            self.unread(text, node, "given")
        self._leave("return", value)

    def visit_Break(self, node: ast.Break) -> None:  # noqa: ARG002
        self._leave("break")

    def visit_Continue(self, node: ast.Continue) -> None:  # noqa: ARG002
        self._leave("continue")

    def visit_Raise(self, node: ast.Raise) -> None:
        if node.exc is None:
            raised = self.flow.frozen(self.caught[-1]) if self.caught else NEVER
        else:
            value = self.value(node.exc)
            if isinstance(value, Known) and isinstance(value.value, type):
                value = self.call(Call(node, value, [], {}))
            raised = self.flow.frozen(value)
        for each in alternatives(raised):
            error = _raisable(each)
            if error is not None:
                self.reader.note_raised(self, error, node)
            else:
                self.unread(f"`{short(node)}` raises an unknown exception", node, "raised")
        raise Stop

    # Names

    def visit_Assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        if self.is_json(node.value):
            self.json_names |= {each.id for each in node.targets if isinstance(each, ast.Name)}
        for target in node.targets:
            self.assign(target, value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is None:
            return
        value = self.value(node.value)
        said = self.value(node.annotation)
        content = self.flow.content(value)
        if isinstance(said, Known) and UNKNOWN in (content, getattr(content, "item", None)):
            typed = Of(said.value)
            if isinstance(content, Items) and content.kind is list:  # which may grow
                self.flow.change(value, lambda _: replace(content, item=item_of(typed)))
            else:
                value = typed
        self.assign(node.target, value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        left, right = self.value(node.target), self.value(node.value)
        contents = alternatives(self.flow.content(left))
        method = "update" if isinstance(node.op, ast.BitOr) else "extend"
        if isinstance(left, Ref) and all(isinstance(each, Fields | Items) for each in contents):
            given = [self.flow.content(right)]
            self.change(left, lambda each: changed(each, method, given, {}), right)
        else:
            self.escape(*[each for each in alternatives(left) if not isinstance(each, Tuple)])
            self.assign(node.target, self.operate(left, node.op, right, node))

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = [*map(self.value, node.decorator_list)]
        made: Value = Closure(node, self, self._defaults(node.args))
        for each, decorator in reversed([*zip(node.decorator_list, decorators, strict=True)]):
            made = self.call(Call(each, decorator, [made], {}))
        self.bind(node.name, made)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            match target:
                case ast.Name(id=name):
                    self.bind(name, UNKNOWN)
                case ast.Subscript():
                    owner, key = self.value(target.value), self.value(target.slice)
                    if isinstance(owner, Bound):  # a response's headers
                        self.flow.change(owner.owner, partial(with_headers, method="pop", given=[key], named={}))
                    self.flow.change(owner, partial(without_item, key=key))
                    call_method_of(self, owner, "__delitem__", [key], node)
                case ast.Attribute():
                    self.escape(self.value(target.value))
                    self.flow.forget_attributes()
                case _:
                    self.escape(self.value(target))

    def visit_Import(self, node: ast.Import) -> None:
        for each in node.names:
            found = self.source.imported(each.name if each.asname else each.name.partition(".")[0])
            self.bind(each.asname or each.name.partition(".")[0], known(found))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for each in node.names:
            found = self.source.imported(node.module or "", node.level, each.name)
            self.bind(each.asname or each.name, known(found))

    # Branches

    def visit_Assert(self, node: ast.Assert) -> None:
        self.flow.branch(partial(self.test, node.test, True), partial(self._fail, node))

    def _fail(self, node: ast.Assert) -> None:
        self.test(node.test, False)
        self.value(node.msg)
        raise Stop

    def visit_If(self, node: ast.If) -> None:
        test = self.value(node.test)
        self.flow.branch(
            partial(self._run_where, test, node.test, node.body, True),
            partial(self._run_where, test, node.test, node.orelse, False),
        )

    def _run_where(self, value: Value, test: ast.expr, body: list[ast.stmt], is_true: bool) -> None:
        self.where(value, test, is_true)
        self._run(body)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        items = self.value(node.iter)

        def run_body() -> None:
            self.assign(node.target, self.items_of(items, node))
            self._run(node.body)

        self._loop(run_body, node.orelse)

    visit_AsyncFor = visit_For  # noqa: N815

    def visit_While(self, node: ast.While) -> None:
        def run_body() -> None:
            self.test(node.test, True)
            self._run(node.body)

        def leave() -> None:
            if isinstance(node.test, ast.Constant) and node.test.value:
                raise Stop
            self.test(node.test, False)
            self._run(node.orelse)

        self._loop(run_body, [], leave)

    def _loop(self, body: Callable[[], None], orelse: list[ast.stmt], leave: Callable[[], None] | None = None) -> None:
        kept = self.findings.mark()
        _, breaks = self.flow.loop(body, lambda: self.findings.forget(kept))
        end = self.flow.attempt(leave or (lambda: self._run(orelse)))
        self._go_on([each.state for each in breaks] + ([] if end is None else [end]))

    def _go_on(self, states: Sequence[State]) -> None:
        if not states:
            raise Stop
        self.flow.state = joined(states)

    def visit_Match(self, node: ast.Match) -> None:
        left = self.value(node.subject)
        method = left.value if isinstance(left, Known) and getattr(node.subject, "attr", "") == "method" else None
        ways: list[Callable[[], None]] = []
        for case in node.cases:
            fitted = fits(self, case.pattern, method)
            if fitted is False:
                continue
            ways.append(partial(self._run_case, node.subject, case, left))
            if case.guard is None:
                left = NEVER if fitted else left_by(self, case.pattern, left)
            if left is NEVER:
                break
        if left is not NEVER:
            ways.append(lambda: None)
        self.flow.branch(*ways)

    def _run_case(self, subject: ast.expr, case: ast.match_case, value: Value) -> None:
        found = fitting(self, case.pattern, value)
        if isinstance(subject, ast.Name) and self.key_of(subject.id) is not None:
            self.bind(subject.id, found)
        elif (name := dotted(subject)) is not None:
            self.flow.state[self.scope, name if "." in name else f".{name}"] = found
        if case.guard is not None:
            self.test(case.guard, True)
        self._run(case.body)

    # Errors, and code that runs after a block

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        if node.finalbody:
            self._finally(partial(self._try, node), partial(self._run, node.finalbody))
        else:
            self._try(node)

    visit_TryStar = visit_Try  # noqa: N815

    def _finally(self, block: Callable[[], Any], last: Callable[[], Any]) -> None:
        """Follow a block, and the code that runs after each of its exits."""
        mark = len(self.flow.exits)
        end, seen = self.flow.watch(block)
        exits = self.flow.exits[mark:]
        del self.flow.exits[mark:]
        self.flow.state = seen
        self.flow.attempt(last)
        for each in exits:
            self.flow.state = dict(each.state)
            if (state := self.flow.attempt(last)) is not None:
                self.flow.exits.append(each._replace(state=state))
        self._go_on([] if end is None else [end])
        last()

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        mark = self.findings.mark()
        catches = [self._caught_by(each) for each in node.handlers]
        end, seen = self.flow.watch(lambda: self._run(node.body))
        caught = [self.findings.take_caught(mark, kinds) for kinds in catches]

        def go_on() -> None:
            self._go_on([] if end is None else [end])
            self._run(node.orelse)

        def handle(handler: ast.ExceptHandler, kinds: tuple[type[BaseException], ...], found: list[Raised]) -> None:
            self.flow.state = dict(seen)
            self._handle(handler, kinds, found)

        self.flow.branch(go_on, *[partial(handle, *each) for each in zip(node.handlers, catches, caught, strict=True)])

    def _caught_by(self, handler: ast.ExceptHandler) -> tuple[type[BaseException], ...]:
        return (BaseException,) if handler.type is None else self._kinds([handler.type])

    def _kinds(self, nodes: Iterable[ast.expr]) -> tuple[type[BaseException], ...]:
        return tuple(kind for node in nodes for kind in classes_in(self.value(node)))

    def _handle(self, handler: ast.ExceptHandler, kinds: tuple[type[BaseException], ...], again: list[Raised]) -> None:
        place = self.source.place_of(handler)
        own = [
            kind for kind in kinds if issubclass(kind, HTTPError) and "status" in vars(kind) and kind is not HTTPError
        ]
        known = again or [Raised(Raisable(kind, kind.status), place) for kind in own]
        errors = [each.error for each in known] or [*map(Raisable, kinds)]
        error = self.hold(handler, either(*errors)) if errors else UNKNOWN
        if handler.name:
            self.bind(handler.name, error)
        self.caught = (*self.caught, error if known else NEVER)
        try:
            self._run(handler.body)
        finally:
            self.caught = self.caught[:-1]

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        self._with(node.items, node.body)

    visit_AsyncWith = visit_With  # noqa: N815

    def _with(self, items: Sequence[ast.withitem], body: list[ast.stmt]) -> None:
        if not items:
            self._run(body)
            return
        first, *others = items
        manager = self.value(first.context_expr)
        entered, leave = self._entered(manager, first.context_expr)
        if first.optional_vars is not None:
            self.assign(first.optional_vars, entered)
        mark = self.findings.mark()
        kinds = self._suppressed(first.context_expr)
        if kinds is None and not _may_suppress(self.flow.content(manager)):
            self._finally(partial(self._with, others, body), leave)
            return
        end, seen = self.flow.watch(lambda: self._with(others, body))
        if kinds is not None:
            self.findings.take_caught(mark, kinds)
        self._go_on([seen] if end is None else [end, seen])
        leave()

    def _suppressed(self, context: ast.expr) -> tuple[type[BaseException], ...] | None:
        """Return the errors that ``contextlib.suppress`` suppresses; None for any other context manager."""
        is_suppress = isinstance(context, ast.Call) and self.value(context.func) == Known(suppress)
        return self._kinds(context.args) if isinstance(context, ast.Call) and is_suppress else None

    def _entered(self, manager: Value, node: ast.AST) -> tuple[Value, Callable[[], Any]]:
        """Return a context manager's value, and the function that follows its exit."""
        if isinstance(manager, Items):  # a function of contextlib
            return manager.item, lambda: None
        for prefix in ("__", "__a"):
            found = call_method_of(self, manager, f"{prefix}enter__", [], node)
            if found is not None:
                return found, partial(call_method_of, self, manager, f"{prefix}exit__", [UNKNOWN] * 3, node)
        arguments = get_args(manager.type) if isinstance(manager, Of) else ()
        return Of(arguments[0]) if arguments else manager if isinstance(manager, Of) else UNKNOWN, lambda: None


def _may_suppress(manager: Value) -> bool:
    """True if a context manager may suppress an error, which it may if its ``__exit__`` returns a bool."""
    cls = kind_of(manager)
    if cls is None or cls in (suppress, ExitStack, AsyncExitStack) or isinstance(manager, Items):
        return True
    leave = annotations.method_of(cls, "__exit__") or annotations.method_of(cls, "__aexit__")
    return leave is not None and annotations.returned_by(leave) in (bool, annotations.NOT_SAID)


def _raisable(value: Value) -> Raisable | None:
    """Return a value's exception: the value itself, or the exception that is created when a class is raised."""
    if isinstance(value, Raisable):
        return value
    kind = value.type if isinstance(value, Of) else value.value if isinstance(value, Known) else None
    return Raisable(kind) if isinstance(kind, type) and issubclass(kind, BaseException) else None
