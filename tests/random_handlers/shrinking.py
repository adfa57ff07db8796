"""The shortest program that still lies in the same way."""

import ast
import builtins
import copy
import itertools
from collections.abc import Callable, Iterator
from functools import cache

from tests.random_handlers.making import HEADER, Program

_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def shrunk(program: Program, lies: Callable[[Program], bool]) -> Program:
    """Return a program without all that ``lies`` does not need."""
    if "->" in program.source:
        other = program._replace(source=_without_annotation(program.source))
        program = other if lies(other) else program
    is_shorter = True
    while is_shorter:
        is_shorter, at = False, 0
        while (source := _changed(program.source, at)) is not None:
            other = program._replace(source=source)
            if len(source) < len(program.source) and lies(other):
                program, is_shorter = other, True
            else:
                at += 1
    return program


def _without_annotation(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
    return ast.unparse(tree)


def _changed(source: str, at: int) -> str | None:
    """Return a source with one of its changes, the source itself if it can't be made, None after the last one."""
    tree = ast.parse(source)
    change = next(itertools.islice(_changes(tree), at, None), None)
    if change is None:
        return None
    if change() is None:
        return source
    try:
        return source if _is_partial(tree) else ast.unparse(ast.fix_missing_locations(tree))
    except Exception:
        return source


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


def _changes(tree: ast.Module) -> Iterator[Callable[[], Callable[[], None] | None]]:
    """Yield functions that change the tree, and return one that undoes it."""
    frozen = _returned(tree)
    for node in [*ast.walk(tree)]:
        if node in frozen:
            continue
        if isinstance(node, ast.Import | ast.ImportFrom | ast.While | ast.arguments):  # a shorter loop may have no end
            continue
        for field in _BLOCKS:
            block = getattr(node, field, None)
            if isinstance(block, list):
                for each in [*block]:
                    if not isinstance(each, ast.Import | ast.ImportFrom) and each not in frozen:
                        yield lambda block=block, each=each: _replace(block, each, [])
                for each in [*block]:
                    inner = getattr(each, "body", None)
                    if isinstance(inner, list) and not isinstance(each, ast.FunctionDef | ast.ClassDef):
                        yield lambda block=block, each=each, inner=inner: _replace(block, each, inner)
        for field, value in ast.iter_fields(node):
            if field in ("decorator_list", "elts", "keywords", "values", "items", "targets", "args") and isinstance(
                value, list
            ):
                for each in [*value]:
                    if field == "keywords" and ast.unparse(node).startswith(("Row(", "Entry(")):
                        continue  # its type requires them
                    yield lambda node=node, field=field, each=each: _drop(node, field, each)
            if isinstance(value, ast.expr) and not isinstance(node, ast.arg) and field != "returns":
                for child in _parts(value):
                    yield lambda node=node, field=field, child=child: _put(node, field, child)
            if isinstance(value, list) and field not in _BLOCKS:
                for at, each in enumerate(value):
                    if isinstance(each, ast.expr):
                        for child in _parts(each):
                            yield lambda value=value, at=at, child=child: _put_at(value, at, child)


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


def _replace(block: list[ast.AST], each: ast.AST, others: list[ast.AST]) -> Callable[[], None] | None:
    before = [*block]
    if each not in block:
        return None
    at = block.index(each)
    block[at : at + 1] = others
    if not block and isinstance(each, ast.stmt):
        block.append(ast.Pass())
        if isinstance(each, ast.Pass):
            block[:] = before
            return None

    def undo() -> None:
        block[:] = before

    return undo


def _drop(node: ast.AST, field: str, each: ast.AST) -> Callable[[], None]:
    before = copy.copy(getattr(node, field))
    keys = copy.copy(node.keys) if isinstance(node, ast.Dict) else None
    at = next(at for at, one in enumerate(before) if one is each)
    getattr(node, field).pop(at)
    if isinstance(node, ast.Dict):
        node.keys.pop(at)

    def undo() -> None:
        getattr(node, field)[:] = before
        if isinstance(node, ast.Dict) and keys is not None:
            node.keys[:] = keys

    return undo


def _put(node: ast.AST, field: str, value: ast.AST | None) -> Callable[[], None]:
    before = getattr(node, field)
    setattr(node, field, value)
    return lambda: setattr(node, field, before)


def _put_at(values: list[ast.AST], at: int, value: ast.AST) -> Callable[[], None]:
    before = values[at]
    values[at] = value

    def undo() -> None:
        values[at] = before

    return undo


_known = set(ast.unparse(ast.parse(HEADER)).splitlines())


def as_text(program: Program) -> str:
    """Return a program's own lines."""
    return "\n".join(
        each
        for each in program.source.splitlines()
        if each and each not in _known and not each.startswith("app = App(")
    )
