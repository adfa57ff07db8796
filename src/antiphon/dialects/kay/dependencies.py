"""Request dependencies: attributes that an application provides and that are computed on first access."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon import Dependency

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

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
