"""The route that a request refers to: its interface, and the URLs of other routes as seen from the request."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Never, ParamSpec, Protocol, TypeVar, get_args, overload

from antiphon.explanations import explained
from antiphon.http.errors import BadRequest
from antiphon.http.head import mounted_at
from antiphon.http.limits import DEFAULT_LIMITS, Limits
from antiphon.http.urls.path import quoted_root
from antiphon.http.urls.url import URL, is_this_machine
from antiphon.request.dependencies import ReadableDependency

if TYPE_CHECKING:
    from antiphon.request.request import Request

T = TypeVar("T")
P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)
D = TypeVar("D")


class RouteKey(Generic[T_co]):
    """A typed key of route metadata: ``FLAG = RouteKey[str]("flag")``, then ``request.route.meta[FLAG]``.

    Set it where a route is registered: ``@app.get("/", meta={FLAG: "new-page"})``. ``name`` is for error messages and
    lists of routes only: two keys with the same name are different. A subclass may have a method ``finish(request,
    response)``, which completes each response of the routes with the key, after middleware and dependencies are closed.

    Where a route is registered, ``parse`` returns the value for the one that was given, and raises TypeError or
    ValueError for a wrong one. Without it, values of another type than the key's raise TypeError.
    """

    __slots__ = ("__orig_class__", "around", "before", "name", "needs", "parse")
    # RouteKey[str]("flag") sets the first, the value's type.

    def __init__(
        self,
        name: str,
        *,
        parse: Callable[[Any], T_co] | None = None,
        needs: str | Callable[[Any], str] | None = None,
        before: Callable[["Request"], Any] | None = None,
        around: Callable[[Any, Callable[["Request"], Any]], Callable[["Request"], Any]] | None = None,
    ) -> None:
        """With ``needs``, such as "Quotas(store)", a route with the key is an error unless a feature of the app handles
        the key (``App.handle_key``). ``before`` is a hook of the routes with the key, before those of the routes
        themselves. ``around`` receives a route and its handler, as a function of only the request, when the route is
        planned, and returns the function to call instead: ``def`` or ``async def`` like the handler. For the value
        False, nothing is done. None takes a blueprint's value away.
        """
        self.name = name
        self.parse = parse
        self.needs = needs
        self.before = before
        self.around = around

    def checked(self, value: Any) -> T_co:
        """Return the value that a route has for the one that was given. Raises TypeError or ValueError."""
        if self.parse is not None:
            return self.parse(value)
        [kind] = get_args(getattr(self, "__orig_class__", None)) or (object,)
        try:
            fits = isinstance(value, int | float if kind is float else kind)
        except TypeError:  # it has parameters, or is a protocol
            fits = True
        if not fits:
            wanted = getattr(kind, "__name__", kind)
            raise explained("bad-route-option", f"{self.name} must be {wanted}, not {value!r}", TypeError)
        return value  # type: ignore[no-any-return] # as far as it can be checked

    def __repr__(self) -> str:
        return f"<RouteKey {self.name!r}>"


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
        """Return these values, together with the values of ``outer`` for the remaining keys. None takes one away."""
        if not self._values:
            return outer
        values = {**outer._values, **self._values}  # noqa: SLF001 - of this class
        return RouteMeta({key: value for key, value in values.items() if value is not None})

    def changed(self, values: Mapping[RouteKey[Any], object]) -> "RouteMeta":
        """Return this metadata with some other values. None takes one away."""
        return RouteMeta(values).within(self)

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
    writes.
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
    is_before_routing = False
    dependencies = _NoDependencies()
    handled_by = "its handler"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "NO_ROUTE"  # also when a request is copied or pickled


NO_ROUTE: Route = _NoRoute()
"""The route of a request that no application handles."""


def whole_pattern(request: "Request") -> str:
    """Return the pattern of the route that matched, with the prefixes of mounts; empty if no route matched."""
    below = request._pattern_below
    return "" if below is None else request.route.pattern + below


@overload
def url_for(
    request: "Request",
    route: str,
    /,
    *,
    _absolute: bool = ...,
    _expires: "float | timedelta | None" = ...,
    _method: str | None = ...,
    **params: object,
) -> str: ...
@overload
def url_for(
    request: "Request", route: Callable[Concatenate["Request", P], object], /, *args: P.args, **params: P.kwargs
) -> str: ...
@overload
def url_for(
    request: "Request",
    route: Callable[..., object],
    /,
    *args: object,
    _absolute: bool,
    _expires: "float | timedelta | None" = ...,
    _method: str | None = ...,
    **params: object,
) -> str: ...
@overload
def url_for(
    request: "Request",
    route: Callable[..., object],
    /,
    *args: object,
    _expires: "float | timedelta",
    _method: str | None = ...,
    **params: object,
) -> str: ...
@overload
def url_for(
    request: "Request", route: Callable[..., object], /, *args: object, _method: str, **params: object
) -> str: ...
def url_for(  # type: ignore[misc]  # no handler parameter has the name of an option
    request: "Request",
    route: str | Callable[..., object],
    /,
    *args: object,
    _absolute: bool = False,
    _expires: "float | timedelta | None" = None,
    _method: str | None = None,
    **params: object,
) -> str:
    """Return the URL of a route of this application: a path that begins with the root path.

    The route is given by its name or its handler. With a handler, type checkers check the parameters, unless
    options are also passed. A name that begins with a dot belongs to the same blueprint: in "shop", ".item" is
    "shop.item". In a view of ``Views``, the other views of the same ``Views`` are found first, by their own names.
    With ``_absolute``, or for a route on a different host, the URL includes the scheme and host. For a
    ``signed_url`` route, ``_expires`` is the number of seconds for which the URL is valid, and ``_method`` is the
    method that it permits.

    Raises the same errors as ``App.url_for``, RuntimeError if no application handles this request, and BadRequest
    (400) if its Host is malformed. With ``_absolute``, raises RuntimeError if a client could have made up the host:
    it must be one of the application's ``trusted_hosts``, the host of the route or a mount, or this machine.
    """
    placed = request.route.meta.get(PLACED_VIEW)
    urls = (request._urls if placed is None else placed.urls(request, route)) or request.app
    if urls is None:
        raise explained(
            "no-application", "url_for needs an application or Views, and neither handles this request", RuntimeError
        )
    if isinstance(route, str) and route[:1] == ".":
        route = f"{request.blueprint}{route}" if request.blueprint else route[1:]
    mounted = mounted_at(request.head)
    below: str = urls.url_for(route, *args, _expires=_expires, _method=_method, _mounted_at=mounted, **params)
    host, slash, path = below[2:].partition("/") if below[:2] == "//" else ("", "", below)
    path = quoted_root(request.root_path, request.path, request.raw_path) + slash + path
    if not _absolute and host in ("", request.host.removesuffix(".")):
        return f"/.{path}" if path[:2] == "//" else path
    if not request.url.origin:
        raise BadRequest("The requested host is malformed or missing.")
    if not host:
        _check_declared_host(request)
        return request.url.origin + path
    port = request._authority[1]  # noqa: SLF001 - parsed once
    return URL(f"{request.scheme}://{host}{'' if port is None else f':{port}'}").origin + path


def _check_declared_host(request: "Request") -> None:
    """Check that this request's host isn't one that any client could have made up."""
    if getattr(request, "_host_is_declared", False) or request.route.host is not None or is_this_machine(request.host):
        return
    raise explained(
        "undeclared-host",
        f"url_for with _absolute would use the host that the client has sent, {request.host!r}, which may belong"
        " to an attacker: declare the hosts that the app serves, as in"
        ' App(trusted_hosts=["example.com"])',
        RuntimeError,
    )
