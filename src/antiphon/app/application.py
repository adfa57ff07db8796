"""The application: its routes are registered, planned once, and served by any server."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from os import PathLike
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, Never, NoReturn, ParamSpec, TypeVar, overload

from antiphon.adapters.heads import RequestClass
from antiphon.adapters.servable import Servable
from antiphon.app.blueprint import Routes
from antiphon.app.dispatch.dependencies import Dependencies, Fixed, SourceFunction
from antiphon.app.dispatch.dispatch import dispatch, handle_at_once, refuse_or_receive
from antiphon.app.dispatch.hooks import MiddlewareFunction
from antiphon.app.dispatch.middleware import middleware
from antiphon.app.dispatch.plan import LOOP, THREAD, HandlerStack, Plan
from antiphon.app.lifespan import Lifespan
from antiphon.app.mount import Mount, contains, make_mount
from antiphon.app.planning.cross_site import TrustedOrigins
from antiphon.app.planning.matching import Found, Routing, find_after
from antiphon.app.planning.planner import Planning
from antiphon.app.planning.request_checks import RequestChecks
from antiphon.app.registry import RouteGroup, merged_converters
from antiphon.app.route import Route, check_deadline
from antiphon.app.route_keys import RouteKeys
from antiphon.app.url_for import Reverse
from antiphon.app.url_for import url_for as url_for_route
from antiphon.app.work import InTask, OnThread, Work, around_threads
from antiphon.concurrency.process import wait_observers
from antiphon.explanations import explained
from antiphon.explanations.naming import ROUTES, ROUTES_ATTRIBUTES, WORDS, unknown_setting
from antiphon.handler.callables import check_arguments, check_returns, check_sync, describe
from antiphon.handler.contract import Steps
from antiphon.handler.drive import run_async
from antiphon.http.dates import Duration
from antiphon.http.errors import HTTPError
from antiphon.http.head import Head
from antiphon.http.limits import Limits
from antiphon.lazy import frameworks
from antiphon.request.caller import client_of
from antiphon.request.dependencies import Dependency, SettableDependency, SharedValues, check_dependency
from antiphon.request.interfaces import AppValues
from antiphon.request.proxies import TrustedProxies, behind
from antiphon.request.request import Request
from antiphon.response.message import Message
from antiphon.response.response import Response
from antiphon.routing.converters import Converter
from antiphon.serialization.signing import SecretKeys, Signer
from antiphon.uploads.temporary_file import usable_folder

if TYPE_CHECKING:
    from antiphon.app.callers import Sharing
    from antiphon.app.store import Store

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
W = TypeVar("W", bound=OnThread | InTask)
P = ParamSpec("P")


class App(Routes, Servable, settings=ROUTES_ATTRIBUTES):
    """A web application, served as WSGI, ASGI or RSGI.

        app = App(secret_keys=[env("SECRET_KEY")], store=SQLiteStore("var/store.db"))

    ``limits`` and ``deadline`` apply to every request, unless a blueprint or a route has its own. The deadline is the
    seconds or timedelta after which an ``async def`` handler is cancelled and its client gets a 504. With
    ``redirect_slashes``, a path without a route is redirected (308) to the same path with its trailing slash added or
    removed, if that has a route. With ``encoded_slashes``, ``%2F`` does not separate segments if the server provides
    the path as it was sent.
    """

    def __init__(
        self,
        *others: Never,
        limits: Limits | None = None,
        deadline: Duration | None = None,
        redirect_slashes: bool = False,
        encoded_slashes: bool = True,
        trusted_proxies: TrustedProxies | Iterable[str] = (),
        trusted_hosts: Iterable[str] = (),
        trusted_origins: Iterable[str] = (),
        cross_site_writes: bool = False,
        secret_keys: Iterable[str | bytes] = (),
        upload_folder: str | PathLike[str] | None = None,
        store: "Store | None" = None,
        json_default: Callable[[Any], object] | None = None,
        queue_by: Callable[[Request], str | None] | None = None,
        **unknown: Never,
    ) -> None:
        """``trusted_proxies`` are the addresses and networks whose forwarded headers are trusted, and ``trusted_hosts``
        the hosts that are served; by default, all are. Writes from pages on other sites are refused (403), except from
        ``trusted_origins``, such as "https://shop.example.com", or with ``cross_site_writes``.

        ``secret_keys`` sign URLs, sessions and the values of ``signer``. The first key must be the newest and is used
        to sign; all keys are used to verify. Raises ValueError for a key shorter than 16 bytes, and TypeError for
        anything but a list of strings. ``upload_folder`` is the folder for the unnamed files of large bodies, by
        default the system's for temporary files. Raises TypeError if it isn't a path, and ValueError if it is relative
        or isn't a writable folder.

        ``store`` is the store of all features that need one and don't have their own, such as ``Sessions()``. A mounted
        ``App`` doesn't share it. Raises TypeError for anything but a store. ``json_default`` returns a replacement for
        a value in a handler's result that can't be serialized to JSON.

        While a worker is overloaded (``antiphon run --queue-timeout``), clients take turns. They are distinguished by
        address, or by the text that ``queue_by`` returns for a request, unless it returns None. Raises TypeError for an
        async function, or for a function that can't be called with a request.
        """
        if others:
            raise explained(
                "app-takes-settings",
                f"an App accepts only settings, by name, but no name or routes: App(), not App({others[0]!r})",
                TypeError,
            )
        if unknown:
            message = unknown_setting(App, next(iter(unknown)), ROUTES | WORDS["App.__init__"])
            raise explained("app-takes-settings", message, TypeError)
        Routes.__init__(self)
        Servable.__init__(self)
        check_sync("json_default", json_default)
        self.limits = Limits.of(limits)
        self.deadline = check_deadline(deadline)
        self.upload_folder = None if upload_folder is None else usable_folder(upload_folder)
        self.json_default = json_default
        self.store = store
        self._stores_in_use: set[tuple[str, Store | None]] = set()
        """The names of features, each with its store. None is this process's memory, for lack of a store."""
        self._sharing = None if queue_by is None else _sharing(queue_by)
        if store is not None:
            from antiphon.app.store import FeatureStore

            FeatureStore.check("App", store, client_side=True)
        self._checks = RequestChecks(self.limits, trusted_proxies, trusted_hosts, trusted_origins, cross_site_writes)
        self._secret_keys = SecretKeys(secret_keys)
        self._redirects_slashes = redirect_slashes
        self._encoded_slashes = encoded_slashes
        self._mounts: list[Mount] = []
        self.provided = Dependencies()
        """The dependencies that the application provides, and who identifies its callers, for features."""
        self._shared: dict[str, Any] = {}
        self.provided.provide(Request.shared, self._share_with)
        self.provided.provide(Request.framework, AppValues)
        self._lifespan = Lifespan(self.provided)
        self._routing: Routing | None = None
        self._find: Callable[[Request], Found] = self._find_first
        self._reverse: Reverse | None = None
        self._places_above: list[tuple[App, Mount]] = []
        """The applications in which this one is mounted, with the mounts."""
        self._identifiers = self.provided.identifiers
        self._planning = RLock()
        self._planned: tuple[Routing, Callable[[Request], Found]] | None = None
        """The plans from before the first override. They are restored when the last override ends."""

    def _registered(self) -> list[object]:
        parts = (self._checks, self._checks.origins, self.provided, self._lifespan, self._observers)
        return [*super()._registered(), *parts]

    @property
    def trusted_proxies(self) -> TrustedProxies:
        """The proxies whose forwarded headers are trusted."""
        return self._checks.proxies

    @property
    def trusted_origins(self) -> TrustedOrigins:
        """The origins of other sites whose pages may send writes to the routes here, including those of blueprints."""
        return self._checks.origins

    def trusts_origin(self, origin: str, blueprint: str | None = None) -> bool:
        """True if pages from this origin may send writes to the app's routes, or to a blueprint's routes.

        ``blueprint`` is a name as ``request.blueprint`` returns it. The blueprint's own origins apply once the app is
        serving requests.
        """
        return origin in self._checks.trusted_by(blueprint)

    # Registering

    def _check_open(self) -> None:
        """Check that routes can still be registered. Raises RuntimeError once the application is serving requests."""
        if self._routing is not None:
            raise explained(
                "registered-too-late",
                "this app already serves requests: register routes and hooks before the first one",
                RuntimeError,
            )

    def surround(
        self,
        around: MiddlewareFunction,
        early: Callable[[Request], Response | None],
        where_hooked: tuple[MiddlewareFunction, MiddlewareFunction],
        watch: MiddlewareFunction | None,
        *,
        blocking: bool,
    ) -> None:
        """Register a cache's middleware, and the function that is called first and may return a stored response.

        ``where_hooked`` is the middleware that replaces it, and the middleware inside the hooks, for routes with hooks
        before the handler. ``watch`` is middleware around all other middleware; it is left out if the cache is
        outermost. Raises ValueError if there is already a cache.
        """
        self._check_open()
        if any(each.early is not None for each in self._registry.middleware):
            raise explained("feature-used-twice", "this app already has a cache: use one")
        if watch is not None:
            self._registry.outermost.append((middleware(watch), around))
        outside, inside = (middleware(function, blocking=blocking) for function in where_hooked)
        cache = middleware(around, blocking=blocking)._replace(early=early, where_hooked=(outside, inside))
        self._registry.middleware.append(cache)

    def mount(
        self,
        prefix: str,
        application: Any,
        *,
        host: str | None = None,
        interface: Literal["wsgi", "asgi"] | None = None,
        limits: Limits | None = None,
        receive: Literal["load", "stream"] = "load",
        around: Iterable[Routes] = (),
    ) -> None:
        """Mount another application, which handles the requests below a prefix that no route here matches.

        ``application`` is another ``App``, or a WSGI or ASGI application. A coroutine function, or an object whose
        ``__call__`` is one, is treated as ASGI unless ``interface`` says otherwise. The prefix becomes its root path,
        its responses pass through this app's middleware, and it is started and stopped with this app. ``limits`` apply
        to its requests, unless it is an ``App``, which has its own. With ``receive="stream"``, an application other
        than an ``App`` is called before the body has arrived. It receives the body itself, so its own limits apply too.

        ``around`` lists this app or blueprints of it whose handlers a Flask or Pyramid application surrounds: they run
        inside its own request, with its hooks, context, session, flash messages and error handlers.

        Raises ValueError for a malformed prefix or host, and if something is already mounted there. Raises TypeError
        for anything but an application, and for limits if the application has its own.
        """
        self._check_open()
        if not isinstance(prefix, str):
            raise explained(
                "bad-mount", f'the prefix comes first, as in mount("/shop", application), not {prefix!r}', TypeError
            )
        self._check_prefix(prefix, host)
        # A circle would be planned and started without an end.
        if contains(application, self):
            raise explained("bad-mount", "an application cannot be mounted in itself")
        mount = make_mount(
            prefix, host, application, interface, limits, encoded_slashes=self._encoded_slashes, receive=receive
        )
        # Compared with the host in lower case, as it is matched.
        if any(other.where == mount.where for other in self._mounts):
            raise explained("bad-mount", f"an application is already mounted at {mount.where or '/'}")
        if known := next((other for other in self._mounts if other.application is application), None):
            # Mounted twice, it is started once.
            mount = mount._replace(lifespan=known.lifespan)
        elif manager := mount.manager:
            if isinstance(application, App):
                self._lifespan.add_mounted(application._lifespan, manager)  # noqa: SLF001 - of this very class
            else:
                self._lifespan.add(lambda: manager)
        for routes in around:
            frameworks("surroundings").surround(self, routes, application)
        self._mounts.append(mount)
        if isinstance(application, App):
            application._places_above.append((self, mount))

    def around_work(self, function: W, /) -> W:
        """Register a generator function without arguments around each piece of work: a request, up to the end of its
        stream, a function given to ``request.after_response``, a message to a WebSocket, or a job.

        A ``def`` function is called on the thread of ``def`` code, such as to close what the thread has opened. An
        ``async def`` function is called in the task of ``async def`` handlers and jobs. Errors of the work aren't
        raised at the ``yield``. Raises TypeError for other functions.
        """
        self._check_open()
        from inspect import isasyncgenfunction, isgeneratorfunction

        is_sync, is_async = isgeneratorfunction(function), isasyncgenfunction(function)
        if not (is_sync or is_async):
            reason = "is around work: write `yield` where the work is done, and no arguments"
            raise explained("middleware-never-yields", f"{describe(function)} {reason}", TypeError)
        parts: Any = self._registry.around_threads if is_sync else self._registry.around_tasks
        parts.append(function)
        return function

    def work(self) -> Work:
        """Return the surroundings of work that you run by yourself, for ``with``, or for ``async with`` on a loop."""
        return Work(self._registry.around_threads, self._registry.around_tasks)

    def _as_work(self, function: Callable[[], object]) -> Callable[[], object]:
        """Return a function that is a piece of work, if anything surrounds such work."""
        has_surroundings = self._registry.around_threads or self._registry.around_tasks
        return self.work().around(function) if has_surroundings else function

    def on_startup(self, function: F) -> F:
        """Register a function that is called, or awaited, before the first request of a process."""
        self._check_open()
        self._lifespan.on_startup(function)
        return function

    def on_shutdown(self, function: F) -> F:
        """Register a function that is called, or awaited, after the last request. The last function registered is
        called first.
        """
        self._check_open()
        self._lifespan.on_shutdown(function)
        return function

    @overload
    def lifespan(self, function: Callable[[], AbstractAsyncContextManager[T]], /) -> Dependency[T]: ...
    @overload
    def lifespan(self, function: Callable[[], AbstractContextManager[T]], /) -> Dependency[T]: ...
    @overload
    def lifespan(self, function: Callable[[], Iterator[T] | AsyncIterator[T]], /) -> Dependency[T]: ...
    def lifespan(self, function: Callable[[], Any], /) -> Dependency[Any]:
        """Enter a context manager at startup and exit it at shutdown; usable as a decorator.

        ``function`` is a generator or async generator function that yields once, or returns a sync or async context
        manager. The decorated function becomes the dependency that provides the value: ``request[function]`` and
        ``app[function]`` return it, with its type. Lifespans are entered in order, before the ``on_startup`` functions
        are called, and exited in reverse order, after the ``on_shutdown`` functions. Raises TypeError for a coroutine
        function.
        """
        self._check_open()
        return self._lifespan.add(function)

    def __getitem__(self, dependency: Dependency[T]) -> T:
        """The value that a lifespan yielded. Raises RuntimeError unless the app is running."""
        check_dependency(dependency, "app[...]", "a function below @app.lifespan is one, as in app[pool]")
        return self._lifespan.state(dependency)

    def provide(
        self,
        dependency: Dependency[T],
        source: SourceFunction[T],
        *,
        blocking: bool = False,
        when: Callable[[Request], bool] | None = None,
        default: Callable[[Request], T] | None = None,
        only_writes: bool = False,
    ) -> None:
        """Let ``source`` provide a dependency's value, at most once per request, if ``when`` is true for the request.

        A sync source is called on first read. A source that is async, or runs on a thread because of ``blocking``, is
        called before the hooks and the handler. With ``only_writes``, it isn't called for a route that handles only
        safe methods, such as GET. If ``when`` returns false, the value is the result of ``default``. Neither function
        may block or be async.

        A source that is a generator or an async generator function yields the value once. It is resumed before the
        response passes through the middleware, so a failed commit becomes a 500; for a stream, it is resumed when the
        stream has ended. If the handler or a hook has failed, or the stream was cut off, the corresponding error is
        raised at the ``yield``.

        Raises ValueError for a dependency that is already provided, and TypeError for functions with the wrong
        arguments. If a source isn't recognized as async but returns a coroutine, reading the dependency raises an
        error.
        """
        self._check_open()
        self.provided.provide(
            dependency, source, blocking=blocking, when=when, default=default, only_writes=only_writes
        )

    @overload
    def override(self, dependency: SettableDependency[T], value: T, /) -> AbstractContextManager[T]: ...
    @overload
    def override(self, dependency: Dependency[T], /, *, source: SourceFunction[T]) -> AbstractContextManager[None]: ...
    def override(self, dependency: Any, /, *value: Any, source: Callable[[Request], Any] | None = None) -> Any:
        """Replace the value of a dependency during a ``with`` block, for tests; usable as a decorator.

        ``value`` is used for all requests and is the result of the ``with`` statement; a function is used as a value
        too, and isn't called. A ``source`` is called for each request, like a source passed to ``provide``. The
        original source is not called, and a lifespan whose value is overridden at startup is not entered. The app may
        already be serving; requests in progress keep their values. With several overrides of one dependency, the last
        one wins.

        Raises TypeError for anything but a dependency, for a function with the wrong arguments, and for a source that
        would replace a lifespan: ``app[dependency]`` reads its value without a request.
        """
        check_dependency(dependency, "app.override", 'make one, Tenant = Dependency[str]("tenant")')
        if len(value) != (source is None):
            raise explained(
                "bad-override",
                f"override {dependency.name!r} by a value or by a source: override({dependency.name}, value), or"
                f" override({dependency.name}, source=function)",
                TypeError,
            )
        if source is not None and dependency in self._lifespan:
            raise explained(
                "bad-override",
                f"the lifespan {dependency.name!r} is read without a request, so no source can replace"
                f" it: app.override({dependency.name}, value)",
                TypeError,
            )
        return self._overriding(dependency, source or Fixed(*value))

    @contextmanager
    def _overriding(self, dependency: Dependency[Any], source: Any) -> Iterator[Any]:
        with self._planning:
            override = self.provided.override(dependency, source)
            self._plan_anew()
        try:
            yield source.value if isinstance(source, Fixed) else None
        finally:
            with self._planning:
                self.provided.restore(override)
                self._plan_anew()

    def _plan_anew(self) -> None:
        """If the routes are already planned, handle future requests with the dependencies provided now."""
        if self._planned is not None and not self.provided.has_overrides:
            # The plans from before: planning again would give the same ones.
            self._routing, self._find = self._planned
        elif self._routing is not None:
            self._plan()

    def _methods_at(self, request: Request) -> Iterable[str]:
        """Return the methods of a request's path."""
        return () if self._routing is None else self._routing.methods_at(request.head)

    def is_provided(self, dependency: Dependency[Any]) -> bool:
        """True if a dependency is already provided. Features check this if they need another feature first."""
        return dependency in self.provided

    def template_context(self, **values: Any) -> None:
        """Share values with all templates, and as ``request.shared(name)``.

        A callable value is called with the request on first use, at most once per request, and its result is shared. It
        must neither block nor be async; a function that reads a dependency may return an awaitable. Raises ValueError
        for a name that is already shared, and TypeError for functions with the wrong arguments.
        """
        self._check_open()
        for name, value in values.items():
            if name in self._shared:
                raise explained("shared-twice", f"{name!r} is already shared, as {self._shared[name]!r}")
            if callable(value):
                check_arguments(value, "request")
                check_sync("template_context", value)
                check_returns("template_context", value)
        self._shared.update(values)

    def _share_with(self, request: Request) -> SharedValues:
        return SharedValues(request, self._shared)

    def _plan_of(self, request: Request) -> Plan:
        """Return the plan for a request that was accepted before, without any checks."""
        return (self._routing or self._freeze()).without_looking().find(request)[0]

    # The store

    def store_for(self, feature: object, own: "Store | None" = None, *, client_side: bool = False) -> "Store":
        """Return the store that a feature uses: its own, otherwise the app's. Call it in the feature's ``install``.

        ``feature`` is the feature, or its name for error messages. Other features use the same store, so begin your
        keys and owners with a unique name. Raises RuntimeError if there is no store, TypeError for anything but a
        store, and, without ``client_side``, ValueError for a store whose entries are kept by clients, such as a
        ``CookieStore``.
        """
        from antiphon.app.store import FeatureStore, missing_store

        name = feature if isinstance(feature, str) else type(feature).__name__
        store = self.store if own is None else own
        if store is None:
            raise missing_store(name)
        FeatureStore.check(name, store, client_side=client_side, of_app=own is None)
        self._stores_in_use.add((name, store))
        return store

    # Planning

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes of the application, followed by those of its blueprints, with the prefixes and settings that apply
        to them.
        """
        return tuple(route for group in self._group().walk() for route in group.routes())

    @property
    def _route_groups(self) -> tuple[RouteGroup, ...]:
        """The routes of the application and its blueprints, with the code around them."""
        return tuple(self._group().walk())

    @property
    def declares_hosts(self) -> bool:
        """True if the application serves only its ``trusted_hosts``, and these are not all hosts ("*")."""
        return self._checks.hosts.are_few

    @property
    def _own_host(self) -> str:
        """A host for requests that the application makes itself."""
        return self._checks.hosts.first

    @property
    def allows_cross_site_writes(self) -> bool:
        """True if pages on any site may send writes, which are refused by default."""
        return self._checks.allows_all_writes

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """The mounted applications, in the order of their registration."""
        return tuple(self._mounts)

    @property
    def interface(self) -> Literal["wsgi", "asgi"]:
        """The interface by which another app calls this one.

        It is WSGI if all handlers, hooks, middleware and mounts are sync and no proxy is trusted, otherwise ASGI.
        Servers may call an app by either: `antiphon run` uses ASGI.
        """
        if self._checks.proxies or any(not mount.hook.blocks for mount in self._mounts):
            return "asgi"
        groups = [*self._group().walk()]
        parts: list[Any] = [
            *self._registry.before_routing,
            *(source.hook for source in self.provided.overridden().resolving),
        ]
        for group in groups:
            parts += [*group.registry.middleware, *group.registry.before, *group.registry.after]
            parts += [route.hook for route in group.routes()]  # also those that features add
        return "asgi" if any(part.is_async for part in parts) else "wsgi"

    def _group(self) -> RouteGroup:
        watching = () if self._registry.before_routing else self._registry.around_all()
        around = (around_threads(self.work), *watching) if self._registry.around_threads else watching
        return RouteGroup(
            self, self._registry, HandlerStack(around), self.limits, self.provided.overridden(), self.deadline
        )

    def plan(self) -> None:
        """Plan all routes now, as the first request would do it. Raises ValueError for routes that conflict."""
        self._freeze()

    def _freeze(self) -> Routing:
        """Plan each route, before the first request. Raises ValueError for routes that conflict."""
        with self._planning:
            return self._plan()

    def _plan(self) -> Routing:
        group = self._group()
        planning = Planning(
            group,
            self._checks,
            redirect_slashes=self._redirects_slashes,
            encoded_slashes=self._encoded_slashes,
            signer=self.signer,
        )
        routing = planning.routing(self._mounts)
        self._reverse = self._reversing(planning.routes, routing.router.converters)
        for each in group.walk():
            if each.above is not None:
                self._checks.trust(each.name, each.above.name or None, each.registry.trusted_origins)
            for included in each.registry.blueprints:
                # What is registered with it from now on would be in no plan.
                included.blueprint._is_frozen = True
        before = self._registry.before_routing
        if before:
            # Outside of the middleware that they watch.
            handlings = [each for one in group.walk() for _, each in one.registry.handlings]
            watches = [middleware(each.before_routing) for each in handlings if each.before_routing is not None]
            before = [*watches, *self._registry.around_all(), *before]
        around = group.stack._replace(finishers=tuple(self._registry.finishers))
        self._find = find_after(before, around, routing) or routing.find
        self._routing = routing
        group.dependencies.forget_readings()
        if not self.provided.has_overrides:
            self._planned = routing, self._find
        return routing

    # Serving

    def _handle(self, request: Request) -> Steps[Response]:
        """Return the steps that handle a request."""
        # The first call plans the routes, and puts the function that finds them in its place.
        plan, error = self._find(request)
        return dispatch(plan, request, error)

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Let a subclass handle requests from servers with its own ``_handle`` and ``_respond`` methods."""
        super().__init_subclass__(**arguments)
        if "_handle" in vars(cls) and "_respond_on_thread" not in vars(cls):
            # Otherwise this class's shortcut would pass over the subclass's ``_handle``.
            cls._respond_on_thread = Servable._respond_on_thread  # type: ignore[method-assign]
        if "_respond" in vars(cls) and "_respond_on_loop" not in vars(cls):
            cls._respond_on_loop = Servable._respond_on_loop  # type: ignore[method-assign]

    def _respond_on_thread(self, request: Request) -> Response | Message | Steps[Response]:
        """Return the response, its message, or the remaining steps, on a server's thread."""
        plan, error = self._find(request)
        if plan.at_once_on is not THREAD:
            return dispatch(plan, request, error)
        if error is None and not request.head.has_body:
            return handle_at_once(plan, request)
        return refuse_or_receive(plan, request, error)

    def _respond_on_loop(self, request: Request) -> Response | Message | Awaitable[Response]:
        """Return the response, its message, or an awaitable of the response, on a server's loop."""
        plan, error = self._find(request)
        if plan.at_once_on is not LOOP:
            at_hand = plan.at_hand
            if at_hand is not None and error is None and not request.head.has_body and at_hand.includes(request):
                plan = at_hand.plan
            if plan.at_once_on is not LOOP:
                return _dispatch_on_loop(plan, request, error)
        if error is None and not request.head.has_body:
            return handle_at_once(plan, request)
        return refuse_or_receive(plan, request, error)

    def _has_path(self, path: str) -> bool:
        """Return True if a route or a mount handles a path on every host that has no routes of its own."""
        router = (self._routing or self._freeze()).router
        return path in router.literal or router.search(path, None, "") is not None

    def _plans_for(self, request: Request) -> Iterator[tuple[Plan, Request]]:
        """Yield the plan for a request, without handling it, and the plans in the applications mounted on its way, each
        with the request that it would get.
        """
        plan, _ = (self._routing or self._freeze()).find(request)
        yield plan, request
        if plan.mount is not None:
            below = plan.mount.below(request)
            if isinstance(plan.mount.application, App):
                yield from plan.mount.application._plans_for(below)

    def _class_of(self, head: Head) -> RequestClass:
        """Return the class of a request by its route, or the application's class if there is no route."""
        routing, proxies = self._routing or self._freeze(), self._checks.proxies
        if routing.is_unguarded(head):
            return RequestClass("", is_exempt=True)
        seen = behind(head, proxies) if proxies else head
        client = client_of(seen)
        if self._sharing is not None:
            client = self._sharing.client(seen, client)
        plan = routing.methods_at(head).get(head.method)
        if plan is None:
            return RequestClass(client, blocks=self.interface == "wsgi")
        return RequestClass(client, plan.route.meta.get(RouteKeys.priority) == "low", blocks=plan.handler.blocks)

    def _respond(self, request: Request) -> Awaitable[Response]:
        """Return the response as an awaitable for an event loop."""
        plan, error = self._find(request)
        return _dispatch_on_loop(plan, request, error)

    def _find_first(self, request: Request) -> Found:
        """Plan each route before the first request, then find the plan for it."""
        self._freeze()
        return self._find(request)

    @property
    def _has_sockets(self) -> bool:
        """True if there are WebSocket routes, or any mounts, because these may have some."""
        return super()._has_sockets or bool(self._mounts) or any(route.websocket for route in self.routes)

    def _measure_header_sections(self) -> None:
        """Measure header sections from now on and check them against ``limits.headers``."""
        self._checks.look_at_heads()

    @property
    def secret_keys(self) -> SecretKeys:
        """The app's secret keys, for features that sign: ``CookieStore(app.secret_keys)``. Empty if it has none."""
        return self._secret_keys

    def signer(self, salt: str) -> Signer:
        """Return a signer with the app's ``secret_keys`` for one purpose, the ``salt``.

        Raises RuntimeError if the app has no keys, and ValueError for an empty salt.
        """
        if not self._secret_keys:
            raise explained(
                "no-secret-key",
                'this app has no key to sign with: App(secret_keys=os.environ["SECRET_KEYS"].split()), where'
                f" {SecretKeys.MAKE_ONE} makes a key",
                RuntimeError,
            )
        return Signer(self._secret_keys, salt=salt)

    url_for = url_for_route

    def _reverse_of_routes(self) -> Reverse:
        """Return the URLs of the routes, also before these are planned."""
        return self._reverse or self._reversing(self.routes, merged_converters(self._group().walk()))

    def _reversing(self, routes: Iterable[Route], converters: Mapping[str, Converter]) -> Reverse:
        return Reverse(routes, converters, self.signer, self._encoded_slashes)

    def run(self, host: str | None = None, port: int | None = None, **settings: str | float | bool | None) -> NoReturn:
        """Replace the running program with the ``antiphon run`` command. Call it at the end of the program's module,
        which must contain this application.

        ``settings`` are the command's options, such as ``workers=2``. Raises ValueError for ``debug``, which code can't
        turn on, and RuntimeError in any other module.
        """
        from antiphon.app.served_function import become_server

        become_server(self, {"host": host, "port": port, **settings})

    async def startup(self) -> None:
        """Plan the routes, then enter the lifespans and call the ``on_startup`` functions."""
        if self._routing is None:
            self._freeze()
        await self._lifespan.startup()
        wait_observers.update(self._observers.waited)

    async def shutdown(self) -> None:
        """Call the ``on_shutdown`` functions, then exit the lifespans."""
        wait_observers.difference_update(self._observers.waited)
        await self._lifespan.shutdown()

    @property
    def _is_observed(self) -> bool:
        inner = (mount.application for mount in self._mounts)
        return bool(self._observers.all) or any(isinstance(each, Servable) and each._is_observed for each in inner)

    @property
    def _has_shutdown(self) -> bool:
        return type(self).shutdown is not App.shutdown or self._lifespan.has_shutdown


def _dispatch_on_loop(plan: Plan, request: Request, error: HTTPError | None) -> Awaitable[Response]:
    steps = dispatch(plan, request, error)
    return steps if plan.runs_on is LOOP else run_async(steps, request=request)


def _sharing(by: Callable[[Request], str | None]) -> "Sharing":
    from antiphon.app.callers import Sharing  # imported late: most applications share by address

    return Sharing(by)
