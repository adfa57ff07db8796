"""The application: it finds the view of a request, by its route and its context, and calls it between tweens."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer, providedBy

from antiphon.dialects.pyramid.events import BeforeTraversal, ContextFound, NewRequest, NewResponse
from antiphon.dialects.pyramid.httpexceptions import HTTPNotFound
from antiphon.dialects.pyramid.interfaces import (
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
from antiphon.dialects.pyramid.serving import Served
from antiphon.dialects.pyramid.threadlocal import RequestContext
from antiphon.dialects.pyramid.traversal import DefaultRootFactory, ResourceTreeTraverser
from antiphon.dialects.pyramid.view import _call_view

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@implementer(IRouter)
class Router(Served):
    """An application over WSGI, ASGI and RSGI, as a registry has it."""

    debug_notfound = False
    debug_routematch = False

    def __init__(self, registry: Any) -> None:
        super().__init__()
        query = registry.queryUtility
        self.registry = registry
        self.logger = query(IDebugLogger)
        self.root_factory = query(IRootFactory, default=DefaultRootFactory)
        self.routes_mapper = query(IRoutesMapper)
        self.request_factory = query(IRequestFactory, default=Request)
        self.request_extensions = query(IRequestExtensions)
        self.execution_policy = query(IExecutionPolicy, default=default_execution_policy)
        self.orig_handle_request = self.handle_request
        tweens = query(ITweens)
        if tweens is not None:
            self.handle_request = tweens(self.handle_request, registry)  # type: ignore[method-assign]
        settings = registry.settings
        if settings is not None:
            self.debug_notfound = settings["debug_notfound"]
            self.debug_routematch = settings["debug_routematch"]

    # One request

    def handle_request(self, request: Any) -> Any:
        """Return the response of the view. Raises HTTPNotFound without one, and what the view raises."""
        registry, attrs = self.registry, request.__dict__
        notify = registry.notify if registry.has_listeners else None
        if notify:
            notify(NewRequest(request))
        root_factory = self.root_factory
        if self.routes_mapper is not None:
            found = self.routes_mapper(request)
            route = found["route"]
            if self.debug_routematch:
                self._log_match(request, route, found["match"])
            if route is not None:
                attrs["matchdict"], attrs["matched_route"] = found["match"], route
                request.request_iface = registry.queryUtility(IRouteRequest, name=route.name, default=IRequest)
                root_factory = route.factory or root_factory
        if notify:
            notify(BeforeTraversal(request))
        root = attrs["root"] = root_factory(request)
        traverser = registry.adapters.queryAdapter(root, ITraverser)
        attrs.update((ResourceTreeTraverser(root) if traverser is None else traverser)(request))
        if notify:
            notify(ContextFound(request))
        context = attrs["context"]
        response = _call_view(registry, request, context, providedBy(context), attrs["view_name"])
        if response is None:
            raise HTTPNotFound(self._not_found(request, context))
        return response

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
        """Return the response to a request that is current, and call its functions for the response and the end."""
        handle = self.handle_request if _use_tweens else self.orig_handle_request
        attrs = request.__dict__
        try:
            response = handle(request)
            if attrs.get("response_callbacks"):
                request._process_response_callbacks(response)  # noqa: SLF001 - of this package
            if self.registry.has_listeners:
                self.registry.notify(NewResponse(request, response))
            return response
        finally:
            self.finish_request(request)

    def finish_request(self, request: Any) -> None:
        """Call the functions for the end of a request."""
        attrs = request.__dict__
        if attrs.get("finished_callbacks"):
            request._process_finished_callbacks()  # noqa: SLF001 - of this package
        attrs.pop("context", None)  # which may lead back to the request

    def _prepare(self, request: Any) -> None:
        request.registry = self.registry
        request.invoke_subrequest = self.invoke_subrequest
        if self.request_extensions is not None:
            apply_request_extensions(request, extensions=self.request_extensions)

    def invoke_subrequest(self, request: Any, use_tweens: bool = False) -> Any:
        """Return the response to another request, with the tweens around its view or without."""
        self._prepare(request)
        with RequestContext(request):
            return self.invoke_request(request, _use_tweens=use_tweens)

    def request_context(self, environ: "WSGIEnvironment") -> RequestContext:
        """Return a context in which the request of an environ is current."""
        request = self.request_factory(environ)
        self._prepare(request)
        return RequestContext(request)

    def answer_environ(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request over WSGI."""
        response = self.execution_policy(environ, self)
        chunks: Iterable[bytes] = response(environ, start_response)
        return chunks


def default_execution_policy(environ: "WSGIEnvironment", router: Any) -> Any:
    """Return the response to the request of an environ."""
    with router.request_context(environ) as request:
        return router.invoke_request(request)
