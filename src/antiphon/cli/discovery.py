"""The search for an application in the current directory, by the usual names.

Nothing is imported, since importing a module may have any effect."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from antiphon.cli.errors import BadCommand
from antiphon.cli.target import NAMES, Target

_CLASSES = {"App", "Asok", "FastAPI", "Flask", "Microdot", "Quart", "Starlette"}
"""The usual classes of applications."""
_NAME = rf"({'|'.join(NAMES)})\b"
_is_bound = re.compile(rf"^(?:(?:async +)?def +{_NAME}|{_NAME} *(?:[,=](?!=)|:))", re.MULTILINE)
"""Match the usual names in a module with a syntax error, which is reported when the module is imported."""
_is_for_tests = re.compile(r"conftest|setup|tests?|tests?_.*|.*_tests?").fullmatch
_MOST_SHOWN = 20


class Module(NamedTuple):
    """Facts about a module, read from its source without importing it."""

    bound: set[str]
    """Names that the module defines."""
    imported: set[str]
    """Names that the module imports from other modules."""
    likely: set[str]
    """Names of instances of an application class, and of functions without arguments that return an instance."""

    @classmethod
    def parse(cls, text: str) -> "Module":
        """Parse a module's source, which may be invalid."""
        try:
            statements = ast.parse(text).body
        except (SyntaxError, ValueError):
            return cls({name for groups in _is_bound.findall(text) for name in groups}, set(), set())
        found = cls(set(), set(), set())
        for each in statements:
            if isinstance(each, ast.ImportFrom):
                found.imported.update(alias.asname or alias.name for alias in each.names)
            for name, made_by in _definitions(each):
                found.bound.add(name)
                if made_by is not None and ast.unparse(made_by).rpartition(".")[2].strip("'\"") in _CLASSES:
                    found.likely.add(name)
        return found


def _definitions(statement: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield the names that a statement defines, each with the object's class if the statement shows it."""
    match statement:
        case ast.FunctionDef(name=name, args=arguments) | ast.AsyncFunctionDef(name=name, args=arguments):
            needed = len(arguments.posonlyargs + arguments.args) - len(arguments.defaults)
            yield name, statement.returns if not needed and isinstance(statement, ast.FunctionDef) else None
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                for each in ast.walk(target):
                    if isinstance(each, ast.Name):
                        yield each.id, value.func if isinstance(value, ast.Call) else None
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            yield name, value.func if isinstance(value, ast.Call) else None


def find() -> Target:
    """Find the only application in the modules of the current directory, or else in its packages' own modules.

    Modules that only import an application are considered if no module creates one. Raises `BadCommand` unless there is
    exactly one.
    """
    tried: dict[Path, Module] = {}
    for patterns in (("*.py", "*/__init__.py"), ("*/*.py",)):
        paths = [path for each in patterns for path in _modules(each)]
        modules = {path: Module.parse(path.read_text("utf-8", "replace")) for path in paths}
        tried |= modules
        for kind in ("bound", "imported"):
            named = {path: _first(getattr(module, kind)) for path, module in modules.items()}
            found = [Target(_dotted(path), name) for path, name in named.items() if name]
            if len(found) > 1:
                raise BadCommand(f"Several applications were found, so name one: {', '.join(map(str, sorted(found)))}.")
            if found:
                return found[0]
    raise BadCommand(_nothing(tried))


def _modules(pattern: str) -> list[Path]:
    found = (path for path in sorted(Path().glob(pattern)) if path.is_file())
    return [path for path in found if not any(map(_is_for_tests, path.with_suffix("").parts)) and _dotted(path)]


def _dotted(path: Path) -> str:
    """Return a module's name; empty if it can't have one, as for a script `back-up.py`."""
    parts = path.with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__") if all(part.isidentifier() for part in parts) else ""


def _first(names: set[str]) -> str:
    return next((name for name in NAMES if name in names), "")


def _nothing(tried: dict[Path, Module]) -> str:
    if not tried:
        return f"No application was named, and {Path.cwd()} has no modules. Name one as MODULE:APP."
    shown = [str(path) for path in [*tried][:_MOST_SHOWN]] + ["..."] * (len(tried) > _MOST_SHOWN)
    likely = [f"{_dotted(path)}:{name}" for path, module in tried.items() for name in sorted(module.likely)]
    offer = f" These look like applications: {', '.join(likely[:_MOST_SHOWN])}." if likely else ""
    return (
        f"No application was named, and none was found in {Path.cwd()}. The command looked for {', '.join(NAMES)} in"
        f" {', '.join(shown)}.{offer} Name one as {likely[0] if likely else 'MODULE:APP'}."
    )
