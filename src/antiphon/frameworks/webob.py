"""Support for WebOb and Pyramid."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, ClassVar

from antiphon.frameworks.framework import Framework, FrameworkResponse, ViewRoute
from antiphon.frameworks.shared_bodies import environ_request
from antiphon.request.request import Request


class WebOb(Framework):
    """Support for WebOb and Pyramid, whose request is an environ with a rewindable input."""

    gives = frozenset({"user"})
    raises: ClassVar[tuple[tuple[Any, ...], ...]] = (("webob.exc", "HTTPException", "status_code", "detail"),)

    def owns(self, given: Any) -> bool:
        """Return True for a request."""
        return hasattr(given, "environ")

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request."""
        return environ_request(given.environ)

    def path_params(self, given: Any) -> Mapping[str, Any]:
        """Return the parameters of a Pyramid route."""
        return getattr(given, "matchdict", None) or {}

    def user(self, given: Any) -> Any:
        """Return REMOTE_USER from the server or middleware."""
        return given.remote_user

    def content(self, given: Any) -> Any:
        """Return the content, or the chunks of a stream."""
        return b"".join(given.app_iter) if isinstance(given.app_iter, list) else given.app_iter

    def response(self, response: FrameworkResponse, given: Any) -> Any:
        """Return a response of the request's own class, such as Pyramid's."""
        made = (getattr(given, "ResponseClass", None) or _of_webob())()
        made.status_int = response.status
        if isinstance(response.body, bytes):
            made.body = response.body
        else:
            made.app_iter = response.body
        made.headerlist = [*response.fields]
        return made


def _of_webob() -> Any:
    from webob import Response

    return Response


class Pyramid(WebOb):
    """Support for Pyramid, whose requests have a registry with the policies that the application has chosen."""

    parameters = "{{{}}}", "{{{}:.+}}"
    gives = frozenset({"user", "session", "csrf_token"})
    raises = (*WebOb.raises, ("pyramid.httpexceptions", "HTTPException", "status_code", "detail"))

    def user(self, given: Any) -> Any:
        """Return the security policy's ``identity``, otherwise REMOTE_USER from the server or middleware."""
        return super().user(given) if given.identity is None else given.identity

    def user_id(self, given: Any) -> object:
        """Return the security policy's ``authenticated_userid``."""
        return given.authenticated_userid

    def _module(self, name: str) -> Any:
        return import_module(f"{self.above}pyramid.{name}")

    def session(self, given: Any) -> Any:
        """Return the session of the session factory."""
        has_sessions = given.registry.queryUtility(self._module("interfaces").ISessionFactory) is not None
        return given.session if has_sessions else None

    def csrf_token(self, given: Any) -> str | None:
        """Return the storage policy's token, which the policy stores in the session by default."""
        csrf = self._module("csrf")
        policy = given.registry.queryUtility(self._module("interfaces").ICSRFStoragePolicy)
        needs_session = policy is None or isinstance(policy, csrf.LegacySessionCSRFStoragePolicy)
        if needs_session and self.session(given) is None:
            return None
        token: str = csrf.get_csrf_token(given)
        return token

    def csrf_field(self, given: Any) -> str:
        """Return the ``token`` passed to ``config.set_default_csrf_options``."""
        options = given.registry.queryUtility(self._module("interfaces").IDefaultCSRFOptions)
        token: str = "csrf_token" if options is None else options.token
        return token

    def failure(self, given: Any, error: Exception, response: FrameworkResponse) -> Exception:
        """Return the error itself, which tweens also see, after adding an exception view for it."""
        from zope.interface import alsoProvides

        failure = _failure(self._module("interfaces").IException)
        alsoProvides(error, failure)
        self.keep_response(given.environ, error, self.response(response, given))
        if self.FAILED not in given.registry:
            config = self._module("config").Configurator(registry=given.registry, autocommit=True)
            config.add_exception_view(_exception_view, context=failure)
            given.registry[self.FAILED] = True
        return error

    def add_route(self, app: Any, route: ViewRoute) -> None:
        """Add a view to a configurator; the view handles other methods itself."""
        app.add_route(route.name, route.path)
        app.add_view(route.view, route_name=route.name, request_method=route.methods)


@cache
def _failure(base: Any) -> Any:
    """Return the interface of errors that views have raised, which comes before those of their classes."""
    return type(base)("IFailure", (base,), __module__=__name__)


def _exception_view(error: Any, request: Any) -> Any:
    if (response := Framework.take_response(request.environ, error)) is None:
        raise error
    return response
