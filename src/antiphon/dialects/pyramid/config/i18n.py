"""Directives for locales and translations."""

import os
from typing import Any

from antiphon.dialects.pyramid.config.actions import action_method
from antiphon.dialects.pyramid.exceptions import ConfigurationError
from antiphon.dialects.pyramid.interfaces import ILocaleNegotiator, ITranslationDirectories
from antiphon.dialects.pyramid.path import AssetResolver


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
