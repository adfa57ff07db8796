"""The source of functions: their syntax trees, and the objects that their names refer to."""

import ast
import builtins
import linecache
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from os import environ
from types import CodeType, FunctionType
from typing import Any, NamedTuple, TypeAlias, get_type_hints
from weakref import WeakKeyDictionary

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_READS_CODE = environ.get("ANTIPHON_READS_CODE") != "0"
MISSING = object()
"""A marker for a name that has no value before the function runs."""


class Place(NamedTuple):
    """A place in the code: the function, its file and the line."""

    function: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.function} ({self.file}:{self.line})"


class Source(NamedTuple):
    """The source of a single function."""

    code: CodeType
    node: FunctionNode
    names: Mapping[str, Any]
    """The globals of the module."""
    cells: Mapping[str, Any]
    """The variables of the enclosing functions."""
    name: str
    module: str

    @property
    def body(self) -> list[ast.stmt]:
        """The statements. A lambda has a single return statement."""
        if isinstance(self.node, ast.Lambda):
            return [ast.copy_location(ast.Return(self.node.body), self.node.body)]
        return self.node.body

    def place_of(self, node: ast.AST) -> Place:
        """Return the place of a node in this function."""
        return Place(self.name, self.code.co_filename, getattr(node, "lineno", self.code.co_firstlineno))

    def find(self, name: str) -> Any:
        """Return the object that a name refers to, or MISSING if there is none or it is a local variable."""
        if name in self.cells:
            try:
                return self.cells[name].cell_contents
            except ValueError:  # the variable is not assigned yet
                return MISSING
        return self.names[name] if name in self.names else getattr(builtins, name, MISSING)

    def imported(self, module: str, level: int = 0, name: str | None = None) -> Any:
        """Return a module that the function imports, or ``name`` from it; MISSING if it can't be imported."""
        try:
            found = import_module("." * level + module, self.names.get("__package__"))
            if name is not None and not hasattr(found, name):
                import_module(f"{found.__name__}.{name}")
            return found if name is None else getattr(found, name)
        except Exception:  # importing a module runs its code
            return MISSING

    def annotation_of(self, name: str) -> Any:
        """Return the annotation of a variable of the function's module, or MISSING."""
        module = sys.modules.get(self.module)
        if module is None or vars(module) is not self.names or name in self.cells:
            return MISSING
        try:
            return get_type_hints(module, include_extras=True).get(name, MISSING)
        except Exception:  # an annotation may contain a name that only type checkers can resolve
            return MISSING


class Sources:
    """The sources of functions. Each file is parsed once."""

    def __init__(self) -> None:
        self._files: dict[str, ast.Module] = {}

    def find(self, function: FunctionType) -> Source | None:
        """Return a function's source, or None if it is unknown."""
        if not _READS_CODE:
            return None
        code = function.__code__
        tree = self._tree(code.co_filename, function.__globals__)
        fitting = [node for node in _functions_at(code.co_firstlineno, tree) if _fits(node, code)]
        if len(fitting) > 1 and len({*map(ast.dump, fitting)}) > 1:  # lambdas on one line
            fitting = [node for node in fitting if _extent(node.body) in {*code.co_positions()}]
        if not fitting:
            return None
        cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
        names = function.__globals__
        return Source(code, fitting[0], names, cells, function.__qualname__, function.__module__ or "")

    def forget_changed(self) -> None:
        """Forget files that have changed since they were parsed."""
        for filename in [*self._files]:
            linecache.checkcache(filename)
            if filename not in linecache.cache:
                del self._files[filename]

    def _tree(self, filename: str, module_globals: dict[str, Any]) -> ast.Module:
        if filename not in self._files:
            linecache.checkcache(filename)
            self._files[filename] = _parsed("".join(linecache.getlines(filename, module_globals)))
        return self._files[filename]


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError:
        return ast.Module([], [])


def _functions_at(line: int, inside: ast.AST) -> Iterator[FunctionNode]:
    """Yield the functions that begin at a line, including decorators. Only what has the line is searched."""
    for node in ast.iter_child_nodes(inside):
        if getattr(node, "end_lineno", line) < line:
            continue
        begins = min([getattr(each, "lineno", line) for each in (node, *getattr(node, "decorator_list", ()))])
        if begins == line and isinstance(node, FunctionNode):
            yield node
        if begins <= line:
            yield from _functions_at(line, node)


def _extent(node: Any) -> tuple[int | None, ...]:
    """Return where an expression stands, as a function's instructions say it; nothing for a block."""
    return tuple(getattr(node, name, None) for name in ("lineno", "end_lineno", "col_offset", "end_col_offset"))


def _fits(node: FunctionNode, code: CodeType) -> bool:
    name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
    arguments = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    count = code.co_argcount + code.co_kwonlyargcount
    return name == code.co_name and arguments == [_unmangled(each, arguments) for each in code.co_varnames[:count]]


def _unmangled(name: str, written: list[str]) -> str:
    """Return an argument's name as written: inside a class, ``__name`` becomes ``_Class__name``."""
    return next((each for each in written if each.startswith("__") and name.endswith(each)), name)


_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


_names: WeakKeyDictionary[ast.AST, frozenset[str]] = WeakKeyDictionary()  # a cache would keep all trees


def own_names(node: ast.AST) -> frozenset[str]:
    """Return the names of a function's local variables, including those in its comprehensions."""
    if (known := _names.get(node)) is None:
        known = _names[node] = _find_own_names(node)
    return known


def _find_own_names(node: ast.AST) -> frozenset[str]:
    names: set[str] = set()
    others: set[str] = set()
    left: list[ast.AST] = [*ast.iter_child_nodes(node)]
    for each in left:
        match each:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                names.add(name)
            case ast.Global(names=more) | ast.Nonlocal(names=more):
                others.update(more)
            case ast.alias(name=name, asname=asname):
                names.add(asname or name.partition(".")[0])
        bound = getattr(each, "name", None) or getattr(each, "rest", None)
        if isinstance(bound, str) and not isinstance(each, ast.alias):  # functions, exception handlers and patterns
            names.add(bound)
        if not isinstance(each, _INNER):
            left += ast.iter_child_nodes(each)
    return frozenset(names - others)
