"""The problem details of errors (RFC 9457): the detail, the type and the members that code gives them."""

import ast
from types import FunctionType
from typing import TYPE_CHECKING, cast

from antiphon.features.openapi.code.functions import Call
from antiphon.features.openapi.code.objects import text_of
from antiphon.features.openapi.code.values import NONE, Fields, Value

if TYPE_CHECKING:
    from antiphon.features.openapi.code.frames import Frame


def detail_of(made: Call, value: Value | None) -> str | None:
    """Return the detail of an error, with the variables of an f-string in braces, as in ``Bid at least {least}``."""
    node = made.node
    if (found := text_of(value)) is not None or value is None or not isinstance(node, ast.Call):
        return found
    given = [*node.args, *[each.value for each in node.keywords if each.arg == "detail"]]
    return next((_shown(each) for each in given if isinstance(each, ast.JoinedStr)), None)


def _shown(node: ast.JoinedStr) -> str:
    return "".join(str(each.value) if isinstance(each, ast.Constant) else _name(each) for each in node.values)


def _name(part: ast.expr) -> str:
    value = part.value if isinstance(part, ast.FormattedValue) else part
    name = value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else "..."
    return f"{{{name.strip('_')}}}"


def problem_of(frame: "Frame", made: Call) -> tuple[str | None, Fields | None]:
    """Return the type and the members that an error is given, and note those that are not known."""
    kind, members = made.named.get("type", NONE), made.named.get("members", NONE)
    content = frame.flow.frozen(members)
    if (kind is not NONE and text_of(kind) is None) or (content is not NONE and not isinstance(content, Fields)):
        text = f"{made.written} is given a type or members that are not known before it runs"
        frame.unread(text, made.node, "raised")
    return text_of(kind), content if isinstance(content, Fields) else None


def names_in(function: object) -> list[str]:
    """Return the names of the attributes and the keyword arguments in a function."""
    code = cast(FunctionType, function).__code__
    return [*code.co_names, *[each for held in code.co_consts if isinstance(held, tuple) for each in held]]
