"""Places of a request: attributes that an application fills, computed when they are first read."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon import Place

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

T = TypeVar("T")

_KEY = "antiphon.places"


class UnfilledError(AttributeError, RuntimeError):
    """The error of reading a place that nothing fills. For ``hasattr`` the request does not have the attribute."""


class RequestPlaces:
    """The places of a request: values that were set, else values of the sources in its environ, each computed once."""

    environ: dict[str, Any]

    lang = Place[str | None]("lang", fix="fill(environ, Request.lang, source), or by a KayApp")
    """The language of the request; None if the application does not translate."""
    user = Place[Any]("user", fix="app.fill(Request.user, source), or AUTH_USER_BACKEND in settings.py")
    """The user: an instance of the class named by the setting AUTH_USER_MODEL."""
    session = Place[Any]("session", fix="app.fill(Request.session, source)")
    """The visitor's data that is kept between requests."""

    def __getitem__(self, place: Place[T]) -> T:
        kept = self._kept_places()
        if place not in kept:
            source = self.environ.get(_KEY, {}).get(place)
            if source is None:
                raise UnfilledError(str(place.unfilled()))
            kept[place] = source(self)
        value: T = kept[place]
        return value

    def __setitem__(self, place: Place[T], value: T) -> None:
        self._kept_places()[place] = value

    def __contains__(self, place: Place[Any]) -> bool:
        """Return True if the place has a value, or a source."""
        return place in self._kept_places() or place in self.environ.get(_KEY, ())

    def _kept_places(self) -> dict[Place[Any], Any]:
        kept: dict[Place[Any], Any] = self.__dict__.setdefault("_places", {})
        return kept


def fill(environ: "WSGIEnvironment", place: Place[T], source: Callable[[Any], T]) -> None:
    """Register the source of a place, a function of the request, for all requests made of an environ."""
    fill_all(environ, {place: source})


def fill_all(environ: "WSGIEnvironment", sources: Mapping[Place[Any], Callable[[Any], Any]]) -> None:
    """Register the sources of several places."""
    environ[_KEY] = {**environ.get(_KEY, {}), **sources}
