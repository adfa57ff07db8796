"""The application's settings, some of which can be set by environment variables."""

import os
from typing import Any

from zope.interface import implementer

from antiphon.dialects.pyramid.interfaces import ISettings
from antiphon.dialects.pyramid.settings import asbool, aslist

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
