"""The places of packages: their folders, and the prefix where they are installed."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path


def get_root_path(import_name: str) -> str:
    """Return the folder of a package, or that of a module's file; the current directory for a name without either.

    Raises RuntimeError for a namespace package, which has no file.
    """
    module = sys.modules.get(import_name)
    file: str | None = getattr(module, "__file__", None)
    if file is not None:
        return os.path.dirname(os.path.abspath(file))
    try:
        spec = find_spec(import_name)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.loader is None:
        if spec is not None and spec.submodule_search_locations is not None:
            raise _no_root_path(import_name)
        return os.getcwd()
    get_filename = getattr(spec.loader, "get_filename", None)
    file = get_filename(import_name) if get_filename else spec.origin
    if file is None:
        raise _no_root_path(import_name)
    return os.path.dirname(os.path.abspath(file))


def _no_root_path(import_name: str) -> RuntimeError:
    return RuntimeError(
        f"No root path can be found for {import_name!r}: it is a namespace package, or is imported by a hook that names"
        " no file. Pass root_path to the application or blueprint."
    )


def find_package(import_name: str) -> tuple[str | None, str]:
    """Return the prefix where a package is installed, or None, and its folder."""
    folder = _folder_of(import_name)
    prefix = os.path.abspath(sys.prefix)
    if Path(folder).is_relative_to(prefix):
        return prefix, folder
    parent, name = os.path.split(folder)
    if name.lower() != "site-packages":
        return None, folder
    above, lib = os.path.split(parent)
    if lib.lower() == "lib":  # as on Windows
        return above, folder
    if os.path.basename(above).lower() == "lib":  # lib/python3.11
        return os.path.dirname(above), folder
    return parent, folder


def _folder_of(import_name: str) -> str:
    """Return the folder of a package, or of a module's package, or the working directory if it can't be found."""
    root = import_name.partition(".")[0]
    try:
        spec = find_spec(root)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return os.getcwd()
    if not spec.submodule_search_locations:
        return os.path.dirname(spec.origin or "")
    if spec.origin not in (None, "namespace"):
        return os.path.dirname(os.path.dirname(str(spec.origin)))
    return os.path.dirname(_portion(spec.submodule_search_locations, import_name))


def _portion(places: list[str], import_name: str) -> str:
    """Return the portion of a namespace package (PEP 420) that contains a package."""
    spec = find_spec(import_name)
    if spec is not None and spec.submodule_search_locations:
        inner = Path(os.path.commonpath(spec.submodule_search_locations))
        for place in places:
            if inner.is_relative_to(place):
                return place
    return places[0]
