"""The dependencies that code may read, found before it runs, so that requests that never read one don't open it.

A function can only read a dependency that it refers to: in its own code (``request[Database]``, ``request.user``), or
in code that it refers to. So everything to which the function refers is followed: globals, enclosing variables,
defaults, methods and their objects, and the sources of the dependencies found. What can't be followed to its end is
unknown, and may read anything: names chosen at run time, other applications, and installed code that doesn't declare
what it reads.

Code declares it in ``__reads__`` of a function or a class, or of a module or package for all its code:

| ``__reads__`` | |
|---|---|
| a tuple | the dependencies that it reads, and the functions that it calls; nothing else of it is followed |
| "named" | it is followed, and reads only what its code names: ``getattr`` in it, for example, hides no dependency |
| "anything" | it calls code that nobody can follow, such as templates |

If it is wrong, the dependency is opened where it is read, or reading it is an error that names the line.
"""

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from gc import get_referents
from opcode import opmap
from operator import attrgetter
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType

from antiphon.handler.callables import READS_CODE
from antiphon.lazy import compiled_late
from antiphon.request.dependencies import Dependency, RequestDependencies

if TYPE_CHECKING:
    from antiphon.app.dispatch.dependencies import Source
    from antiphon.request.caller import Identify

_MOST = 1000
"""The maximum number of objects that are followed from one function."""
_UNKNOWN_NAMES = frozenset({
    "Formatter", "__dict__", "__getattribute__", "__import__", "app", "attrgetter", "eval", "exec", "format_map",
    "framework", "getattr", "getattr_static", "globals", "import_module", "locals", "methodcaller", "native", "route",
    "shared", "templates", "vars",
})  # fmt: skip
"""Names with which code of an application refers to objects that are not known before it runs."""
NAMED, _SILENT = "named", object()
BY_NAME = {name: found for name, found in vars(RequestDependencies).items() if isinstance(found, Dependency)}
"""The library's own dependencies, by their names as attributes of a request."""
_NAMES_ATTRIBUTE = compiled_late(r"\{[^{}:!]*[.\[]")
_CALLER = object()
"""What code refers to that asks for the caller of a request: all functions that identify callers."""
_PLAIN = (str, bytes, int, float, complex, type(None), type(...))
_UNCHANGING = (property, classmethod, staticmethod, tuple, frozenset, BuiltinFunctionType, type(int.real))


class Readings:
    """The dependencies that functions may read, of those that an application provides by ``sources``."""

    def __init__(self, sources: "Iterable[Source]", identifiers: "Iterable[Identify]" = ()) -> None:
        self._identifiers = identifiers
        self._sources: Mapping[Any, Source] = {source.provides: source for source in sources}
        self._known: dict[int, tuple[Any, frozenset[Any], bool]] = {}
        """The dependencies to which a function refers, and whether it refers to anything that can't be followed."""
        self._followed: dict[int, tuple[Any, list[Any], bool, bool]] = {}
        """What objects refer to, as the above, and whether they are dependencies: functions have most in common."""

    def may_read(self, function: Any, dependency: Any) -> bool:
        """Return True if a function or the source of what it reads refers to a dependency, or can't be followed."""
        return not READS_CODE or any(is_unknown or dependency in found for found, is_unknown in self._reached(function))

    def reads(self, function: Any, dependency: Any) -> bool:
        """Return True if a function or the source of what it reads refers to a dependency, as far as it is followed."""
        return any(dependency in found for found, _ in self._reached(function))

    def _reached(self, function: Any) -> Iterator[tuple[frozenset[Any], bool]]:
        left = [function]
        for each in left:
            if (known := self._known.get(id(each))) is None:
                # With the function itself, so that no other one gets its identifier.
                known = self._known[id(each)] = each, *self._follow(each)
            yield known[1:]
            left += known[1].difference(left[1:])

    def _follow(self, function: Any) -> tuple[frozenset[Any], bool]:
        found: set[int] = set()
        dependencies: list[Any] = []
        left, is_unknown = [function], False
        while left and len(found) <= _MOST:
            each = left.pop()
            if (key := id(each)) in found:
                continue
            found.add(key)
            if (known := self._followed.get(key)) is None:
                known = self._followed[key] = each, *self._followed_from(each), isinstance(each, Dependency)
            _, referred, is_open, is_dependency = known
            if is_dependency:
                dependencies.append(each)
                if each is not function:
                    continue  # many functions read it: its source is followed once
            left += referred
            is_unknown = is_unknown or is_open
        return frozenset(dependencies), is_unknown or bool(left)

    def _followed_from(self, each: Any) -> tuple[list[Any], bool]:
        if isinstance(each, Dependency):
            source = self._sources.get(each)
            return _objects_of(() if source is None else (source.hook.function, source.when, source.default))
        if each is _CALLER:
            return _objects_of([*self._identifiers])
        if isinstance(each, FunctionType | type):
            with suppress(Exception):  # it is not permanent, or runs code when it is inspected
                return _beyond(each), False
        return _objects_of(each)


class _UnknownError(Exception):
    """The error for code that can't be followed."""


@lru_cache(5000)
def _beyond(code: FunctionType | type) -> list[Any]:
    """Return the objects to which code refers that is the same for all applications, through other such code.

    Raises _UnknownError for what is not such code, or can't be followed.
    """
    found: set[int] = set()
    left: list[Any] = [code]
    beyond: list[Any] = []
    for each in left:
        if id(each) in found:
            continue
        found.add(id(each))
        objects, is_open = _objects_of(each) if _is_permanent(each) else ([], True)
        if not is_open:
            left += objects
        elif each is code:
            raise _UnknownError
        else:
            beyond.append(each)
    return beyond


def _is_permanent(each: Any) -> bool:
    """Return True for functions and classes that the standard library, or code that says what it reads, defines once,
    and for their parts.
    """
    if not isinstance(each, FunctionType | type):
        return isinstance(each, _UNCHANGING)
    name, _, inner = each.__qualname__.partition(".")
    named = vars(sys.modules.get(each.__module__, object)).get(name)
    is_named = named is each or (inner != "" and isinstance(named, type) and "<locals>" not in inner)
    return is_named and _said_in(each.__module__) is not None


def _objects_of(each: Any) -> tuple[list[Any], bool]:
    """Return the objects to which an object refers, and True if it can't be followed to its end."""
    objects: list[Any] = []
    try:
        objects.extend(one for one in _referred(each) if not isinstance(one, _PLAIN))
    except Exception:  # also of objects that run code when they are inspected
        return objects, True
    return objects, False


def _referred(each: Any) -> Iterable[Any]:
    """Return the objects to which an object refers. Raises _UnknownError."""
    if isinstance(each, MethodType):
        return each.__func__, each.__self__
    if isinstance(each, partial):
        return each.func, each.args, each.keywords
    if isinstance(each, property | classmethod | staticmethod):
        return each.fget if isinstance(each, property) else each.__func__, getattr(each, "fset", None)
    held = [*each] if isinstance(each, dict | list | tuple | set | frozenset) else []
    held += each.values() if isinstance(each, dict) else ()
    if type(each) in (dict, list, tuple, set, frozenset):
        return held
    said = _said_by(each) if isinstance(each, FunctionType | type) else _said_by(type(each), each)
    if isinstance(said, tuple):
        return *said, *_held_by(each)
    if isinstance(each, FunctionType):
        return _referred_by(each, said)
    if isinstance(each, type):
        return *vars(each).values(), *each.__bases__, type(each)
    return type(each), _attributes(each), *held


def _said_by(code: FunctionType | type, instance: Any = None) -> Any:
    """Return what a function or a class, or else its module, says that it reads. Raises _UnknownError for anything."""
    said = code.__dict__.get("__reads__")
    if said is getattr(code.__dict__.get("__wrapped__"), "__reads__", None):
        said = None  # ``functools.wraps`` has copied it to code that may read more
    if isinstance(said, property):
        said = None if instance is None else instance.__reads__
    return _said_in(code.__module__) if said is None else _checked(said)


def _said_in(module: str | None) -> Any:
    """Return what a module, or the nearest package around it, says that its code reads; None if it says nothing, and is
    followed. Raises _UnknownError for anything, and for installed code that says nothing.
    """
    return _checked(_stated(module, module in sys.modules))


def _checked(said: Any) -> Any:
    if said is not None and said != NAMED and not isinstance(said, tuple):
        raise _UnknownError
    return said


@lru_cache(2000)
def _stated(module: str | None, is_loaded: bool) -> Any:  # noqa: ARG001 - a module says something once it is loaded
    package = _package_of(module)
    if package in sys.stdlib_module_names or package == "msgspec":  # which every type stands on
        return None if package == "__main__" else ()
    around = module or ""
    while around:
        if (said := getattr(sys.modules.get(around), "__dict__", {}).get("__reads__")) is not None:
            return said
        around = around.rpartition(".")[0]
    file = getattr(sys.modules.get(module or ""), "__file__", None) or ""
    return _SILENT if "site-packages" in file or "dist-packages" in file else None


def _held_by(each: Any) -> Iterable[Any]:
    """Return what an object holds whose code says what it reads, or is the standard library's."""
    if isinstance(each, ModuleType):
        return ()
    if isinstance(each, FunctionType | BuiltinFunctionType | type):
        is_opaque = isinstance(each, BuiltinFunctionType) and _said_in(each.__module__ or "builtins") is None
        if is_opaque or each.__name__ in _UNKNOWN_NAMES:  # also under another name
            raise _UnknownError
        cells = getattr(each, "__closure__", None) or ()
        return [getattr(each, "__self__", None), *[cell.cell_contents for cell in cells]]
    if isinstance(each, attrgetter):
        raise _UnknownError
    if isinstance(each, ReferenceType):
        return (each(),)
    held = [getattr(each, name, None) for name in ("__wrapped__", "func", "args", "keywords")]  # of a cached function
    if isinstance(each, SimpleNamespace):
        held.append(vars(each))
    elif isinstance(each, Mapping):
        held += [*each, *each.values()]
    elif isinstance(each, Collection) and not isinstance(each, range):
        held += each
    elif type(each).__module__ in ("_contextvars", "_queue", "builtins", "itertools", "operator"):
        held += get_referents(each)
    return held


def _attributes(each: Any) -> dict[str, Any]:
    slots = [name for kind in type(each).__mro__ for name in getattr(kind, "__slots__", ())]
    return {**getattr(each, "__dict__", {}), **{name: getattr(each, name, None) for name in slots}}


def _referred_by(function: FunctionType, said: str | None) -> Iterator[Any]:
    """Yield the objects to which a function's code refers by name. Raises _UnknownError."""
    names = _names_in(function.__code__)
    if "caller" in names:
        yield _CALLER
    yield from (BY_NAME[name] for name in names if name in BY_NAME)
    held = [function.__globals__[name] for name in names if name in function.__globals__]
    # A module holds far more than the code uses: only the names in it are followed.
    for each in (*held, *_imported_by(function, said)):
        is_module = isinstance(each, ModuleType)
        module = each.__name__ if is_module else getattr(each, "__module__", None)
        if said == NAMED and _stated(module, True) is _SILENT:
            continue  # of a package that the code knows
        if not is_module:
            yield each
        elif not isinstance(_said_in(module), tuple):
            yield from _of_module(each, names)
    yield function.__defaults__
    yield function.__kwdefaults__
    yield from function.__dict__.values()  # what it wraps, or dispatches to
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError as error:  # not assigned yet
            raise _UnknownError from error
    hides = not _UNKNOWN_NAMES.isdisjoint(names) or ("format" in names and _formats_attributes(function.__code__))
    if hides and said is None:
        raise _UnknownError


def _of_module(module: ModuleType, names: Collection[str]) -> Iterator[Any]:
    lazily = vars(module).get("__all__", ()) if "__getattr__" in vars(module) else ()
    return (getattr(module, name) for name in names if name in vars(module) or name in lazily)


def _imported_by(function: FunctionType, said: str | None) -> Iterator[ModuleType]:
    """Yield the modules that a function imports. Raises _UnknownError for modules that aren't loaded yet."""
    for level, name in _imports_in(function.__code__):
        if level == 0 and (module := sys.modules.get(name)) is not None:
            yield module
        elif said == NAMED and _package_of(name) != _package_of(function.__module__):
            continue  # as above
        elif level != 0 or not isinstance(_said_in(name), tuple):
            raise _UnknownError


def _package_of(module: str | None) -> str:
    return (module or "").partition(".")[0]


# The code of features is followed from each of their functions.
@lru_cache(2000)
def _names_in(code: CodeType) -> frozenset[str]:
    inside = [_names_in(each) for each in code.co_consts if isinstance(each, CodeType)]
    if opmap["MATCH_CLASS"] in code.co_code[::2]:  # case Request(user=user)
        inside += [frozenset(each) for each in code.co_consts if isinstance(each, tuple)]
    return frozenset(code.co_names).union(*inside)


def _formats_attributes(code: CodeType) -> bool:
    """Return True for code whose templates for ``str.format`` may name an attribute or an item, as "{request.user}"."""
    templates = [each for each in _constants_in(code) if isinstance(each, str) and "{" in each]
    return not templates or any(map(_NAMES_ATTRIBUTE.search, templates))


def _constants_in(code: CodeType) -> Iterator[Any]:
    for each in code.co_consts:
        yield from _constants_in(each) if isinstance(each, CodeType) else (each,)


@lru_cache(2000)
def _imports_in(code: CodeType) -> tuple[tuple[int, str], ...]:
    """Return the level and the name of each import."""
    from dis import get_instructions

    found: list[tuple[int, str]] = []
    if opmap["IMPORT_NAME"] in code.co_code[::2]:
        steps = [*get_instructions(code)]
        found += [
            (level.argval, str(step.argval))
            for level, step in zip(steps, steps[2:], strict=False)
            if step.opname == "IMPORT_NAME"
        ]
    return (*found, *[each for one in code.co_consts if isinstance(one, CodeType) for each in _imports_in(one)])
