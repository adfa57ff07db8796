"""Expressions, and what can be told about their values without running them."""

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from antiphon.features.forms.messages import FormError
from antiphon.features.openapi import annotations
from antiphon.features.openapi.calls import Call, call
from antiphon.features.openapi.findings import About, Findings, Named, Read, Unread
from antiphon.features.openapi.operators import combined, compared, is_method
from antiphon.features.openapi.parts import (
    attribute_of_instance,
    attribute_of_object,
    item_at,
    item_of,
    said,
    sliced,
    unpacked,
)
from antiphon.features.openapi.sources import MISSING, Source
from antiphon.features.openapi.values import (
    NEVER,
    TEXT,
    UNKNOWN,
    Answer,
    Bound,
    Fields,
    FormOf,
    Items,
    Known,
    Of,
    Pairs,
    Statuses,
    TheRequest,
    Tuple,
    Value,
    alternatives,
    either,
    without_none,
)
from antiphon.request.dependencies import Dependency
from antiphon.request.request import Request

if TYPE_CHECKING:
    from antiphon.features.openapi.reading import CodeReader

_PAIRS: dict[str, Pairs] = {
    "args": Pairs("query"), "form": Pairs("form"), "files": Pairs("files"), "cookies": Pairs("cookie"),
    "headers": Pairs("header"),
}  # fmt: skip
_ANY_BODY: dict[str, Value] = {"body": Of(bytes), "text": TEXT, "stream": UNKNOWN}


class Expressions(ast.NodeVisitor):
    """The expressions of one function. What they take of the request is noted in the findings."""

    def __init__(self, source: Source, variables: dict[str, Value], reader: "CodeReader", findings: Findings) -> None:
        self.source = source
        self.variables = variables
        self.reader = reader
        self.findings = findings

    def value(self, node: ast.expr | None) -> Value:
        """Return what is known about the value of an expression."""
        if node is None:
            return UNKNOWN
        found: Value = self.visit(node)
        return found

    def generic_visit(self, node: ast.AST) -> Value:
        """Read the parts of an expression about whose value nothing is known."""
        for child in ast.iter_child_nodes(node):
            self.visit(child)
        return UNKNOWN

    def unread(self, text: str, node: ast.AST, about: About) -> None:
        """Note that something can't be told."""
        self.findings.unread.append(Unread(text, self.source.place_of(node), about))

    # Names and constants

    def visit_Constant(self, node: ast.Constant) -> Value:
        return Known(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Value:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.value(part.value)
        return TEXT

    def visit_Name(self, node: ast.Name) -> Value:
        if node.id in self.variables:
            return self.variables[node.id]
        found = self.source.find(node.id)
        if found is MISSING:
            return UNKNOWN
        if isinstance(found, dict | list | tuple | set | frozenset) or found is None:
            annotation = self.source.annotation_of(node.id)
            return Known(found) if annotation is MISSING else Of(annotation)
        return Known(found)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> Value:
        value = self.value(node.value)
        self.variables[node.target.id] = value
        return value

    # Parts of values

    def visit_Attribute(self, node: ast.Attribute) -> Value:
        owner = self.value(node.value)
        return either(*[self._attribute(each, node) for each in alternatives(owner)])

    def _attribute(self, owner: Value, node: ast.Attribute) -> Value:
        if isinstance(owner, TheRequest):
            return self._of_request(node)
        if isinstance(owner, Known):
            return attribute_of_object(owner, node.attr)
        if isinstance(owner, Of):
            return attribute_of_instance(owner, node.attr)
        if isinstance(owner, FormOf) and node.attr == "data":
            return Of(owner.wanted)
        if isinstance(owner, FormOf) and node.attr == "status":
            return Statuses((200, 413, 422))
        if isinstance(owner, FormOf) and node.attr == "errors":
            return Of(Mapping[str, list[FormError]])
        return Bound(owner, None, node.attr)

    def _of_request(self, node: ast.Attribute) -> Value:
        name = node.attr
        if name in _PAIRS:
            if name in ("form", "files"):
                self.note_read(name, node)
            return _PAIRS[name]
        if name == "json":
            self.findings.reads.append(Read("json", Any, self.source.place_of(node)))
            return UNKNOWN
        if name in _ANY_BODY:
            self.findings.reads.append(Read("raw", Any, self.source.place_of(node)))
            return _ANY_BODY[name]
        if name == "method":
            return Known(self.reader.method)
        if name == "user":
            self.findings.reads_user = True
        method = annotations.method_of(Request, name)
        if method is not None:
            return Bound(TheRequest(), method, name)
        kind = annotations.attribute_of(Request, name)
        return UNKNOWN if kind is annotations.NOT_SAID else Of(kind)

    def note_read(self, part: str, node: ast.AST) -> None:
        """Note that a form is read without a type."""
        self.findings.reads.append(Read("form", Any, self.source.place_of(node)))
        if part == "files":
            self.findings.named.append(Named("files", ""))

    def visit_Subscript(self, node: ast.Subscript) -> Value:
        owner, key = self.value(node.value), self.value(node.slice)
        if isinstance(node.slice, ast.Slice):
            return either(*[sliced(each) for each in alternatives(owner)])
        return either(*[self._subscript(each, key) for each in alternatives(owner)])

    def _subscript(self, owner: Value, key: Value) -> Value:
        if isinstance(owner, TheRequest):
            dependency = key.value if isinstance(key, Known) else None
            return said(annotations.dependency_type(dependency)) if isinstance(dependency, Dependency) else UNKNOWN
        if isinstance(owner, Pairs):
            return self.field(owner, key, is_required=True)
        return item_at(owner, key)

    def field(
        self, owner: Pairs, key: Value, kind: Any = str, *, is_required: bool = False, is_list: bool = False
    ) -> Value:
        """Note a field of a multi-dictionary that is read by its name, and return its value."""
        if not isinstance(key, Known) or not isinstance(key.value, str):
            return UNKNOWN
        self.findings.named.append(Named(owner.kind, key.value, kind, is_required, is_list))
        if owner.kind == "files":
            return UNKNOWN
        return Of(annotations.list_of(kind)) if is_list else Of(kind)

    # Literals

    def visit_Dict(self, node: ast.Dict) -> Value:
        fields: dict[str, Value] = {}
        is_open = False
        for key, written in zip(node.keys, node.values, strict=True):
            value = self.value(written)
            name = self.value(key) if key is not None else None
            if isinstance(name, Known) and isinstance(name.value, str):
                fields[name.value] = value
            elif key is None and isinstance(value, Fields):
                fields.update(value.items)
            else:
                is_open = True
        return Of(dict[str, Any]) if is_open else Fields(tuple(fields.items()))

    def visit_List(self, node: ast.List) -> Value:
        return Items(either(*[self.value(each) for each in node.elts]))

    def visit_Tuple(self, node: ast.Tuple) -> Value:
        return Tuple(tuple(self.value(each) for each in node.elts))

    def visit_ListComp(self, node: ast.ListComp) -> Value:
        self._generators(node.generators)
        return Items(self.value(node.elt))

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> Value:
        self._generators(node.generators)
        return Items(self.value(node.elt))

    def visit_SetComp(self, node: ast.SetComp) -> Value:
        self._generators(node.generators)
        self.value(node.elt)
        return UNKNOWN

    def visit_DictComp(self, node: ast.DictComp) -> Value:
        self._generators(node.generators)
        self.value(node.key)
        value = self.value(node.value)
        return Of(annotations.dict_of(value.type if isinstance(value, Of) else Any))

    def _generators(self, generators: list[ast.comprehension]) -> None:
        for each in generators:
            self.assign(each.target, item_of(self.value(each.iter)))
            for condition in each.ifs:
                self.value(condition)

    # Operators

    def visit_BoolOp(self, node: ast.BoolOp) -> Value:
        values = [self.value(each) for each in node.values]
        if isinstance(node.op, ast.Or):
            return either(*[without_none(each) for each in values[:-1]], values[-1])
        return either(*values)

    def visit_IfExp(self, node: ast.IfExp) -> Value:
        test = self.value(node.test)
        if isinstance(test, Known) and isinstance(test.value, bool):
            return self.value(node.body if test.value else node.orelse)
        return either(self.value(node.body), self.value(node.orelse))

    def visit_Compare(self, node: ast.Compare) -> Value:
        left, *others = [self.value(each) for each in (node.left, *node.comparators)]
        if len(others) != 1 or not is_method(node.left):
            return Of(bool)
        return compared(left, node.ops[0], others[0])

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Value:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return Known(not value.value) if isinstance(value, Known) and isinstance(value.value, bool) else Of(bool)
        return value

    def visit_BinOp(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        return combined(left, node.op, right)

    def visit_Await(self, node: ast.Await) -> Value:
        value = self.value(node.value)
        return Of(annotations.awaited(value.type)) if isinstance(value, Of) else value

    def visit_Yield(self, node: ast.Yield) -> Value:
        self.value(node.value)
        return Answer(is_passed_on=True)  # in middleware

    def visit_Lambda(self, node: ast.Lambda) -> Value:
        self.value(node.body)
        return UNKNOWN

    def visit_Starred(self, node: ast.Starred) -> Value:
        return item_of(self.value(node.value))

    def visit_Call(self, node: ast.Call) -> Value:
        called = self.value(node.func)
        positional = [self.value(each) for each in node.args]
        named = {each.arg: self.value(each.value) for each in node.keywords if each.arg is not None}
        for each in node.keywords:
            if each.arg is None:
                self.value(each.value)
        made = [call(self, Call(node, one, positional, named)) for one in alternatives(called)]
        return either(*made) if made else NEVER

    # Assignment

    def assign(self, target: ast.expr, value: Value) -> None:
        """Give a variable a value, or several that are unpacked."""
        if isinstance(target, ast.Name):
            self.variables[target.id] = value
        elif isinstance(target, ast.Starred):
            self.assign(target.value, Items(value))
        elif isinstance(target, ast.Tuple | ast.List):
            for at, each in enumerate(target.elts):
                fits = isinstance(value, Tuple) and len(value.items) == len(target.elts)
                self.assign(each, value.items[at] if fits and isinstance(value, Tuple) else unpacked(value, at))
        else:
            self.value(target)
