"""What an application gives its requests: places that are computed when they are first read, by whoever fills them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.request.places import Place

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

T = TypeVar("T")

_KEY = "antiphon.places"


class UnfilledError(AttributeError, RuntimeError):
    """A place is read that nothing fills: for ``hasattr`` the request doesn't have it."""


class RequestPlaces:
    """A request's places: what it was given, else what the sources in its environ give, each asked once."""

    environ: dict[str, Any]

    lang = Place[str | None]("lang", fix="fill(environ, Request.lang, source), or by a KayApp")
    """The language that is guessed; None where nobody translates."""
    user = Place[Any]("user", fix="app.fill(Request.user, source), or AUTH_USER_BACKEND in settings.py")
    """Who asks: an instance of the model that settings.py names as AUTH_USER_MODEL."""
    session = Place[Any]("session", fix="app.fill(Request.session, source)")
    """What is kept of the visitor between requests."""

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
        """Whether the place has a value, or something that gives it one."""
        return place in self._kept_places() or place in self.environ.get(_KEY, ())

    def _kept_places(self) -> dict[Place[Any], Any]:
        kept: dict[Place[Any], Any] = self.__dict__.setdefault("_places", {})
        return kept


def fill(environ: "WSGIEnvironment", place: Place[T], source: Callable[[Any], T]) -> None:
    """Have a source, a function of the request, give requests that are made of an environ their value."""
    fill_all(environ, {place: source})


def fill_all(environ: "WSGIEnvironment", sources: Mapping[Place[Any], Callable[[Any], Any]]) -> None:
    """The same for several places."""
    environ[_KEY] = {**environ.get(_KEY, {}), **sources}
