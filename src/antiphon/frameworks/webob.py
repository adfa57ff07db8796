"""WebOb and Pyramid."""

from collections.abc import Mapping
from typing import Any

from antiphon.frameworks.framework import ALL_METHODS, Answer, Framework, ViewRoute
from antiphon.frameworks.shared_bodies import environ_request
from antiphon.request.request import Request


class WebOb(Framework):
    """WebOb and Pyramid, whose request is an environ with an input that can be read again from its start."""

    parameters = "{{{}}}", "{{{}:.+}}"
    gives = frozenset({"user", "session", "csrf_token"})

    def owns(self, given: Any) -> bool:
        """Return True for a request."""
        return hasattr(given, "environ")

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request."""
        return environ_request(given.environ)

    def path_params(self, given: Any) -> Mapping[str, Any]:
        """Return the parameters of a route of Pyramid."""
        return getattr(given, "matchdict", None) or {}

    def user(self, given: Any) -> Any:
        """Return ``identity`` of Pyramid's security policy; otherwise REMOTE_USER of the server or of middleware."""
        identity = getattr(given, "identity", None)
        return given.remote_user if identity is None else identity

    def session(self, given: Any) -> Any:
        """Return the session of Pyramid's session factory."""
        return given.session if _has(given, "ISessionFactory") else None

    def csrf_token(self, given: Any) -> str | None:
        """Return the token of Pyramid's storage policy, which keeps it in the session by default."""
        if not hasattr(given, "registry"):
            return None
        from pyramid.csrf import LegacySessionCSRFStoragePolicy, get_csrf_token
        from pyramid.interfaces import ICSRFStoragePolicy

        policy = given.registry.queryUtility(ICSRFStoragePolicy)
        needs_session = policy is None or isinstance(policy, LegacySessionCSRFStoragePolicy)
        if needs_session and not _has(given, "ISessionFactory"):
            return None
        return get_csrf_token(given)  # type: ignore[no-any-return]  # Pyramid's is text

    def add_route(self, app: Any, route: ViewRoute) -> None:
        """Add a view to Pyramid's configurator. Raises NotImplementedError for WebOb, which has no applications."""
        if not hasattr(app, "add_view"):
            raise NotImplementedError
        app.add_route(route.name, route.path)
        app.add_view(route.view, route_name=route.name, request_method=ALL_METHODS)

    def response(self, answer: Answer, given: Any) -> Any:
        """Return a response of the request's own class, such as Pyramid's."""
        made = (getattr(given, "ResponseClass", None) or _of_webob())()
        made.status_int = answer.status
        if isinstance(answer.body, bytes):
            made.body = answer.body
        else:
            made.app_iter = answer.body
        made.headerlist = [*answer.fields]
        return made


def _has(given: Any, interface: str) -> bool:
    if not hasattr(given, "registry"):
        return False
    from pyramid import interfaces

    return given.registry.queryUtility(getattr(interfaces, interface)) is not None


def _of_webob() -> Any:
    from webob import Response

    return Response
