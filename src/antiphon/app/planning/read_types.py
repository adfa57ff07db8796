"""The types that handlers read requests as, found in their code, so that one that can't be read is reported at startup.

``request.form_as(Order)`` names a type only where it is called. A call that is written differently, for example with a
type that is chosen at run time, shows its mistake at the first request.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, TypeAlias

from antiphon.explanations import explained
from antiphon.handler.contract import describe, innermost

if TYPE_CHECKING:
    from dis import Instruction

    from antiphon.app.route import Route

_READERS = frozenset({"args_as", "form_as", "headers_as", "json_as"})
_CALLS = ("CALL", "PRECALL")

_JSON, _FORMS = ("application/json",), ("application/x-www-form-urlencoded", "multipart/form-data")
_MEDIA = {"json": _JSON, "json_as": _JSON, "form": _FORMS, "form_as": _FORMS, "files": _FORMS[1:]}
"""The media types that are read by attributes of a request, and by parts of ``takes``."""

Check: TypeAlias = Callable[[type], object]
"""A function that raises TypeError for a class that can't be read."""


def check_read_types(handler: Callable[..., Any]) -> None:
    """Check the classes that a handler's own code names. Raises TypeError, which names the handler and the part.

    They are the argument of ``request.form_as`` and the like, and the first one of a class with a method
    ``check_type``, which is called with a class and the request, as ``Form`` is.
    """
    function = innermost(handler)
    function = getattr(function, "__func__", function)
    if not isinstance(function, FunctionType) or not _may_read(function):
        return
    for called, wanted, check in _calls(function):
        try:
            check(wanted)
        except TypeError as error:
            raise explained(
                "unreadable-type", TypeError(f"{describe(handler)} calls {called}({wanted.__name__}): {error}")
            ) from None


def media_of_query(route: "Route") -> list[str]:
    """Return the media types that a handler of QUERY reads, as it declares or as its own code says; none if neither
    does.
    """
    if route.takes is not None:
        parts: Iterable[str] = route.takes if isinstance(route.takes, Mapping) else ("json",)
    else:
        function = innermost(route.handler)
        function = getattr(function, "__func__", function)
        parts = _attributes_of_request(function) if isinstance(function, FunctionType) else ()
    return [*dict.fromkeys(media for part in parts for media in _MEDIA.get(part, ()))]


def _attributes_of_request(function: FunctionType) -> Iterator[str]:
    """Yield the names of the attributes that a function loads from its request."""
    from dis import get_instructions

    request = _request_in(function.__code__)
    for first, second in pairwise(get_instructions(function)):
        if _is_last(first, request) and second.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            yield str(second.argval)


def _may_read(function: FunctionType) -> bool:
    names = function.__code__.co_names
    return not _READERS.isdisjoint(names) or any(_check_of(function.__globals__.get(name)) for name in names)


def _check_of(called: object) -> Check | None:
    return getattr(called, "check_type", None) if isinstance(called, type) else None


def _check_of_reader(reader: str) -> Check:
    from antiphon.serialization.readers import check_fields, check_json
    from antiphon.uploads.upload import Upload

    if reader == "json_as":
        return check_json
    return partial(check_fields, file_type=Upload if reader == "form_as" else None)


def _calls(function: FunctionType) -> Iterator[tuple[str, type, Check]]:
    """Yield the name of each call with a class and the request in a function, the class, and the function that checks
    it.
    """
    from dis import get_instructions

    request = _request_in(function.__code__)
    steps = [step for step in get_instructions(function.__code__) if step.opname != "PUSH_NULL"]
    if any(step.opname.startswith(("STORE_FAST", "DELETE_FAST")) and request in _names(step) for step in steps):
        return
    for first, second, third, fourth in zip(steps, steps[1:], steps[2:], steps[3:], strict=False):
        if _is_last(first, request) and second.argval in _READERS and fourth.opname in _CALLS:
            if isinstance(wanted := _value(function, third), type):
                yield f"request.{second.argval}", wanted, _check_of_reader(second.argval)
        elif _is_first(third, request) and isinstance(wanted := _value(function, second), type):
            check = _check_of(_value(function, first))
            if check is not None:
                yield first.argval, wanted, check


def _request_in(code: CodeType) -> str:
    """Return the name of the argument that is the request: the first one, unless another has the name ``request``."""
    names = code.co_varnames[: code.co_argcount]
    return names[0] if names and "request" not in names else "request"


def _is_last(step: "Instruction", name: str) -> bool:
    """True if an instruction loads a variable, the last one if it loads two, as in newer Pythons."""
    return step.opname.startswith("LOAD_FAST") and _names(step)[-1] == name


def _is_first(step: "Instruction", name: str) -> bool:
    return step.opname.startswith("LOAD_FAST") and _names(step)[0] == name


def _names(step: "Instruction") -> tuple[str, ...]:
    return step.argval if isinstance(step.argval, tuple) else (str(step.argval),)


def _value(function: FunctionType, step: "Instruction") -> object:
    """Return the global, or the variable of a function around this one, that an instruction loads; else None."""
    if step.opname == "LOAD_GLOBAL":
        return function.__globals__.get(step.argval)
    if step.opname != "LOAD_DEREF" or step.argval not in function.__code__.co_freevars:
        return None
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    try:
        return cells[step.argval].cell_contents
    except ValueError:  # it is not assigned yet
        return None
