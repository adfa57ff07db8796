"""Packages and modules by name, with their folders and assets."""

import os
import sys
from contextlib import suppress
from types import ModuleType
from typing import IO, Any

from zope.interface import implementer

from antiphon.dialects.pyramid.interfaces import IAssetDescriptor


class _CallerPackage:
    def __repr__(self) -> str:
        return "pyramid.path.CALLER_PACKAGE"


CALLER_PACKAGE: Any = _CallerPackage()
"""A marker for the caller's package."""


def caller_path(path: str, level: int = 2) -> str:
    """Make a path absolute. It is relative to the file of the caller that is ``level`` calls up."""
    if os.path.isabs(path):
        return path
    return os.path.join(os.path.dirname(os.path.abspath(str(caller_module(level + 1).__file__))), path)


def caller_module(level: int = 2) -> ModuleType:
    """Return the module of the caller that is ``level`` calls up."""
    names = sys._getframe(level).f_globals  # noqa: SLF001 - there is no public API
    return sys.modules.get(names.get("__name__") or "__main__", sys.modules["__main__"])


def package_name(pkg_or_module: Any) -> str:
    """Return the name of a package, or of the package that contains a module."""
    name: str | None = getattr(pkg_or_module, "__name__", None)
    if name is None or name == "__main__":
        return "__main__"
    if _is_package(pkg_or_module):
        return name
    return name.rpartition(".")[0] or name


def _is_package(module: Any) -> bool:
    file = getattr(module, "__file__", None)
    if file is None:
        return hasattr(module, "__path__")
    return os.path.splitext(os.path.basename(file))[0] == "__init__" or hasattr(module, "__path__")


def package_of(pkg_or_module: Any) -> Any:
    """Return a package, or the package that contains a module."""
    return sys.modules[package_name(pkg_or_module)]


def caller_package(level: int = 2) -> Any:
    """Return the package of the caller that is ``level`` calls up."""
    module = caller_module(level + 1)
    if _is_package(module) and getattr(module, "__name__", None) != "__main__":
        return module
    return sys.modules[package_name(module)]


def package_path(package: Any) -> str:
    """Return a package's folder. Only the name of an object that is not a module counts, as for Pyramid."""
    known: str | None = getattr(package, "__abspath__", None)
    if known is not None:
        return known
    if not hasattr(package, "__file__") and not hasattr(package, "__path__"):
        return package_path(_module(package.__name__))
    file = getattr(package, "__file__", None)
    folder = os.path.dirname(os.path.abspath(file)) if file else os.path.abspath(next(iter(package.__path__)))
    with suppress(Exception):  # if this fails, the path is computed again
        package.__abspath__ = folder
    return str(folder)


class Resolver:
    """A resolver of names relative to a package: an object, a package's name, None, or the caller's package."""

    def __init__(self, package: Any = CALLER_PACKAGE) -> None:
        if package in (None, CALLER_PACKAGE):
            self.package = package
        else:
            if isinstance(package, str):
                package = _module(package)
            self.package = package_of(package)

    def get_package_name(self) -> str:
        package: Any = self.package
        return str(caller_package().__name__ if package is CALLER_PACKAGE else package.__name__)

    def get_package(self) -> Any:
        return caller_package() if self.package is CALLER_PACKAGE else self.package


def _module(name: str) -> ModuleType:
    try:
        __import__(name)
    except ImportError:
        raise ValueError(f"The dotted name {name!r} cannot be imported") from None
    return sys.modules[name]


class AssetResolver(Resolver):
    """A resolver of assets by `package:path`, by absolute path, or by a path relative to the package."""

    def resolve(self, spec: str) -> Any:
        """Return an asset's descriptor. Raises ValueError for a relative path without a package."""
        if os.path.isabs(spec):
            return FSAssetDescriptor(spec)
        name, colon, path = spec.partition(":")
        if not colon:
            package = caller_package() if self.package is CALLER_PACKAGE else self.package
            if package is None:
                raise ValueError(f"relative spec {spec!r} irresolveable without package")
            name, path = package.__name__, spec
        return PkgResourcesAssetDescriptor(name, path)


class DottedNameResolver(Resolver):
    """A resolver of `package.module.name` and `package.module:name.attribute`, which may be relative to the package."""

    def resolve(self, dotted: str) -> Any:
        """Return the object with the given name. Raises ValueError if the name is not a string, or ImportError."""
        if not isinstance(dotted, str):
            raise ValueError(f"{dotted!r} is not a string")
        return self._resolve(dotted, caller_package() if self.package is CALLER_PACKAGE else self.package)

    def maybe_resolve(self, dotted: Any) -> Any:
        """Return the object with the given name. An argument that is not a string is returned unchanged."""
        if not isinstance(dotted, str):
            return dotted
        return self._resolve(dotted, caller_package() if self.package is CALLER_PACKAGE else self.package)

    def _resolve(self, dotted: str, package: Any) -> Any:
        if ":" in dotted:
            return _after_colon(dotted, package)
        return _dotted(dotted, package)


def _after_colon(value: str, package: Any) -> Any:
    if value[0] in ".:":
        if not package:
            raise ValueError(f"relative name {value!r} irresolveable without package")
        rest = value[1:] if value[0] == "." else value
        value = package.__name__ + (rest if value in (".", ":") or rest.startswith(":") else f".{rest}")
        value = value.rstrip(".:") if value.endswith((".", ":")) else value
    name, _, attributes = value.partition(":")
    found: Any = _imported(name)
    for attribute in filter(None, attributes.split(".")):
        try:
            found = getattr(found, attribute)
        except AttributeError as error:
            raise ImportError(str(error)) from None
    return found


def _imported(name: str) -> Any:
    __import__(name)
    return sys.modules[name]


def _dotted(value: str, package: Any) -> Any:
    if value == ".":
        if package is None:
            raise ValueError(f"relative name {value!r} irresolveable without package")
        return package
    parts = value.split(".")
    if not parts[0]:
        if package is None:
            raise ValueError(f"relative name {value!r} irresolveable without package")
        base = package.__name__.split(".")
        parts.pop(0)
        while parts and not parts[0]:
            parts.pop(0)
            base.pop()
        parts = base + parts
    used = parts.pop(0)
    found: Any = __import__(used)
    for name in parts:
        used += f".{name}"
        try:
            found = getattr(found, name)
        except AttributeError:
            __import__(used)
            found = getattr(found, name)
    return found


@implementer(IAssetDescriptor)
class PkgResourcesAssetDescriptor:
    """An asset in a package. Another asset may override it: see ``override_asset``."""

    def __init__(self, pkg_name: str, path: str) -> None:
        self.pkg_name = pkg_name
        self.path = path

    def absspec(self) -> str:
        """Return `package:path`."""
        return f"{self.pkg_name}:{self.path}"

    def _override(self, method: str) -> Any:
        from antiphon.dialects.pyramid.config.assets import overridden

        return overridden(self.pkg_name, self.path, method)

    def _own_path(self) -> str:
        return os.path.join(package_path(_imported(self.pkg_name)), *filter(None, self.path.split("/")))

    def abspath(self) -> str:
        """Return the file's absolute path."""
        found = self._override("get_filename")
        return os.path.abspath(self._own_path() if found is None else found)

    def stream(self) -> IO[bytes]:
        """Open the file in binary mode."""
        found: IO[bytes] | None = self._override("get_stream")
        return open(self._own_path(), "rb") if found is None else found

    def isdir(self) -> bool:
        """Return True if this is a directory."""
        found: bool | None = self._override("isdir")
        return os.path.isdir(self._own_path()) if found is None else found

    def listdir(self) -> list[str]:
        found: list[str] | None = self._override("listdir")
        return os.listdir(self._own_path()) if found is None else found

    def exists(self) -> bool:
        """Return True if the file or directory exists."""
        found: bool | None = self._override("has_resource")
        return os.path.exists(self._own_path()) if found is None else found


@implementer(IAssetDescriptor)
class FSAssetDescriptor:
    """An asset outside of packages."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)

    def absspec(self) -> str:
        """Raise NotImplementedError, since the asset is not in a package."""
        raise NotImplementedError("a file outside of packages has no asset specification")

    def abspath(self) -> str:
        return self.path

    def stream(self) -> IO[bytes]:
        """Open the file in binary mode."""
        return open(self.path, "rb")

    def isdir(self) -> bool:
        """Return True if this is a directory."""
        return os.path.isdir(self.path)

    def listdir(self) -> list[str]:
        return os.listdir(self.path)

    def exists(self) -> bool:
        """Return True if the file or directory exists."""
        return os.path.exists(self.path)
