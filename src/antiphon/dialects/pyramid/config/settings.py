"""The application's settings, some of which can be set by environment variables, renderers, translations and
replacements in tests; and zope.component, which can use the application's registry.
"""

import os
from typing import Any

from zope.interface import implementer

from antiphon.dialects.pyramid import renderers
from antiphon.dialects.pyramid.config.actions import action_method
from antiphon.dialects.pyramid.exceptions import ConfigurationError
from antiphon.dialects.pyramid.interfaces import (
    PHASE1_CONFIG,
    ILocaleNegotiator,
    IRendererFactory,
    ISecurityPolicy,
    ISettings,
    ITranslationDirectories,
    ITraverser,
)
from antiphon.dialects.pyramid.path import AssetResolver
from antiphon.dialects.pyramid.settings import asbool, aslist
from antiphon.dialects.pyramid.threadlocal import get_current_registry
from antiphon.dialects.pyramid.traversal import split_path_info

_FLAGS = {
    "debug_all": "PYRAMID_DEBUG_ALL",
    "debug_authorization": "PYRAMID_DEBUG_AUTHORIZATION",
    "debug_notfound": "PYRAMID_DEBUG_NOTFOUND",
    "debug_routematch": "PYRAMID_DEBUG_ROUTEMATCH",
    "debug_templates": "PYRAMID_DEBUG_TEMPLATES",
    "reload_all": "PYRAMID_RELOAD_ALL",
    "reload_templates": "PYRAMID_RELOAD_TEMPLATES",
    "reload_assets": "PYRAMID_RELOAD_ASSETS",
    "prevent_http_cache": "PYRAMID_PREVENT_HTTP_CACHE",
    "prevent_cachebust": "PYRAMID_PREVENT_CACHEBUST",
}


@implementer(ISettings)
class Settings(dict[str, Any]):
    """The settings by name. Pyramid's own start with `pyramid.`, but can also be read without this prefix."""

    def __init__(self, values: Any = None, _environ_: Any = os.environ, **kw: Any) -> None:
        given = dict(values or {}, **kw)

        def value(name: str, key: str = "", default: Any = False) -> Any:
            own = given.get(f"pyramid.{name}", given.get(name, default))
            return _environ_.get(key, own) if key else own

        old = given.get("pyramid.reload_resources", given.get("reload_resources", False))
        given.setdefault("reload_assets", _environ_.get("PYRAMID_RELOAD_RESOURCES", old))

        made: dict[str, Any] = {name: asbool(value(name, key)) for name, key in _FLAGS.items()}
        for name in ("debug", "reload"):
            for flag in [each for each in made if each.startswith(f"{name}_") and made[f"{name}_all"]]:
                made[flag] = True
        made["reload_resources"] = made["reload_assets"]
        made["default_locale_name"] = value("default_locale_name", "PYRAMID_DEFAULT_LOCALE_NAME", "en")
        made["csrf_trusted_origins"] = aslist(value("csrf_trusted_origins", "", []))
        super().__init__(given)
        for name, each in made.items():
            self[name] = self[f"pyramid.{name}"] = each


class SettingsConfiguratorMixin:
    """Directives for the application's settings."""

    registry: Any

    def _set_settings(self, mapping: Any) -> Settings:
        settings = Settings(mapping)
        self.registry.settings = settings
        return settings

    def add_settings(self, settings: Any = None, **kw: Any) -> None:
        known = self.registry.settings
        if known is None:
            known = self._set_settings(settings or {})
        known.update(settings or {}, **kw)

    def get_settings(self) -> Any:
        """Return the settings, or None if there are none yet."""
        return self.registry.settings


DEFAULT_RENDERERS = (("json", renderers.json_renderer_factory), ("string", renderers.string_renderer_factory))


class RenderingConfiguratorMixin:
    """The directive for renderers."""

    def add_default_renderers(self) -> None:
        for name, renderer in DEFAULT_RENDERERS:
            self.add_renderer(name, renderer)

    @action_method
    def add_renderer(self, name: str | None, factory: Any) -> None:
        """Add a function that makes renderers, under the renderer's name or the extension of its files.

        If the name is None, the function makes the default renderer.
        """
        config: Any = self
        factory = config.maybe_dotted(factory)
        name = name or ""

        def register() -> None:
            config.registry.registerUtility(factory, IRendererFactory, name=name)

        intr = config.introspectable("renderer factories", name, config.object_description(factory), "renderer factory")
        intr.update(factory=factory, name=name)
        config.action((IRendererFactory, name), register, order=PHASE1_CONFIG, introspectables=(intr,))


class I18NConfiguratorMixin:
    """Directives for locales and translations."""

    @action_method
    def set_locale_negotiator(self, negotiator: Any) -> None:
        config: Any = self
        negotiator = config.maybe_dotted(negotiator)

        def register() -> None:
            config.registry.registerUtility(negotiator, ILocaleNegotiator)

        intr = config.introspectable("locale negotiator", None, repr(negotiator), "locale negotiator")
        intr["negotiator"] = negotiator
        config.action(ILocaleNegotiator, register, introspectables=(intr,))

    @action_method
    def add_translation_dirs(self, *specs: str, override: bool = False) -> None:
        """Add directories with translations, given as `package:path` or paths.

        Earlier directories take precedence over later ones. With ``override``, all of them take precedence over those
        from other calls. Raises ConfigurationError if one is not a directory.
        """
        config: Any = self
        introspectables: list[Any] = []
        resolver = AssetResolver(config.package)

        def register() -> None:
            directories = []
            for spec in specs:
                asset = resolver.resolve(spec if spec.endswith("/") else f"{spec}/")  # overrides need the slash
                directory = asset.abspath()
                shown = spec if os.path.isabs(spec) else asset.absspec().rstrip("/")
                if not asset.isdir():
                    raise ConfigurationError(f'"{shown}" is not a directory')
                intr = config.introspectable("translation directories", directory, shown, "translation directory")
                intr.update(directory=directory, spec=spec)
                introspectables.append(intr)
                directories.append(directory)
            for directory in reversed(directories) if not override else directories:
                config._add_translation_dir(directory, override)  # noqa: SLF001 - same class

        config.action(None, register, introspectables=introspectables)

    def _add_translation_dir(self, directory: str, override: bool) -> None:
        config: Any = self
        known = config.registry.queryUtility(ITranslationDirectories)
        if known is None:
            known = []
            config.registry.registerUtility(known, ITranslationDirectories)
        known.insert(len(known) if override else 0, directory)


class TestingConfiguratorMixin:
    def testing_securitypolicy(
        self,
        userid: Any = None,
        identity: Any = None,
        permissive: Any = True,
        remember_result: Any = None,
        forget_result: Any = None,
    ) -> Any:
        """Set a user who may do everything or nothing. Return the policy, which records its calls."""
        from antiphon.dialects.pyramid.testing import DummySecurityPolicy

        policy = DummySecurityPolicy(userid, identity, permissive, remember_result, forget_result)
        self.registry.registerUtility(policy, ISecurityPolicy)  # type: ignore[attr-defined]  # the configurator has it
        return policy

    def testing_resources(self, resources: dict[str, Any]) -> dict[str, Any]:
        """Find contexts in a dictionary by their paths. Return the dictionary."""

        class DummyTraverserFactory:
            def __init__(self, context: Any) -> None:
                self.context = context

            def __call__(self, request: Any) -> dict[str, Any]:
                path = request.path_info
                context = resources[path]
                names = split_path_info(path)
                return {
                    "context": context, "view_name": "", "subpath": (), "traversed": names, "virtual_root": context,
                    "virtual_root_path": (), "root": context,
                }  # fmt: skip

        self.registry.registerAdapter(DummyTraverserFactory, (_anything(),), ITraverser)  # type: ignore[attr-defined]
        return resources

    testing_models = testing_resources

    @action_method
    def testing_add_subscriber(self, event_iface: Any = None) -> list[Any]:
        config: Any = self
        iface = config.maybe_dotted(event_iface)
        heard: list[Any] = []

        def subscriber(*event: Any) -> None:
            heard.extend(event)

        required = (_anything() if iface is None else iface,)
        config.registry.registerHandler(subscriber, tuple(iface) if isinstance(iface, (tuple, list)) else required)
        return heard

    def testing_add_renderer(self, path: str, renderer: Any = None) -> Any:
        """Replace a template with a function, or with an object that records its values. Return the renderer."""
        from antiphon.dialects.pyramid.testing import DummyRendererFactory, DummyTemplateRenderer

        config: Any = self
        registry = config.registry
        kind = f".{path.rpartition('.')[2]}" if "." in path else path
        factory = registry.queryUtility(IRendererFactory, name=kind)
        if not isinstance(factory, DummyRendererFactory):
            factory = DummyRendererFactory(kind, factory)
            registry.registerUtility(factory, IRendererFactory, name=kind)
        made = DummyTemplateRenderer() if renderer is None else renderer
        factory.add(path, made)
        return made

    testing_add_template = testing_add_renderer


def _anything() -> Any:
    from zope.interface import Interface

    return Interface


class ZCAConfiguratorMixin:
    """The directive for zope.component."""

    def hook_zca(self) -> None:
        """Make ``zope.component.getSiteManager`` return the current registry."""
        from zope.component import getSiteManager  # pyright: ignore[reportMissingImports]

        hookable: Any = getSiteManager
        hookable.sethook(get_current_registry)

    def unhook_zca(self) -> None:
        """Undo ``hook_zca``."""
        from zope.component import getSiteManager  # pyright: ignore[reportMissingImports]

        hookable: Any = getSiteManager
        hookable.reset()
