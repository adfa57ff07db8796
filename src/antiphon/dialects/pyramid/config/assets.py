"""Overrides for a package's assets."""

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import IO, Any

from zope.interface import implementer

from antiphon.dialects.pyramid.config.actions import action_method
from antiphon.dialects.pyramid.exceptions import ConfigurationError
from antiphon.dialects.pyramid.interfaces import PHASE1_CONFIG, IPackageOverrides
from antiphon.dialects.pyramid.path import package_path
from antiphon.dialects.pyramid.threadlocal import get_current_registry


def overridden(package_name: str, path: str, method: str) -> Any:
    """Call a method of a package's overrides for a file. Return its result, or None if there are none."""
    overrides = get_current_registry().queryUtility(IPackageOverrides, package_name)
    return None if overrides is None else getattr(overrides, method)(path)


class _Source:
    """The base class for a directory or file that overrides another."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def path(self, name: str) -> str:
        raise NotImplementedError

    def get_path(self, resource_name: str) -> str:
        return f"{self.prefix}{resource_name}"

    def get_spec(self, resource_name: str) -> str:
        """Return the specification for the given name: `package:path` or a path."""
        return self.path(resource_name)

    def get_filename(self, resource_name: str) -> str | None:
        """Return the path of a file, or None if the file does not exist."""
        path = self.path(resource_name)
        return path if os.path.exists(path) else None

    def get_stream(self, resource_name: str) -> IO[bytes] | None:
        """Open a file, or return None if it does not exist."""
        path = self.path(resource_name)
        return open(path, "rb") if os.path.exists(path) else None

    def get_string(self, resource_name: str) -> bytes | None:
        """Return the contents of a file, or None if it does not exist."""
        stream = self.get_stream(resource_name)
        if stream is None:
            return None
        with stream:
            return stream.read()

    def exists(self, resource_name: str) -> bool | None:
        """Return True if the file or directory exists, otherwise None."""
        return os.path.exists(self.path(resource_name)) or None

    def isdir(self, resource_name: str) -> bool | None:
        """Return True for a directory, False for a file, or None if it does not exist."""
        path = self.path(resource_name)
        return os.path.isdir(path) if os.path.exists(path) else None

    def listdir(self, resource_name: str) -> list[str] | None:
        """Return the names in a directory, or None if it does not exist."""
        path = self.path(resource_name)
        return os.listdir(path) if os.path.exists(path) else None


class PackageAssetSource(_Source):
    """A directory or file in a package."""

    def __init__(self, package: Any, prefix: str) -> None:
        super().__init__(prefix)
        self.package = package
        self.pkg_name = package if isinstance(package, str) else package.__name__

    def path(self, name: str) -> str:
        import sys

        package = sys.modules[self.pkg_name] if isinstance(self.package, str) else self.package
        return os.path.join(package_path(package), *filter(None, f"{self.prefix}{name}".split("/")))

    def get_spec(self, resource_name: str) -> str:
        return f"{self.pkg_name}:{self.prefix}{resource_name}"


class FSAssetSource(_Source):
    """A directory or file outside of packages."""

    def path(self, name: str) -> str:
        return os.path.join(self.prefix, name) if name else self.prefix


class DirectoryOverride:
    def __init__(self, path: str, source: Any) -> None:
        self.path = path
        self.source = source

    def __call__(self, resource_name: str) -> tuple[Any, str] | None:
        """Return the override for a name below the directory, and its name there. Return None for any other name."""
        if resource_name.startswith(self.path):
            return self.source, resource_name[len(self.path) :]
        return None


class FileOverride:
    def __init__(self, path: str, source: Any) -> None:
        self.path = path
        self.source = source

    def __call__(self, resource_name: str) -> tuple[Any, str] | None:
        """Return the file's override and an empty name. Return None for any other name."""
        return (self.source, "") if resource_name == self.path else None


@implementer(IPackageOverrides)
class PackageOverrides:
    """All overrides for a package's files, latest first."""

    def __init__(self, package: Any) -> None:
        self.overridden_package_name = package.__name__
        self.overrides: list[Any] = []

    def insert(self, path: str, source: Any) -> Any:
        """Override a file or directory with a source. The path of a directory is empty or ends with a slash."""
        if isinstance(source, str):
            import sys

            source = PackageAssetSource(sys.modules[self.overridden_package_name], source)
        made = (DirectoryOverride if not path or path.endswith("/") else FileOverride)(path, source)
        self.overrides.insert(0, made)
        return made

    def filtered_sources(self, resource_name: str) -> Iterator[tuple[Any, str]]:
        for override in self.overrides:
            found = override(resource_name)
            if found is not None:
                yield found

    def _first(self, method: str, resource_name: str) -> Any:
        for source, path in self.filtered_sources(resource_name):
            found = getattr(source, method)(path)
            if found is not None:
                return found
        return None

    def get_spec(self, resource_name: str) -> Any:
        for source, path in self.filtered_sources(resource_name):
            if source.exists(path):
                return source.get_spec(path)
        return None

    def get_filename(self, resource_name: str) -> Any:
        return self._first("get_filename", resource_name)

    def get_stream(self, resource_name: str) -> Any:
        return self._first("get_stream", resource_name)

    def get_string(self, resource_name: str) -> Any:
        return self._first("get_string", resource_name)

    def has_resource(self, resource_name: str) -> Any:
        """Return True if the given name is overridden."""
        return self._first("exists", resource_name)

    def isdir(self, resource_name: str) -> Any:
        """Return True if the override for the given name is a directory, and False if it is a file."""
        return self._first("isdir", resource_name)

    def listdir(self, resource_name: str) -> Any:
        """Return the names in the directory that overrides the given name."""
        return self._first("listdir", resource_name)


def _source(override_with: str) -> tuple[Callable[[], Any], bool]:
    """Return a function that makes a specification's source, and True for a directory. Raises ConfigurationError."""
    if os.path.isabs(override_with):
        if not os.path.exists(override_with):
            raise ConfigurationError(
                f"Cannot override asset with an absolute path that does not exist: {override_with}"
            )
        return lambda: FSAssetSource(override_with), os.path.isdir(override_with)
    name, _, path = override_with.partition(":")
    is_directory = not path or path.endswith("/")
    return lambda: PackageAssetSource(import_module(name), path), is_directory


class AssetsConfiguratorMixin:
    """The directive that overrides assets."""

    @action_method
    def override_asset(self, to_override: str, override_with: str, _override: Any = None) -> None:
        """Override a package's file or directory.

        The names of directories end with a slash. A name without a colon means a package with all its files. Raises
        ConfigurationError if one of the two is a directory and the other is not, or if either is missing.
        """
        config: Any = self
        if to_override == override_with:
            raise ConfigurationError("You cannot override an asset with itself")
        package_name, _, path = to_override.partition(":")
        is_directory = not path or path.endswith("/")
        source, with_directory = _source(override_with)
        if is_directory != with_directory:
            kinds = ("directory", "file") if is_directory else ("file", "directory")
            raise ConfigurationError(
                f"A {kinds[0]} cannot be overridden with a {kinds[1]}"
                f" (put a slash at the end of override_with if necessary): {override_with}"
            )

        def register() -> None:
            (_override or self._override)(import_module(package_name), path, source())

        intr = config.introspectable(
            "asset overrides",
            (package_name, path, override_with),
            f"{to_override} -> {override_with}",
            "asset override",
        )
        intr.update(to_override=to_override, override_with=override_with)
        config.action(None, register, introspectables=(intr,), order=PHASE1_CONFIG)

    override_resource = override_asset

    def _override(self, package: Any, path: str, override_source: Any) -> None:
        registry: Any = self.registry  # type: ignore[attr-defined]  # the configurator defines it
        overrides = registry.queryUtility(IPackageOverrides, name=package.__name__)
        if overrides is None:
            overrides = PackageOverrides(package)
            registry.registerUtility(overrides, IPackageOverrides, name=package.__name__)
        overrides.insert(path, override_source)
