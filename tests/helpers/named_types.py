"""The types that signatures name. The source is read, so that aliases and what only checkers import are found, too."""

import ast
import functools
import importlib
import inspect
from pathlib import Path

Origin = tuple[str, str]
"""The module that defines a name, and the name."""


@functools.cache
def _tree(module):
    return ast.parse(Path(importlib.import_module(module).__file__).read_text())


@functools.cache
def _imported(module):
    """Return where the names of a module come from that it imports from our package, for checkers or for all."""
    nodes = [node for node in ast.walk(_tree(module)) if isinstance(node, ast.ImportFrom)]
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in nodes
        if node.module and node.module.partition(".")[0] == "antiphon"
        for alias in node.names
    }


@functools.cache
def _defined(module):
    """Return the classes, aliases and type variables that a module defines, with the node of each."""
    defined = {}
    for node in _tree(module).body:
        if isinstance(node, ast.ClassDef):
            defined[node.name] = node
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            for target in [node.target] if isinstance(node, ast.AnnAssign) else node.targets:
                if isinstance(target, ast.Name):
                    defined[target.id] = node
    return defined


def origin_of(module, name):
    """Return where a name of a module is defined; None for one that is not of our package."""
    if name in _defined(module):
        return module, name
    imported = _imported(module).get(name)
    return origin_of(*imported) if imported and imported[1] in dir(importlib.import_module(imported[0])) else imported


def _names_in(annotation):
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                yield from _names_in(ast.parse(node.value, mode="eval"))
            except SyntaxError:
                continue


def _annotations(function):
    arguments = function.args
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return [each.annotation for each in given if each and each.annotation] + [function.returns] * bool(function.returns)


def _type_variable_bound(module, name):
    """Return the arguments of the TypeVar that a name is; None for anything else."""
    node = _defined(module).get(name)
    value = getattr(node, "value", None)
    if isinstance(value, ast.Call) and getattr(value.func, "id", "") in ("TypeVar", "ParamSpec"):
        return [*value.args[1:], *(keyword.value for keyword in value.keywords)]
    return None


def types_in(module, annotation):
    """Return the types of our package that an annotation names, and those of the bounds of its type variables."""
    for name in _names_in(annotation):
        origin = origin_of(module, name)
        if origin is None:
            continue
        bounds = _type_variable_bound(*origin)
        if bounds is None:
            yield origin
        for bound in bounds or ():
            yield from types_in(origin[0], bound)


def signature_types(module, name, *, made_by_hand=True):
    """Return the types that the public signatures of a function or a class name, each with the member that names it."""
    node = next((each for each in _tree(module).body if getattr(each, "name", None) == name), None)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        members = [node]
    else:
        members = list(getattr(node, "body", ()))
    for member in members:
        if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
            is_constructor = member.name in ("__init__", "__new__")
            if member.name.startswith("_") and not (is_constructor and made_by_hand):
                continue
            annotations = _annotations(member)
        elif isinstance(member, ast.AnnAssign) and not getattr(member.target, "id", "_").startswith("_"):
            annotations = [member.annotation]
        else:
            continue
        for annotation in annotations:
            for origin in types_in(module, annotation):
                yield origin, getattr(member, "name", None) or member.target.id


def class_origins(value):
    """Return where a public class, and those of our package above it, are defined."""
    return [(cls.__module__, cls.__name__) for cls in inspect.getmro(value) if cls.__module__.startswith("antiphon")]


def public_origins(place):
    """Return where the names of a public place are defined: its stub imports them, or its module defines them."""
    path = Path(importlib.import_module(place).__file__)
    if not path.with_suffix(".pyi").exists():
        return {(place, name) for name in importlib.import_module(place).__all__}
    nodes = ast.parse(path.with_suffix(".pyi").read_text()).body
    return {(node.module, alias.name) for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
