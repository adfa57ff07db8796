"""The `urls` modules of a project and of its installed packages, and the paths below which their rules are mounted."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple

from antiphon.dialects.kay.conf import Settings
from antiphon.dialects.kay.routing import ViewGroup
from antiphon.dialects.werkzeug.utils import import_string


class Installed(NamedTuple):
    """The contents of a `urls` module: a path, a prefix of endpoints, groups of rules, and views of endpoints."""

    path: str
    prefix: str
    groups: list[ViewGroup]
    views: Mapping[Any, Any]


def installed(package: str, settings: Settings) -> Installed | None:
    """Return the parts of a package of INSTALLED_APPS. Its path is its name, unless APP_MOUNT_POINTS has another.

    The endpoints in its ``view_groups`` get the package's name as a prefix. None for a package that has no `urls`, or
    whose path is None. Raises ImportError for a missing package.
    """
    name = package.rpartition(".")[2]
    path = settings.APP_MOUNT_POINTS.get(package, f"/{name}")
    import_string(package)
    if path is None or not _exists(f"{package}.urls"):
        return None
    return _contents(f"{package}.urls", path, f"{name}/")


def of_project(settings: Settings) -> Installed | None:
    """Return the parts of the module ROOT_URL_MODULE; None if there is no such module."""
    module: str = settings.ROOT_URL_MODULE
    return _contents(module, "", "") if find_spec(module) else None


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # raised for a module that the dialect does not have, such as kay.sessions.urls
        return False


def _contents(module: str, path: str, prefix: str) -> Installed:
    """Return the parts of a `urls` module: its ``view_groups``, or else its rules with ``all_views``, whose endpoints
    have the prefix already. The rules are those of ``make_rules()``, or of the map ``make_url()``.
    """
    urls = import_string(module)
    if hasattr(urls, "view_groups"):
        return Installed(path, prefix, list(urls.view_groups), {})
    rules = (
        urls.make_rules() if hasattr(urls, "make_rules") else [rule.empty() for rule in urls.make_url().iter_rules()]
    )
    return Installed(path, "", [ViewGroup(*rules)], urls.all_views)
