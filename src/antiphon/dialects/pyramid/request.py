"""The request: WebOb's request with routing and traversal results, URLs, and more."""

from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from zope.interface import Interface, implementer
from zope.interface.interface import InterfaceClass

from antiphon.dialects.pyramid.decorator import reify
from antiphon.dialects.pyramid.i18n import LocalizerRequestMixin
from antiphon.dialects.pyramid.interfaces import IRequest, IRequestExtensions, IResponse, ISessionFactory
from antiphon.dialects.pyramid.response import Response, _get_response_factory
from antiphon.dialects.pyramid.security import AuthenticationAPIMixin, SecurityAPIMixin
from antiphon.dialects.pyramid.url import URLMethodsMixin
from antiphon.dialects.pyramid.util import InstancePropertyHelper, InstancePropertyMixin, Sentinel
from antiphon.dialects.pyramid.view import ViewMethodsMixin
from antiphon.dialects.webob.request import BaseRequest


class TemplateContext:
    """An object that holds template variables in its attributes."""


class CallbackMethodsMixin:
    """A mixin for functions that are called with the response or at the end of the request."""

    @reify
    def finished_callbacks(self) -> deque[Callable[[Any], Any]]:
        """The functions to call at the end of the request."""
        return deque()

    @reify
    def response_callbacks(self) -> deque[Callable[[Any, Any], Any]]:
        return deque()

    def add_response_callback(self, callback: Callable[[Any, Any], Any]) -> None:
        """Call a function with the request and the response, provided that a view returns one."""
        self.response_callbacks.append(callback)

    def _process_response_callbacks(self, response: Any) -> None:
        callbacks = self.response_callbacks
        while callbacks:
            callbacks.popleft()(self, response)

    def add_finished_callback(self, callback: Callable[[Any], Any]) -> None:
        """Call a function with the request at its very end, even after an error."""
        self.finished_callbacks.append(callback)

    def _process_finished_callbacks(self) -> None:
        callbacks = self.finished_callbacks
        while callbacks:
            callbacks.popleft()(self)


@implementer(IRequest)
class Request(
    BaseRequest,
    URLMethodsMixin,
    CallbackMethodsMixin,
    InstancePropertyMixin,
    LocalizerRequestMixin,
    SecurityAPIMixin,
    AuthenticationAPIMixin,
    ViewMethodsMixin,
):
    """A request, with attributes that the application sets while it handles the request.

    They are ``registry``; ``matchdict`` and ``matched_route``; ``root``, ``context``, ``view_name``, ``subpath``,
    ``traversed``, ``virtual_root`` and ``virtual_root_path``; ``exception`` and ``exc_info``.
    """

    exception: Any = None
    exc_info: Any = None
    matchdict: Any = None
    matched_route: Any = None
    request_iface: Any = IRequest
    registry: Any
    ResponseClass: Any = Response  # pyright: ignore[reportAssignmentType]

    @reify
    def tmpl_context(self) -> TemplateContext:
        return TemplateContext()

    @reify
    def session(self) -> Any:
        """The session. Raises AttributeError if no session factory is set."""
        factory = self.registry.queryUtility(ISessionFactory)
        if factory is None:
            raise AttributeError(
                "No session factory registered (see the Sessions chapter of the Pyramid documentation):"
                " config.set_session_factory(...)"
            )
        return factory(self)

    @reify
    def response(self) -> Any:
        """The response that a renderer fills. Its status, headers and cookies are sent."""
        return _get_response_factory(self.registry)(self)

    def is_response(self, ob: Any) -> bool:
        """Return True for a response, or for an object that an adapter can convert to one."""
        if ob.__class__ is Response:
            return True
        return self.registry.queryAdapterOrSelf(ob, IResponse) is ob


def route_request_iface(name: str, bases: Any = ()) -> Any:
    iface: Any = InterfaceClass(f"{name}_IRequest", bases=bases or (Interface,), __doc__="The requests of a route.")
    iface.combined = InterfaceClass(f"{name}_combined_IRequest", bases=(iface, IRequest), __doc__="As above.")
    return iface


def add_global_response_headers(request: Any, headerlist: Any) -> None:

    def add_headers(request: Any, response: Any) -> None:  # noqa: ARG001 - a response callback
        for name, value in headerlist:
            response.headerlist.append((name, value))

    request.add_response_callback(add_headers)


def call_app_with_subpath_as_path_info(request: Any, app: Any) -> Any:
    """Call a WSGI application with the request's subpath as its path. Return its response."""
    environ = request.environ
    subpath = [segment.encode().decode("latin-1") for segment in getattr(request, "subpath", ())]
    path, moved = _split_off(environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "/"), len(subpath))
    request = request.copy()
    request.environ["SCRIPT_NAME"] = moved
    request.environ["PATH_INFO"] = "/" + "/".join(subpath) + ("/" if path.endswith("/") and subpath else "")
    return request.get_response(app)


def _split_off(script_name: str, path_info: str, count: int) -> tuple[str, str]:
    """Return the path, and the new script name: the old one and all but the last ``count`` segments of the path."""
    before = path_info.rstrip("/")
    for _ in range(count):
        before = before.rstrip("/").rpartition("/")[0]
    moved = (script_name + before).rstrip("/")
    return path_info, f"/{moved.lstrip('/')}" if moved.strip("/") else ""


def apply_request_extensions(request: Any, extensions: Any = None) -> None:
    """Add the methods and properties from ``add_request_method`` to a request."""
    if extensions is None:
        extensions = request.registry.queryUtility(IRequestExtensions)
    if extensions is None:
        return
    for name, method in extensions.methods.items():
        setattr(request, name, method.__get__(request, type(request)))
    InstancePropertyHelper.apply_properties(request, extensions.descriptors)


class RequestLocalCache:
    """A cache for one value per request, computed by a function of the request. Usable as a decorator."""

    NO_VALUE = Sentinel("NO_VALUE")

    def __init__(self, creator: Callable[[Any], Any] | None = None) -> None:
        self._store: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self.creator = creator

    def __call__(self, fn: Callable[[Any], Any]) -> Callable[[Any], Any]:
        from functools import wraps

        @wraps(fn)
        def wrapper(request: Any) -> Any:
            return wrapper.cache.get_or_create(request, fn)  # type: ignore[attr-defined]  # set below

        wrapper.cache = self  # type: ignore[attr-defined]  # for programs
        self.creator = fn
        return wrapper

    def get_or_create(self, request: Any, creator: Callable[[Any], Any] | None = None) -> Any:
        """Return the value for a request, computing it if necessary. Raises ValueError if no function can do that."""
        result = self._store.get(request, self.NO_VALUE)
        if result is self.NO_VALUE:
            creator = creator or self.creator
            if creator is None:
                raise ValueError(
                    'no creator function has been registered with the cache or supplied to "get_or_create"'
                )
            result = creator(request)
            self.set(request, result)
        return result

    def get(self, request: Any, default: Any = NO_VALUE) -> Any:
        return self._store.get(request, default)

    def set(self, request: Any, value: Any) -> None:
        """Set the value for a request. It is kept as long as the request."""
        is_known = request in self._store
        self._store[request] = value
        if not is_known:
            request.add_finished_callback(self.clear)

    def clear(self, request: Any) -> None:
        if request in self._store:
            self._store[request] = self.NO_VALUE
