"""Imports of objects by their dotted names."""

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any


class ImportStringError(ImportError):
    """The error of ``import_string``: ``exception`` is the reason why ``import_name`` could not be imported."""

    def __init__(self, import_name: str, exception: BaseException) -> None:
        super().__init__(
            f"{import_name!r} could not be imported ({type(exception).__name__}: {exception}); {_progress(import_name)}"
        )
        self.import_name = import_name
        self.exception = exception

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.import_name!r}, {self.exception!r})>"


def _progress(import_name: str) -> str:
    """Return which parts of a dotted name could be imported."""
    found = []
    name = ""
    for part in import_name.replace(":", ".").split("."):
        name = f"{name}.{part}" if name else part
        thing = import_string(name, silent=True)
        if thing is None:
            break
        found.append(f"{name!r} was found in {getattr(thing, '__file__', None)!r}")
    return ", ".join([*found, f"{name!r} was not"])


def import_string(import_name: str, silent: bool = False) -> Any:
    """Import a module, or an object in one: `package.module:name` or `package.module.name`.

    Raises ImportStringError if it does not exist; with ``silent`` returns None.
    """
    name = import_name.replace(":", ".")
    try:
        try:
            import_module(name)
        except ImportError:
            if "." not in name:
                raise
        else:
            return sys.modules[name]
        return _attribute(name)
    except ImportError as error:
        if silent:
            return None
        raise ImportStringError(import_name, error).with_traceback(error.__traceback__) from None


def _attribute(name: str) -> Any:
    module_name, _, attribute = name.rpartition(".")
    module = import_module(module_name)
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        raise ImportError(str(error)) from None


def find_modules(import_path: str, include_packages: bool = False, recursive: bool = False) -> Iterator[str]:
    """Return the names of the modules in a package, and on request of its packages, and of the modules in these.

    Packages are imported to look into them. Raises ValueError for a module that is not a package.
    """
    from pkgutil import iter_modules

    module = import_string(import_path)
    path = getattr(module, "__path__", None)
    if path is None:
        raise ValueError(f"{import_path!r} is not a package")
    for _, name, is_package in iter_modules(path):
        full = f"{module.__name__}.{name}"
        if not is_package or include_packages:
            yield full
        if is_package and recursive:
            yield from find_modules(full, include_packages, True)
