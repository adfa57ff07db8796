"""What the source code says of a public name: its docstring, its signature, its attributes and methods.

The comments that divide a class (`# The body`) are the sections of its members. What is meant for other parts of the
project, and for those who extend it, says so in its docstring.
"""

import ast
import importlib
import inspect
import re
import textwrap
import typing
from collections.abc import Callable, Container, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from antiphon.app.route import RouteOptions
from antiphon.app.static_files import StaticFolder
from antiphon.explanations.words import OtherWord
from antiphon.http.grammar import Value
from antiphon.lazy import attribute_docs
from antiphon.response.message import MakerOrValue

EXTENDING = "For adapters and dialects"
HEADERS = "Header fields"
EXPLAINED = {"RouteOptions": RouteOptions, "StaticFolder": StaticFolder}
"""Classes that a docstring sends its reader to."""
CONSTRUCTORS = ("__init__", "__new__")
_LONGEST_DEFAULT = 60

Function = ast.FunctionDef | ast.AsyncFunctionDef
N = TypeVar("N", bound=ast.AST)


class Member(NamedTuple):
    """A public attribute or method of a class."""

    name: str
    section: str
    shown: str
    """Its name with its parameters and its type."""
    doc: str
    is_method: bool


def members(cls: type) -> Iterator[Member]:
    """Return the public attributes and methods of a class that have a docstring, and those that it inherits."""
    seen: set[str] = set()
    for owner in _owners(cls):
        for name in sorted(_documented(owner) - seen, key=_line_of(owner)):
            seen.add(name)
            yield _member(cls, owner, name)


def constructor(cls: type) -> str:
    """Return the call that makes an object of a class; the name alone of one that is not made by hand."""
    if cls.__dict__.get("__abstractmethods__"):
        return cls.__name__
    for owner in _owners(cls):
        for name in CONSTRUCTORS:
            if name in functions(owner):
                return signature(cls.__name__, functions(owner)[name], has_type=False)
        if "__dataclass_fields__" in vars(owner) or "_fields" in vars(owner) or typing.is_typeddict(owner):
            return _wrapped(f"{cls.__name__}({', '.join(_fields(owner))})")
    if issubclass(cls, str):
        return f"{cls.__name__}(text: str)"
    return f"{cls.__name__}()" if cls.__mro__[1] is object else cls.__name__


def class_doc(cls: type, known: Container[type] = ()) -> str:
    """Return the docstring of a class, those of its bases that are not known otherwise, and of its constructor."""
    public = tuple(each for each in cls.__mro__[1:] if each in known)
    told = {base for each in public for base in each.__mro__} | {Value}
    owners = [cls, *(owner for owner in _owners(cls)[1:] if owner not in told and not issubclass(owner, public))]
    made = [functions(owner)[name] for owner in _owners(cls) for name in CONSTRUCTORS if name in functions(owner)]
    own = [owner.__doc__ for owner in owners if vars(owner).get("__doc__")]
    said = [*own, *(ast.get_docstring(each) for each in made[:1])]
    generated = f"{cls.__name__}("  # as dataclasses and named tuples have it without a docstring
    return "\n\n".join(markdown(doc) for doc in said if doc and not doc.startswith(generated))


def function_shown(function: Callable[..., object]) -> str:
    """Return the name of a function with its parameters and its type."""
    node = _node(function)
    return signature(node.name, node)


def assigned(place: str, name: str) -> tuple[str, str]:
    """Return the source code of a value that a module assigns, and the docstring below."""
    body = _home(place, name).body
    for node, below in zip(body, [*body[1:], None], strict=True):
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        if [ast.unparse(target) for target in targets] == [name]:
            doc = ast.literal_eval(below.value) if isinstance(below, ast.Expr) else ""
            value = ast.unparse(node.value)  # type: ignore[attr-defined]
            return _wrapped(_code(f"{name} = {value}")), markdown(doc)
    raise LookupError(f"{place} does not assign {name}")


def markdown(doc: str | None) -> str:
    """Return a docstring as Markdown."""
    text = inspect.cleandoc(doc or "").replace("``", "`").strip()
    return "\n".join(line.rstrip() for line in text.splitlines())


def signature(name: str, node: Function, has_type: bool = True) -> str:
    """Return the call of a function, or of the class that it is the constructor of."""
    parameters = re.sub(r"^(self|cls)(: type\[\w\])?(, /)?(, )?", "", ast.unparse(node.args)).replace("=", " = ")
    result = f" -> {_type(node)}" if has_type and not _is_decorator(node) else ""
    waits = "await " if isinstance(node, ast.AsyncFunctionDef) else ""
    return _wrapped(_code(f"{waits}{name}({parameters}){result}"))


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 100, subsequent_indent="    ", break_long_words=False))


def _owners(cls: type) -> list[type]:
    own = [owner for owner in cls.__mro__[:-1] if owner.__module__.startswith("antiphon.")]
    return [owner for owner in own if owner.__module__ != "antiphon.speedups._speedups"]  # in C: there is no source


def _documented(owner: type) -> set[str]:
    own = {name for name in vars(owner) if _is_public(name) and not isinstance(vars(owner)[name], OtherWord)}
    return {name for name in own if _doc(owner, name)}


def _is_public(name: str) -> bool:
    return name[0] != "_" or name in ("__", "__call__", "__getitem__")


def _doc(owner: type, name: str) -> str:
    value = vars(owner)[name]
    if name in attribute_docs(owner):
        return attribute_docs(owner)[name]
    slots = vars(owner).get("__slots__", ())
    if isinstance(slots, dict) and name in slots:
        return str(slots[name])
    if getattr(value, "__module__", "") == "typing":  # Python's stub for overloads has a docstring about itself
        return ""
    doc = (inspect.getdoc(value) or "") if hasattr(value, "__get__") else ""  # other values have that of their class
    return "" if doc.startswith("Alias for field") else doc


def _member(cls: type, owner: type, name: str) -> Member:
    doc = _doc(owner, name)
    node = functions(owner).get(name)
    if EXTENDING in doc:
        section = EXTENDING
    else:
        section = HEADERS if owner.__name__.endswith("Headers") and node is None else _section(owner, name)
    explained = [inspect.getdoc(cls) or "" for name, cls in EXPLAINED.items() if f"see ``{name}``" in doc]
    doc = markdown("\n\n".join([doc.replace(f"{EXTENDING}.", ""), *explained]))
    if isinstance(both := vars(owner)[name], MakerOrValue):
        shown = f"{cls.__name__}.{signature(name, _node(both.make), has_type=False)} -> Self"
        doc = "\n\n".join([doc, markdown(both.read.__doc__)])
        return Member(name, section, f"{shown}\n{name}: {_code(_type(_node(both.read)))}", doc, True)
    if node is None:
        return Member(name, section, f"{name}: {_type_of_attribute(cls, name)}".removesuffix(": "), doc, False)
    decorators = {ast.unparse(each) for each in node.decorator_list}
    if decorators & {"property", "lazy"}:
        return Member(name, section, f"{name}: {_code(_type(node))}", doc, False)
    start = f"{cls.__name__}." if "classmethod" in decorators else ""
    shown = "\n".join(start + signature(name, each) for each in _overloads(owner, name) or [node])
    return Member(name, section, shown, doc, True)


# The source code


def _node(function: Callable[..., object]) -> Function:
    """Return the tree of a function, with types that stand in quotes as they are, and short defaults as values."""
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(node, Function)
    return _with_values(_unquoted(node), function.__module__)


@cache
def _source(owner: type) -> tuple[list[str], ast.ClassDef]:
    """Return the lines of a class, and its tree with types that stand in quotes as they are."""
    text = inspect.getsource(owner)
    tree = _with_values(_unquoted(ast.parse(text).body[0]), owner.__module__)
    assert isinstance(tree, ast.ClassDef)
    return text.splitlines(), tree


def _unquoted(tree: N) -> N:
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if isinstance(quoted := getattr(node, field, None), ast.Constant) and isinstance(quoted.value, str):
                setattr(node, field, ast.parse(quoted.value, mode="eval").body)
    return tree


def _with_values(tree: N, module: str) -> N:
    """Return a tree whose functions have defaults as values, where a name stands for one that is short."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            node.defaults = [_with_value(each, module) for each in node.defaults]
            node.kw_defaults = [each and _with_value(each, module) for each in node.kw_defaults]
    return tree


def _with_value(node: ast.expr, module: str) -> ast.expr:
    if not isinstance(node, ast.Name | ast.JoinedStr | ast.BinOp) or not _has_name(node):
        return node
    value = eval(ast.unparse(node), vars(importlib.import_module(module)))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, Mapping) and not value:
        return ast.Dict([], [])
    if isinstance(value, str | int | float | tuple) and len(repr(value)) < _LONGEST_DEFAULT:
        return ast.parse(repr(value), mode="eval").body
    return ast.Constant(...) if ast.unparse(node).startswith("_") else node


def _has_name(node: ast.expr) -> bool:
    return any(isinstance(each, ast.Name) for each in ast.walk(node))


@cache
def functions(owner: type) -> dict[str, Function]:
    """Return the functions of a class. Of a property that may be set it is the one that reads."""
    functions = [each for each in _source(owner)[1].body if isinstance(each, Function)]
    return {each.name: each for each in functions if not any("setter" in ast.unparse(d) for d in each.decorator_list)}


def _overloads(owner: type, name: str) -> list[Function]:
    """Return the overloads of a method whose own type says nothing of what it returns."""
    named = [each for each in _source(owner)[1].body if isinstance(each, Function) and each.name == name]
    return named[:-1] if _type(named[-1]) in ("object", "Any") and len(named) > 1 else []


def _fields(owner: type) -> Iterator[str]:
    """Return the fields that the constructor of a dataclass or of a named tuple takes."""
    for node in _source(owner)[1].body:
        if isinstance(node, ast.AnnAssign) and "ClassVar" not in ast.unparse(node.annotation):
            yield _code(ast.unparse(node)).replace("field(default_factory=dict)", "{}")


@cache
def _home(place: str, name: str) -> ast.Module:
    """Return the tree of the module that a public name comes from."""
    stub = Path(importlib.import_module(place).__file__ or "").with_suffix(".pyi")
    imports = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)]
    module = next(node.module for node in imports if name in {alias.name for alias in node.names})
    return ast.parse(inspect.getsource(importlib.import_module(module or "")))


class Declaration(NamedTuple):
    """The line of an attribute, and its type."""

    line: int
    type: str


@cache
def _annotations(owner: type) -> dict[str, Declaration]:
    """Return the attributes that are declared in the body of a class, or in its ``__init__`` with their types."""
    found: dict[str, Declaration] = {}
    for node in ast.walk(_source(owner)[1]):
        if isinstance(node, ast.AnnAssign):
            found.setdefault(ast.unparse(node.target).removeprefix("self."), _declaration(node, node.annotation))
        elif isinstance(node, ast.Assign):
            found.setdefault(ast.unparse(node.targets[0]).removeprefix("self."), Declaration(node.lineno, ""))
    return found


def _type_of_attribute(cls: type, name: str) -> str:
    declared = [_annotations(owner).get(name) for owner in _owners(cls)]
    return next((each.type for each in declared if each and each.type), "")


def _declaration(node: ast.AnnAssign, annotation: ast.expr) -> Declaration:
    written = re.sub(r"^(?:ClassVar|Final)(?:\[(.*)\])?$", r"\1", ast.unparse(annotation))
    return Declaration(node.lineno, _code(written))


def _line_of(owner: type) -> Callable[[str], tuple[int, str]]:
    lines = {name: declared.line for name, declared in _annotations(owner).items()}
    lines |= {name: node.lineno for name, node in functions(owner).items()}
    return lambda name: (lines.get(name, 0), name)


def _section(owner: type, name: str) -> str:
    """Return the comment that divides a class above one of its members."""
    line, _ = _line_of(owner)(name)
    divided = (re.fullmatch(r"    # (.+)", text) for text in reversed(_source(owner)[0][:line]))
    return next((found[1] for found in divided if found), "")


def _type(node: Function) -> str:
    return ast.unparse(node.returns) if node.returns else "Any"


def _code(text: str) -> str:
    return text.replace("'", '"')


def _is_decorator(node: Function) -> bool:
    """Return True if a function returns a decorator: the function that it is given."""
    return bool(re.search(r"\[\[(\w)\], \1\]", _type(node)))
