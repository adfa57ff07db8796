"""Mutants that are made at random in all folders of the package: a comparison turned round, a number that is one off,
a condition negated, a call or a result left out. Some change nothing that can be observed.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.mutants.table import ROOT, SOURCE

_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


@dataclass(frozen=True)
class RandomMutant:
    """A change of one place in a line of a file: ``new`` stands for its bytes from ``start`` to ``end``."""

    file: str
    line: int
    start: int
    end: int
    new: str

    @property
    def breaks(self) -> str:
        """The change, in words."""
        line = (SOURCE / self.file).read_bytes().splitlines()[self.line - 1]
        return f"in line {self.line} `{line[self.start : self.end].decode()}` becomes `{self.new}`"

    @property
    def tests(self) -> list[str]:
        """The tests of the same chapter, or else those of the nearest folder that has any."""
        mirrored = ROOT / "tests" / Path(self.file)
        chapter = mirrored.with_name(f"test_{mirrored.name}")
        if chapter.exists():
            return [str(chapter.relative_to(ROOT))]
        folder = next(each for each in mirrored.parents if each.is_dir())
        return [str(folder.relative_to(ROOT))] if folder != ROOT / "tests" else [f"tests/test_{mirrored.name}"]

    def applied(self, source: Path = SOURCE) -> str:
        """Return the changed text of the file below a folder."""
        lines = (source / self.file).read_bytes().splitlines(keepends=True)
        line = lines[self.line - 1]
        lines[self.line - 1] = line[: self.start] + self.new.encode() + line[self.end :]
        return b"".join(lines).decode()


def random_mutants(count: int, seed: int) -> list[RandomMutant]:
    """Choose so many files at random, of those that have tests, and one change in each."""
    random = Random(seed)
    files = sorted(path for path in SOURCE.rglob("*.py") if path.name != "__init__.py")
    found: list[RandomMutant] = []
    for path in random.sample(files, len(files)):
        possible = [each for each in changes(path) if all((ROOT / test).exists() for test in each.tests)]
        found += random.sample(possible, min(1, len(possible)))
        if len(found) == count:
            break
    return found


def random_mutants_of(room: str, count: int, seed: int) -> list[RandomMutant]:
    """Choose so many changes at random in a folder of the package."""
    found = [each for path in sorted((SOURCE / room).rglob("*.py")) for each in changes(path)]
    return Random(seed).sample(found, min(count, len(found)))


def changes(path: Path, source: Path = SOURCE) -> Iterator[RandomMutant]:
    """Give each change that can be made in a file within one line."""
    for node in _running(ast.parse(path.read_bytes())):
        new = _changed(node)
        if new is not None and node.lineno == node.end_lineno and node.end_col_offset is not None:
            file = path.relative_to(source).as_posix()
            yield RandomMutant(file, node.lineno, node.col_offset, node.end_col_offset, new)


def _running(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Give what runs when the code does, and not what only type checkers read."""
    for name, field in ast.iter_fields(node):
        if name in {"annotation", "returns"} or isinstance(node, ast.JoinedStr):
            continue
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.expr | ast.stmt):
                yield child
            if isinstance(child, ast.AST):
                yield from _running(child)


def _changed(node: ast.expr | ast.stmt) -> str | None:
    """Return the code that takes a node's place; None where nothing does."""
    match node:
        case ast.Compare(ops=[op]):
            turned = copy.copy(node)
            turned.ops = [_TURNED[type(op)]()]
            return f"({ast.unparse(turned)})"
        case ast.BoolOp(op=op):
            turned_op = copy.copy(node)
            turned_op.op = ast.Or() if isinstance(op, ast.And) else ast.And()
            return f"({ast.unparse(turned_op)})"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"bool({ast.unparse(operand)})"
        case ast.Constant(value=bool(value)):
            return str(not value)
        case ast.Constant(value=int(value)):
            return str(value + 1)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant) or value.value is not None:
            return "return None"
        case ast.Expr(value=ast.Call()):
            return "pass"
    return None
