"""Expressions, and what is known about their values without running them."""

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import NoneType
from typing import TYPE_CHECKING, Any

from antiphon.features.forms.messages import FormError
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.calls import Call, call
from antiphon.features.openapi.code.changes import changed, with_item
from antiphon.features.openapi.code.findings import About, Findings, Named, ReadAs, Unread, read_as
from antiphon.features.openapi.code.narrowing import dotted, narrow
from antiphon.features.openapi.code.operators import combined, compared, is_method, is_option
from antiphon.features.openapi.code.parts import (
    attribute_of_instance,
    attribute_of_object,
    item_at,
    item_of,
    may_change,
    said,
    sliced,
    unpacked,
)
from antiphon.features.openapi.code.sources import MISSING, Source
from antiphon.features.openapi.code.values import (
    NEVER,
    NONE,
    TEXT,
    UNKNOWN,
    Answer,
    Bound,
    Either,
    Fields,
    FormOf,
    Items,
    Known,
    Local,
    Of,
    Pairs,
    Raisable,
    Statuses,
    TheRequest,
    Tuple,
    Value,
    alternatives,
    either,
    without_none,
)
from antiphon.features.users import USERS
from antiphon.request.dependencies import Dependency
from antiphon.request.request import Request

if TYPE_CHECKING:
    from antiphon.features.openapi.code.reading import CodeReader

_PAIRS: dict[str, Pairs] = {
    "args": Pairs("query"), "form": Pairs("form"), "files": Pairs("files"), "cookies": Pairs("cookie"),
    "headers": Pairs("header"),
}  # fmt: skip
_READ_AS: dict[str, ReadAs] = {"json": "json", "raw": "raw", "form": "form", "files": "form"}
_ANY_BODY: dict[str, Value] = {"body": Of(bytes), "text": TEXT, "stream": UNKNOWN}


class Expressions(ast.NodeVisitor):
    """The expressions of one function. The parts of the request that they read are noted in the findings."""

    def __init__(self, source: Source, variables: dict[str, Value], reader: "CodeReader", findings: Findings) -> None:
        self.source = source
        self.variables = variables
        self.reader = reader
        self.findings = findings

    def value(self, node: ast.expr | None) -> Value:
        """Return what is known about the value of an expression."""
        if node is None:
            return UNKNOWN
        return self.reader.words.meant_by(self.visit(node))

    def generic_visit(self, node: ast.AST) -> Value:
        """Read the parts of an expression whose value is unknown."""
        for child in ast.iter_child_nodes(node):
            self.visit(child)
        return UNKNOWN

    def unread(self, text: str, node: ast.AST, about: About) -> None:
        """Note something that reading the code can't find out."""
        self.findings.unread.append(Unread(text, self.source.place_of(node), about))

    # Names and constants

    def visit_Constant(self, node: ast.Constant) -> Value:
        return Known(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Value:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.value(part.value)
                self.value(part.format_spec)
        return TEXT

    def visit_Name(self, node: ast.Name) -> Value:
        if node.id in self.variables:
            return self.variables[node.id]
        found = self.source.find(node.id)
        if found is MISSING:
            return UNKNOWN
        if may_change(found):
            annotation = self.source.annotation_of(node.id)
            return Known(found) if annotation is MISSING else Of(annotation)
        return Known(found)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> Value:
        value = self.value(node.value)
        self.variables[node.target.id] = value
        return value

    # Parts of values

    def visit_Attribute(self, node: ast.Attribute) -> Value:
        name = dotted(node)
        if name in self.variables:
            return self.variables[name]
        owner = self.value(node.value)
        return either(
            *[
                self._of_request(node) if isinstance(each, TheRequest) else self.attribute(each, node.attr)
                for each in alternatives(owner)
            ]
        )

    def attribute(self, owner: Value, name: str) -> Value:
        """Return an attribute of a value that is not the request."""
        match owner:
            case Either(values):
                return either(*[self.attribute(each, name) for each in values])
            case Known():
                return attribute_of_object(owner, name)
            case Of():
                return attribute_of_instance(owner, name)
            case Raisable(kind, status):
                known = status or getattr(kind, "status", None)
                is_known = name == "status" and isinstance(known, int)
                return Known(known) if is_known else attribute_of_instance(Of(kind), name)
            case FormOf(wanted, is_query):
                if name in ("data", "status", "errors"):
                    found = {"data": Of(wanted), "errors": Of(Mapping[str, list[FormError]])}
                    return found.get(name, Statuses((200, 422) if is_query else (200, 413, 422)))
        return Bound(owner, None, name)

    def _of_request(self, node: ast.Attribute) -> Value:
        name = self.reader.words.attributes.get(node.attr, node.attr)
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
        if name == "user":
            self.findings.reads_user = True
        method = annotations.method_of(Request, name)
        if method is not None:
            return Bound(TheRequest(), method, name)
        kind = annotations.attribute_of(Request, name)
        return UNKNOWN if kind is annotations.NOT_SAID else Of(kind)

    def note_read(self, part: str, node: ast.AST) -> None:
        """Note that a part of the request is read without a type."""
        self.findings.reads.append(read_as(_READ_AS[part], Any, self.source.place_of(node)))
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
            if dependency is USERS and self.reader.users is not None:
                return Known(self.reader.users)
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
        (item,) = self._each(node.generators, node.elt)
        return Items(item)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> Value:
        (item,) = self._each(node.generators, node.elt)
        return Items(item)

    def visit_SetComp(self, node: ast.SetComp) -> Value:
        self._each(node.generators, node.elt)
        return UNKNOWN

    def visit_DictComp(self, node: ast.DictComp) -> Value:
        _, value = self._each(node.generators, node.key, node.value)
        return Of(annotations.dict_of(value.type if isinstance(value, Of) else Any))

    def _each(self, generators: list[ast.comprehension], *parts: ast.expr) -> list[Value]:
        """Return the values of the parts of a comprehension, which has its own names."""
        with self._scope(*generators, *parts):
            for each in generators:
                self.assign(each.target, item_of(self.value(each.iter)))
                for condition in each.ifs:
                    self.value(condition)
                    narrow(self, condition, is_true=True)
            return [self.value(each) for each in parts]

    @contextmanager
    def _scope(self, *nodes: ast.AST) -> Iterator[None]:
        """Restore variables at the end, except those that ``:=`` has set in some nodes."""
        before = self.variables
        self.variables = dict(before)
        yield
        walrus = {each.target.id for node in nodes for each in ast.walk(node) if isinstance(each, ast.NamedExpr)}
        self.variables = {**before, **{name: self.variables[name] for name in walrus if name in self.variables}}

    # Operators

    def visit_BoolOp(self, node: ast.BoolOp) -> Value:
        is_and, values = isinstance(node.op, ast.And), list[Value]()
        with self._scope(node):
            for each in node.values:
                value = self.value(each)
                is_decided = isinstance(value, Known) and isinstance(value.value, bool)
                if is_decided and value == Known(not is_and):  # the following values are not evaluated
                    return either(*values, value)
                if not is_decided or each is node.values[-1]:
                    values.append(value)
                narrow(self, each, is_true=is_and)
        return either(*values) if is_and else either(*map(without_none, values[:-1]), values[-1])

    def visit_IfExp(self, node: ast.IfExp) -> Value:
        test = self.value(node.test)
        if isinstance(test, Known) and isinstance(test.value, bool):
            return self.value(node.body if test.value else node.orelse)
        return either(self._where(node.test, node.body, True), self._where(node.test, node.orelse, False))

    def _where(self, test: ast.expr, node: ast.expr, is_true: bool) -> Value:
        """Return the value of an expression where a test is true, or where it is false."""
        with self._scope(node):
            narrow(self, test, is_true=is_true)
            return self.value(node)

    def visit_Compare(self, node: ast.Compare) -> Value:
        left, *others = [self.value(each) for each in (node.left, *node.comparators)]
        if len(others) != 1 or not isinstance(node.left, ast.Attribute):
            return Of(bool)
        is_settled = is_method(node.left) or is_option(self.value(node.left.value))
        return compared(left, node.ops[0], others[0]) if is_settled else Of(bool)

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
        if not isinstance(value, Of):
            return value
        awaited = annotations.awaited(value.type)
        return NONE if awaited in (None, NoneType) else Of(awaited)

    def visit_Yield(self, node: ast.Yield) -> Value:
        self.value(node.value)
        return Answer(is_passed_on=True)  # in middleware

    def visit_Lambda(self, node: ast.Lambda) -> Value:
        """Read the body as if it were called where it is written."""
        arguments = node.args
        with self._scope():
            for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                self.assign(ast.Name(each.arg), UNKNOWN)
            return Local(self.value(node.body))

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
        found = either(*made) if made else NEVER
        if isinstance(node.func, ast.Attribute):
            self._change(node.func, called, positional, named)
            if node.func.attr == "conditional" and isinstance(found, Answer):  # returns the response itself
                self.put(node.func.value, found)
        return found

    def _change(self, node: ast.Attribute, called: Value, positional: list[Value], named: dict[str, Value]) -> None:
        """Note that a method has changed a dict or a list in a variable."""
        methods = [each for each in alternatives(called) if isinstance(each, Bound)]
        if any(isinstance(each.owner, Fields | Items) for each in methods):
            self.put(node.value, either(*[changed(each.owner, each.name, positional, named) for each in methods]))

    # Assignment

    def assign(self, target: ast.expr, value: Value) -> None:
        """Assign a value to a variable, or to several by unpacking."""
        if isinstance(target, ast.Name):
            for known in [name for name in self.variables if name.startswith(f"{target.id}.")]:
                del self.variables[known]
            self.variables[target.id] = value
        elif isinstance(target, ast.Subscript):
            owner, key = self.value(target.value), self.value(target.slice)
            self.put(target.value, with_item(owner, key, value))
        elif isinstance(target, ast.Starred):
            self.assign(target.value, Items(value))
        elif isinstance(target, ast.Tuple | ast.List):
            for at, each in enumerate(target.elts):
                fits = isinstance(value, Tuple) and len(value.items) == len(target.elts)
                self.assign(each, value.items[at] if fits and isinstance(value, Tuple) else unpacked(value, at))
        else:
            self.value(target)

    def put(self, node: ast.expr, value: Value) -> None:
        """Replace a variable, or an item in one, with a changed dict or list."""
        if isinstance(node, ast.Name) and node.id in self.variables:
            self.variables[node.id] = value
        elif isinstance(node, ast.Subscript) and isinstance(value, Fields | Items | Either):
            self.put(node.value, with_item(self.value(node.value), self.value(node.slice), value))
