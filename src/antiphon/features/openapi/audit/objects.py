"""The objects that expressions in an application's functions refer to, as far as they are known before it runs."""

import ast
import inspect
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple, TypeAlias

from antiphon import Dependency, Request
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.findings import FindsUsers
from antiphon.features.openapi.code.reading import Providers, function_of
from antiphon.features.openapi.code.sources import MISSING, Source, Sources


class Instance(NamedTuple):
    """An instance of a class."""

    kind: type


class Given(NamedTuple):
    """The value of a dependency."""

    kind: type | None
    users: FindsUsers | None
    """The feature that provides it, if it is a user."""
    source: Any
    """The function that provides it, if it is not a user."""


Object: TypeAlias = Any
"""A known object, an ``Instance``, a ``Given``, or ``MISSING``."""


@dataclass(eq=False)
class Code:
    """One function's code, and the objects that its names refer to."""

    source: Source
    sources: Sources
    providers: Providers
    """The functions that provide the application's dependencies."""
    arguments: dict[str, Object] = field(default_factory=dict)
    """Known values of the function's parameters."""

    @classmethod
    def of(cls, function: FunctionType, sources: Sources, providers: Providers) -> "Code | None":
        """Return a function's code, or None if its source is missing."""
        source = sources.find(function)
        if source is None:
            return None
        hints = annotations.hints_of(function)
        known = {name: Instance(kind) for name, hint in hints.items() if (kind := annotations.class_of(hint))}
        return cls(source, sources, providers, known)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the body."""
        return [node for statement in self.source.body for node in ast.walk(statement)]

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The parent of each node."""
        return {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}

    @cached_property
    def parameters(self) -> list[str]:
        """The names of the function's parameters."""
        arguments = self.source.node.args
        return [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]

    @cached_property
    def _assigned(self) -> dict[str, list[ast.expr]]:
        found: dict[str, list[ast.expr]] = {}
        for node in self.nodes:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    found.setdefault(name, []).append(value)
                case (
                    ast.NamedExpr(target=ast.Name(id=name), value=value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                ):
                    found.setdefault(name, []).append(value)
                case ast.withitem(context_expr=value, optional_vars=ast.Name(id=name)):
                    found.setdefault(name, []).append(value)
        return found

    def find(self, node: ast.AST, depth: int = 0) -> Object:
        """Return the object that an expression refers to, or MISSING."""
        if depth > 8:
            return MISSING
        match node:
            case ast.Name(id=name) if name in self.arguments:
                return self.arguments[name]
            case ast.Name(id=name) if name in self._assigned:
                values = self._assigned[name]
                return self.find(values[0], depth + 1) if len(values) == 1 else MISSING
            case ast.Name(id=name) if name not in self.parameters:
                return self.source.find(name)
            case ast.Attribute(value=value, attr=name):
                return _attribute(self.find(value, depth + 1), name)
            case ast.Subscript(value=value, slice=key):
                return self._item(value, self.find(key, depth + 1))
            case ast.Await(value=value):
                return self.find(value, depth + 1)
            case ast.Call(func=function):
                return _result(self.find(function, depth + 1))
        return MISSING

    def _item(self, value: ast.expr, key: Object) -> Object:
        if not isinstance(key, Dependency) or not self.is_request(value):
            return MISSING
        function = self.providers.get(key)
        owner = getattr(function, "__self__", None)
        users = owner if isinstance(owner, FindsUsers) else None
        kind = annotations.class_of(annotations.dependency_type(key))
        return Given(kind, users, function_of(function) if function and users is None else None)

    def is_request(self, node: ast.expr) -> bool:
        """Return True for the request."""
        found = self.find(node)
        if isinstance(found, Instance):
            return issubclass(found.kind, Request)
        name = node.id if isinstance(node, ast.Name) else ""
        return name in ("request", "req") or (bool(name) and self.parameters[:1] == [name])

    def functions_called(self) -> Iterator[tuple[ast.Call, FunctionType, Object]]:
        """Yield the calls of functions whose code is known, each with the object that a method is bound to."""
        for node in self.nodes:
            if isinstance(node, ast.Call):
                owner = self.find(node.func.value) if isinstance(node.func, ast.Attribute) else MISSING
                if (function := as_function(self.find(node.func))) is not None:
                    yield node, function, owner


def _attribute(owner: Object, name: str) -> Object:
    if isinstance(owner, Given):
        owner = Instance(owner.kind) if owner.kind else MISSING
    if isinstance(owner, Instance):
        method = annotations.method_of(owner.kind, name)
        if method is not None:
            return method
        kind = annotations.class_of(annotations.attribute_of(owner.kind, name))
        return Instance(kind) if kind else MISSING
    if isinstance(owner, ModuleType):
        return vars(owner).get(name, MISSING)
    if owner is MISSING:
        return MISSING
    found = inspect.getattr_static(owner, name, MISSING)
    return getattr(found, "__func__", found)


def _result(called: Object) -> Object:
    if isinstance(called, type):
        return Instance(called)
    function = as_function(called)
    stated = annotations.returned_by(function) if function is not None else annotations.NOT_SAID
    several = [each for each in annotations.members(stated) if each not in (None, type(None))]
    kind = annotations.class_of(several[0]) if len(several) == 1 else None
    return Instance(kind) if isinstance(kind, type) and stated is not annotations.NOT_SAID else MISSING


def as_function(found: Object) -> FunctionType | None:
    """Return a function, or that of a method; None for any other object."""
    if isinstance(found, MethodType):
        found = found.__func__
    return found if isinstance(found, FunctionType) else None


def is_logger(found: Object) -> bool:
    """Return True for a logger."""
    return isinstance(found, logging.Logger) or (isinstance(found, Instance) and issubclass(found.kind, logging.Logger))
