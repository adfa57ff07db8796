"""The settings of an application and their defaults, and the current request."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from antiphon.dialects.werkzeug.datastructures.dicts import ImmutableDict
from antiphon.dialects.werkzeug.utils import import_string

if TYPE_CHECKING:
    from antiphon.dialects.kay.app import KayApp
    from antiphon.dialects.werkzeug.routing.map import MapAdapter


class Call(NamedTuple):
    """A call to an application: the application, the request, and the application's URL map bound to the request."""

    app: "KayApp"
    request: Any
    adapter: "MapAdapter"


handled: ContextVar[Call] = ContextVar("antiphon.kay")


def current_call() -> Call:
    """Return the current call. Raises RuntimeError outside a request."""
    try:
        return handled.get()
    except LookupError:
        raise RuntimeError("no KayApp is handling a request here: call this from a view") from None


_DEFAULTS: Mapping[str, Any] = ImmutableDict(
    {
        "APP_MOUNT_POINTS": ImmutableDict(),
        "AUTH_USER_BACKEND": None,
        "AUTH_USER_MODEL": None,
        "CONTEXT_PROCESSORS": (),
        "COOKIE_AGE": 14 * 24 * 3600,
        "COOKIE_NAME": "KAY_SID",
        "DEFAULT_LANG": "en",
        "INSTALLED_APPS": (),
        "INTERNAL_MEDIA_URL": "/_media",
        "JINJA2_ENVIRONMENT_KWARGS": ImmutableDict(),
        "JINJA2_EXTENSIONS": ("jinja2.ext.i18n",),
        "JINJA2_FILTERS": ImmutableDict(),
        "LANG_COOKIE_NAME": "hl",
        "MEDIA_URL": "/media",
        "MIDDLEWARE_CLASSES": (),
        "ROOT_URL_MODULE": "urls",
        "SECRET_KEY": None,
        "SESSION_DATABASE": "sessions.db",
        "SESSION_STORE": None,
        "TEMPLATE_DIRS": (),
        "USE_I18N": True,
    }
)


class Settings:
    """The settings from a module, an object or a mapping, as attributes.

    ``source`` may also be a module's dotted name. A setting with no value and no default raises AttributeError.
    """

    def __init__(self, source: object = None) -> None:
        self._source = import_string(source) if isinstance(source, str) else source

    def __getattr__(self, name: str) -> Any:
        source = self._source
        if isinstance(source, Mapping):
            if name in source:
                return source[name]
        elif hasattr(source, name):
            return getattr(source, name)
        if name in _DEFAULTS:
            return _DEFAULTS[name]
        raise AttributeError(f"the settings have no {name}", name=name)

    def load(self, name: str) -> Any:
        """Return a setting's value or, if the value is a dotted name, the object that it names.

        Raises ImportError if that object can't be imported.
        """
        value = getattr(self, name)
        return import_string(value) if isinstance(value, str) else value


class CurrentSettings:
    """The settings of the application that is handling the current request, or else of the module ``settings``."""

    def __getattr__(self, name: str) -> Any:
        call = handled.get(None)
        return getattr(call.app.app_settings if call else Settings("settings"), name)


settings = CurrentSettings()
