"""The dependencies that code may read, found before it runs, so that requests that never read one don't open it.

A function can only read a dependency that it refers to: in its own code (``request[Database]``, ``request.user``), or
in code that it refers to. So everything to which the function refers is followed: globals, enclosing variables,
defaults, methods and their objects, and the sources of the dependencies found. What can't be followed to its end is
unknown: code of other packages, templates, other applications, and names chosen at run time.
"""

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from antiphon.request.dependencies import Dependency, RequestDependencies

if TYPE_CHECKING:
    from antiphon.app.dispatch.dependencies import Source
    from antiphon.request.caller import Identify

_MOST = 1000
"""The maximum number of objects that are followed from one function."""
_UNKNOWN_NAMES = frozenset({
    "__dict__", "__import__", "app", "eval", "exec", "framework", "getattr", "globals", "import_module", "locals",
    "native", "route", "shared", "templates", "vars",
})  # fmt: skip
"""Names with which code of an application refers to objects that are not known before it runs."""
_HARMLESS = (
    "adapters.", "app.", "body.", "concurrency.", "environment.", "explanations.", "features.ending.", "features.ends.",
    "features.health.", "features.metrics.", "features.openapi.", "features.stores.", "handler.", "http.", "paths.",
    "request.", "response.", "routing.", "serialization.", "types.", "uploads.", "websockets.",
)  # fmt: skip
"""Modules of this package that read no dependency, or only for other requests."""
_READING = ("app.callers.",)
"""Modules in these that do read some."""
_OPEN = (
    "cli.", "dialects.", "features.forms.", "features.file_routes.",
    "features.templates.", "features.tools.", "features.views.", "frameworks.", "testing.",
)  # fmt: skip
"""Modules of this package that call any code of an application, such as its templates."""
_LIBRARIES = frozenset({"cryptography", "joserfc", "msgspec"})
"""Packages that features use, and that call no code of an application."""
_BY_NAME = {name: found for name, found in vars(RequestDependencies).items() if isinstance(found, Dependency)}
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
        return any(is_unknown or dependency in found for found, is_unknown in self._reached(function))

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
    """Return True for functions and classes that this package or the standard library defines once, and their parts."""
    if not isinstance(each, FunctionType | type):
        return isinstance(each, _UNCHANGING)
    name, _, inner = each.__qualname__.partition(".")
    package = (each.__module__ or "").partition(".")[0]
    named = vars(sys.modules.get(each.__module__, object)).get(name)
    is_named = named is each or (inner != "" and isinstance(named, type) and "<locals>" not in inner)
    return is_named and (package == "antiphon" or package in sys.stdlib_module_names)


def _objects_of(each: Any) -> tuple[list[Any], bool]:
    """Return the objects to which an object refers, and True if it can't be followed to its end."""
    objects: list[Any] = []
    try:
        objects += [one for one in _referred(each) if not isinstance(one, _PLAIN)]
    except Exception:  # also of objects that run code when they are inspected
        return objects, True
    return objects, False


def _referred(each: Any) -> Iterable[Any]:
    """Return the objects to which an object refers. Raises _UnknownError."""
    if isinstance(each, MethodType):
        return each.__func__, each.__self__
    if isinstance(each, partial):
        return each.func, each.args, each.keywords
    if isinstance(each, dict):
        return [*each, *each.values()]
    if isinstance(each, list | tuple | set | frozenset):
        return [*each]
    if isinstance(each, property | classmethod | staticmethod):
        return each.fget if isinstance(each, property) else each.__func__, getattr(each, "fset", None)
    is_made_here = isinstance(each, FunctionType | type)
    if not _is_followed(each.__module__ if is_made_here else type(each).__module__):
        return () if is_made_here else _held_by(each)
    if isinstance(each, FunctionType):
        return _referred_by(each)
    if isinstance(each, type):
        return [*vars(each).values(), *each.__bases__]
    return type(each), _attributes(each)


def _is_followed(module: str | None) -> bool:
    """Return True for a module whose code is followed, and False if it reads no dependency. Raises _UnknownError."""
    package, _, rest = (module or "").partition(".")
    if package in sys.stdlib_module_names or package in _LIBRARIES:
        return package == "__main__"
    if package != "antiphon":
        file = getattr(sys.modules.get(module or ""), "__file__", None) or ""
        if "site-packages" in file or "dist-packages" in file:
            raise _UnknownError
        return True
    if f"{rest}.".startswith(_OPEN):
        raise _UnknownError
    return rest != "" and (f"{rest}.".startswith(_READING) or not f"{rest}.".startswith(_HARMLESS))


def _held_by(each: Any) -> Iterable[Any]:
    """Return what an object of the standard library, or of this package, holds. Raises _UnknownError for a function of
    an application that isn't written in Python.
    """
    if isinstance(each, BuiltinFunctionType):
        if _is_followed(each.__module__ or "builtins"):
            raise _UnknownError
        return ()
    held = [getattr(each, name, None) for name in ("__wrapped__", "func")]  # of a cached function or property
    if isinstance(each, SimpleNamespace):
        held.append(vars(each))
    elif isinstance(each, Mapping):
        held += [*each, *each.values()]
    elif isinstance(each, Collection) and not isinstance(each, range):
        held += each
    return held


def _attributes(each: Any) -> dict[str, Any]:
    slots = [name for kind in type(each).__mro__ for name in getattr(kind, "__slots__", ())]
    return {**getattr(each, "__dict__", {}), **{name: getattr(each, name, None) for name in slots}}


def _referred_by(function: FunctionType) -> Iterator[Any]:
    """Yield the objects to which a function's code refers by name. Raises _UnknownError."""
    names = _names_in(function.__code__)
    if "caller" in names:
        yield _CALLER
    yield from (_BY_NAME[name] for name in names if name in _BY_NAME)
    held = [function.__globals__[name] for name in names if name in function.__globals__]
    # A module holds far more than the code uses: only the names in it are followed.
    for each in (*held, *_imported_by(function.__code__)):
        if not isinstance(each, ModuleType):
            yield each
        elif _is_followed(each.__name__):
            lazily = vars(each).get("__all__", ()) if "__getattr__" in vars(each) else ()
            yield from (getattr(each, name) for name in names if name in vars(each) or name in lazily)
    yield function.__defaults__
    yield function.__kwdefaults__
    yield function.__dict__.get("__wrapped__")
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError as error:  # not assigned yet
            raise _UnknownError from error
    if not (function.__module__ or "").startswith("antiphon.") and not _UNKNOWN_NAMES.isdisjoint(names):
        raise _UnknownError


def _imported_by(code: CodeType) -> Iterator[ModuleType]:
    """Yield the modules that a function imports. Raises _UnknownError for modules that aren't loaded yet."""
    for level, name in _imports_in(code):
        if level != 0:  # a relative import
            raise _UnknownError
        if _is_followed(name):
            if (module := sys.modules.get(name)) is None:
                raise _UnknownError
            yield module


# The code of features is followed from each of their functions.
@lru_cache(2000)
def _names_in(code: CodeType) -> frozenset[str]:
    return frozenset(code.co_names).union(*[_names_in(each) for each in code.co_consts if isinstance(each, CodeType)])


@lru_cache(2000)
def _imports_in(code: CodeType) -> tuple[tuple[int, str], ...]:
    """Return the level and the name of each import."""
    from dis import get_instructions, opmap

    found: list[tuple[int, str]] = []
    if opmap["IMPORT_NAME"] in code.co_code[::2]:
        steps = [*get_instructions(code)]
        found += [
            (level.argval, str(step.argval))
            for level, step in zip(steps, steps[2:], strict=False)
            if step.opname == "IMPORT_NAME"
        ]
    return (*found, *[each for one in code.co_consts if isinstance(one, CodeType) for each in _imports_in(one)])
