"""The types that signatures name. The source is read, so that aliases and what only checkers import are found, too."""

import ast
import copy
import importlib
import importlib.util
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

PLACES = (
    "antiphon", "antiphon.http", "antiphon.features", "antiphon.testing", "antiphon.testing.pairs",
    "antiphon.testing.races",
    "antiphon.testing.stores", "antiphon.features.stores",
    "antiphon.logs", "antiphon.http1",
    "antiphon.cli", "antiphon.types", "antiphon.embedding",
)  # fmt: skip
"""The modules that programs import public names from, in the order of the page on them."""
Origin: TypeAlias = tuple[str, str]
"""The module that defines a name, and the name."""


@cache
def tree_of(module: str) -> ast.Module:
    """Return the tree of a module, which is shared: only copies of its nodes may be changed."""
    return ast.parse(_path_of(module).read_text())


def _path_of(module: str) -> Path:
    """Return the path of a module, which is not imported: it may need a package that isn't installed."""
    found = importlib.util.find_spec(module)
    return Path((found and found.origin) or "")


@cache
def _imported(module: str) -> dict[str, Origin]:
    """Return where the names of a module come from that it imports from our package, for checkers or for all."""
    stub = _path_of(module).with_suffix(".pyi")
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in [*_statements(module), *(ast.parse(stub.read_text()).body if stub.exists() else ())]
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "antiphon"
        for alias in node.names
    }


@cache
def _defined(module: str) -> dict[str, ast.stmt]:
    """Return the classes, aliases and type variables that a module defines, with the node of each."""
    defined: dict[str, ast.stmt] = {}
    for each in _statements(module):
        if isinstance(each, ast.ClassDef):
            defined[each.name] = each
        elif isinstance(each, ast.AnnAssign | ast.Assign):
            for target in [each.target] if isinstance(each, ast.AnnAssign) else each.targets:
                if isinstance(target, ast.Name):
                    defined[target.id] = each
    return defined


def _statements(module: str) -> list[ast.stmt]:
    """Return the statements of a module, also those for type checkers alone."""
    return [each for node in tree_of(module).body for each in (node.body if isinstance(node, ast.If) else [node])]


@cache
def origin_of(module: str, name: str) -> Origin | None:
    """Return where a name of a module is defined; None for one that is not of our package."""
    if name in _defined(module):
        return module, name
    imported = _imported(module).get(name)
    return imported and (origin_of(*imported) or imported)


@cache
def public_origins(place: str) -> set[Origin]:
    """Return where the names of a public place are defined: its stub imports them, or its module defines them."""
    path = _path_of(place)
    if not path.with_suffix(".pyi").exists():
        return {(place, name) for name in importlib.import_module(place).__all__}
    nodes = ast.parse(path.with_suffix(".pyi").read_text()).body
    return {
        (node.module or "", alias.name) for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    }


def written_out(module: str, annotation: ast.expr) -> ast.expr:
    """Return a copy of an annotation in which an alias without a public name is replaced by what it stands for."""
    quoted = isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)
    tree = ast.parse(annotation.value, mode="eval").body if quoted else copy.deepcopy(annotation)  # type: ignore[attr-defined]
    written: ast.expr = _Aliases(module).visit(tree)
    return written


class _Aliases(ast.NodeTransformer):
    def __init__(self, module: str) -> None:
        self._module = module

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        is_literal = isinstance(node.value, ast.Name) and node.value.id == "Literal"
        return node if is_literal else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return written_out(self._module, node) if isinstance(node.value, str) else node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        origin = origin_of(self._module, node.id)
        meaning = None if origin is None else _meaning(*origin)
        return node if origin is None or meaning is None else written_out(origin[0], meaning)


@cache
def _meaning(module: str, name: str) -> ast.expr | None:
    """Return what an alias without a public name stands for; None for anything else."""
    value = getattr(_defined(module).get(name), "value", None)
    is_alias = isinstance(value, ast.Subscript | ast.BinOp) or (
        isinstance(value, ast.Constant) and isinstance(value.value, str)
    )
    is_public = any((module, name) in public_origins(place) for place in PLACES)
    return value if is_alias and not is_public else None


def options_of(module: str, annotation: ast.expr | None) -> list[ast.arg]:
    """Return the keywords that ``**options`` of a type without a public name stands for."""
    match annotation:
        case ast.Constant(value=str(text)):
            return options_of(module, ast.parse(text, mode="eval").body)
        case ast.Subscript(value=ast.Name(id="Unpack"), slice=ast.Name(id=name)):
            origin = origin_of(module, name)
            is_public = any(origin in public_origins(place) for place in PLACES)
            return [] if origin is None or is_public else [*_keys(*origin)]
    return []


def _keys(module: str, name: str) -> Iterator[ast.arg]:
    """Yield the keys of a TypedDict and of those above it."""
    node = _defined(module)[name]
    for base in getattr(node, "bases", ()):
        if isinstance(base, ast.Name) and base.id != "TypedDict" and (origin := origin_of(module, base.id)) is not None:
            yield from _keys(*origin)
    for each in getattr(node, "body", ()):
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            yield ast.arg(each.target.id, written_out(module, each.annotation))


def _annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """Return the types of a function's parameters, but for ``**options``, which callers write by their names."""
    arguments = function.args
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg]
    return [each.annotation for each in given if each and each.annotation is not None]


def _type_variable_bound(module: str, name: str) -> list[ast.expr] | None:
    """Return the arguments of the TypeVar that a name is; None for anything else."""
    value = getattr(_defined(module).get(name), "value", None)
    if isinstance(value, ast.Call) and getattr(value.func, "id", "") in ("TypeVar", "ParamSpec"):
        return [*value.args[1:], *(keyword.value for keyword in value.keywords)]
    return None


def types_in(module: str, annotation: ast.expr) -> Iterator[Origin]:
    """Return the types of our package that an annotation names, and those of the bounds of its type variables."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                yield from types_in(module, ast.parse(node.value, mode="eval").body)
            except SyntaxError:
                continue
        elif isinstance(node, ast.Name) and (origin := origin_of(module, node.id)) is not None:
            bounds = _type_variable_bound(*origin)
            if (meaning := _meaning(*origin)) is not None:
                yield from types_in(origin[0], meaning)
            elif bounds is None:
                yield origin
            for bound in bounds or ():
                yield from types_in(origin[0], bound)


def signature_types(module: str, name: str, *, made_by_hand: bool = True) -> Iterator[tuple[Origin, str]]:
    """Return the types of what programs pass to a function or the methods of a class, each with the member that names
    it. Types of results need no name: type checkers know them.
    """
    node = next((each for each in tree_of(module).body if getattr(each, "name", None) == name), None)
    is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for member in [node] if is_function else getattr(node, "body", ()):
        if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
            is_constructor = member.name in ("__init__", "__new__")
            if member.name.startswith("_") and not (is_constructor and made_by_hand):
                continue
            for annotation in _annotations(member):
                for origin in types_in(module, annotation):
                    yield origin, member.name


def class_origins(value: type) -> list[Origin]:
    """Return where a public class, and those of our package above it, are defined."""
    return [(cls.__module__, cls.__name__) for cls in inspect.getmro(value) if cls.__module__.startswith("antiphon")]
