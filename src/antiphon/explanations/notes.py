"""Notes on errors caused by habits from other frameworks, by the object that the failed line uses."""

import ast
import re
import sys
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any

from antiphon.explanations.naming import NO_WORDS, WORDS, nearest, other_word

_UNEXPECTED = r"([\w.]+)\(\) got an unexpected keyword argument '(\w+)'"
_IS_CALLED = r"not callable|'await' expression|be awaited"
_UNDEFINED = r"'(\w+)' is undefined"
_ITEM = "is not subscriptable|does not support item assignment"
_POSITIONAL = r"(?:Routes|Environment)\.(\w+)\(\) takes (?:from \d to )?\d+ positional arguments but"
_READ_ONLY = (
    r"(property '\w+' of '(?:Request|Response)' object has no setter|'Response' object attribute '\w+' is read-only)$"
)
_RAISED = "exceptions must derive from BaseException"
_ABORT = "abort() missing 1 required positional argument: 'status'"


def explain(error: BaseException) -> None:
    """Add a note to an error caused by another framework's name."""
    note = None
    if type(error).__name__ == "UndefinedError":  # of Jinja, which may not be installed
        note = _on_undefined(error)
    elif isinstance(error, AttributeError):
        note = _on_text(error) if isinstance(error.obj, str | bytes) else _on_member(error)
    elif isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("antiphon."):
        note = "Import names from antiphon, antiphon.features, antiphon.http, antiphon.testing or antiphon.types"
    elif isinstance(error, TypeError):
        note = _on_type_error(error, str(error))
    if note is not None and note not in getattr(error, "__notes__", ()):
        error.add_note(note)


def _on_type_error(error: TypeError, message: str) -> str | None:
    """Return the note on a call, an item or an iteration that an object doesn't have."""
    if unexpected := re.match(_UNEXPECTED, message):
        return _on_argument(error, unexpected[1], unexpected[2])
    if message == _ABORT:
        return "The status comes first, without a name: abort(404)"
    if message == _RAISED:
        return "To end a handler, return a Response, call abort(404), or raise HTTPError or Redirect"
    if "'BoundField' object is not callable" in message:
        return 'A field is shown with attributes by field.showing(attributes={"class": "wide"})'
    if surplus := re.match(_POSITIONAL, message):
        return WORDS["a second argument"].get(surplus[1], "").format(surplus[1]) or None
    if re.search(_ITEM, message):
        return _on_item(error)
    if message.startswith(("byte indices must be", "'async for' requires")):
        return _on_text(error)
    return _on_call(error) if re.search(_IS_CALLED, message) else None


def _on_undefined(error: BaseException) -> str | None:
    """Return the note on a name that a template doesn't have."""
    found = re.fullmatch(_UNDEFINED, str(error))
    ours = WORDS["a template"].get(found[1]) if found else None
    return f"Instead of {found[1]!r}, use {ours}" if found and ours else None


def _on_argument(error: TypeError, function: str, name: str) -> str | None:
    """Return the note on an argument that a function doesn't have."""
    owner, _, maker = function.rpartition(".")
    is_response = owner == "Response"
    words = {**(WORDS["Response"] if is_response else NO_WORDS), **WORDS.get(function, NO_WORDS)}
    if ours := words.get(name):
        return f"Instead of {name!r}, use {ours}"
    near = _near_argument(maker, name) if is_response else None
    return f"Did you mean {near!r}?" if near and "Did you mean" not in str(error) else None  # as Python since 3.13


def _near_argument(maker: str, name: str) -> str | None:
    """Return the argument of a response-making function that is nearest to an unknown argument."""
    from importlib import import_module
    from inspect import signature

    return nearest(name, signature(getattr(import_module("antiphon").Response, maker)).parameters)


def _on_call(error: TypeError) -> str | None:
    """Return the note on a line that calls or awaits something of Antiphon's that can't be called or awaited."""
    node, frame = _failed(error)
    used = node.value if isinstance(node, ast.Await) else node
    called = used.func if isinstance(used, ast.Call) else used
    while isinstance(called, ast.Subscript):
        called = called.value
    if isinstance(called, ast.Name) and isinstance(made := _value(called, frame), type) and _is_ours(made):
        return f"{called.id}(...) is not awaited: leave out the await" if isinstance(node, ast.Await) else None
    if not isinstance(called, ast.Attribute) or not _is_ours(type(owner := _value(called.value, frame))):
        return None
    written = ast.unparse(called)
    if isinstance(node, ast.Await) and isinstance(used, ast.Call):
        twin = f"a{called.attr}"
        other = f", or write .{twin}()" if hasattr(type(owner), twin) else ""
        return f"{written}() is not awaited: leave out the await{other}"
    note = f"{written} is an attribute, not a method: leave out the () and the await"
    responds = isinstance(used, ast.Call) and used.args and called.attr in ("json", "text", "body")
    return f"{note}; to respond, return the value itself, or a Response" if responds else note


def _on_item(error: TypeError) -> str | None:
    """Return the note on an item of an object of Antiphon's that has none."""
    node, frame = _failed(error)
    kind = type(_value(node.value, frame)) if isinstance(node, ast.Subscript) else object
    ours = WORDS["an item of"].get(kind.__name__) if _is_ours(kind) else None
    return ours and f"Write {ours}"


def _on_text(error: AttributeError | TypeError) -> str | None:
    """Return the note on an attribute or a member that a body, or a message of a WebSocket, doesn't have."""
    node, frame = _failed(error)
    if frame is None or not isinstance(node, ast.Attribute | ast.Subscript):
        return None
    held = node if "'async for'" in str(error) else node.value
    owner = _value(held.value, frame) if isinstance(held, ast.Attribute) else None
    if type(owner).__name__ == "Request" and _is_ours(type(owner)):
        return f"{ast.unparse(held)} is bytes or text: use it itself, request.json, request.form or request.stream"
    if any(type(each).__name__ == "WebSocket" for each in frame.f_locals.values()):
        return "A message is str or bytes: use it itself, or await socket.receive_as(Order)"
    return None


def _on_member(error: AttributeError) -> str | None:
    """Return the note on an attribute that an object of Antiphon's, or something that it has, lacks."""
    if "; use " in str(error):
        return None
    if re.match(_READ_ONLY, str(error)):
        return "To respond, return the value itself, or Response(body, status, headers)"
    kind = error.obj if isinstance(error.obj, type) else type(error.obj)
    if ours := other_word(kind, error.name or ""):
        return f"Instead of {error.name!r}, use {ours}"
    node, frame = _failed(error)
    if not isinstance(node, ast.Attribute):
        return None
    is_function = isinstance(error.obj, FunctionType | MethodType)
    decorator = node.value.func if isinstance(node.value, ast.Call) and is_function else None
    held = decorator or node.value
    if not isinstance(held, ast.Attribute) or not _is_ours(type(_value(held.value, frame))):
        return None
    written = ast.unparse(held)
    if decorator:
        return f"@{written}(...) stands above a function, and takes options by name: {written}(path, name='home')"
    if hasattr(error.obj, "get"):
        return f"Write {written}[{node.attr!r}], or {written}.get({node.attr!r})"
    if is_function:
        return f"{written} is a method: write @{written} above a function, or call it"
    return "Use request.body, or request.stream for its chunks" if written.endswith(".content") else None


def _is_ours(kind: type) -> bool:
    """True for a class of Antiphon that isn't one of its dialects', and for a class derived from one."""
    names = (each.__module__ for each in kind.__mro__)
    return any(name.startswith("antiphon.") and not name.startswith("antiphon.dialects.") for name in names)


def _failed(error: BaseException) -> tuple[ast.expr | None, FrameType | None]:
    """Return the expression that raised an error, and its frame; None for both if its source is unknown."""
    import linecache
    from itertools import islice

    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return None, None
    frame, code = traceback.tb_frame, traceback.tb_frame.f_code
    first, last, start, end = next(islice(code.co_positions(), traceback.tb_lasti // 2, None))
    if first is None or last is None or start is None or end is None:  # python -X no_debug_ranges
        return None, None
    linecache.checkcache(code.co_filename)
    lines = [linecache.getline(code.co_filename, at, frame.f_globals).encode() for at in range(first, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    try:
        parsed = ast.parse(b"(" + b"".join(lines) + b"\n)", mode="eval").body
    except (SyntaxError, ValueError):  # the file has changed
        return None, None
    return parsed, frame


def _value(node: ast.expr, frame: FrameType | None) -> Any:
    """Return the value of a name, or of an attribute or item that is stored, without running any code of its owner."""
    if isinstance(node, ast.Name) and frame is not None:
        return frame.f_locals.get(node.id, frame.f_globals.get(node.id))
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, frame)
        held: dict[str, Any] = getattr(owner, "__dict__", {})
        provided = held.get("_dependencies", {}) if _is_ours(type(owner)) else {}
        return ({each.name: value for each, value in provided.items()} | held).get(node.attr)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        items = _value(node.value, frame)
        return items.get(node.slice.value) if _is_ours(type(items)) and hasattr(items, "get") else None
    return None


_READING = ("antiphon.request.", "antiphon.response.", "antiphon.lazy", "antiphon.explanations")
"""The modules that read an attribute of a request or a response for others."""


def called_from() -> str | None:
    """Return the function, file and line that reads an attribute of a request in order to call or await it, as in
    ``c.json({"a": 1})``; None if it only reads the attribute, or if a dialect or a feature reads it. The function's
    source isn't needed.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - there is no other way
    while frame is not None and _module_of(frame).startswith(_READING):
        frame = frame.f_back
    if frame is None or _module_of(frame).startswith("antiphon.") or not _reads_method(frame.f_code, frame.f_lasti):
        return None
    return f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})"


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _reads_method(code: CodeType, at: int) -> bool:
    """True if an instruction reads an attribute in order to call or await it."""
    from opcode import opmap

    codes = code.co_code
    while not codes[at]:  # Python 3.12 may stand in the caches, which are 0
        at -= 2
    operation, argument = codes[at : at + 2]
    following = next((each for each in codes[at + 2 :: 2] if each), None)
    if following == opmap["GET_AWAITABLE"]:
        return True
    if sys.version_info < (3, 12):
        return operation == opmap["LOAD_METHOD"]
    return operation == opmap["LOAD_ATTR"] and bool(argument & 1)
