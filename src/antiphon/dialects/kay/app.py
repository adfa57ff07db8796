"""The application of Kay: it finds the view for a path by rules, and calls it with the request."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon import Dependency
from antiphon.dialects.kay.conf import Settings
from antiphon.dialects.kay.current import Call, answered
from antiphon.dialects.kay.dependencies import provide_all
from antiphon.dialects.kay.language import guess_language
from antiphon.dialects.kay.middleware import Middleware
from antiphon.dialects.kay.mounting import Installed, installed, of_project
from antiphon.dialects.kay.routing import Named, ViewGroup, Views
from antiphon.dialects.kay.templates import load_templates
from antiphon.dialects.kay.users import checked, user_source
from antiphon.dialects.kay.werkzeug.wrappers.base_request import Request
from antiphon.dialects.kay.werkzeug.wrappers.base_response import Response
from antiphon.dialects.werkzeug.exceptions.aborter import refused_head
from antiphon.dialects.werkzeug.exceptions.base import HTTPException
from antiphon.dialects.werkzeug.routing.map import Map, MapAdapter
from antiphon.embedding import lazy

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

T = TypeVar("T")


class KayApp:
    """A WSGI application made from settings and view groups, in addition to those of the INSTALLED_APPS."""

    request_class: type[Request] = Request
    response_class: type[Response] = Response

    def __init__(self, app_settings: object = None, view_groups: Iterable[ViewGroup] = ()) -> None:
        self.app_settings = settings = Settings(app_settings)
        self.url_map = Map()
        self.views = Views()
        self._sources: dict[Dependency[Any], Callable[[Any], Any]] = {}
        self.provide(Request.lang, lambda request: guess_language(request, settings))
        find_user = user_source(settings)
        if find_user is not None:
            self.provide(Request.user, find_user)
        self._middleware = Middleware(settings.MIDDLEWARE_CLASSES)
        for package in settings.INSTALLED_APPS:
            self.install(installed(package, settings))
        for group in view_groups:
            self.add(group)

    def add(self, group: ViewGroup, path: str = "", prefix: str = "") -> None:
        """Add the rules of a group, below a path, with a prefix before their endpoints."""
        for factory in group.mounted(path, prefix):
            self.url_map.add(factory)

    def install(self, parts: Installed | None) -> None:
        """Add the rules and the views of a `urls` module."""
        if parts is None:
            return
        for group in parts.groups:
            self.add(group, parts.path, parts.prefix)
        for endpoint, view in parts.views.items():
            self.views.add(endpoint, view)

    @lazy
    def templates(self) -> Any:
        """The Jinja environment for pages. Raises ImportError if Jinja is not installed."""
        return load_templates(self.app_settings)

    def view(self, endpoint: Any, view: Named) -> None:
        """Register the view of an endpoint of ``url_map``, as the view of a ``Rule``."""
        self.views.add(endpoint, view)

    def provide(self, dependency: Dependency[T], source: Callable[[Any], T]) -> None:
        """Register the source of a dependency, which computes it when it is first read. It replaces an earlier
        one.
        """
        self._sources[dependency] = checked(source, self.app_settings) if dependency is Request.user else source

    def get_response(self, request: Request) -> Response:
        """Return the response of the request's view or of the middleware, or the page of an HTTP exception that was
        raised.

        Raises LookupError for an endpoint without a view, and TypeError if the answer is not a response.
        """
        try:
            adapter = self.url_map.bind_to_environ(request.environ)
        except HTTPException as error:  # the host is malformed
            return self._as_response(error, request)
        token = answered.set(Call(self, request, adapter))
        try:
            response = self._as_response(self._answer(request, adapter), request)
            return self._as_response(self._middleware.after(request, response), request)
        finally:
            answered.reset(token)

    def _answer(self, request: Request, adapter: MapAdapter) -> Any:
        try:
            answer = self._middleware.before(request)
            if answer is not None:
                return answer
            rule, values = adapter.match(return_rule=True)
            return self._middleware.call(self.views.view_of(rule), request, values)
        except HTTPException as error:
            return error.get_response(request.environ)

    def _as_response(self, answer: Any, request: Request) -> Response:
        if not callable(answer):
            raise TypeError(f"an answer is a response or a WSGI application, not {answer!r}")
        return self.response_class.force_type(answer, request.environ)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if refused := refused_head(environ):
            return refused(environ, start_response)
        provide_all(environ, self._sources)
        with self.request_class(environ) as request:
            return self.get_response(request)(environ, start_response)


def get_application(app_settings: object = "settings") -> KayApp:
    """Return the application of a project: of a settings module, and of the module ROOT_URL_MODULE if there is one."""
    app = KayApp(app_settings)
    app.install(of_project(app.app_settings))
    return app
