"""The Jinja2 environment of templates: their folders, their escaping, and the names that they know."""

import os
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from functools import lru_cache, partial
from itertools import groupby
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    DictLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
)
from jinja2.defaults import DEFAULT_NAMESPACE
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.tests import TESTS
from jinja2.utils import missing

from antiphon.features.templates.rendering import DictEnvironment
from antiphon.response.fields import HTML
from antiphon.response.files import guess_type

_OF_JINJA = (".jinja", ".jinja2", ".j2")
"""Suffixes that say nothing about the output of a template."""
_KEPT = 400
"""The number of compiled templates to keep for a loader that accepts any name, as in Jinja2."""
_PLAIN = (".txt", ".text", ".md", ".csv")
"""Suffixes of templates whose output is not markup, so that nothing in it is escaped."""


_FORMATS = (
    "format_currency", "format_date", "format_datetime", "format_number", "format_percent", "format_time",
    "format_timedelta",
)  # fmt: skip
"""Filters that format a value in the language of the request."""


def _formatted(name: str, value: object, *arguments: object, **options: object) -> str:
    from antiphon import features

    text: str = getattr(features, name)(value, *arguments, **options)
    return text


class RequestContext(Context):
    """The names that a template knows: its data, ``request``, ``url_for``, the application's shared values, and
    globals.

    Shared values are computed when a template uses them. Files that are imported without a context know the request,
    too, since they run for each request.
    """

    def __init__(
        self,
        environment: Environment,
        parent: dict[str, Any],
        name: str | None,
        blocks: dict[str, Callable[[Context], Iterator[str]]],
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja's own name for it
    ) -> None:
        self._request = request = parent.get("request")
        super().__init__(environment, parent, name, blocks, globals if request is None else None)
        if request is not None:
            self.globals_keys = {"request"}  # every template of the environment has the rest

    def resolve_or_missing(self, key: str) -> Any:
        """Return the value of a name, or Jinja's ``missing``."""
        if key in self.vars:
            return self.vars[key]
        if key in self.parent:
            return self.parent[key]
        return self.resolve_of_request(self._request, key)

    def resolve_of_request(self, request: Any, key: str) -> Any:
        """Return the value of a name that is not in the data, for the request, or Jinja's ``missing``."""
        if request is None:
            return missing
        if key == "url_for":
            return request.url_for
        shared = request.shared
        return shared[key] if key in shared else self.environment.globals.get(key, missing)


class TemplateEnvironment(DictEnvironment):
    """A Jinja2 environment in which values are escaped, and an undefined name is an error."""

    context_class = RequestContext

    def __init__(self, loader: BaseLoader) -> None:
        super().__init__(
            loader=loader,
            autoescape=_is_markup,
            undefined=StrictUndefined,
            auto_reload=False,
            cache_size=_cache_size(loader),
            extensions=["jinja2.ext.i18n"],  # its functions are shared by the application
        )
        self.newstyle_gettext = True
        self.filters |= {name: partial(_formatted, name) for name in _FORMATS}


def loader_of(folders: Iterable[str | BaseLoader]) -> BaseLoader:
    """Return a loader that looks for a template in folders and other loaders, in order."""
    loaders: list[BaseLoader] = []
    for is_loader, group in groupby(folders, key=lambda each: isinstance(each, BaseLoader)):
        if is_loader:
            loaders += [each for each in group if isinstance(each, BaseLoader)]
        else:
            loaders.append(FileSystemLoader([each for each in group if isinstance(each, str)]))
    return loaders[0] if len(loaders) == 1 else ChoiceLoader(loaders)


def _cache_size(loader: BaseLoader) -> int:
    """Return the number of compiled templates to keep: -1 for all, if the loader has a limited number.

    Otherwise a page that includes more templates than are kept would compile each of them every time.
    """
    if isinstance(loader, ChoiceLoader):
        return -1 if all(_cache_size(each) == -1 for each in loader.loaders) else _KEPT
    return -1 if isinstance(loader, FileSystemLoader | PackageLoader | DictLoader) else _KEPT


def in_front_of(own: Environment, other: Environment) -> Environment:
    """Return an environment that looks for templates, filters, tests and globals in one, then in another."""
    loader = ChoiceLoader([each.loader for each in (own, other) if each.loader is not None])
    both = own.overlay(loader=loader, cache_size=_cache_size(loader))
    both.filters = _in_front_of(own.filters, other.filters, FILTERS)
    both.tests = _in_front_of(own.tests, other.tests, TESTS)
    both.globals = _in_front_of(own.globals, other.globals, DEFAULT_NAMESPACE)
    return both


def _in_front_of(
    own: MutableMapping[str, Any], other: MutableMapping[str, Any], default: MutableMapping[str, Any]
) -> dict[str, Any]:
    return {**other, **{name: value for name, value in own.items() if name not in default}}


@lru_cache(maxsize=1024)
def content_type_of(template: str) -> str:
    """Return the media type of a template's output, by its name: HTML, unless the name says otherwise."""
    name = _without_suffix_of_jinja(template)
    return guess_type(name) if os.path.splitext(name)[1] not in ("", ".html", ".htm") else HTML


def _is_markup(template: str | None) -> bool:
    return template is None or not _without_suffix_of_jinja(template).endswith(_PLAIN)


def _without_suffix_of_jinja(template: str) -> str:
    start, suffix = os.path.splitext(template.lower())
    return start if suffix in _OF_JINJA else template.lower()
