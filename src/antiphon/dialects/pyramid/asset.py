"""Asset specifications: strings of the form `package:path`."""

import os
from typing import Any

from antiphon.dialects.pyramid.path import PkgResourcesAssetDescriptor, package_name, package_path


def resolve_asset_spec(spec: str, pname: Any = "__main__") -> tuple[str | None, str]:
    """Split a specification into its package name, which is None for an absolute path, and its path."""
    if pname and not isinstance(pname, str):
        pname = pname.__name__
    if os.path.isabs(spec):
        return None, spec
    if ":" in spec:
        pname, spec = spec.split(":", 1)
    return pname, spec


def asset_spec_from_abspath(abspath: str, package: Any) -> str:
    """Return the specification of a file in a package. For a file elsewhere or in `__main__`, return its path."""
    if getattr(package, "__name__", None) == "__main__":
        return abspath
    folder = package_path(package) + os.path.sep
    if abspath.startswith(folder):
        return f"{package_name(package)}:{abspath[len(folder) :].replace(os.path.sep, '/')}"
    return abspath


def abspath_from_asset_spec(spec: str, pname: Any = "__main__") -> str | None:
    if pname is None:
        return spec
    name, path = resolve_asset_spec(spec, pname)
    return path if name is None else PkgResourcesAssetDescriptor(name, path).abspath()
