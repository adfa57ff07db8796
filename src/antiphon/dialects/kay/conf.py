"""The settings of an application and their defaults, the current request, and the attributes that it computes on first
access.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from antiphon import Dependency
from antiphon.dialects.werkzeug.datastructures.dicts import ImmutableDict
from antiphon.dialects.werkzeug.utils import import_string

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

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


T = TypeVar("T")

_KEY = "antiphon.dependencies"


class NotProvidedError(AttributeError, RuntimeError):
    """Raised for a dependency that nothing provides. It makes ``hasattr`` return False."""


class RequestDependencies:
    """A request's dependencies: values that were set, or that the sources in its environ compute once."""

    environ: dict[str, Any]

    lang = Dependency[str | None]("lang", fix="provide(environ, Request.lang, source), or by a KayApp")
    """The request's language, or None if the application is not translated."""
    user = Dependency[Any]("user", fix="app.provide(Request.user, source), or AUTH_USER_BACKEND in settings.py")
    """The user, an instance of the class that the AUTH_USER_MODEL setting names."""
    session = Dependency[Any](
        "session",
        fix="app.provide(Request.session, source), or kay.sessions.middleware.SessionMiddleware in settings.py",
    )
    """The visitor's data, kept between requests."""

    def __getitem__(self, dependency: Dependency[T]) -> T:
        kept = self._kept_dependencies()
        if dependency not in kept:
            source = self.environ.get(_KEY, {}).get(dependency)
            if source is None:
                raise NotProvidedError(str(dependency.not_provided()))
            kept[dependency] = source(self)
        value: T = kept[dependency]
        return value

    def __setitem__(self, dependency: Dependency[T], value: T) -> None:
        self._kept_dependencies()[dependency] = value

    def __contains__(self, dependency: Dependency[Any]) -> bool:
        """Return True if the dependency has a value or a source."""
        return dependency in self._kept_dependencies() or dependency in self.environ.get(_KEY, ())

    def _kept_dependencies(self) -> dict[Dependency[Any], Any]:
        kept: dict[Dependency[Any], Any] = self.__dict__.setdefault("_dependencies", {})
        return kept


def provide(environ: "WSGIEnvironment", dependency: Dependency[T], source: Callable[[Any], T]) -> None:
    """Register a dependency's source, a function of the request, for all requests made from an environ."""
    provide_all(environ, {dependency: source})


def provide_all(environ: "WSGIEnvironment", sources: Mapping[Dependency[Any], Callable[[Any], Any]]) -> None:
    environ[_KEY] = {**environ.get(_KEY, {}), **sources}
