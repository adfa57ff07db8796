"""The locale of a request, and gettext translations in files `<locale>/LC_MESSAGES/<domain>.mo`."""

import gettext
import os
from collections.abc import Iterable, Iterator
from typing import IO, Any, Self

from translationstring import Pluralizer, TranslationString, TranslationStringFactory, Translator

from antiphon.dialects.pyramid.decorator import reify
from antiphon.dialects.pyramid.interfaces import ILocaleNegotiator, ILocalizer, ITranslationDirectories
from antiphon.dialects.pyramid.threadlocal import get_current_registry

__all__ = [
    "Localizer", "LocalizerRequestMixin", "TranslationString", "TranslationStringFactory", "Translations",
    "default_locale_negotiator", "get_locale_name", "get_localizer", "make_localizer", "negotiate_locale_name",
]  # fmt: skip

_PARAMETER = "_LOCALE_"
_MOST_LOCALIZERS = 100
"""The maximum number of localizers that a registry caches, since clients choose the names of locales."""


class Localizer:
    """A translator of messages into the language of a locale."""

    def __init__(self, locale_name: str, translations: Any) -> None:
        self.locale_name = locale_name
        self.translations = translations
        self.translator: Any = None
        self.pluralizer: Any = None

    def translate(self, tstring: Any, domain: str | None = None, mapping: Any = None) -> Any:
        """Translate a message in its own or the given domain, and fill in the values from its mapping."""
        if self.translator is None:
            self.translator = Translator(self.translations)
        return self.translator(tstring, domain=domain, mapping=mapping)

    def pluralize(self, singular: Any, plural: Any, n: int, domain: str | None = None, mapping: Any = None) -> Any:
        """Return the translation that fits a number, singular or plural."""
        if self.pluralizer is None:
            self.pluralizer = Pluralizer(self.translations)
        return self.pluralizer(singular, plural, n, domain=domain, mapping=mapping)


def default_locale_negotiator(request: Any) -> Any:
    """Return the locale in a request's ``_LOCALE_`` attribute, parameter or cookie, or None."""
    name = getattr(request, _PARAMETER, None)
    if name is None:
        name = request.params.get(_PARAMETER)
    return request.cookies.get(_PARAMETER) if name is None else name


def negotiate_locale_name(request: Any) -> Any:
    """Return a request's locale, from the application's negotiator or else its `default_locale_name` setting."""
    registry = getattr(request, "registry", None)
    if registry is None:
        registry = get_current_registry()
    name = registry.queryUtility(ILocaleNegotiator, default=default_locale_negotiator)(request)
    return (registry.settings or {}).get("default_locale_name", "en") if name is None else name


def get_locale_name(request: Any) -> Any:
    return request.locale_name


def get_localizer(request: Any) -> Any:
    return request.localizer


def make_localizer(current_locale_name: str, translation_directories: Iterable[str]) -> Localizer:
    """Return a localizer with the translations from directories.

    Translations for `de_AT` take precedence over those for `de`, and later directories over earlier ones.
    """
    translations = Translations()
    for path, domain in _files(current_locale_name, translation_directories):
        with open(path, "rb") as file:
            translations.add(Translations(file, domain))
    return Localizer(locale_name=current_locale_name, translations=translations)


def _files(locale_name: str, directories: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the path and the domain of each translation file for a locale."""
    language, underscore, _ = locale_name.partition("_")
    if not _is_name(locale_name):
        return
    for directory in directories:
        for name in (language, locale_name) if underscore else (locale_name,):
            folder = os.path.join(directory, name, "LC_MESSAGES")
            if not os.path.isdir(folder):
                continue
            for file in os.listdir(folder):
                path = os.path.join(folder, file)
                if file.endswith(".mo") and os.path.isfile(path):
                    yield path, file[:-3]


def _is_name(locale_name: str) -> bool:
    """Return True if a locale's name, which a client may choose, is safe to use as a directory name."""
    return (
        os.path.basename(locale_name) == locale_name and locale_name not in ("", ".", "..") and "\0" not in locale_name
    )


def _is_not_one(n: int) -> int:
    """Return a number's plural form, for languages whose translations declare no rule."""
    return int(n != 1)


class Translations(gettext.GNUTranslations):
    """The translations in one domain, to which those in other domains can be added."""

    DEFAULT_DOMAIN = "messages"
    _catalog: dict[Any, str]
    _info: dict[str, str]

    def __init__(self, fileobj: IO[bytes] | None = None, domain: str = DEFAULT_DOMAIN) -> None:
        self.plural = _is_not_one
        self._catalog = {}
        super().__init__(fp=fileobj)
        name = getattr(fileobj, "name", None)
        self.files: list[Any] = [name] if name else []
        self.domain = domain
        self._domains: dict[str, Any] = {}

    @classmethod
    def load(cls, dirname: str | None = None, locales: Any = None, domain: str = DEFAULT_DOMAIN) -> Any:
        """Load the translations for the first locale that has a file. If none has one, return empty translations."""
        if locales is not None:
            locales = [str(each) for each in (locales if isinstance(locales, list | tuple) else [locales])]
        domain = domain or cls.DEFAULT_DOMAIN
        path = gettext.find(domain, dirname, locales)
        if not path:
            return gettext.NullTranslations()
        with open(path, "rb") as file:
            return cls(fileobj=file, domain=domain)

    def __repr__(self) -> str:
        return f'<{type(self).__name__}: "{self._info.get("project-id-version")}">'

    def add(self, translations: Any, merge: bool = True) -> Self:
        """Add translations.

        Translations in the same domain are merged unless ``merge`` is False. Others are kept separately.
        """
        domain = getattr(translations, "domain", self.DEFAULT_DOMAIN)
        if domain == self.DEFAULT_DOMAIN and self.plural is _is_not_one:
            self.plural = translations.plural
        if merge and domain == self.domain:
            return self.merge(translations)
        known = self._domains.get(domain)
        if merge and known is not None:
            known.merge(translations)
        else:
            translations.add_fallback(self)
            self._domains[domain] = translations
        return self

    def merge(self, translations: Any) -> Self:
        """Add the messages from other translations. They replace existing ones."""
        if isinstance(translations, gettext.GNUTranslations):
            self._catalog.update(translations._catalog)  # type: ignore[attr-defined]  # noqa: SLF001
            self.files += getattr(translations, "files", [])
        return self

    def dgettext(self, domain: str, message: str) -> str:
        return str(self._domains.get(domain, self).gettext(message))

    dugettext = dgettext

    def dngettext(self, domain: str, singular: str, plural: str, num: int) -> str:
        """Return the translation in a domain that fits a number, singular or plural."""
        return str(self._domains.get(domain, self).ngettext(singular, plural, num))

    dungettext = dngettext


class LocalizerRequestMixin:
    """A mixin with a request's locale."""

    @reify
    def locale_name(self) -> Any:
        return negotiate_locale_name(self)

    @reify
    def localizer(self) -> Any:
        registry, name = self.registry, self.locale_name  # type: ignore[attr-defined]  # the request has it
        localizer = registry.queryUtility(ILocalizer, name=name)
        if localizer is None:
            directories = registry.queryUtility(ITranslationDirectories, default=[])
            localizer = make_localizer(name, directories)
            if len([*registry.getUtilitiesFor(ILocalizer)]) < _MOST_LOCALIZERS:
                registry.registerUtility(localizer, ILocalizer, name=name)
        return localizer
