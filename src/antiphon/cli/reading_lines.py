"""Where code reads a dependency: the file and line, as far as it can be followed, to say why it is opened."""

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dis import get_instructions
from functools import partial
from inspect import getattr_static
from types import FunctionType, MethodType, ModuleType
from typing import Any, Literal, NamedTuple, TypeAlias

from antiphon.app.dispatch.readings import BY_NAME, Readings
from antiphon.app.planning.startup_checks import codes_in
from antiphon.cli.target import shown_path
from antiphon.features.openapi.code.reading import function_of, is_ours
from antiphon.handler.callables import READS_CODE, describe, innermost
from antiphon.request.dependencies import Dependency

Known: TypeAlias = Literal["observed", "declared", "read from code", "unknown"]

_NOTHING: Dependency[None] = Dependency("dependency that no code reads")
_MOST = 200
"""The maximum number of objects that are followed from one function."""
OWN_NAMES = {found: name for name, found in BY_NAME.items()}
"""The names of the library's own dependencies, as attributes of a request."""


def listed(names: Iterable[str]) -> str:
    """Return names, each once, separated by commas."""
    return ", ".join(dict.fromkeys(names))


def owner_of(function: Any) -> Any:
    """Return the object to which a method belongs, or a function made with ``partial``."""
    if isinstance(function, partial):
        return function.args[0] if function.args else function.func
    return getattr(function, "__self__", function)


def named(function: Any) -> tuple[str, str]:
    """Return a function's name, with its file and line; of this package, only the name of what it belongs to."""
    if is_ours(function_of(innermost(function))):
        owner = owner_of(function)
        of_class = owner.__qualname__ if isinstance(owner, FunctionType) else type(owner).__name__
        return of_class.partition(".")[0], ""
    name, _, place = describe(function).partition(" (")
    return name, shown_path(place.removesuffix(")"))


def with_place(function: Any) -> str:
    """Return a function's name, and in parentheses its file and line, if it is not of this package."""
    name, place = named(function)
    return f"{name} ({place})" if place else name


class Reason(NamedTuple):
    """Why a dependency is opened, how that is known, and the file and line."""

    text: str
    known: Known
    place: str


class Reader:
    """The lines at which functions read dependencies, as far as their code is followed."""

    def __init__(self, readings: Readings) -> None:
        self._may_read: Callable[[Any, Any], bool] = readings.may_read

    def reason(self, functions: Iterable[Any], dependency: Any) -> Reason:
        """Return why a dependency is opened: a function that reads it, or else one that can't be followed."""
        if not READS_CODE:
            return Reason("it is not known who reads it, because code is not read", "unknown", "")
        readers = [each for each in functions if self._may_read(each, dependency)]
        found = [(each, place) for each in readers if (place := self._place(each, dependency)) is not None]
        if found:
            reader, place = next((each for each in found if each[1]), found[0])
            return Reason(f"{named(reader)[0]} reads it", "read from code", place)
        for each in readers:
            if self._may_read(each, _NOTHING):
                text = f"{named(each)[0]} may read it, since its code can't be followed to its end"
                return Reason(text, "unknown", self._end(each))
        name, place = named(readers[0]) if readers else ("code", "")
        return Reason(f"{name} leads to it", "read from code", place)

    def _place(self, function: Any, dependency: Any) -> str | None:
        """Return the file and line at which a function, or one to which it refers, names a dependency, or refers to
        code of this package that does; "" if all of the code is of this package, and None if there is no such line.
        """
        left, seen = [(function, "")], {id(function)}
        own = {OWN_NAMES[dependency]} if dependency in OWN_NAMES else set[str]()
        for each, way in left:
            for one in _functions_of(each):
                objects = _objects_of(one, getattr(each, "__self__", each))
                names = own | {name for name, found in objects.items() if found is dependency}
                if (line := _place_of(one, names)) is not None:
                    return line or way
                for name, found in objects.items():
                    if id(found) not in seen and len(left) < _MOST and self._may_read(found, dependency):
                        seen.add(id(found))
                        left.append((found, _place_of(one, {name}) or way))
        return None

    def _end(self, function: Any) -> str:
        """Return the line at which following a function ends: of a name that can't be followed, or its first."""
        place = ""
        for _ in range(_MOST):
            inner = next(iter(_functions_of(function)), None)
            if inner is None or is_ours(inner):
                break
            name, unknown = next(filter(self._is_unknown, _objects_of(inner).items()), ("", None))
            place = _place_of(inner, {name}) or named(inner)[1]
            if unknown is None or unknown is function:
                break
            function = unknown
        return place

    def _is_unknown(self, held: tuple[str, Any]) -> bool:
        return self._may_read(held[1], _NOTHING)


def _functions_of(each: Any) -> list[FunctionType]:
    """Return the functions that run when an object is called: with decorators, or all methods of a class."""
    if isinstance(each, type):
        return [found for found in vars(each).values() if isinstance(found, FunctionType)]
    functions: list[FunctionType] = []
    while callable(each) and (found := function_of(each)) is not None and found not in functions:
        functions.append(found)
        each = getattr(found, "__wrapped__", None)
    return functions


def _objects_of(function: FunctionType, owner: object = None) -> dict[str, Any]:
    """Return the objects that a function's code names: globals, enclosing variables, members of modules, and methods of
    its owner.
    """
    names = {name for code in codes_in(function.__code__) for name in code.co_names}
    found = {name: function.__globals__[name] for name in names if name in function.__globals__}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not assigned yet
            found[name] = cell.cell_contents
    for module in [each for each in found.values() if isinstance(each, ModuleType)]:
        found |= {name: vars(module)[name] for name in names if name in vars(module)}
    methods = {name: getattr_static(type(owner), name, None) for name in names}
    return found | {name: MethodType(each, owner) for name, each in methods.items() if isinstance(each, FunctionType)}


def _place_of(function: FunctionType, names: Collection[str]) -> str | None:
    """Return the file and line at which a function's code first loads one of these names, or None; "" in this
    package.
    """
    for code in codes_in(function.__code__):
        for step in get_instructions(code):
            is_load = step.opname.startswith("LOAD_") and step.opname != "LOAD_CONST"
            if is_load and isinstance(step.argval, str) and step.argval in names and step.positions is not None:
                return "" if is_ours(function) else shown_path(f"{code.co_filename}:{step.positions.lineno}")
    return None
