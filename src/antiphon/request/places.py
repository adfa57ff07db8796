"""Places: typed attributes of a request, computed on first read by sources that an application registers.

A layer declares a place together with its interface, and need not know its source.
"""

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload
from weakref import ref

from antiphon.explanations import explained

if TYPE_CHECKING:
    from antiphon.request.request import Request

T = TypeVar("T")
V = TypeVar("V")
T_co = TypeVar("T_co", covariant=True)


class HasPlaces(Protocol):
    """An object with values of places: a request."""

    def __getitem__(self, place: "ReadablePlace[V]", /) -> V: ...
    def __setitem__(self, place: "Place[V]", value: V, /) -> None: ...


class ReadablePlace(Protocol[T_co]):
    """A place as it is read: one of a list may be read where any iterable will do."""

    def __get__(self, instance: HasPlaces, owner: type[Any], /) -> T_co: ...
    def unfilled(self, has_app: bool = True) -> RuntimeError: ...


class Place(Generic[T]):
    """A typed attribute of requests: ``Tenant = Place[TenantModel]("tenant")``, then ``request[Tenant]``.

    ``name`` is for error messages only: two places of one name are different. ``fix`` is the line of code that fills
    the place, such as ``app.use(Tenants())``. A place may be an attribute of a class of requests, as in
    ``session = Place[Session]("session")``: then ``request.session`` is ``request[session]``.
    """

    __slots__ = ("__orig_class__", "fix", "name")  # the first is set by Place[Book]("book"): the type of the value

    def __init__(self, name: str, *, fix: str = "app.fill(place, source)") -> None:
        self.name = name
        self.fix = fix

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> "Place[T]": ...
    @overload
    def __get__(self, instance: HasPlaces, owner: type[Any]) -> T: ...
    def __get__(self, instance: HasPlaces | None, owner: type[Any]) -> "Place[T] | T":
        return self if instance is None else instance[self]

    def __set__(self, instance: HasPlaces, value: T) -> None:
        instance[self] = value

    def unfilled(self, has_app: bool = True) -> RuntimeError:
        """Return the error for code that reads this place where nothing fills it."""
        if has_app:
            return explained(
                "unfilled-place", RuntimeError(f"nothing fills the place {self.name!r} in this application: {self.fix}")
            )
        return explained(
            "unfilled-place",
            RuntimeError(
                f"no application answers this request, so that nothing fills the place {self.name!r}:"
                f" set it, or have an application fill it with {self.fix}"
            ),
        )

    def __repr__(self) -> str:
        return f"<Place {self.name!r}>"


class OfRequest:
    """Base class of what a request keeps and knows that request: it doesn't keep it in turn, so that both are freed."""

    __slots__ = ("_request_of",)

    def __init__(self, request: "Request") -> None:
        self._request_of = ref(request)

    @property
    def _request(self) -> "Request":
        """The request. Raises RuntimeError if it is gone."""
        request = self._request_of()
        if request is None:
            raise explained(
                "request-is-gone",
                RuntimeError(
                    f"the request of this {type(self).__name__} has ended, and is gone: keep the request, too, in what"
                    " runs after it"
                ),
            )
        return request


def check_place(given: object, where: str, fix: str) -> None:
    """Raise TypeError, which names the fix, for anything but a place. ``where`` is the code that was given it."""
    if not isinstance(given, Place):
        raise explained("not-a-place", TypeError(f"{where} is for places, not for {given!r}: {fix}"))
