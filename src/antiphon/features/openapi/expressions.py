"""Expressions, and what can be told about their values without running them."""

import ast
import inspect
from collections.abc import Collection, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, get_args

from antiphon.features.forms.messages import FormError
from antiphon.features.openapi import annotations
from antiphon.features.openapi.calls import Call, call
from antiphon.features.openapi.findings import About, Findings, Named, Read, Unread
from antiphon.features.openapi.sources import MISSING, Source
from antiphon.features.openapi.values import (
    NEVER,
    TEXT,
    UNKNOWN,
    Answer,
    Bound,
    Either,
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
            return _of_object(owner, node.attr)
        if isinstance(owner, Of):
            return _of_instance(owner, node.attr)
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
            return either(*[_sliced(each) for each in alternatives(owner)])
        return either(*[self._subscript(each, key) for each in alternatives(owner)])

    def _subscript(self, owner: Value, key: Value) -> Value:
        if isinstance(owner, TheRequest):
            dependency = key.value if isinstance(key, Known) else None
            return _said(annotations.dependency_type(dependency)) if isinstance(dependency, Dependency) else UNKNOWN
        if isinstance(owner, Pairs):
            return self.field(owner, key, is_required=True)
        if isinstance(owner, Fields) and isinstance(key, Known):
            return dict(owner.items).get(key.value, UNKNOWN)
        if isinstance(owner, Items):
            return owner.item
        if isinstance(owner, Tuple) and isinstance(key, Known) and isinstance(key.value, int):
            return owner.items[key.value] if -len(owner.items) <= key.value < len(owner.items) else UNKNOWN
        if isinstance(owner, Of):
            return _said(annotations.subscript_of(owner.type))
        if isinstance(owner, Known) and isinstance(owner.value, dict | list | tuple) and not isinstance(key, Known):
            return _held_in(owner.value.values() if isinstance(owner.value, dict) else owner.value)
        if isinstance(owner, Known) and isinstance(key, Known):  # of types: list[Order]
            return _subscripted(owner.value, key.value)
        if isinstance(owner, Known) and isinstance(key, Tuple) and all(isinstance(each, Known) for each in key.items):
            return _subscripted(owner.value, tuple(each.value for each in key.items if isinstance(each, Known)))
        return UNKNOWN

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
        if len(others) != 1 or not _is_method(node.left):
            return Of(bool)
        return _compared(left, node.ops[0], others[0])

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Value:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return Known(not value.value) if isinstance(value, Known) and isinstance(value.value, bool) else Of(bool)
        return value

    def visit_BinOp(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        one, other = _simple_type(left), _simple_type(right)
        if one is str or (one is other and one in (int, float)):
            return Of(float) if isinstance(node.op, ast.Div) else Of(one)
        if {one, other} == {int, float}:
            return Of(float)
        if isinstance(left, Known) and isinstance(right, Known) and isinstance(node.op, ast.BitOr):
            try:
                return Known(left.value | right.value)  # of types
            except TypeError:
                return UNKNOWN
        return UNKNOWN

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
                self.assign(each, value.items[at] if fits and isinstance(value, Tuple) else _unpacked(value, at))
        else:
            self.value(target)


def _said(annotation: Any) -> Value:
    return UNKNOWN if annotation is annotations.NOT_SAID else Of(annotation)


def _of_object(owner: Known, name: str) -> Value:
    """Return an attribute of an object that is there already, without calling any code of its own."""
    held = owner.value
    if isinstance(held, ModuleType):
        return Known(vars(held)[name]) if name in vars(held) else Known(getattr(held, name, None))
    if isinstance(held, type):
        if isinstance(inspect.getattr_static(held, name, None), property):
            return UNKNOWN
        found = getattr(held, name, MISSING)
        if found is MISSING:
            return UNKNOWN
        return Bound(owner, found, name) if callable(found) and not isinstance(found, type) else Known(found)
    found = inspect.getattr_static(held, name, MISSING)
    if isinstance(found, type) or (found is not MISSING and not hasattr(type(found), "__get__")):
        return Known(found)
    return _of_instance(Of(type(held)), name, owner)


def _of_instance(owner: Of, name: str, held: Value | None = None) -> Value:
    annotation = annotations.plain(owner.type)
    several = annotations.members(annotation)
    if len(several) > 1:
        return either(*[_of_instance(Of(each), name) for each in several if each is not type(None)])
    kind = annotations.class_of(annotation)
    method = None if kind is None else annotations.method_of(kind, name)
    if method is not None:
        return Bound(held or owner, method, name)
    found = annotations.attribute_of(annotation, name)
    return Bound(held or owner, None, name) if found is annotations.NOT_SAID else Of(found)


def _subscripted(generic: Any, argument: Any) -> Value:
    try:
        return Known(generic[argument])
    except Exception:  # a class of the application's own may raise anything
        return UNKNOWN


def _simple_type(value: Value) -> Any:
    if isinstance(value, Known):
        return type(value.value)
    return annotations.class_of(value.type) if isinstance(value, Of) else None


def _is_method(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "method"


def _compared(left: Value, operator: ast.cmpop, right: Value) -> Value:
    """Return the outcome of a comparison of the request's method."""
    known = _known_items(right)
    if known is None or not isinstance(left, Known):
        return Of(bool)
    match operator:
        case ast.Eq() | ast.In():
            return Known(left.value in known)
        case ast.NotEq() | ast.NotIn():
            return Known(left.value not in known)
    return Of(bool)


def _known_items(value: Value) -> list[Any] | None:
    """Return the items of a collection that is known, or what is not one alone; None if they aren't all known."""
    if isinstance(value, Known):
        held = value.value
        return [*held] if isinstance(held, list | tuple | set | frozenset | dict) else [held]
    if not isinstance(value, Tuple):
        return None
    known = [each.value for each in value.items if isinstance(each, Known)]
    return known if len(known) == len(value.items) else None


def _sliced(value: Value) -> Value:
    """Return a part of a sequence: it is of the same type, and has the same items."""
    if isinstance(value, Known) and isinstance(value.value, str | bytes):
        return Of(type(value.value))
    return Items(item_of(value)) if isinstance(value, Known | Tuple) else value


def _held_in(items: Collection[object]) -> Value:
    """Return what any of the items is that a collection has when it is read."""
    return either(*[Of(type(each)) for each in items]) if items else UNKNOWN


def item_of(value: Value) -> Value:
    """Return what iterating over a value gives."""
    if isinstance(value, Items):
        return value.item
    if isinstance(value, Tuple):
        return either(*value.items)
    if isinstance(value, Known) and isinstance(value.value, list | tuple | set | frozenset):
        return _held_in(value.value)
    if isinstance(value, Either):
        return either(*[item_of(each) for each in value.values])
    return _said(annotations.item_of(value.type)) if isinstance(value, Of) else UNKNOWN


def _unpacked(value: Value, at: int) -> Value:
    if isinstance(value, Of):
        arguments = get_args(value.type)
        if annotations.class_of(value.type) is tuple and ... not in arguments and at < len(arguments):
            return Of(arguments[at])
    return item_of(value)
