"""The application, which finds the view for a request by route and context, and calls it inside the tweens."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from zope.interface import implementedBy, implementer, providedBy

from antiphon.dialects._environ.applications import OUTER, EnvironApplication
from antiphon.dialects._environ.heads import forget_frames
from antiphon.dialects.pyramid.events import BeforeTraversal, ContextFound, NewRequest, NewResponse
from antiphon.dialects.pyramid.httpexceptions import HTTPNotFound
from antiphon.dialects.pyramid.interfaces import (
    VH_ROOT_KEY,
    IDebugLogger,
    IExecutionPolicy,
    IRequest,
    IRequestExtensions,
    IRequestFactory,
    IRootFactory,
    IRouter,
    IRouteRequest,
    IRoutesMapper,
    ITraverser,
    ITweens,
)
from antiphon.dialects.pyramid.request import Request, apply_request_extensions
from antiphon.dialects.pyramid.threadlocal import RequestContext, manager
from antiphon.dialects.pyramid.traversal import DefaultRootFactory, ResourceTreeTraverser, split_path_info
from antiphon.dialects.pyramid.urldispatch import RoutesMapper
from antiphon.dialects.pyramid.view import _call_view, _find_views, call_first
from antiphon.dialects.webob.request import DisconnectionError
from antiphon.embedding import ReceivedInput, call_in_own_context
from antiphon.http import ClientDisconnected
from antiphon.http.limits import UNBOUNDED

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from antiphon.embedding import DescribedApp


class Plan:
    """Everything known in advance about the requests for one route, or for no route.

    A route without a root factory needs no traversal. Its context is the default root, and ``views`` are the views for
    that root.
    """

    __slots__ = ("is_without_traversal", "request_iface", "root_factory", "views")

    def __init__(self, registry: Any, route: Any, root_factory: Any) -> None:
        self.request_iface: Any = IRequest
        self.root_factory = root_factory
        if route is not None:
            self.request_iface = registry.queryUtility(IRouteRequest, name=route.name, default=IRequest)
            self.root_factory = route.factory or root_factory
        provided = implementedBy(DefaultRootFactory)
        has_traverser = registry.adapters.lookup((provided,), ITraverser) is not None
        self.is_without_traversal = route is not None and self.root_factory is DefaultRootFactory and not has_traverser
        self.views: list[Any] = []
        if self.is_without_traversal:
            self.views = _find_views(registry, self.request_iface, provided, "")


class Plans:
    """The plans for all routes. They are valid while the registry has this ``generation``."""

    def __init__(self, registry: Any, root_factory: Any) -> None:
        self.generation: Any = getattr(registry, "generation", None)
        self._registry = registry
        self._root_factory = root_factory
        self._made: dict[Any, Plan] = {}

    def of_route(self, route: Any) -> Plan:
        """Return the plan for a route, or for requests without one."""
        plan = self._made.get(route)
        if plan is None:
            plan = self._made[route] = Plan(self._registry, route, self._root_factory)
        return plan


class _Input(ReceivedInput):
    """The body of a native request, which is received as it is read."""

    def receive(self) -> bytes:
        """Receive the next chunk. Raises DisconnectionError if the body is cut short."""
        try:
            return super().receive()
        except ClientDisconnected as error:
            raise DisconnectionError("the client disconnected before the end of the body") from error


class Served(EnvironApplication):
    """An application whose own interface is WSGI. Its views limit the bodies that they read."""

    input_class = _Input
    request_limits = UNBOUNDED

    def __call__(self, head: Any, second: Any, send: Any = None, /) -> Any:
        """Handle a call from a WSGI server, with two arguments, or from an ASGI server, with three."""
        if send is not None:
            return super().__call__(head, second, send)
        if head.get(OUTER) is self:
            return self.respond(head, second)
        if not self._is_direct:
            return self._serve_wsgi(head, second)
        refused = self.refuse_environ(head, second)
        return call_in_own_context(self.respond, head, second) if refused is None else refused

    def respond_to_environ(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a WSGI request made from a native one, with a ``__call__`` that a program has replaced, too."""
        environ[OUTER] = self
        chunks: Iterable[bytes] = type(self).__call__(self, environ, start_response)
        return chunks

    def respond(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a request over WSGI. Raises NotImplementedError unless a subclass defines it."""
        raise NotImplementedError


_current = manager.variable
_own_call_view = _call_view


@implementer(IRouter)
class Router(Served):
    """An application for WSGI, ASGI and RSGI, configured by a registry."""

    debug_notfound = False
    debug_routematch = False

    def __init__(self, registry: Any) -> None:
        super().__init__()
        query = registry.queryUtility
        self.registry = registry
        self.logger = query(IDebugLogger)
        self.root_factory = query(IRootFactory, default=DefaultRootFactory)
        self.root_policy = self.root_factory
        self.routes_mapper = query(IRoutesMapper)
        self.request_factory = query(IRequestFactory, default=Request)
        self.request_extensions = query(IRequestExtensions)
        self.execution_policy = query(IExecutionPolicy, default=default_execution_policy)
        self._plans = Plans(registry, self.root_factory)
        self.orig_handle_request = self.handle_request
        tweens = query(ITweens)
        if tweens is not None:
            self.handle_request = tweens(self.handle_request, registry)  # type: ignore[method-assign]
        settings = registry.settings
        if settings is not None:
            self.debug_notfound = settings["debug_notfound"]
            self.debug_routematch = settings["debug_routematch"]

    # A single request

    def described_api(self) -> "DescribedApp":
        """Return the routes, and the meaning of Pyramid's names, for API documents."""
        from antiphon.dialects.pyramid.api_description import described

        return described(self.registry)

    def handle_request(self, request: Any) -> Any:
        """Return the view's response. Raises HTTPNotFound if there is no view, and any error that the view raises."""
        registry, attrs = self.registry, request.__dict__
        notify = registry.notify if registry.has_listeners else None
        if notify is not None:
            notify(NewRequest(request))
        match, route = self._match(request)
        plans = self._plans
        if plans.generation is None or plans.generation != registry.generation:
            plans = self._plans = Plans(registry, self.root_factory)
        plan = plans.of_route(route)
        if route is not None:
            attrs["matchdict"], attrs["matched_route"], attrs["request_iface"] = match, route, plan.request_iface
        if notify is not None:
            notify(BeforeTraversal(request))
        root = plan.root_factory(request)
        views = None
        if plan.is_without_traversal and "traverse" not in match and VH_ROOT_KEY not in request.environ:
            subpath = _subpath(match) if "subpath" in match else ()
            attrs["root"] = attrs["context"] = attrs["virtual_root"] = root
            attrs["view_name"], attrs["subpath"] = "", subpath
            attrs["traversed"] = attrs["virtual_root_path"] = ()
            views = plan.views if _call_view is _own_call_view else None  # Sentry replaces it
        else:
            attrs["root"] = root
            traverser = registry.adapters.queryAdapter(root, ITraverser)
            attrs.update((ResourceTreeTraverser(root) if traverser is None else traverser)(request))
        if notify is not None:
            notify(ContextFound(request))
            views = None  # a subscriber may have changed the request
        context = attrs["context"]
        response = None
        if views is None:
            response = _call_view(registry, request, context, providedBy(context), attrs["view_name"])
        elif views:
            response = views[0](context, request) if len(views) == 1 else call_first(views, context, request)
        if response is None:
            raise HTTPNotFound(self._not_found(request, context))
        return response

    def _match(self, request: Any) -> tuple[Any, Any]:
        mapper = self.routes_mapper
        if mapper is None:
            return None, None
        if type(mapper) is RoutesMapper:
            match, route = mapper.find(request)
        else:
            found = mapper(request)
            match, route = found["match"], found["route"]
        if self.debug_routematch:
            self._log_match(request, route, match)
        return match, route

    def _log_match(self, request: Any, route: Any, match: Any) -> None:
        if not self.logger:
            return
        if route is None:
            self.logger.debug(f"no route matched for url {request.url}")
            return
        predicates = ", ".join(predicate.text() for predicate in route.predicates)
        self.logger.debug(
            f"route matched for url {request.url}; route_name: {route.name!r}, path_info: {request.path_info!r},"
            f" pattern: {route.pattern!r}, matchdict: {match!r}, predicates: {predicates!r}"
        )

    def _not_found(self, request: Any, context: Any) -> str:
        path: str = request.path_info
        if not self.debug_notfound:
            return path
        message = (
            f"debug_notfound of url {request.url}; path_info: {path!r}, context: {context!r},"
            f" view_name: {request.view_name!r}, subpath: {request.subpath!r}, traversed: {request.traversed!r},"
            f" root: {request.root!r}, vroot: {request.virtual_root!r}, vroot_path: {request.virtual_root_path!r}"
        )
        if self.logger:
            self.logger.debug(message)
        return message

    def invoke_request(self, request: Any, _use_tweens: bool = True) -> Any:
        """Return the response to the current request after calling its response and finished callbacks."""
        attrs = request.__dict__
        try:
            response = self.handle_request(request) if _use_tweens else self.orig_handle_request(request)
            if "response_callbacks" in attrs:
                request._process_response_callbacks(response)  # noqa: SLF001 - same package
            if self.registry.has_listeners:
                self.registry.notify(NewResponse(request, response))
            return response
        finally:
            self.finish_request(request)

    def finish_request(self, request: Any) -> None:
        """Call a request's finished callbacks."""
        attrs = request.__dict__
        if "finished_callbacks" in attrs:
            request._process_finished_callbacks()  # noqa: SLF001 - same package
        attrs.pop("context", None)  # the context may refer back to the request

    def _prepare(self, request: Any) -> None:
        attrs = request.__dict__
        attrs["registry"], attrs["invoke_subrequest"] = self.registry, self.invoke_subrequest
        if self.request_extensions is not None:
            apply_request_extensions(request, extensions=self.request_extensions)

    def invoke_subrequest(self, request: Any, use_tweens: bool = False) -> Any:
        """Return the response to another request, with or without tweens."""
        self._prepare(request)
        with RequestContext(request):
            return self.invoke_request(request, _use_tweens=use_tweens)

    def request_context(self, environ: "WSGIEnvironment") -> RequestContext:
        request = self.request_factory(environ)
        self._prepare(request)
        return RequestContext(request)

    def respond(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a request over WSGI."""
        policy = self.execution_policy
        if policy is default_execution_policy:
            request = self.request_factory(environ)
            self._prepare(request)
            before = _current.get()
            _current.set((*before, {"registry": self.registry, "request": request}))
            try:
                response = self.invoke_request(request)
            finally:
                _current.set(before)
            if exc_info := (attrs := request.__dict__).get("exc_info"):
                forget_frames(exc_info[1])  # the error refers to the request, which refers to both
                attrs["exc_info"] = (*exc_info[:2], None)
                del exc_info  # and its traceback
        else:
            response = policy(environ, self)
        chunks: Iterable[bytes] = response(environ, start_response)
        return chunks


def default_execution_policy(environ: "WSGIEnvironment", router: Any) -> Any:
    with router.request_context(environ) as request:
        return router.invoke_request(request)


def _subpath(match: Any) -> tuple[str, ...]:
    subpath = match["subpath"]
    return split_path_info(subpath) if isinstance(subpath, str) else tuple(subpath)
