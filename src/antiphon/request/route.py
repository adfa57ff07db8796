"""The interface of the route that a request refers to."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Never, Protocol, TypeVar, overload

from antiphon.http.limits import Limits
from antiphon.request.dependencies import ReadableDependency
from antiphon.request.readings import DEFAULT_LIMITS

if TYPE_CHECKING:
    from antiphon.request.request import Request
    from antiphon.response.response import Response

T = TypeVar("T")
D = TypeVar("D")


class RouteKey(Generic[T]):
    """A typed key of route metadata: ``FLAG = RouteKey[str]("flag")``, then ``request.route.meta[FLAG]``.

    Set it where a route is registered: ``@app.get("/", meta={FLAG: "new-page"})``. ``name`` is for error messages only:
    two keys with the same name are different.
    """

    __slots__ = ("__orig_class__", "name")  # RouteKey[str]("flag") sets the first, the value's type

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<RouteKey {self.name!r}>"


class FinishingKey(RouteKey[T]):
    """A key whose value shows in the responses of a route: ``finish`` completes each of them."""

    __slots__ = ()

    def finish(self, request: "Request", response: "Response") -> None:
        """Complete a response. Subclasses define how."""


class RouteMeta:
    """The metadata of a route and its blueprints: a value for each key, of the key's type."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[RouteKey[Any], object]) -> None:
        self._values = dict(values)

    def __getitem__(self, key: RouteKey[T]) -> T:
        """Return the value for a key. Raises KeyError if the route has none."""
        value: Any = self._values[key]
        return value  # type: ignore[no-any-return] # of the key's type

    @overload
    def get(self, key: RouteKey[T], /) -> T | None: ...
    @overload
    def get(self, key: RouteKey[T], default: D, /) -> T | D: ...
    def get(self, key: RouteKey[Any], default: object = None, /) -> Any:
        """Return the value for a key, or the default."""
        return self._values.get(key, default)

    def within(self, outer: "RouteMeta") -> "RouteMeta":
        """Return these values, together with the values of ``outer`` for the remaining keys."""
        return RouteMeta({**outer._values, **self._values}) if self._values else outer  # noqa: SLF001 - of this class

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[RouteKey[Any]]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"RouteMeta({self._values!r})"


NO_META = RouteMeta({})


class PlacedView(Protocol):
    """A view of ``Views`` at its place in an application."""

    def urls(self, request: "Request", wanted: object) -> Any:
        """Return the URLs of the same views as seen from a request, or None if no view has this name or function."""
        ...


PLACED_VIEW = RouteKey[PlacedView]("view of Views")
"""The metadata of a route that ``Views`` has added to an application."""


class ProvidedDependencies(Protocol):
    """The dependency values of requests, computed by the sources that provide them."""

    def read(self, dependency: ReadableDependency[T], request: "Request", /) -> T: ...


class Route(Protocol):
    """The route of a request. ``pattern`` is the whole path with its parameters, ``/users/<int:id>``.

    If no route matches (404, 405, or a redirect to the path's other form), ``pattern``, ``name`` and ``methods`` are
    empty. An OPTIONS request that the application handles itself has the path's pattern, but no name. ``handler`` is
    the registered function, by which hooks recognize marked handlers; None if there is no application. ``meta``
    contains the metadata of the route and its blueprints. ``csrf_exempt`` is True if the route accepts cross-site
    writes. ``live`` is the name of the block that clients can watch.
    """

    @property
    def pattern(self) -> str: ...
    @property
    def methods(self) -> tuple[str, ...]: ...
    @property
    def host(self) -> str | None: ...
    @property
    def name(self) -> str: ...
    @property
    def handler(self) -> Callable[..., object] | None: ...
    @property
    def blueprint(self) -> str | None: ...
    @property
    def receive(self) -> str: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def meta(self) -> RouteMeta: ...
    @property
    def csrf_exempt(self) -> bool: ...
    @property
    def live(self) -> str | None: ...
    @property
    def app(self) -> Any: ...
    @property
    def is_before_routing(self) -> bool: ...
    @property
    def dependencies(self) -> ProvidedDependencies: ...
    @property
    def handled_by(self) -> str: ...


class _NoDependencies:
    def read(self, dependency: ReadableDependency[Any], _request: "Request", /) -> Never:
        raise dependency.not_provided(has_app=False)


class _NoRoute:
    pattern = name = ""
    methods: tuple[str, ...] = ()
    host = handler = blueprint = app = None
    receive = "load"
    limits = DEFAULT_LIMITS
    meta = NO_META
    csrf_exempt = False
    live: str | None = None
    is_before_routing = False
    dependencies = _NoDependencies()
    handled_by = "its handler"

    def __reduce__(self) -> str:
        return "NO_ROUTE"  # also when a request is copied or pickled


NO_ROUTE: Route = _NoRoute()
"""The route of a request that no application handles."""


def whole_pattern(request: "Request") -> str:
    """Return the pattern of the route that matched, with the prefixes of mounts; empty if no route matched."""
    below = request._pattern_below
    return "" if below is None else request.route.pattern + below
