"""Expressions, and what is known about their values without running them."""

import ast
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from types import NoneType
from typing import Any, get_args

from antiphon import Dependency, Request
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.calls import call
from antiphon.features.openapi.code.findings import Named
from antiphon.features.openapi.code.frames import Frame
from antiphon.features.openapi.code.methods import Call, call_function, call_method_of
from antiphon.features.openapi.code.objects import OPEN, changed, is_problem, merged, with_item
from antiphon.features.openapi.code.operators import combined, compared, dotted, is_option, simple_type
from antiphon.features.openapi.code.parts import (
    attribute_of_instance,
    attribute_of_object,
    item_at,
    kind_of,
    known,
    may_change,
    sliced,
)
from antiphon.features.openapi.code.sources import MISSING
from antiphon.features.openapi.code.values import (
    NEVER,
    NONE,
    PASSED,
    TEXT,
    THE_URL,
    UNKNOWN,
    Bound,
    Closure,
    Either,
    Evidence,
    Fields,
    FormOf,
    Instance,
    Items,
    Known,
    Of,
    Pairs,
    Part,
    PathText,
    Raisable,
    Ref,
    ResponseValue,
    RowsOf,
    Statuses,
    TheRequest,
    Tuple,
    Value,
    alternatives,
    either,
    parts_of,
    where_truth,
)
from antiphon.http import URL, UnprocessableContent

_PAIRS: dict[str, Pairs] = {
    "args": Pairs("query"), "form": Pairs("form"), "files": Pairs("files"), "cookies": Pairs("cookie"),
    "headers": Pairs("header"),
}  # fmt: skip


_ANY_BODY: dict[str, Value] = {"body": Of(bytes), "text": TEXT, "stream": UNKNOWN}


_FIELDS = {
    name: name.replace("_", "-")
    for name in ("if_match", "if_none_match", "if_modified_since", "if_unmodified_since", "if_range", "range")
} | {"idempotency_key": "Idempotency-Key", "last_event_id": "Last-Event-ID"}
"""The request's attributes that are header fields: those of conditions (RFC 9110 §13.1), and others of a client's own.
"""


_SPECIAL = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.BitOr: "or", ast.BitAnd: "and",
    ast.Mod: "mod", ast.FloorDiv: "floordiv", ast.MatMult: "matmul", ast.Pow: "pow",
}  # fmt: skip


_UNARY: dict[type[ast.unaryop], Callable[[int], int]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert,
}  # fmt: skip


class Expressions(Frame, ast.NodeVisitor):
    """The expressions of a function."""

    def visit_Constant(self, node: ast.Constant) -> Value:
        return Known(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Value:
        shown = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                shown += [self.value(part.value), self.value(part.format_spec)]
        return self.use(*shown, result=TEXT)

    def visit_Name(self, node: ast.Name) -> Value:
        key = self.key_of(node.id)
        if (key or node.id) in self.flow.lost:
            return UNKNOWN
        if key is not None:
            return self.flow.state.get(key, UNKNOWN)
        if (said := self.flow.state.get((self.scope, f".{node.id}"))) is not None:
            return said
        found = self.source.find(node.id)
        annotation = self.source.annotation_of(node.id) if may_change(found) else MISSING
        return known(found) if annotation is MISSING else Of(annotation)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> Value:
        value = self.value(node.value)
        self.assign(node.target, value)
        return value

    def visit_Attribute(self, node: ast.Attribute) -> Value:
        name = dotted(node)
        if name is not None and (said := self.flow.state.get((self.scope, name))) is not None:
            return said
        owner = self.value(node.value)
        return self.each(owner, lambda one: self.attribute(one, node.attr, node))

    def attribute(self, owner: Value, name: str, node: ast.AST) -> Value:
        """Return an attribute of a value. If it is a property defined by the application, its code is followed."""
        match owner:
            case TheRequest():
                return self._of_request(name, node)
            case Either():
                return self.each(owner, lambda one: self.attribute(one, name, node))
            case Ref():
                several = alternatives(self.flow.content(owner))
                return either(*[self._of_object(each, owner, name, node) for each in several])
            case Known(held) if not isinstance(held, type):
                return self._property(owner, type(held), name, node, partial(attribute_of_object, owner, name))
            case Known():
                return attribute_of_object(owner, name)
            case Of(kind):
                cls = annotations.class_of(kind)
                if owner == THE_URL:  # the URL
                    whole = name in ("query", "target")
                    return owner if whole else attribute_of_instance(Of(URL), name, owner)
                return self._property(owner, cls, name, node, partial(attribute_of_instance, owner, name))
            case FormOf(wanted, is_query, kind) if name in ("data", "errors", "is_csv", "status"):
                hint = annotations.attribute_of(kind, name)
                if name == "status":  # a query has no body that may be too large
                    return Statuses(tuple(each for each in get_args(hint) if not (is_query and each == 413)))
                return Of(wanted if name == "data" else hint)
            case RowsOf() if name == "error":
                wrong = Raisable(UnprocessableContent, 422, "A field is not valid.")
                return either(self.hold(node, wrong), NONE)
        return Bound(owner, None, name)

    def _property(
        self, owner: Value, cls: type | None, name: str, node: ast.AST, otherwise: Callable[[], Value]
    ) -> Value:
        getter = None if cls is None else annotations.getter_of(cls, name)
        if getter is None or not self.reader.follows(getter):
            return otherwise()
        return call_function(self, Call(node, owner, [], {}), getter, owner)

    def _of_object(self, content: Value, owner: Ref, name: str, node: ast.AST) -> Value:
        """Return an attribute of a response, an error, an instance, a dict or a list."""
        match content:
            case Instance(kind, attributes):
                if name.startswith("__"):  # such as __dict__
                    self.escape(owner)
                known = dict(attributes).get(name)
                other = partial(attribute_of_instance, content, name, owner)
                return self._property(owner, kind, name, node, other if known is None else lambda: known)
            case ResponseValue(statuses=codes) if name == "status":
                return UNKNOWN if codes is None or content.is_passed_on else Statuses(codes)
            case ResponseValue() if name == "body":
                return Of(bytes)
            case Raisable() if name == "headers":
                return Fields(())  # these never contain a media type
            case Raisable() if name == "status":
                return UNKNOWN if content.known_status is None else Known(content.known_status)
            case Raisable(kind):
                return attribute_of_instance(Of(kind), name, owner)
        return Bound(owner, None, name)

    def _of_request(self, name: str, node: ast.AST) -> Value:
        name = self.reader.words.attributes.get(name, name)
        if name in _PAIRS:
            if name in ("form", "files"):
                self.note_read(name, node)
            return _PAIRS[name]
        if name == "json":
            self.note_read("json", node)
            return UNKNOWN
        if name in _ANY_BODY:
            self.note_read("raw", node)
            return _ANY_BODY[name]
        if name == "method":
            return Known(self.reader.method)
        if name == "path":
            self.reader.has_read_path = True
            return PathText(str, self.reader.path)
        if name == "url":
            return THE_URL
        if name == "query_string":
            self.escape(Pairs("query"))
        if name in _FIELDS:
            self.findings.named.append(Named("header", _FIELDS[name]))
            kind = annotations.without_none(annotations.attribute_of(Request, name))
            return either(Evidence(kind, "header", _FIELDS[name]), NONE)
        held = getattr(Request, name, None)
        if isinstance(held, Dependency):
            return self.reader.dependency(self, held, node)
        method = annotations.method_of(Request, name)
        if method is not None:
            return Bound(TheRequest(), method, name)
        kind = annotations.attribute_of(Request, name)
        return UNKNOWN if kind is annotations.NOT_SAID else Of(kind)

    def visit_Subscript(self, node: ast.Subscript) -> Value:
        owner, key = self.value(node.value), self.value(node.slice)
        if isinstance(key, Known) and isinstance(key.value, str) and self.is_json(node.value):
            self.findings.named.append(Named("json", key.value, is_required=True))
        if isinstance(node.slice, ast.Slice):
            return self.hold(node, either(*[sliced(each) for each in alternatives(self.flow.content(owner))]))
        return self.each(owner, lambda one: self._subscript(one, key, node))

    def is_json(self, node: ast.expr) -> bool:
        """True for the JSON of the request, read without a type, or a name for it."""
        match node:
            case ast.Attribute(value=ast.Name(), attr=name) if self.reader.words.attributes.get(name, name) == "json":
                return isinstance(self.value(node.value), TheRequest)
            case ast.Name(id=name):
                return name in self.json_names
        return False

    def visit_Slice(self, node: ast.Slice) -> Value:
        for each in (node.lower, node.upper, node.step):
            self.value(each)
        return UNKNOWN

    def _subscript(self, owner: Value, key: Value, node: ast.Subscript) -> Value:
        if isinstance(owner, TheRequest):
            dependency = key.value if isinstance(key, Known) else None
            return self.reader.dependency(self, dependency, node) if isinstance(dependency, Dependency) else UNKNOWN
        if isinstance(owner, Pairs):
            return self.field(owner, key, is_required=True)
        if (found := call_method_of(self, owner, "__getitem__", [key], node)) is not None:
            return found
        return either(*[item_at(each, key) for each in alternatives(self.flow.content(owner))])

    def visit_Dict(self, node: ast.Dict) -> Value:
        content: Value = Fields(())
        values: list[Value] = []
        for key, written in zip(node.keys, node.values, strict=True):
            name = None if key is None else self.value(key)
            values.append(self.value(written))
            if name is None:
                self.use(values[-1])
                content = either(*[merged(content, [one]) for one in alternatives(self.flow.content(values[-1]))])
            else:
                content = either(*[with_item(one, name, values[-1]) for one in alternatives(content)])
        if OPEN in alternatives(content):
            self.escape(*values)
        return self.hold(node, content)

    def visit_List(self, node: ast.List) -> Value:
        return self.hold(node, Items(either(*self._spread(node.elts)[0])))

    def visit_Set(self, node: ast.Set) -> Value:
        return self.hold(node, Items(either(*self._spread(node.elts)[0]), set))

    def visit_Tuple(self, node: ast.Tuple) -> Value:
        items, is_open = self._spread(node.elts)
        return Items(either(*items), tuple) if is_open else Tuple(tuple(items))

    def _spread(self, nodes: Iterable[ast.expr]) -> tuple[list[Value], bool]:
        """Return the values of expressions, and True if there may be another number of some of them."""
        found: list[Value] = []
        is_open = False
        for each in nodes:
            value = self.value(each.value if isinstance(each, ast.Starred) else each)
            if not isinstance(each, ast.Starred):
                found.append(value)
            elif isinstance(value, Tuple):
                found += value.items
            else:
                is_open = True
                found.append(self.items_of(value, each))
        return found, is_open

    def visit_ListComp(self, node: ast.ListComp) -> Value:
        return self.hold(node, Items(self._each(node, node.elt)[0]))

    def visit_SetComp(self, node: ast.SetComp) -> Value:
        return self.hold(node, Items(self._each(node, node.elt)[0], set))

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> Value:
        return Items(self._each(node, node.elt)[0], Iterator)

    def visit_DictComp(self, node: ast.DictComp) -> Value:
        key, value = self._each(node, node.key, node.value)
        return self.hold(node, Items(value, dict, key))

    def _each(self, node: Any, *parts: ast.expr) -> list[Value]:
        """Return the values of a comprehension's components. Its variables are local to it."""
        made = self.flow.make((*self.scope, node, "each"), Tuple((NEVER,) * len(parts)))
        names = {each.id for one in node.generators for each in ast.walk(one.target) if isinstance(each, ast.Name)}
        kept = {name: self.flow.state.get((self.scope, name)) for name in names}

        def run(left: Sequence[ast.comprehension]) -> None:
            if not left:
                found = tuple(self.value(each) for each in parts)
                self.flow.set(made, either(self.flow.content(made), Tuple(found)))
                return
            item = self.items_of(self.value(left[0].iter), node)
            self.loop(partial(self._run_each, left[0], item, partial(run, left[1:])))

        run(node.generators)
        for name, before in kept.items():
            self.flow.state.pop((self.scope, name), None)
            if before is not None:
                self.flow.state[self.scope, name] = before
        several = map(parts_of, alternatives(self.flow.state.pop(made)))
        return [either(*each) for each in zip(*several, strict=True)]

    def _run_each(self, each: ast.comprehension, item: Value, run: Callable[[], None]) -> None:
        self.assign(each.target, item)
        for condition in each.ifs:
            self.test(condition, True)
        run()

    def visit_BoolOp(self, node: ast.BoolOp) -> Value:
        return self._bool(node.values, isinstance(node.op, ast.And))

    def _bool(self, values: Sequence[ast.expr], is_and: bool) -> Value:
        first = self.value(values[0])
        if len(values) == 1:
            return first

        several = alternatives(first)  # `or` evaluates what it tests
        tested = first if is_and else either(*[UNKNOWN if isinstance(each, Part | Pairs) else each for each in several])

        def stay() -> Value:
            self.where(tested, values[0], not is_and)
            return where_truth(first, is_true=not is_and)

        def go_on() -> Value:
            self.where(tested, values[0], is_and)
            return self._bool(values[1:], is_and)

        return self.flow.branch(stay, go_on)

    def visit_IfExp(self, node: ast.IfExp) -> Value:
        test = self.value(node.test)

        def follow(way: ast.expr, is_true: bool) -> Value:
            self.where(test, node.test, is_true)
            return self.value(way)

        return self.flow.branch(partial(follow, node.body, True), partial(follow, node.orelse, False))

    def visit_Compare(self, node: ast.Compare) -> Value:
        left, *others = [self.value(each) for each in (node.left, *node.comparators)]
        self.use(left)
        for how, one, other in zip(node.ops, (left, *others), others, strict=False):
            for each in alternatives(other):
                if not (isinstance(each, Pairs) and isinstance(how, ast.In | ast.NotIn)):
                    self.use(each)
                    continue
                found = self.field(each, one)
                if isinstance(found, Evidence) and other is each and len(others) == 1:
                    return replace(found, type=bool, when=isinstance(how, ast.In))
        if len(others) != 1:
            return Of(bool)
        if others[0] == NONE and isinstance(node.ops[0], ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
            first, *more = [each for each in alternatives(left) if each != NONE] or [NONE]
            if isinstance(first, Evidence) and not more:
                return replace(first, type=bool, when=isinstance(node.ops[0], ast.IsNot | ast.NotEq))
        is_settled = isinstance(left, PathText) or (
            isinstance(node.left, ast.Attribute)
            and (node.left.attr == "method" or is_option(self.value(node.left.value)))
        )
        return compared(left, node.ops[0], others[0]) if is_settled else Of(bool)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Value:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return Known(not value.value) if isinstance(value, Known) and isinstance(value.value, bool) else Of(bool)
        if isinstance(value, Known) and type(value.value) is int:
            return Known(_UNARY[type(node.op)](value.value))
        kind = simple_type(value)
        return Of(kind) if kind in (int, float) else UNKNOWN

    def visit_BinOp(self, node: ast.BinOp) -> Value:
        return self.operate(self.value(node.left), node.op, self.value(node.right), node)

    def operate(self, left: Value, operator: ast.operator, right: Value, node: ast.AST) -> Value:
        """Return an operator's result for two values."""
        one, other = self.flow.content(left), self.flow.content(right)
        match one, operator, other:
            case _, ast.BitOr(), _ if kind_of(one) is kind_of(other) is dict:
                return self.hold(node, merged(one, [other]))
            case Items(item, kind), ast.Add() | ast.BitOr() | ast.Sub() | ast.BitAnd(), Items(second):
                return self.hold(node, Items(either(item, second), kind))
            case Of(), ast.BitOr(), _ if is_problem(one):
                return self.hold(node, changed(one, "update", [other], {}))
            case Items(), ast.Mult(), _:
                return self.hold(node, one)
            case Tuple(items), ast.Add(), Tuple(more):
                return Tuple((*items, *more))
        name = _SPECIAL.get(type(operator))
        if name and (found := call_method_of(self, left, f"__{name}__", [right], node)) is not None:
            return found
        found = combined(left, operator, right)
        if found is UNKNOWN:
            self.escape(left, right)
        return self.use(left, right, result=found)

    def visit_Await(self, node: ast.Await) -> Value:
        self.awaited = node.value
        value = self.value(node.value)
        return either(*[_awaited(each) for each in alternatives(value)])

    def visit_Yield(self, node: ast.Yield) -> Value:
        value = NONE if node.value is None else self.value(node.value)
        self.findings.yields = either(self.findings.yields, self.flow.frozen(value))
        self.escape(value)
        return PASSED if PASSED in self.flow.state else NONE

    def visit_YieldFrom(self, node: ast.YieldFrom) -> Value:
        item = self.items_of(self.value(node.value), node)
        self.findings.yields = either(self.findings.yields, self.flow.frozen(item))
        return UNKNOWN

    def visit_Lambda(self, node: ast.Lambda) -> Value:
        return Closure(node, self, self._defaults(node.args))

    def _defaults(self, arguments: ast.arguments) -> tuple[tuple[str, Value], ...]:
        positional = [*arguments.posonlyargs, *arguments.args]
        named = zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)
        keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        return tuple((each.arg, self.value(given)) for each, given in (*named, *keywords) if given is not None)

    def visit_Call(self, node: ast.Call) -> Value:
        is_awaited, self.awaited = self.awaited is node, None
        called = self.value(node.func)
        positional: list[Value] = []
        named: dict[str, Value] = {}
        is_open = False
        for each in node.args:
            value = self.value(each.value if isinstance(each, ast.Starred) else each)
            if is_open:
                self.escape(value)
            elif not isinstance(each, ast.Starred):
                positional.append(value)
            elif isinstance(value, Tuple):
                positional += value.items
            else:
                is_open = True
                self.escape(value, self.items_of(value, node))
        for keyword in node.keywords:
            value = self.value(keyword.value)
            content = self.flow.content(value)
            if keyword.arg is not None:
                named[keyword.arg] = value
            elif isinstance(content, Fields):
                named.update(content.items)
            else:
                is_open = True
                self.escape(value)
        made = Call(node, called, positional, named, is_open, is_awaited)
        return self.each(called, lambda one: call(self, made._replace(called=one))) if called is not NEVER else NEVER

    def call(self, made: Call) -> Value:
        """Return a call's result."""
        return call(self, made)


def _awaited(value: Value) -> Value:
    if not isinstance(value, Of):
        return value
    found = annotations.awaited(value.type)
    return NONE if found in (None, NoneType) else UNKNOWN if annotations.has_variables(found) else Of(found)
