"""Shorter programs, of which some still lie in the same way."""

import ast
import builtins
import itertools
from collections.abc import Callable, Iterator
from functools import cache, partial
from operator import setitem

from tests.random_handlers.making import HEADER, Program

_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def shorter(program: Program) -> Iterator[Callable[[], Program | None]]:
    """Yield functions that return the program without one of its parts, or None if it can't be left out."""
    if "->" in program.source and (source := _without_annotation(program.source)) != program.source:
        yield partial(program._replace, source=source)
    for at, _ in enumerate(_changes(ast.parse(program.source))):
        yield partial(_changed, program, at)


def _without_annotation(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
    return ast.unparse(tree)


def _changed(program: Program, at: int) -> Program | None:
    """Return a program with one of its changes, or None if it is not a shorter program."""
    tree = ast.parse(program.source)
    change = next(itertools.islice(_changes(tree), at, None))
    if change() is False or _is_partial(tree):
        return None
    try:
        source = ast.unparse(ast.fix_missing_locations(tree))
    except Exception:
        return None
    return program._replace(source=source) if len(source) < len(program.source) else None


def _is_partial(tree: ast.Module) -> bool:
    """Return True if a program uses a name that it has lost."""
    names = [each for each in ast.walk(tree) if isinstance(each, ast.Name)]
    known = {each.id for each in names if not isinstance(each.ctx, ast.Load)}
    for each in ast.walk(tree):
        match each:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                known.add(name)
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                known.add(name)
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                known.add(name)
            case ast.alias(name=name, asname=other):
                known.add(other or name)
    return any(each.id not in known and each.id not in _given() for each in names)


@cache
def _given() -> set[str]:
    """Return the names that each program has."""
    names = dict(vars(builtins))
    exec(HEADER, names)
    return {*names}


def _changes(tree: ast.Module) -> Iterator[Callable[[], object]]:
    """Yield functions that change the tree, or return False."""
    frozen = _returned(tree)
    for node in [*ast.walk(tree)]:
        if node in frozen:
            continue
        if isinstance(node, ast.Import | ast.ImportFrom | ast.While | ast.arguments):  # a shorter loop may have no end
            continue
        for field in _BLOCKS:
            block = getattr(node, field, None)
            if isinstance(block, list):
                for each in block:
                    if not isinstance(each, ast.Import | ast.ImportFrom) and each not in frozen:
                        yield partial(_replace, block, each, [])
                for each in block:
                    inner = getattr(each, "body", None)
                    if isinstance(inner, list) and not isinstance(each, ast.FunctionDef | ast.ClassDef):
                        yield partial(_replace, block, each, inner)
        for field, value in ast.iter_fields(node):
            if field in ("decorator_list", "elts", "keywords", "values", "items", "targets", "args") and isinstance(
                value, list
            ):
                for at in range(len(value)):
                    if field == "keywords" and ast.unparse(node).startswith(("Row(", "Entry(")):
                        continue  # its type requires them
                    yield partial(_drop, node, field, at)
            if isinstance(value, ast.expr) and not isinstance(node, ast.arg) and field != "returns":
                yield from (partial(setattr, node, field, child) for child in _parts(value))
            if isinstance(value, list) and field not in _BLOCKS:
                for at, each in enumerate(value):
                    if isinstance(each, ast.expr):
                        yield from (partial(setitem, value, at, child) for child in _parts(each))


def _returned(tree: ast.Module) -> set[ast.AST]:
    """Return what annotated functions return, which has to stay of that type."""
    functions = [each for each in ast.walk(tree) if getattr(each, "returns", None) is not None]
    returns = [each for one in functions for each in ast.walk(one) if isinstance(each, ast.Return)]
    return {each for one in returns for each in ast.walk(one)}


def _parts(value: ast.expr) -> list[ast.expr]:
    """Return the expressions that may stand for one."""
    found = [each for each in ast.iter_child_nodes(value) if isinstance(each, ast.expr)]
    if isinstance(value, ast.Dict) and value.keys:
        found.append(ast.Dict([], []))
    if not isinstance(value, ast.Constant):
        found.append(ast.Constant(1))
    return found


def _replace(block: list[ast.AST], each: ast.AST, others: list[ast.AST]) -> bool:
    at = block.index(each)
    block[at : at + 1] = others
    if not block and isinstance(each, ast.stmt):
        block.append(ast.Pass())
        return not isinstance(each, ast.Pass)
    return True


def _drop(node: ast.AST, field: str, at: int) -> None:
    getattr(node, field).pop(at)
    if isinstance(node, ast.Dict):
        node.keys.pop(at)


_known = set(ast.unparse(ast.parse(HEADER)).splitlines())


def as_text(program: Program) -> str:
    """Return a program's own lines."""
    return "\n".join(
        each
        for each in program.source.splitlines()
        if each and each not in _known and not each.startswith("app = App(")
    )
