"""Dependencies: typed values of a request, computed on first read by sources that an application registers.

A layer declares a dependency together with its interface, and need not know its source.
"""

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload
from weakref import ref

from antiphon.explanations import explained

if TYPE_CHECKING:
    from antiphon.request.request import Request

T = TypeVar("T")
V = TypeVar("V")
T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)


class HasDependencies(Protocol):
    """An object with values of dependencies: a request."""

    def __getitem__(self, dependency: "ReadableDependency[V]", /) -> V: ...
    def __setitem__(self, dependency: "Dependency[V]", value: V, /) -> None: ...


class ReadableDependency(Protocol[T_co]):
    """A dependency as it is read: one of a list may be read where any iterable will do."""

    def __get__(self, instance: HasDependencies, owner: type[Any], /) -> T_co: ...
    def not_provided(self, has_app: bool = True) -> RuntimeError: ...


class SettableDependency(Protocol[T_contra]):
    """A dependency as it is given a value: one of a base class may be given that of a subclass."""

    def __set__(self, instance: HasDependencies, value: T_contra, /) -> None: ...


class Dependency(Generic[T]):
    """A typed value of requests: ``Tenant = Dependency[TenantModel]("tenant")``, then ``request[Tenant]``.

    ``name`` is for error messages only: two dependencies with the same name are different. ``fix`` is the line of code
    that provides the dependency, such as ``app.use(Tenants())``. Only the library's own, such as ``request.session``,
    are attributes of requests, too.
    """

    __slots__ = ("__orig_class__", "fix", "name")  # the first is set by Dependency[Book]("book"): the type of the value

    def __init__(self, name: str, *, fix: str = "app.provide(dependency, source)") -> None:
        self.name = name
        self.fix = fix

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> "Dependency[T]": ...
    @overload
    def __get__(self, instance: HasDependencies, owner: type[Any]) -> T: ...
    def __get__(self, instance: HasDependencies | None, owner: type[Any]) -> "Dependency[T] | T":
        return self if instance is None else instance[self]

    def __set__(self, instance: HasDependencies, value: T) -> None:
        instance[self] = value

    def not_provided(self, has_app: bool = True) -> RuntimeError:
        """Return the error for code that reads this dependency where nothing provides it."""
        if has_app:
            return explained(
                "missing-dependency",
                RuntimeError(f"nothing provides the dependency {self.name!r} in this application: {self.fix}"),
            )
        return explained(
            "missing-dependency",
            RuntimeError(
                f"no application answers this request, so nothing provides the dependency {self.name!r}:"
                f" set it, or have an application provide it with {self.fix}"
            ),
        )

    def __repr__(self) -> str:
        return f"<Dependency {self.name!r}>"


class OfRequest:
    """Base class of objects that a request keeps, and that know it: they don't keep the request in turn, so that both
    are freed.
    """

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
                    f"the request of this {type(self).__name__} has ended, and is gone: keep the request, too, in code"
                    " that runs after it"
                ),
            )
        return request


def check_dependency(given: object, where: str, fix: str) -> None:
    """Raise TypeError, which names the fix, for anything but a dependency. ``where`` is the code that was given it."""
    if not isinstance(given, Dependency):
        raise explained("not-a-dependency", TypeError(f"{where} is for dependencies, not for {given!r}: {fix}"))
