"""The Jinja2 environment of templates, and the rendering of whole templates by a modified form of Jinja's compiled
code.

Templates get the functions for this from their environment when they are loaded, not when they are compiled, because
code in a bytecode cache may come from another environment with different rules.
"""

import os
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from functools import lru_cache, partial
from itertools import groupby
from traceback import walk_tb
from typing import Any, NoReturn

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    DictLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    Template,
    nodes,
)
from jinja2.compiler import CodeGenerator, Frame, optimizeconst
from jinja2.defaults import DEFAULT_NAMESPACE
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.tests import TESTS
from jinja2.utils import internalcode, missing
from markupsafe import Markup, escape

from antiphon.embedding import FileBody, accelerated, require_names

_HEAD = """\
read_attribute = getattr(environment, 'read_attribute', type(environment).getattr)
escape_text = getattr(environment, 'escape_text', lambda markup, value: markup.escape(value))
"""
_LONG = 256
"""The length of text, in characters, up to which replacing each character separately is faster than making a Markup."""
DICT_ATTRIBUTES = frozenset(dir({}))
"""Names that a dot in a template reads as attributes, even if a dict has an item with the name."""
_PLAINLY_WRITTEN = frozenset((int, float, bool, type(None)))
"""Types whose values never contain a character that needs escaping."""


require_names("jinja2", "3.1", CodeGenerator, "visit_Template", "visit_Getattr", "_output_child_pre")


class DirectCodeGenerator(CodeGenerator):
    """A template compiler whose code reads attributes and escapes values with two functions of the environment.

    A template compiled to a file uses Jinja's own code.
    """

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 - Jinja's name
        """Write a template's code."""
        if not self.defer_init:
            for line in _HEAD.splitlines():
                self.writeline(line)
        super().visit_Template(node, frame)

    @optimizeconst
    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        """Write code that reads an attribute, except for the attributes of plain dicts."""
        if self.defer_init or node.attr in DICT_ATTRIBUTES:
            super().visit_Getattr(node, frame)
            return
        start, end = ("(await auto_await(", "))") if self.environment.is_async else ("", "")
        self.write(f"{start}read_attribute(environment, ")
        self.visit(node.node, frame)
        self.write(f", {node.attr!r}){end}")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if self.defer_init or frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write(f"escape_text(Markup, {finalize.src or ''}")


@accelerated
@internalcode
def read_attribute(environment: Environment, value: Any, name: str, /) -> Any:
    """Return an attribute, or else an item, or else an undefined value, as ``Environment.getattr`` does.

    For a plain dict, this only looks for an item.
    """
    if type(value) is not dict:
        try:
            return getattr(value, name)
        except AttributeError:
            pass
    try:
        return value[name]
    except (TypeError, LookupError, AttributeError):
        return environment.undefined(obj=value, name=name)


@accelerated
@internalcode
def escape_text(markup: type[Markup], value: Any, /) -> str:
    """Return the text of ``markup.escape(value)``, either as a plain string or as a Markup."""
    kind = type(value)
    text: str
    if kind is str:
        has_special = "<" in value or "&" in value or '"' in value or "'" in value or ">" in value
        text = _escaped(value) if has_special else value
    elif kind is markup:
        text = value
    else:
        text = str(value) if kind in _PLAINLY_WRITTEN else escape(value)
    return text


def _escaped(text: str) -> str:
    if len(text) > _LONG:
        return escape(text)
    brackets = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return brackets.replace('"', "&#34;").replace("'", "&#39;")


class DictEnvironment(Environment):
    """An environment that reads the items of plain dicts without looking for an attribute first.

    Its templates read attributes and escape values in C if the C extension is in use.
    """

    code_generator_class = DirectCodeGenerator

    escape_text = staticmethod(escape_text)
    """The function that templates call to escape values."""

    @property
    def read_attribute(self) -> Callable[[Environment, Any, str], Any]:
        """The function that templates call to read attributes: ``getattr`` if a class overrides it, as sandboxes do."""
        is_own = [each for each in type(self).__mro__ if "getattr" in vars(each)] == [DictEnvironment, Environment]
        return read_attribute if is_own and "getattr" not in vars(self) else _ask

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute or, if there is none, an item, as Jinja does, but without an internal error for plain
        dicts.
        """
        if type(obj) is dict and attribute not in DICT_ATTRIBUTES:
            return read_attribute(self, obj, attribute)
        return super().getattr(obj, attribute)

    def handle_exception(self, source: str | None = None) -> NoReturn:
        """Raise the current error, with template lines in its traceback, as Jinja does."""
        try:
            super().handle_exception(source)
        except Exception as error:
            _let_go(error)
            raise


def _ask(environment: Environment, value: Any, name: str) -> Any:
    return environment.getattr(value, name)


def _let_go(error: BaseException) -> None:
    """Release an error whose traceback Jinja has rewritten, since the frames for template lines keep the error
    alive.
    """
    for frame, _ in walk_tb(error.__traceback__):
        frame.f_globals.pop("__jinja_exception__", None)
        caller = frame.f_back
        while caller is not None and caller.f_globals.get("__name__") == "jinja2.debug":
            caller.clear()
            caller = caller.f_back


def render(template: Template, variables: dict[str, Any]) -> str:
    """Return the text of a template, whose context already contains the environment's globals."""
    try:
        return "".join(template.root_render_func(template.new_context(variables, shared=True)))
    except Exception:
        template.environment.handle_exception()


async def arender(template: Template, variables: dict[str, Any]) -> str:
    """Return the text as ``render`` does, for a template that awaits."""
    rendered: Any = template.root_render_func(template.new_context(variables, shared=True))
    try:
        return "".join([piece async for piece in rendered])
    except Exception:
        template.environment.handle_exception()


_OF_JINJA = (".jinja", ".jinja2", ".j2")
"""Suffixes that don't determine a template's output type."""
_KEPT = 400
"""The number of compiled templates to keep for a loader that accepts any name, as in Jinja2."""
_PLAIN = (".txt", ".text", ".md", ".csv")
"""Suffixes of templates whose output is not markup, so their values are not escaped."""


_FORMATS = (
    "format_currency", "format_date", "format_datetime", "format_number", "format_percent", "format_time",
    "format_timedelta",
)  # fmt: skip
"""Filters that format a value in the request's language."""


def _formatted(name: str, value: object, *arguments: object, **options: object) -> str:
    from antiphon import features

    text: str = getattr(features, name)(value, *arguments, **options)
    return text


class RequestContext(Context):
    """The names available to a template: its data, ``request``, ``url_for``, the application's shared values, and
    globals.

    Shared values are computed when a template uses them. Files that are imported without a context can also use the
    request, since they are run for each request.
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
            self.globals_keys = {"request"}  # the environment's templates all share the rest

    def resolve_or_missing(self, key: str) -> Any:
        """Return the value for the given name, or Jinja's ``missing``."""
        if key in self.vars:
            return self.vars[key]
        if key in self.parent:
            return self.parent[key]
        return self.resolve_of_request(self._request, key)

    def resolve_of_request(self, request: Any, key: str) -> Any:
        """Return a request's value for a name that is not in the data, or Jinja's ``missing``."""
        if request is None:
            return missing
        if key == "url_for":
            return request.url_for
        shared = request.shared
        found = shared[key] if key in shared else self.environment.globals.get(key, missing)
        if found is missing and key == "slot":
            from antiphon.features.templates.slots import without_slots

            return without_slots(request, self.name)
        return found


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
            extensions=["jinja2.ext.i18n"],  # the application shares the functions that it calls
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
    """Return the number of compiled templates to keep, or -1 to keep all of them if the loader offers a limited number
    of templates. With a limit, a page that includes more templates than the limit would compile each of them every
    time.
    """
    if isinstance(loader, ChoiceLoader):
        return -1 if all(_cache_size(each) == -1 for each in loader.loaders) else _KEPT
    return -1 if isinstance(loader, FileSystemLoader | PackageLoader | DictLoader) else _KEPT


def in_front_of(own: Environment, other: Environment) -> Environment:
    """Return an environment that looks for templates, filters, tests and globals first in ``own``, then in
    ``other``."""
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
    """Return the media type of a template's output, by the template's name: HTML, unless its suffix stands for another
    type.
    """
    name = _without_suffix_of_jinja(template)
    is_other = os.path.splitext(name)[1] not in ("", ".html", ".htm")
    return FileBody.guess_type(name) if is_other else "text/html; charset=utf-8"


def _is_markup(template: str | None) -> bool:
    return template is None or not _without_suffix_of_jinja(template).endswith(_PLAIN)


def _without_suffix_of_jinja(template: str) -> str:
    start, suffix = os.path.splitext(template.lower())
    return start if suffix in _OF_JINJA else template.lower()
