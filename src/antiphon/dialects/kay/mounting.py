"""Installed packages: the path below which their rules are mounted, and the contents of their `urls` modules."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from antiphon.dialects.kay.conf import Settings
from antiphon.dialects.kay.routing import ViewGroup
from antiphon.dialects.werkzeug.utils.imports import import_string


class Installed(NamedTuple):
    """The parts of an installed package: a path, a prefix of endpoints, groups of rules, and views of endpoints."""

    path: str
    prefix: str
    groups: list[ViewGroup]
    views: Mapping[Any, Any]


def installed(package: str, settings: Settings) -> Installed:
    """Return the parts of a package of INSTALLED_APPS. Its path is its name, unless APP_MOUNT_POINTS has another.

    Its `urls` module has either ``view_groups``, whose endpoints get the package's name as a prefix, or
    ``make_rules()`` and ``all_views``, whose endpoints have the prefix already. Raises ImportError for a package
    without `urls`.
    """
    urls = import_string(f"{package}.urls")
    name = package.rpartition(".")[2]
    path: str = settings.APP_MOUNT_POINTS.get(package, f"/{name}")
    groups: list[ViewGroup] = list(getattr(urls, "view_groups", ()))
    if groups:
        return Installed(path, f"{name}/", groups, {})
    return Installed(path, "", [ViewGroup(*urls.make_rules())], urls.all_views)
