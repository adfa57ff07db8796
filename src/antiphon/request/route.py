"""The route of a request, as far as the request knows it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Never, Protocol, TypeVar

from antiphon.http.limits import Limits
from antiphon.request.body import DEFAULT_LIMITS
from antiphon.request.dependencies import ReadableDependency

if TYPE_CHECKING:
    from antiphon.request.request import Request

T = TypeVar("T")


class ProvidedDependencies(Protocol):
    """The values of the dependencies of requests, computed by the sources that provide them."""

    def read(self, dependency: ReadableDependency[T], request: "Request", /) -> T: ...


class Route(Protocol):
    """The route of a request. ``pattern`` is the whole path with its parameters, ``/users/<int:id>``.

    Where no route answers (404, 405, a redirect to the path's other form), ``pattern`` and ``name`` are empty,
    and there are no ``methods``. OPTIONS that the application answers itself has the path's pattern and no name.
    ``handler`` is the function that was registered, by which hooks know what is marked; None without an application.
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
    def app(self) -> Any: ...
    @property
    def is_before_routing(self) -> bool: ...
    @property
    def dependencies(self) -> ProvidedDependencies: ...
    @property
    def answered_by(self) -> str: ...


class _NoDependencies:
    def read(self, dependency: ReadableDependency[Any], _request: "Request", /) -> Never:
        raise dependency.not_provided(has_app=False)


class _NoRoute:
    pattern = name = ""
    methods: tuple[str, ...] = ()
    host = handler = blueprint = app = None
    receive = "load"
    limits = DEFAULT_LIMITS
    is_before_routing = False
    dependencies = _NoDependencies()
    answered_by = "its handler"

    def __reduce__(self) -> str:
        return "NO_ROUTE"  # of a request that is copied or pickled, too


NO_ROUTE: Route = _NoRoute()
"""The route of a request that no application answers."""


def whole_pattern(request: "Request") -> str:
    """Return the pattern of the route that answered, behind the prefixes of mounts; empty if none did."""
    below = request._pattern_below
    return "" if below is None else request.route.pattern + below
