"""The names of a library, as its modules define them, beside those of a dialect and of a page of what is absent."""

import ast
import builtins
import csv
import importlib
import inspect
import pkgutil
import re
from collections import defaultdict
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import TypeVar

THE_MODULE = "the module"


def modules(package: ModuleType) -> list[str]:
    """The modules of a package, below it."""
    prefix = f"{package.__name__}."
    found = {module.name.removeprefix(prefix) for module in pkgutil.walk_packages(package.__path__, prefix)}
    return sorted(found - {"__main__"})


def tables(page: Path) -> list[dict[str, set[str]]]:
    """The tables of a page whose first column is `module`: the names of each module."""
    found = []
    for text in page.read_text().split("| module |")[1:]:
        names = defaultdict(set)
        for module, cell in re.findall(r"^\| `([a-z_.]+)` \| ([^|]+) \|", text, re.MULTILINE):
            names[module] |= {THE_MODULE} if cell == THE_MODULE else set(re.findall("`([^`]+)`", cell))
        found.append(names)
    return found


def defined(module: ModuleType) -> set[str]:
    """The public names that a module defines: functions, classes and variables, but no type variables."""
    found = set()
    statements = ast.parse(Path(module.__file__).read_text()).body
    for node in statements:
        match node:
            case ast.FunctionDef(name) | ast.ClassDef(name):
                found.add(name)
            case ast.Assign() | ast.AnnAssign():
                found |= {
                    each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
                }
            case ast.If() | ast.Try():
                statements += [*node.body, *node.orelse]
    values = vars(module)
    own = {name for name in found & values.keys() if not name.startswith("_") and not inspect.ismodule(values[name])}
    return {name for name in own if not isinstance(values[name], TypeVar) and not hasattr(builtins, name)}


def attributes(module: ModuleType) -> set[str]:
    """The public attributes of the classes that a module defines, after the names of the classes."""
    classes = {name: vars(module)[name] for name in defined(module) if inspect.isclass(vars(module)[name])}
    return {f"{name}.{own}" for name, each in classes.items() for own in vars(each) if not own.startswith("_")}


def has(module: ModuleType, name: str) -> bool:
    try:
        attrgetter(name)(module)
    except AttributeError:
        return False
    return True


def absent(imported: Path) -> set[tuple[str, str]]:
    """The modules and names of a table, of what packages import, that no dialect has."""
    with imported.open(newline="") as file:
        rows = {(row["module"], row["name"]) for row in csv.DictReader(file)}
    return {row for row in rows if not is_there(*row)}


def is_there(module: str, name: str) -> bool:
    """Return True if a dialect has a module, and that has a name; any module has the empty one."""
    try:
        found = importlib.import_module(f"antiphon.dialects.{module}")
    except ModuleNotFoundError:
        return False
    return not name or has(found, name)


def used(module: ModuleType, packages: set[str]) -> set[str]:
    """The public names in a module that belong to these packages, whether or not the module defines them."""
    found = set()
    for name, value in vars(module).items():
        home = getattr(value, "__module__", None) or type(value).__module__
        if home.partition(".")[0] in packages and not (name.startswith("_") or isinstance(value, TypeVar)):
            found.add(name)
    return found


def missing(theirs: ModuleType, ours: ModuleType) -> set[str]:
    """The public names that a module lacks, and the public attributes that its classes lack."""
    lacking = {each for each in defined(theirs) | attributes(theirs) if not has(ours, each)}
    return {each for each in lacking if "." not in each or has(ours, each.partition(".")[0])}
