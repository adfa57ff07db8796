"""The version of an API in one checkout: its document, and the lines of code that its parts come from."""

import ast
import inspect
import json
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from textwrap import dedent
from types import FunctionType
from typing import Any

from antiphon import App
from antiphon.embedding import innermost
from antiphon.features.openapi.changes.keywords import Schema, Site
from antiphon.features.openapi.code.reading import function_of
from antiphon.features.openapi.code.words import DescribedApp
from antiphon.features.openapi.contract import Contract
from antiphon.features.openapi.described import app_of
from antiphon.features.openapi.document import Info, OpenAPIDocument, described_routes, make_document
from antiphon.features.openapi.schemas import leaf_types
from antiphon.features.secret_names import encoded_names


@dataclass
class OperationCode:
    """The code of an operation: its handler's place, and the lines of the names and numbers that it mentions."""

    place: str = ""
    mentions: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    """Everything about the operation that could not be determined by reading its code."""
    digest: str = ""
    """A hash of the handler's code."""


@dataclass
class Version:
    """One version of an API. Places are ``file:line``, with the whole path of the file."""

    content: Schema
    operations: dict[str, OperationCode]
    types: dict[str, dict[str, str]]
    """The places of classes, by name, and of their fields. The place of the class itself has an empty name."""
    prefix: str = ""

    @classmethod
    def read(cls, app: App | DescribedApp, prefix: str) -> "Version":
        """Read the code of an application, as OpenAPI 3.2, which describes streams, too."""
        return cls.of(app, make_document(app, Info("", prefix=prefix, openapi="3.2")), prefix)

    @classmethod
    def of(cls, app: App | DescribedApp, document: OpenAPIDocument, prefix: str = "") -> "Version":
        """Return the version of an application that a document describes."""
        operations = {}
        found: dict[int, Contract] = {id(each.route.handler): each for each in document.contracts}
        for each in described_routes(app if isinstance(app, App) else app_of(app)):
            if each.route.websocket is not None:
                operations[f"WebSocket {each.path}"] = code_of(each.route.handler)
            for method in each.route.methods:
                contract = document.find(each.route, method) or found.get(id(each.route.handler))
                if contract is not None:
                    operations[f"{method} {each.path}"] = code_of(each.route.handler, contract)
        classes = {kind for contract in document.contracts for kind in classes_in(types_in(contract))}
        return cls(document.content, operations, _places_of_types(classes), prefix)

    def dumped(self) -> str:
        """Return the version as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, text: str) -> "Version":
        """Return the version in JSON."""
        held = json.loads(text)
        codes = {name: OperationCode(**each) for name, each in held["operations"].items()}
        return cls(held["content"], codes, held["types"], held["prefix"])

    def place_of(self, site: Site, operation: str, mentioned: str = "") -> str:
        """Return the place of a type's field, or else of a name that a handler mentions, or else of the handler."""
        fields = self.types.get(site.component) or self.types.get(site.component.removesuffix("Input")) or {}
        code = self.operations.get(operation, OperationCode())
        return fields.get(site.field) or fields.get("") or code.mentions.get(mentioned.lower()) or code.place


def types_in(contract: Contract) -> Iterator[Any]:
    """Yield the types that an operation reads and returns."""
    yield from (each.wanted for each in contract.reads)
    failures = [one for several in contract.failures.values() for one in several]
    for given in [*contract.responses, *[each for failure in failures for each in failure.responses]]:
        yield from leaf_types(given.body)


# Handlers


def code_of(handler: Callable[..., object], contract: Contract | None = None) -> OperationCode:
    unread = [*dict.fromkeys(each.text for each in contract.unread)] if contract else []
    function = function_of(innermost(handler))
    if not isinstance(function, FunctionType):
        return OperationCode(unread=unread)
    file, line = function.__code__.co_filename, function.__code__.co_firstlineno
    lines = _lines_of(function)
    mentions = {name: f"{file}:{at}" for name, at in _mentions(lines, line)}
    return OperationCode(f"{file}:{line}", mentions, unread, sha256(lines.encode()).hexdigest())


def _lines_of(function: Callable[..., object]) -> str:
    try:
        return dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return ""


def _mentions(text: str, first: int) -> Iterator[tuple[str, int]]:
    """Yield the strings and numbers in a function's code, each with its first line."""
    with suppress(SyntaxError):
        seen = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str | int):
                name = str(node.value).lower()
                if name not in seen and len(name) <= 100:
                    seen.add(name)
                    yield name, first + node.lineno - 1


# Types


def classes_in(kinds: Iterable[Any]) -> Iterator[type]:
    """Yield the application's classes in these types, and in the types of their fields."""
    ahead, seen = [*kinds], set()
    while ahead:
        kind = ahead.pop()
        ahead += typing.get_args(kind)
        if (
            not isinstance(kind, type)
            or kind in seen
            or kind.__module__ == "builtins"
            or kind.__module__.partition(".")[0] == "antiphon"
        ):
            continue
        seen.add(kind)
        yield kind
        with suppress(Exception):  # an annotation may contain a name that only type checkers can resolve
            ahead += typing.get_type_hints(kind, include_extras=True).values()


def _places_of_types(classes: Iterable[type]) -> dict[str, dict[str, str]]:
    """Return the places of classes and their fields. A name of several classes has none, since it may be of any."""
    found: dict[str, dict[str, str]] = {}
    for kind in classes:
        places: dict[str, str] = {}
        for each in reversed(kind.__mro__):
            places |= _places_of_class(each)
        encoded = encoded_names(kind)
        places |= {encoded[name]: place for name, place in places.items() if name in encoded}
        found[kind.__name__] = places if kind.__name__ not in found else {}
    return found


def _places_of_class(kind: type) -> Mapping[str, str]:
    try:
        lines, first = inspect.getsourcelines(kind)
        file = inspect.getsourcefile(kind) or ""
        node = ast.parse(dedent("".join(lines))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return {}
    fields = {
        each.target.id: f"{file}:{first + each.lineno - 1}"
        for each in getattr(node, "body", ())
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }
    return {"": f"{file}:{first}", **fields}


def below(place: str, folder: str) -> str:
    """Return a place relative to a folder if it is in the folder."""
    with suppress(ValueError):
        return str(Path(place).relative_to(folder))
    return place
