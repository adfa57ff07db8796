"""The texts of the framework that clients see, as the source passes them to errors: with ``{}`` for each value."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import NamedTuple

import antiphon
from antiphon.http.errors import ClientDisconnected, HTTPError

ROOT = Path(antiphon.__file__).parent
ELSEWHERE = ("dialects", "cli", "testing", "embedding")
"""Folders whose texts are those of other libraries, or for programmers."""

HOLE = "{}"


class Told(NamedTuple):
    """A text, and where it is."""

    text: str | None
    """None for an expression that is not understood."""
    where: str


_WITH_OWN_ERRORS = (
    "app.store", "body.part_head", "features.csrf", "features.signatures.feature", "features.signatures.webhooks",
    "http.multidict", "http.redirect", "serialization.signing",
)  # fmt: skip


@cache
def _takers() -> dict[str, set[int]]:
    """Return the classes and functions that take a text, with the positions of these arguments.

    499 is left out, because only logs show it.
    """
    for module in _WITH_OWN_ERRORS:
        import_module(f"antiphon.{module}")
    found = {"Reason": {0}, "over_limit": {3}, "http_error": {1}, "HTTPError": {1}}
    open_ = HTTPError.__subclasses__()
    while open_:
        kind = open_.pop()
        open_ += kind.__subclasses__()
        names = [*signature(kind).parameters]
        if "detail" in names and not issubclass(kind, ClientDisconnected):
            found[kind.__name__] = {0 if names[0] == "status" else names.index("detail")}
    return found


def told_texts() -> Iterator[Told]:
    """Yield the texts in all modules that are passed to errors, to the reasons of faults, or as titles."""
    takers = "|".join(_takers())
    names = re.compile(rf"\b(_replace|{takers})\(|\(({takers})[,)]")
    for path in sorted(ROOT.rglob("*.py")):
        if path.relative_to(ROOT).parts[0] not in ELSEWHERE and names.search(path.read_text("utf-8")):
            yield from _Module(path).texts()


class _Module:
    def __init__(self, path: Path) -> None:
        self._name = str(path.relative_to(ROOT))
        self._tree = ast.parse(path.read_text("utf-8"))
        self._around: dict[ast.AST, ast.AST] = {}
        left: list[ast.AST] = [self._tree]
        for node in left:
            children = [each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.expr_context)]
            self._around |= dict.fromkeys(children, node)
            left += children
        self._calls = [each for each in self._around if isinstance(each, ast.Call)]
        self._takers = {name: {*places} for name, places in _takers().items()}

    def texts(self) -> list[Told]:
        """Return the texts. A function that passes its parameter on makes its callers' arguments texts, too."""
        known = -1
        while known != (known := sum(map(len, self._takers.values()))):
            found = [each for call in self._calls for each in self._in(call)]
        return found

    def _in(self, call: ast.Call) -> Iterator[Told]:
        name = getattr(call.func, "attr", None) or getattr(call.func, "id", "")
        wanted = self._takers.get(name, set())
        if name == "__init__":  # of an error, in the class of another one
            wanted = self._wanted_above(call)
        told = [each for at, each in enumerate(call.args) if at in wanted]
        told += [each.value for each in call.keywords if each.arg == "detail" and (wanted or name == "_replace")]
        told += [each.value for each in call.keywords if each.arg == "title" and wanted]
        for expression in told:
            for text in self._of(expression):
                yield Told(text, f"{self._name}: {ast.unparse(expression)}")

    def _wanted_above(self, node: ast.AST | None) -> set[int]:
        """Return the positions for the base class of the class around a call."""
        while node is not None and not isinstance(node, ast.ClassDef):
            node = self._around.get(node)
        bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
        return next((self._takers[base] for base in bases if base in self._takers), set())

    def _of(self, node: ast.expr) -> list[str | None]:
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.Constant(value=None) | ast.Starred():
                return []
            case ast.JoinedStr(values=values):
                return ["".join([each.value if isinstance(each, ast.Constant) else HOLE for each in values])]
            case ast.IfExp(body=body, orelse=other) | ast.BoolOp(values=[body, other]):
                return self._of(body) + self._of(other)
            case ast.Name(id=name):
                return self._of_name(node, name)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name, value=ast.Name(id="self"))):
                return self._returned_by(name)
        return [None]

    def _returned_by(self, name: str) -> list[str | None]:
        functions = [each for each in ast.walk(self._tree) if isinstance(each, ast.FunctionDef) and each.name == name]
        returns = [each for one in functions for each in ast.walk(one) if isinstance(each, ast.Return) and each.value]
        return [text for each in returns for text in self._of(each.value)] if returns else [None]

    def _of_name(self, node: ast.AST, name: str) -> list[str | None]:
        """Return the texts that a variable may have, in the function around it or in the module."""
        scope: ast.AST | None = node
        while scope is not None:
            scope = self._around.get(scope)
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
                parameters = [each.arg for each in scope.args.args if each.arg not in ("self", "cls")]
                if name in parameters and scope.name[:2] != "__":
                    self._takers.setdefault(scope.name, set()).add(parameters.index(name))
                if (default := _defaults(scope).get(name)) is not None:
                    return self._of(default)
                if name in parameters:
                    return []
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module) and (
                values := _assigned(scope, name)
            ):
                return [text for value in values for text in self._of(value)]
        return [None]


def _defaults(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, ast.expr | None]:
    given = function.args
    at_end = zip(reversed([*given.posonlyargs, *given.args]), reversed(given.defaults), strict=False)
    by_name = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return {each.arg: default for each, default in [*at_end, *by_name]}


def _assigned(scope: ast.AST, name: str) -> list[ast.expr]:
    return [
        node.value
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for to in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(to, ast.Name) and to.id == name
    ]
