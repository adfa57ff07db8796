"""Templates: a Jinja2 environment that searches an application's folders, and functions that render with it."""

from collections import ChainMap
from collections.abc import Callable, Iterator, MutableMapping
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from antiphon.embedding import missing_package

try:
    from jinja2 import BaseLoader, Template, TemplateNotFound, nodes
    from jinja2 import Environment as BaseEnvironment
    from jinja2.runtime import Context
    from jinja2.utils import LRUCache, internalcode, missing
except ModuleNotFoundError as error:
    raise missing_package(error, "flask") from error

from antiphon.dialects.flask.ctx import has_request_context
from antiphon.dialects.flask.globals import _cv_app, app_ctx, g, request, session
from antiphon.dialects.flask.helpers import get_flashed_messages
from antiphon.dialects.flask.imports import reexports
from antiphon.dialects.flask.running import stream_with_context
from antiphon.dialects.flask.signals import before_render_template, template_rendered
from antiphon.features.templates.environment import DictEnvironment, render
from antiphon.features.templates.page import stream_of

if TYPE_CHECKING:
    from antiphon.dialects.flask.app import Flask
    from antiphon.dialects.flask.sansio.app import App
    from antiphon.dialects.flask.sansio.scaffold import Scaffold

_Source = tuple[str, str | None, Callable[[], bool] | None]

_KEPT = 200
"""The maximum number of compiled string templates to cache."""
_LONGEST_KEPT = 16_384
"""The maximum length, in characters, of strings that are cached."""
_PLAIN = frozenset({FunctionType, MethodType})
"""Types whose ``__call__`` does not need the context."""


class TemplateContext(Context):
    """The names that a template can use: its variables, then the globals, which are not copied for each rendering."""

    def __init__(
        self,
        environment: BaseEnvironment,
        parent: dict[str, Any],
        name: str | None,
        blocks: dict[str, Callable[[Context], Iterator[str]]],
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja's name
    ) -> None:
        super().__init__(environment, parent, name, blocks)
        own = globals.maps[0] if isinstance(globals, ChainMap) else globals
        self._globals = globals if own else environment.globals

    def resolve_or_missing(self, key: str) -> Any:
        """Return the value for the given name, or Jinja's ``missing``."""
        if key in self.vars:
            return self.vars[key]
        if key in self.parent:
            return self.parent[key]
        return self._globals.get(key, missing)  # type: ignore[union-attr]  # None has no names

    def __contains__(self, name: str) -> bool:
        return super().__contains__(name) or name in self._globals  # type: ignore[operator]

    @internalcode
    def call(self, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call something for a template. Functions that don't need the context are called directly."""
        if type(called) not in _PLAIN or hasattr(called, "jinja_pass_arg"):
            return super().call(called, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        try:
            return called(*args, **kwargs)
        except StopIteration:
            return self.environment.undefined("value was undefined because a callable raised a StopIteration exception")


class Environment(DictEnvironment):
    """A Jinja2 environment with the templates of an application and its blueprints."""

    context_class = TemplateContext

    def __init__(self, app: "App", **options: Any) -> None:
        if "loader" not in options:
            options["loader"] = app.create_global_jinja_loader()
        super().__init__(**options)
        self.app = app
        self._compiled: Any = LRUCache(_KEPT)

    def from_string(
        self,
        source: Any,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja's name
        template_class: type[Template] | None = None,
    ) -> Template:
        """Make a template from a string.

        Short strings are compiled only once, unless compiling them calls a filter or test.
        """
        is_plain = type(source) is str and len(source) <= _LONGEST_KEPT and globals is None and template_class is None
        if not is_plain:
            return super().from_string(source, globals, template_class)
        known: Template | bool | None = self._compiled.get(source)
        if isinstance(known, Template):
            return known
        template = super().from_string(source)
        if known is None:
            self._compiled[source] = not _calls_when_compiled(self.parse(source)) and template
        return template

    def overlay(self, *args: Any, **kwargs: Any) -> BaseEnvironment:  # type: ignore[override]  # with all options
        """Return an environment with changed options, as Jinja does."""
        other = super().overlay(*args, **kwargs)
        vars(other)["_compiled"] = LRUCache(_KEPT)
        return other

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name != "_compiled" and "_compiled" in vars(self):
            self._compiled.clear()  # it may be a compiler option

    def add_extension(self, extension: Any) -> None:
        """Add a Jinja extension and recompile all strings."""
        super().add_extension(extension)
        self._compiled.clear()


def create_environment(app: "Flask") -> Environment:
    """Return a new Jinja environment for an application: see ``Flask.create_jinja_environment``."""
    reloads = app.config["TEMPLATES_AUTO_RELOAD"]
    options = {
        "autoescape": app.select_jinja_autoescape,
        "auto_reload": app.debug if reloads is None else reloads,
        **app.jinja_options,
    }
    environment = app.jinja_environment(app, **options)
    environment.globals.update(
        url_for=app.url_for, get_flashed_messages=get_flashed_messages, config=app.config, request=request,
        session=session, g=g,
    )  # fmt: skip
    environment.policies["json.dumps_function"] = app.json.dumps
    return environment


def _calls_when_compiled(template: nodes.Template) -> bool:
    """True if Jinja's compiler calls a template's filter or test, whose result may change later."""
    for call in template.find_all((nodes.Filter, nodes.Test)):
        try:
            if call.node is not None:
                call.node.as_const()
                return True
        except nodes.Impossible:
            continue
    return False


class DispatchingJinjaLoader(BaseLoader):
    """A loader that searches the application's template folder, then those of its blueprints."""

    def __init__(self, app: "App") -> None:
        self.app = app

    def get_source(self, environment: BaseEnvironment, template: str) -> _Source:
        """Return the first source found. With EXPLAIN_TEMPLATE_LOADING, log where the template was looked for.

        Raises TemplateNotFound.
        """
        explains = self.app.config["EXPLAIN_TEMPLATE_LOADING"]
        attempts: list[tuple[BaseLoader, Scaffold, _Source | None]] = []
        for owner, loader in self._iter_loaders(template):
            try:
                found = loader.get_source(environment, template)
            except TemplateNotFound:
                found = None
            if found is not None and not explains:
                return found
            attempts.append((loader, owner, found))
        if explains:
            from antiphon.dialects.flask.debughelpers import explain_template_loading_attempts

            explain_template_loading_attempts(self.app, template, attempts)
        for _, _, found in attempts:
            if found is not None:
                return found
        raise TemplateNotFound(template)

    def _iter_loaders(self, template: str) -> "Iterator[tuple[Scaffold, BaseLoader]]":  # noqa: ARG002 - of any name
        for owner in (self.app, *self.app.iter_blueprints()):
            if owner.jinja_loader is not None:
                yield owner, owner.jinja_loader

    def list_templates(self) -> list[str]:
        return [*{name for _, loader in self._iter_loaders("") for name in loader.list_templates()}]


def _default_template_ctx_processor() -> dict[str, Any]:
    """Return the current context's ``g`` and ``request``, so that templates don't need the proxies."""
    ctx = _cv_app.get()
    if ctx is None:
        return {}
    if ctx.holder is None:
        return {"g": ctx.g}
    return {"g": ctx.g, "request": ctx.request}


def render_template(template_name_or_list: str | Template | list[str | Template], **context: Any) -> str:
    """Render a template and return the text. If several names are given, the first template that exists is used.

    Raises TemplateNotFound and any error that the template raises.
    """
    app = app_ctx.app
    return _render(app, app.jinja_env.get_or_select_template(template_name_or_list), context)


def render_template_string(source: str, **context: Any) -> str:
    app = app_ctx.app
    return _render(app, app.jinja_env.from_string(source), context)


def stream_template(template_name_or_list: str | Template | list[str | Template], **context: Any) -> Iterator[str]:
    """Render a template in chunks while they are sent, within the request.

    Errors before the first chunk are raised here. Otherwise, it works like ``render_template``.
    """
    app = app_ctx.app
    return _stream(app, app.jinja_env.get_or_select_template(template_name_or_list), context)


def stream_template_string(source: str, **context: Any) -> Iterator[str]:
    """Render a template given as a string in chunks, as ``stream_template`` does."""
    app = app_ctx.app
    return _stream(app, app.jinja_env.from_string(source), context)


def _render(app: "Flask", template: Template, context: dict[str, Any]) -> str:
    app.update_template_context(context)
    if before_render_template.receivers:
        before_render_template.send(app, _async_wrapper=app.ensure_sync, template=template, context=context)
    environment = template.environment
    own = type(template).render
    # Datadog and New Relic replace the method, to see what is rendered.
    is_jinjas = type(own) is FunctionType and own.__globals__["__name__"] == "jinja2.environment"
    is_quick = is_jinjas and environment.context_class is TemplateContext and not environment.is_async
    text = render(template, context) if is_quick else template.render(context)
    if template_rendered.receivers:
        template_rendered.send(app, _async_wrapper=app.ensure_sync, template=template, context=context)
    return text


def _stream(app: "Flask", template: Template, context: dict[str, Any]) -> Iterator[str]:
    app.update_template_context(context)
    before_render_template.send(app, _async_wrapper=app.ensure_sync, template=template, context=context)

    def pieces() -> Iterator[str]:
        yield from template.generate(context)
        template_rendered.send(app, _async_wrapper=app.ensure_sync, template=template, context=context)

    stream = stream_of(pieces())
    return stream_with_context(stream) if has_request_context() else stream


if not TYPE_CHECKING:
    __getattr__ = reexports(__name__)
