"""Work postponed until it is needed: attributes computed on first read, their docstrings, and lazy imports."""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, AnyStr, Generic, NoReturn, Protocol, TypeVar, cast, overload

from antiphon.speedups import PURE, accelerated

if TYPE_CHECKING:
    from re import Pattern
    from types import FrameType

T = TypeVar("T")
C = TypeVar("C", bound=type)


class Declared(Protocol):
    """A descriptor that stores its owner class and the name under which it was declared."""

    owner: type
    name: str


class AttributeDoc:
    """The ``__doc__`` of a descriptor class: its own text, or, for a descriptor, the text below its declaration."""

    def __init__(self, own: str | None) -> None:
        self._own = own

    def __get__(self, descriptor: Declared | None, owner: type) -> str | None:
        return self._own if descriptor is None else attribute_docs(descriptor.owner).get(descriptor.name)


def documented_below(descriptors: C) -> C:
    """Make the text below each descriptor's declaration its ``__doc__``, because editors also read that text."""
    descriptors.__doc__ = AttributeDoc(descriptors.__doc__)  # type: ignore[assignment]
    return descriptors


@lru_cache(maxsize=64)
def attribute_docs(owner: type) -> Mapping[str, str]:
    """Return the docstrings of a class's own attributes by name. Empty if there is no source code."""
    from ast import AnnAssign, Assign, Constant, Expr, Name, parse
    from inspect import cleandoc, getsource
    from itertools import pairwise
    from textwrap import dedent

    try:
        body = parse(dedent(getsource(owner))).body[0].body  # type: ignore[attr-defined]  # of a class
    except (OSError, TypeError):
        return {}
    docs: dict[str, str] = {}
    for declared, below in pairwise(body):
        match declared, below:
            case (
                Assign(targets=[Name(id=name)]) | AnnAssign(target=Name(id=name)),
                Expr(value=Constant(value=str(text))),
            ):
                docs[name] = cleandoc(text)
    return docs


@accelerated
def like(own: Any, *template: Any) -> Any:
    """Make an object with the slots that the class of a template has, without its constructor: in C in half the time.

    With two arguments, the second is the template, and the first takes the place of its class in its slots.
    """
    (model,) = template or (own,)
    made = object.__new__(type(model))
    for name in {*getattr(type(model), "__slots__", ())} - {"__weakref__"}:
        if hasattr(model, name):
            value = getattr(model, name)
            setattr(made, name, own if value is type(model) else value)
    return made


PAUSES: list[None] = []
"""An item for each context in which some objects don't keep what is computed: their descriptors' ``keep`` decides."""
PURE["PAUSES"] = PAUSES  # for C


_set = object.__setattr__


@accelerated
class ComputedOnce:
    """A non-data descriptor: the value is computed by ``compute`` and stored on the instance, as its ``name``."""

    compute: Callable[[Any], Any]
    name: str
    keep: Callable[[Any, Any], None]

    def __get__(self, instance: object | None, owner: type) -> Any:
        if instance is None:
            return self
        name = self.name
        is_hidden = getattr(owner, name, None) is not self  # by an attribute of a subclass
        if is_hidden and name in instance.__dict__:
            return instance.__dict__[name]
        value = self.compute(instance)
        if PAUSES:
            self.keep(instance, value)
        elif is_hidden:
            instance.__dict__[name] = value
        else:
            _set(instance, name, value)
        return value

    def store(self, instance: object, value: Any) -> None:
        """Store a value on the instance, past what a subclass has by this name, and past its ``__setattr__``."""
        if getattr(type(instance), self.name, None) is self:
            _set(instance, self.name, value)
        else:
            instance.__dict__[self.name] = value


@documented_below
class lazy(ComputedOnce, Generic[T]):  # noqa: N801 - used as a decorator, like property
    """Turn a method without arguments into an attribute that is computed once.

    The value is stored on the instance under the method's own name, so later reads don't call the method.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        if compute.__doc__:
            self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner = owner
        self.name = name

    def keep(self, instance: object, value: T) -> None:
        """Store a value that was just computed."""
        self.store(instance, value)

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> "lazy[T]": ...
        @overload
        def __get__(self, instance: object, owner: type) -> T: ...
        def __get__(self, instance: object | None, owner: type) -> "lazy[T] | T": ...


class _Expression:
    def __init__(self, pattern: Any, flags: int) -> None:
        self.pattern = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        import re

        found = getattr(re.compile(self.pattern, self._flags), name)
        setattr(self, name, found)
        return found


def compiled_late(pattern: AnyStr, flags: int = 0) -> "Pattern[AnyStr]":
    """Return a regular expression that is compiled when it is first used, which few programs do."""
    return cast("Pattern[AnyStr]", _Expression(pattern, flags))


@lru_cache(maxsize=2)
def frameworks(module: str = "recognition") -> Any:
    """Return a module that supports other frameworks; requests, responses and applications are in a lower layer and
    can't import it.
    """
    from importlib import import_module

    return import_module(f"antiphon.frameworks.{module}")


def class_if_imported(module: str, name: str) -> type | None:
    """Return the class of an optional module; None if nothing has imported the module.

    In that case no value can be an instance of the class, so code can recognize classes of optional packages without
    importing them.
    """
    cls: type | None = getattr(sys.modules.get(module), name, None)  # or it is being imported
    return cls


def missing_package(error: ModuleNotFoundError, extra: str) -> ModuleNotFoundError:
    """Return the error to raise if an extra's package is not installed; it shows the command that installs it."""
    from antiphon.explanations import explained

    said = f"{error.name} is not installed: pip install 'antiphon[{extra}]'"
    return explained("missing-package", ModuleNotFoundError(said, name=error.name))


def changed_package(package: str, series: str, missing: str) -> ImportError:
    """Return the error for a package version that lacks an undocumented name found in all versions of a series.

    The error's ``name`` is the package. `docs/maintainers/dependencies.md` lists these names.
    """
    from importlib.metadata import version  # late: seldom needed

    return ImportError(
        f"Antiphon uses undocumented names of {package} {series}, but {package} {version(package)} is installed, which"
        f" has no {missing}. Install a version that has it: pip install '{package}=={series}.*'",
        name=package,
    )


def require_names(package: str, series: str, owner: object, *names: str) -> None:
    """Raise the ``changed_package`` error if a class or object of the package lacks one of these undocumented names, or
    a function lacks a parameter of that name.

    Call this where nothing else would fail, such as an override that is never called, or an attribute that is never
    read.
    """
    known = owner.__code__.co_varnames if isinstance(owner, FunctionType) else dir(owner)
    if lacking := [name for name in names if name not in known]:
        shown = owner if isinstance(owner, type | FunctionType) else type(owner)
        place = f"{shown.__module__}.{shown.__qualname__}" + ("" if shown is owner else "()")
        raise changed_package(package, series, f"{place}.{lacking[0]}")


def import_on_use(
    package: str, modules: Mapping[str, str] | None = None, top: str = "antiphon"
) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__all__``, the ``__getattr__`` and the ``__dir__`` of a package that imports each name on first use
    (PEP 562): the names that its stub imports, which is also what type checkers read.

    A package without a stub gives ``modules``: each module, by its path below the package ``top``, and its names,
    separated by spaces.
    """
    listed = _imports_of_stub(package) if modules is None else ((f"{top}.{each}", modules[each]) for each in modules)
    where = {name: module for module, names in listed for name in names.split()}

    def import_name(name: str) -> Any:
        from antiphon.explanations.renamed import still, with_old_names

        if name not in where and (ours := still(package, name)):
            return getattr(sys.modules[package], ours)
        if name not in where:
            from antiphon.explanations.naming import missing_name

            advice = missing_name(package, name)
            raise (
                not_offered(name, advice)
                if advice
                else AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
            )
        from importlib import import_module

        value = with_old_names(f"{package}.{name}", getattr(import_module(where[name]), name))
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*where, *vars(sys.modules[package]).keys() - {"import_on_use"}})

    return sorted(where), import_name, names


def _imports_of_stub(package: str) -> Iterator[tuple[str, str]]:
    """Yield each module that a package's stub imports from, and the names, separated by spaces."""
    spec: Any = sys.modules[package].__spec__
    stub: str = spec.loader.get_data(f"{spec.origin}i").decode()
    for statement in stub.partition("\n\n")[0].removeprefix("from ").split("\nfrom "):
        module, _, names = statement.partition(" import ")
        yield module, names.strip("()\n").replace(",", " ")


def not_offered(name: str, message: str) -> AttributeError | ImportError:
    """Return the error for a name that a module deliberately lacks, to raise in its ``__getattr__`` (PEP 562).

    It is an AttributeError, as ``hasattr`` and ``inspect`` expect. In an import statement, Python would replace its
    message, so there it is an ImportError. For all other names, raise an AttributeError: they may be submodules.
    """
    kind = ImportError if _is_importing(sys._getframe(2)) else AttributeError  # noqa: SLF001 - there is no other way
    return kind(message, name=name)


class ExplainedModule(ModuleType):
    """A module inside of Antiphon that programs import by habit. Its errors give them advice, its own ``_advice``."""

    _advice = ""

    def __getattr__(self, name: str) -> NoReturn:
        from antiphon.explanations.naming import missing_name

        message = missing_name(self.__name__, name)
        if message and isinstance(error := not_offered(name, message), ImportError):
            raise error
        raise self._unknown(name)

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_") and not isinstance(value, ModuleType):
            raise self._unknown(name)
        super().__setattr__(name, value)

    def _unknown(self, name: str) -> AttributeError:
        said = f"module {self.__name__!r} has no attribute {name!r}. {self._advice}"
        return AttributeError(said, name=name)


def absent(module: str, instead: Mapping[str, str], others: Callable[[str], Any] | None = None) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module that lacks some names on purpose, as a dialect does.

    ``__getattr__ = absent(__name__, {"template": "Jinja2"})`` names the replacement for each name. The function raises
    AttributeError, or ImportError in an import statement; for names that aren't absent, it calls ``others``.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 - the name that tracebacks show
        if name in instead:
            raise not_offered(name, f"{_imported_as(module)} does not offer {name}: use {instead[name]}")
        if others is not None:
            return others(name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name, obj=sys.modules.get(module))

    return __getattr__


def _imported_as(module: str) -> str:
    """Return the name by which programs import a module. A dialect's module has such a name besides its own."""
    own = sys.modules.get(module)
    names = (name for name, each in [*sys.modules.items()] if own is not None and each is own and name != module)
    return next(names, module)


def _is_importing(frame: "FrameType") -> bool:
    """True if a frame looks up a name for an import statement: importing from a package calls a function there."""
    from opcode import opmap

    code = frame.f_code
    return code.co_name == "_handle_fromlist" or code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]
