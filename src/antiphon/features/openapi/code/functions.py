"""Calls of functions, whether or not their code is followed."""

import ast
import html
import textwrap
import urllib.parse
from collections.abc import Mapping, Sequence
from types import FunctionType, NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Self
from typing import Never as NeverReturned

from antiphon import Response
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.parts import said
from antiphon.features.openapi.code.responses import argument
from antiphon.features.openapi.code.values import (
    NONE,
    TEXT,
    UNKNOWN,
    Fields,
    Instance,
    Known,
    Of,
    Ref,
    TheRequest,
    Tuple,
    Value,
    alternatives,
    is_constant,
)

if TYPE_CHECKING:
    from antiphon.features.openapi.code.frames import Frame

PURE = frozenset({
    "antiphon", "base64", "builtins", "datetime", "decimal", "hashlib", "hmac", "html", "json", "logging", "math",
    "msgspec", "pathlib", "re", "secrets", "statistics", "textwrap", "time", "urllib", "uuid",
})  # fmt: skip
"""Modules and packages whose functions neither change nor keep their arguments."""
_MAKE_TEXT = (
    html.escape, textwrap.dedent, urllib.parse.quote, urllib.parse.quote_plus, urllib.parse.urlencode,
    urllib.parse.urljoin,
)  # fmt: skip
"""Functions in these modules that return text but have no annotations."""
_LOG = frozenset({"critical", "debug", "error", "exception", "info", "log", "warning"})
"""Functions and methods of logging that only show their arguments."""


class Call(NamedTuple):
    """A call of one value, with the values of its arguments."""

    node: ast.AST
    called: Value
    positional: list[Value]
    named: dict[str, Value]
    is_open: bool = False
    """True if there may be additional arguments that aren't known."""
    is_awaited: bool = False

    def argument(self, at: int, name: str) -> Value | None:
        """Return an argument by position or name, or None if it isn't passed."""
        return argument(self.positional, self.named, at, name)

    @property
    def given(self) -> list[Value]:
        """All arguments."""
        return [*self.positional, *self.named.values()]

    @property
    def is_given_request(self) -> bool:
        """True if the request is one of the arguments."""
        return any(isinstance(one, TheRequest) for given in self.given for one in alternatives(given))

    @property
    def written(self) -> str:
        """The call as written in the code, without its arguments."""
        return ast.unparse(self.node.func if isinstance(self.node, ast.Call) else self.node)


class Parameters(NamedTuple):
    """The names of a function's parameters, and of those for the arguments that are left."""

    by_position: Sequence[str]
    by_name: Sequence[str]
    rest: str | None
    more: str | None

    @classmethod
    def of(cls, node: ast.arguments) -> Self:
        """Return the parameters of a function as it is written."""
        rest, more = (each.arg if each is not None else None for each in (node.vararg, node.kwarg))
        by_position = [each.arg for each in (*node.posonlyargs, *node.args)]
        return cls(by_position, [each.arg for each in node.kwonlyargs], rest, more)

    def bound(self, positional: Sequence[Value], named: Mapping[str, Value], *, is_open: bool) -> dict[str, Value]:
        """Return the arguments by parameter; with ``is_open``, there may be others."""
        names = {*self.by_position, *self.by_name}
        found = dict(zip(self.by_position, positional, strict=False))
        found |= {name: value for name, value in named.items() if name in names}
        if self.rest is not None:
            found[self.rest] = UNKNOWN if is_open else Tuple(tuple(positional[len(self.by_position) :]))
        if self.more is not None:
            left = tuple(each for each in named.items() if each[0] not in names)
            found[self.more] = UNKNOWN if is_open else Fields(left)
        return found


def lost(frame: "Frame", made: Call, why: str) -> Value:
    """Record a call of unread code, which may change its arguments."""
    if made.is_given_request:
        frame.unread(f"{made.written}(...) is given the request, and {why}", made.node, "taken")
    frame.escape(*[each for each in made.given if not isinstance(each, TheRequest)])
    frame.flow.forget_attributes()
    return UNKNOWN


def method_for(frame: "Frame", owner: Value, name: str) -> FunctionType | None:
    """Return a method that the application defines for a value, or None."""
    match owner:
        case Known(held):
            kind: type | None = type(held)
        case Ref():
            return method_for(frame, frame.flow.content(owner), name)
        case Of(annotation):
            kind = annotations.class_of(annotation)
        case _:
            return None
    if kind is None or kind.__module__ == "builtins":
        return None
    method = annotations.method_of(kind, name)
    return method if method is not None and frame.reader.follows(method) else None


def call_method_of(frame: "Frame", owner: Value, name: str, given: Sequence[Value], node: ast.AST) -> Value | None:
    """Return the result of a special method that the application defines, such as ``__getitem__``, or None."""
    method = method_for(frame, owner, name)
    return None if method is None else call_function(frame, Call(node, owner, [*given], {}), method, owner)


def call_function(frame: "Frame", made: Call, function: FunctionType, owner: Value | None = None) -> Value:
    """Return a function's result, from its annotation if that is specific enough, or else from its code."""
    stated = annotations.returned_by(function)
    if stated in (NoReturn, NeverReturned):
        stated = annotations.NOT_SAID
    given = made if owner is None else made._replace(positional=[owner, *made.positional])
    found = frame.reader.call(frame, given, function)
    if found is None:
        if (function.__module__ or "").partition(".")[0] in PURE:
            made_by = owner if stated is Self and owner is not None else _typed(stated)
            if function.__module__ == "logging" and function.__name__ in _LOG:
                made_by = NONE
            return frame.use(*given.given, result=TEXT if function in _MAKE_TEXT else made_by)
        lost(frame, given, "its code is not known")
        return _typed(stated)
    frame.flow.forget_attributes()
    cls = None if stated is annotations.NOT_SAID else annotations.class_of(stated)
    if stated is annotations.NOT_SAID or (cls is not None and issubclass(cls, Response | BaseException)):
        return found
    has_status = any(isinstance(each, Tuple) for each in alternatives(found))
    contents = alternatives(frame.flow.content(found))
    is_constant_ = cls in (int, str) and all(map(is_constant, contents))
    is_made = cls is not None and all(isinstance(each, Instance) and issubclass(each.type, cls) for each in contents)
    if has_status or is_constant_ or is_made or (annotations.is_loose(stated) and found is not UNKNOWN):
        return found
    result = frame.use(found, result=_typed(stated))
    frame.escape(found if result != found else NONE)
    return result


def _typed(annotation: Any) -> Value:
    return NONE if annotation in (None, NoneType) else said(annotation)
