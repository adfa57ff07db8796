"""Packages that are parts of an application: where they are mounted, and what their `urls` have."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from antiphon.dialects.kay.conf import Settings
from antiphon.dialects.kay.routing import ViewGroup
from antiphon.dialects.werkzeug.utils.imports import import_string


class Installed(NamedTuple):
    """A path, a prefix of endpoints, groups of rules, and views of endpoints."""

    path: str
    prefix: str
    groups: list[ViewGroup]
    views: Mapping[Any, Any]


def installed(package: str, settings: Settings) -> Installed:
    """A package of INSTALLED_APPS: below the path of its name, unless APP_MOUNT_POINTS has another.

    Its `urls` have ``view_groups``, whose endpoints are given the package's name as prefix, or ``make_rules()`` and
    ``all_views``, whose endpoints have it. Raises ImportError for a package without them.
    """
    urls = import_string(f"{package}.urls")
    name = package.rpartition(".")[2]
    path: str = settings.APP_MOUNT_POINTS.get(package, f"/{name}")
    groups: list[ViewGroup] = list(getattr(urls, "view_groups", ()))
    if groups:
        return Installed(path, f"{name}/", groups, {})
    return Installed(path, "", [ViewGroup(*urls.make_rules())], urls.all_views)
