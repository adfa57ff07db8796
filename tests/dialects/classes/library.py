"""The public classes of a library, how objects of them are made, and what an observation of them is."""

import contextlib
import functools
import importlib
import inspect
import re
import signal
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from tests.dialects import census
from tests.dialects.classes.instances import arguments_of, namespace

SECONDS = 2
"""How long one observation may take."""
PLAIN = (str, bytes, int, float, types.NoneType)
FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType)


class Library:
    """The public classes of a library, by where they are found, and how objects of them are made."""

    def __init__(self, name: str, known: dict[str, Any] | None) -> None:
        self.name = name
        self.is_original = known is None
        below = census.modules(sys.modules[name])
        names = known["modules"] if known else [name, *(f"{name}.{each}" for each in below)]
        self.modules = [each for each in names if _is_importable(each)]
        self.classes = dict(self._found(known["classes"] if known else None))
        self.paths = {cls: path for path, cls in reversed(self.classes.items())}
        self.namespace = namespace(name)
        self.recipes: dict[str, str] = known["recipes"] if known else {}
        self.members: dict[str, dict[str, bool]] = known["members"] if known else {}
        if known is None:
            self.recipes = {
                path: each for path, cls in self.classes.items() if (each := self._recipe(path, cls)) is not None
            }
            self.members = {path: self._members(path) for path in self.classes}

    def _found(self, known: list[str] | None) -> Iterator[tuple[str, type]]:
        if known is not None:
            for path in known:
                module, _, name = path.rpartition(".")
                with contextlib.suppress(AttributeError, ImportError):
                    yield path, getattr(importlib.import_module(module), name)
            return
        seen = set()
        for module in self.modules:
            for name, value in vars(importlib.import_module(module)).items():
                is_own = isinstance(value, type) and value.__module__.partition(".")[0] == self.name
                if is_own and value not in seen and not name.startswith("_") and name == value.__name__:
                    home = value.__module__ if value.__module__ in self.modules else module
                    if getattr(sys.modules[home], name, None) is value:
                        seen.add(value)
                        yield f"{home}.{name}", value

    def _recipe(self, path: str, cls: type) -> str | None:
        for arguments in arguments_of(self.name, path, cls):
            if not outcome(functools.partial(self.made, cls, arguments), lambda _made: "").startswith("!"):
                return arguments
        return None

    def made(self, cls: type, arguments: str) -> Any:
        return eval(f"cls({arguments})", {**self.namespace(), "cls": cls})

    def instance(self, path: str, cls: type | None = None) -> Any:
        return self.made(cls or self.classes[path], self.recipes[path])

    def _members(self, path: str) -> dict[str, bool]:
        """The public attributes of objects of a class; True for those that are the class's, too."""
        cls, missing = self.classes[path], object()
        own = {name for name in dir(cls) if inspect.getattr_static(cls, name, missing) is not missing}
        names = own | {*dir(self.instance(path))} if path in self.recipes else own
        public = sorted(name for name in names if not name.startswith("_"))
        return {name: name in own for name in public if not self._is_inherited(path, name)}

    def _is_inherited(self, path: str, name: str) -> bool:
        """Return True if a public base class, which is observed, too, has the same attribute."""
        cls, missing = self.classes[path], object()
        own = inspect.getattr_static(cls, name, missing)
        bases = [base for base in cls.__mro__[1:] if self.paths.get(base) in self.recipes]
        return own is not missing and any(inspect.getattr_static(base, name, missing) is own for base in bases)

    def described(self, value: Any) -> str:
        """What kind of value this is; plain ones as they are."""
        if type(value) in PLAIN or isinstance(value, bool):
            return without_addresses(repr(value))[:80]
        if isinstance(value, type):
            return f"class {self.path(value)}"
        if isinstance(value, (*FUNCTIONS, types.MethodType, types.MethodWrapperType)):
            return "function"
        return f"a {self.path(type(value))}"

    def path(self, cls: type) -> str:
        return self.paths.get(cls) or cls.__qualname__.rpartition(".")[2]


def _is_importable(name: str) -> bool:
    if re.search(r"\.(_|tests?\b|scaffolds)", name):
        return False
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


class TooSlow(BaseException):
    pass


def too_slow(*_args: Any) -> None:
    raise TooSlow


def outcome(do: Callable[[], Any], described: Callable[[Any], str]) -> str:
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return described(do())
    except (Exception, TooSlow, SystemExit) as error:
        return f"! {type(error).__name__}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def without_addresses(text: str) -> str:
    return re.sub(r"\b0x[0-9a-f]+|\bat \d{6,}|/tmp/tmp\w+", "…", text.replace("antiphon.dialects.", ""))
