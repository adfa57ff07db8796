"""A call to one function: its variables, the objects that it creates, and what it lets other code do with them."""

import ast
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from inspect import getattr_static
from types import FunctionType
from typing import TYPE_CHECKING, Any

from antiphon import HTTPError, Response, Upload
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.findings import About, Findings, Named, ReadAs, Unread, read_as
from antiphon.features.openapi.code.flow import Flow, Key, Stop
from antiphon.features.openapi.code.methods import Call, call_function, call_method_of, kind_of_owner, method_for
from antiphon.features.openapi.code.objects import (
    changed,
    is_container,
    is_text,
    text_of,
    with_attribute,
    with_header,
    with_item,
)
from antiphon.features.openapi.code.operators import narrow
from antiphon.features.openapi.code.parts import item_of, kind_of, unpacked
from antiphon.features.openapi.code.sources import Source, own_names
from antiphon.features.openapi.code.values import (
    NONE,
    TEXT,
    UNKNOWN,
    Bound,
    Closure,
    Evidence,
    Fields,
    Instance,
    Items,
    Known,
    Of,
    Pairs,
    Part,
    Raisable,
    Ref,
    ResponseValue,
    RowsOf,
    TheRequest,
    Tuple,
    Unknown,
    Value,
    alternatives,
    either,
    everything_in,
    owners_of,
    parts_of,
)

if TYPE_CHECKING:
    from antiphon.features.openapi.code.reading import CodeReader

_READ_AS: dict[str, ReadAs] = {"json": "json", "raw": "raw", "form": "form", "files": "form"}

_REFUSED_ROWS = {400: "The body is malformed.", 413: "The body is too large.", 422: "A field is not valid."}

_USED = (
    "__format__", "__str__", "__repr__", "__len__", "__bool__", "__eq__", "__lt__", "__contains__", "__hash__",
    "__iter__",
)  # fmt: skip
"""Special methods that may be called when a value is shown, tested or compared."""


class Frame(ast.NodeVisitor, ABC):
    """A call to one function. What it reads from the request is recorded in the findings."""

    def __init__(
        self,
        source: Source,
        node: ast.AST,
        reader: "CodeReader",
        flow: Flow,
        findings: Findings,
        scope: tuple[Any, ...] = (),
        parent: "Frame | None" = None,
    ) -> None:
        self.source = source
        self.node = node
        self.reader = reader
        self.flow = flow
        self.findings = findings
        self.scope = scope
        """The calls that led here, outermost first."""
        self.parent = parent
        """The call to the enclosing function."""
        self.awaited: ast.AST | None = None
        self.at = node
        """The statement being read."""
        self.latest: dict[ast.AST, Value] = {}
        """The latest value of each expression."""
        self.json_names: set[str] = set()
        """The names of the request's JSON, read without a type."""
        self._own = own_names(node)

    def value(self, node: ast.expr | None) -> Value:
        """Return what is known about an expression's value. Raises Stop if it never has a value."""
        if node is None:
            return UNKNOWN
        self.flow.step()
        found = self.latest[node] = self.reader.words.meant_by(self.visit(node))
        return found

    def generic_visit(self, node: ast.AST) -> Value:
        """Read the components of an expression for which there is no rule. Reading them may change their contents."""
        for child in ast.iter_child_nodes(node):
            self.escape(self.visit(child) or UNKNOWN)
        return UNKNOWN

    def visit_expr_context(self, node: ast.expr_context) -> Value:  # noqa: ARG002
        return UNKNOWN

    @abstractmethod
    def call(self, made: Call) -> Value:
        """Return a call's result."""

    @abstractmethod
    def attribute(self, owner: Value, name: str, node: ast.AST) -> Value:
        """Return an attribute of a value."""

    def unread(self, text: str, node: ast.AST, about: About) -> None:
        """Record something that can't be determined by reading the code."""
        self.findings.add(Findings(unread=[Unread(text, self.source.place_of(node), about)]))

    def hold(self, node: Any, value: Value) -> Value:
        """Return a copy of a value in which each dict, list and response is a separate object, created by the code at
        the given node.
        """
        return self._hold((*self.scope, node), value, False)

    def _hold(self, place: tuple[Any, ...], value: Value, are_many: bool) -> Value:
        self.flow.step()
        made: list[Value] = []
        others: list[Value] = []
        for number, each in enumerate(alternatives(value)):
            one, within = each, (*place, number)
            match each:
                case Fields(items):
                    one = Fields(tuple((name, self._hold((*within, name), part, are_many)) for name, part in items))
                case Instance(attributes=attributes):
                    held = tuple((name, self._hold((*within, name), part, are_many)) for name, part in attributes)
                    one = replace(each, attributes=held)
                case Items(item):
                    one = replace(each, item=self._hold((*within, "*"), item, True))
                case Tuple(items):
                    one = Tuple(tuple(self._hold((*within, at), part, are_many) for at, part in enumerate(items)))
            (made if is_container(one) else others).append(one)
        if not made:
            return either(*others)
        ref = self.flow.make(place, either(*made))
        if are_many:
            self.flow.make(place, either(*made))
            ref = Ref(place, is_older=True)
        return either(*others, ref)

    def escape(self, *values: Value) -> None:
        """Record that unread code now has these values. It may call functions in them and change them."""
        for each in values:
            if isinstance(each, Closure):
                self.loop(partial(each.frame.call_closure, each, None))
            elif isinstance(each, TheRequest | Pairs | Part):
                self._read_all(each)
            elif isinstance(each, RowsOf):
                self._iterate(each)
            elif not isinstance(each, Ref):
                self.escape(*parts_of(each))
            else:
                inside = [*everything_in(self.flow.frozen(each))]
                self.escape(*[one for one in inside if isinstance(one, RowsOf)])
                if any(isinstance(one, TheRequest) for one in inside):
                    self._read_all(TheRequest())
        self.flow.escape(*values)

    def _read_all(self, part: TheRequest | Pairs | Part) -> None:
        """Record that any field of a part of the request may be read."""
        owners = owners_of(part)
        named = [Named(each.kind, "") for each in owners if each.kind not in ("header", "cookie")]
        self.findings.add(Findings(named=named))
        if len(named) < len(owners) or not owners:
            self.unread(f"`{short(self.at)}` uses the request in a way that is not known", self.at, "taken")

    def _iterate(self, rows: RowsOf) -> None:
        """Record the errors of rows that may be read here, because only reading them finds these errors."""
        for status, detail in _REFUSED_ROWS.items():
            if not (status == 422 and rows.collects):
                self.reader.note_raised(self, Raisable(HTTPError.by_status[status], status, detail), self.at)

    def use(self, *values: Value, result: Value = UNKNOWN) -> Value:
        """Return the result of known code that shows, tests or compares values, which may call their special methods.

        Text made from the URL, or from all fields, may be shown; any other result that depends on such text is unknown.
        """
        held = [one for each in values for one in everything_in(self.flow.frozen(each))]
        if owners := frozenset(each for one in held for each in owners_of(one)):
            if is_text(result) or kind_of(result) in (bytes, type(hashlib.sha256())):
                return Part(kind_of(result), owners)
            if result != NONE:
                self.escape(Part(str, owners))
        for each in held:
            if isinstance(each, RowsOf):
                self._iterate(each)
        for value in values:
            for each in alternatives(value):
                for name in () if kind_of_owner(self, each) is None else _USED:
                    if method_for(self, each, name) is not None:
                        self.loop(partial(call_method_of, self, each, name, [UNKNOWN], self.at))
        return result

    def captured(self, node: ast.AST) -> list[Value]:
        """Return the contents of the variables that an inner function uses.

        From now on, the variables that it sets are unknown.
        """
        found: list[Value] = []
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and (key := self.key_of(each.id)) is not None:
                found.append(self.flow.state.get(key, UNKNOWN))
            elif isinstance(each, ast.Nonlocal | ast.Global):
                self.flow.lost.update(self.key_of(name) or name for name in each.names)
        return found

    def each(self, value: Value, way: Callable[[Value], Value]) -> Value:
        """Follow a function for each alternative of a value."""
        several = alternatives(value)
        return way(value) if len(several) == 1 else self.flow.branch(*[partial(way, each) for each in several])

    def loop(self, body: Callable[[], Any]) -> None:
        """Follow a loop's body as if it ran any number of times, and continue after the last pass."""
        kept = self.findings.mark()
        before, breaks = self.flow.loop(body, lambda: self.findings.forget(kept))
        self.flow.exits += breaks
        self.flow.state = before

    def key_of(self, name: str) -> Key | None:
        """Return the key of a variable of this function or of an enclosing one; None for a global name."""
        if name in self._own:
            return self.scope, name
        return self.parent.key_of(name) if self.parent is not None else None

    def test(self, node: ast.expr, is_true: bool) -> None:
        """Continue where a test is true, or where it is false. Raises Stop if that is impossible."""
        self.where(self.value(node), node, is_true)

    def where(self, value: Value, node: ast.expr, is_true: bool) -> None:
        """Continue where a test's value is true, or where it is false."""
        if truth(value) is (not is_true):
            raise Stop
        self.use(value)
        narrow(self, node, is_true=is_true)

    def items_of(self, value: Value, node: ast.AST) -> Value:
        """Return a value that represents any item that iterating over a value yields."""
        self.note_iterated(value)
        several = [item_of(each) for each in alternatives(self.flow.content(value))]
        if UNKNOWN in several and (found := call_method_of(self, value, "__iter__", [], node)) is not None:
            return self.items_of(found, node)
        return either(*several)

    def note_iterated(self, value: Value) -> None:
        """Record that a value is iterated over, or unpacked."""
        self.use(*[each for each in alternatives(value) if not isinstance(each, Ref | Items | Tuple)])

    def field(
        self,
        owner: Pairs,
        key: Value,
        kind: Any = str,
        *,
        is_required: bool = False,
        is_list: bool = False,
        default: object = None,
    ) -> Value:
        """Record that a field of a multi-dictionary is read by name, and return its value."""
        name = text_of(key) or ""
        if not name:
            self._read_all(owner)
        elif is_required:
            self.flow.always(owner.kind, name)
        self.findings.named.append(Named(owner.kind, name, kind, is_required, is_list, default=default))
        kind = Upload if owner.kind == "files" else kind
        found = annotations.list_of(kind) if is_list else kind
        return Evidence(found, owner.kind, name) if name else Of(found)

    def note_read(self, part: str, node: ast.AST) -> None:
        """Record that a part of the request is read without a type."""
        self.read_as(_READ_AS[part], Any, node)
        if part == "files":
            self.findings.named.append(Named("files", ""))

    def read_as(self, part: ReadAs, wanted: Any, node: ast.AST, *, is_strict: bool = False) -> None:
        """Record that a part of the request is read as a type, and refused if ``is_strict`` and a member is unknown."""
        self.flow.always(part, wanted)
        read = read_as(part, wanted, self.source.place_of(node), decodes=self.reader.words.decodes)
        read = read._replace(is_strict=is_strict)
        if part == "rows":  # other errors are raised when the rows are read
            read = read._replace(refusals=(415,))
        self.findings.add(Findings(reads=[read]))

    def assign(self, target: ast.expr, value: Value) -> None:
        """Assign a value to a variable, an attribute or an item, or unpack it to several of them."""
        match target:
            case ast.Name(id=name):
                self.bind(name, value)
            case ast.Attribute():
                self.set_attribute(self.value(target.value), target.attr, value, target)
            case ast.Subscript():
                self._set_item(self.value(target.value), self.value(target.slice), value, target)
            case ast.Starred():
                self.assign(target.value, self.hold(target, Items(value)))
            case ast.Tuple(elts) | ast.List(elts):
                self.note_iterated(value)
                content = self.flow.content(value)
                fits = isinstance(content, Tuple) and len(content.items) == len(elts)
                is_fixed = fits and not any(isinstance(each, ast.Starred) for each in elts)
                for at, each in enumerate(elts):
                    several = [unpacked(one, at) for one in alternatives(content)]
                    self.assign(each, parts_of(content)[at] if is_fixed else either(*several))
            case _:
                self.escape(value, self.value(target))

    def bind(self, name: str, value: Value) -> None:
        """Set a variable, and forget the results of tests of its attributes."""
        for state in (self.flow.state, *self.flow.watched):
            for said in [key for key in state if isinstance(key, tuple) and key[1].startswith(f"{name}.")]:
                del state[said]
        key = self.key_of(name)
        if key is None:
            self.escape(value)
            self.flow.lost.add(name)
        else:
            self.flow.set(key, value)

    def set_attribute(self, owner: Value, name: str, value: Value, node: ast.AST) -> None:
        """Set an attribute."""
        self.flow.forget_attributes()
        if name.startswith("__"):
            self.unread(f"`{short(self.at)}` changes how an object behaves", node, "all")
        kinds = {each.type if isinstance(each, Instance) else None for each in alternatives(self.flow.content(owner))}
        if kinds != {None} and len(kinds) == 1:
            self._set_of_instance(owner, kinds.pop(), name, value, node)
            return
        if any(isinstance(each, TheRequest) for each in alternatives(value)):
            text = f"the request is stored as {short(node)}, and what is read from it there is not known"
            self.unread(text, node, "taken")
            return
        content = self.flow.frozen(value)
        owners = alternatives(self.flow.content(owner))
        is_header = hasattr(Response, name) and all(isinstance(each, ResponseValue) for each in owners)
        self.flow.change(owner, lambda one: with_attribute(one, name, content))
        if is_header:  # it is written at once
            self.use(value, result=TEXT)
        else:
            self.escape(value)

    def _set_of_instance(self, owner: Value, kind: Any, name: str, value: Value, node: ast.AST) -> None:
        static = getattr_static(kind, name, None)
        setter = getattr(static, "fset", None)
        if isinstance(setter, FunctionType):
            call_function(self, Call(node, owner, [value], {}), setter, owner)
            return
        self.flow.change(owner, lambda one: with_attribute(one, name, value))
        if hasattr(type(static), "__set__"):
            self.escape(owner)
        if any(isinstance(each, Instance) and each.is_shared for each in alternatives(self.flow.content(owner))):
            self.escape(value)

    def _set_item(self, owner: Value, key: Value, value: Value, node: ast.AST) -> None:
        self.flow.forget_attributes()
        for each in alternatives(owner):
            if isinstance(each, Bound) and each.name == "headers":
                self.flow.change(each.owner, lambda one: with_header(one, key, value))
            elif call_method_of(self, each, "__setitem__", [key, value], node) is None and not isinstance(each, Ref):
                self.escape(value)
        given = [self.flow.content(value)]
        is_slice = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice)
        self.change(
            owner, lambda one: changed(one, "extend", given, {}) if is_slice else with_item(one, key, value), value
        )

    def change(self, owner: Value, change: Callable[[Value], Value], *given: Value) -> None:
        """Change the content of every object that a value may refer to. If the change can't be followed, the content
        becomes unknown.
        """
        is_told = None not in {kind_of(each) for one in given for each in alternatives(self.flow.content(one))}
        if is_told and any(isinstance(each, Of) and change(each) != each for each in alternatives(owner)):
            self.unread(
                f"`{short(self.at)}` changes a value in a way that its annotation does not allow", self.at, "all"
            )
        before = alternatives(self.flow.content(owner))
        after = [*map(change, before)]
        is_known = [not isinstance(each, Of | Unknown) for each in after]
        if not all(is_known):
            self.escape(*given)
        if all(isinstance(each, Of | Unknown) or known for each, known in zip(before, is_known, strict=True)):
            self.flow.change(owner, change)
        else:
            self.escape(owner)
            self.flow.change(owner, lambda _: either(*after))


def short(node: ast.AST) -> str:
    """Return code as written, on one line of at most 60 characters."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def truth(value: Value) -> bool | None:
    """Return a value's truth, or None if it isn't known. Records are true unless they define otherwise."""
    if isinstance(value, Known) and (value.value is None or isinstance(value.value, bool)):
        return bool(value.value)
    kind = annotations.class_of(value.type) if isinstance(value, Of) else None
    is_record = hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__struct_fields__")
    is_plain = is_record and not hasattr(kind, "__bool__") and not hasattr(kind, "__len__")
    return True if is_plain or (kind is not None and hasattr(kind, "_fields")) else None
