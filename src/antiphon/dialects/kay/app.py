"""Kay's application, which finds the view for a path by the project's rules and calls it inside the middleware."""

import re
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from antiphon import Dependency
from antiphon.dialects.kay.conf import Call, Settings, handled
from antiphon.dialects.kay.dependencies import provide_all
from antiphon.dialects.kay.routing import Named, View, ViewGroup, Views
from antiphon.dialects.kay.werkzeug.wrappers import Request, Response
from antiphon.dialects.werkzeug.exceptions.base import HTTPException
from antiphon.dialects.werkzeug.exceptions.statuses import refused_head
from antiphon.dialects.werkzeug.routing.map import Map, MapAdapter
from antiphon.dialects.werkzeug.utils import import_string
from antiphon.embedding import call_in_own_context, lazy, missing_package

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


_is_tag = re.compile(r"[A-Za-z]{1,8}(?:[-_][A-Za-z0-9]{1,8}){0,7}").fullmatch


def guess_language(request: Any, settings: Settings) -> str | None:
    """Return the language from the LANG_COOKIE_NAME cookie, or else the client's preferred one, or else DEFAULT_LANG.

    Returns None if USE_I18N is off. Malformed language tags are ignored.
    """
    if not settings.USE_I18N:
        return None
    default: str = settings.DEFAULT_LANG
    liked = (request.cookies.get(settings.LANG_COOKIE_NAME), *request.accept_languages.values())
    return next((tag for tag in liked if tag is not None and _is_tag(tag)), default)


def user_source(settings: Settings) -> Callable[[Any], Any] | None:
    """Return the ``get_user`` method of the AUTH_USER_BACKEND class, or None if that setting is not set."""
    backend = settings.load("AUTH_USER_BACKEND")
    if backend is None:
        return None
    find: Callable[[Any], Any] = (backend() if isinstance(backend, type) else backend).get_user
    return find


def checked(find: Callable[[Any], Any], settings: Settings) -> Callable[[Any], Any]:
    """Return a function that finds the user and checks that it is an AUTH_USER_MODEL, if that setting is set.

    The user may also be None or an object whose ``is_anonymous()`` is true. The function raises TypeError for any other
    object.
    """

    def find_user(request: Any) -> Any:
        user = find(request)
        model = settings.load("AUTH_USER_MODEL")
        if model is None or isinstance(user, model) or is_anonymous(user):
            return user
        raise TypeError(f"the user is a {type(user).__name__}, but AUTH_USER_MODEL is {model.__name__}")

    return find_user


def is_anonymous(user: Any) -> bool:
    """Return True for None and for a user whose ``is_anonymous()`` is true."""
    if user is None:
        return True
    says = getattr(user, "is_anonymous", False)
    return bool(says() if callable(says) else says)


class Middleware:
    """An application's middleware: one instance of each class, which may be given by its dotted name.

    Middleware may define these methods. ``process_request(request)`` is called before the path is looked up, and
    ``process_view(request, view, **values)`` before the view. A result other than None replaces the view's result.
    ``process_exception(request, exception)`` receives an exception raised by the view and may return a response.
    ``process_response(request, response)`` returns the response to send. The last two are called in reverse order.
    """

    def __init__(self, classes: Iterable[type | str]) -> None:
        made = [(import_string(each) if isinstance(each, str) else each)() for each in classes]
        self._of_requests = _methods(made, "process_request")
        self._of_views = _methods(made, "process_view")
        made.reverse()
        self._of_exceptions = _methods(made, "process_exception")
        self._of_responses = _methods(made, "process_response")

    def before(self, request: Any) -> Any:
        """Return the first response from ``process_request``, or None if no middleware returns one."""
        return _first(self._of_requests, request)

    def call(self, view: View, request: Any, values: Mapping[str, Any]) -> Any:
        """Return the result of a view, or of middleware that replaces it."""
        answer = _first(self._of_views, request, view, **values)
        if answer is not None:
            return answer
        try:
            return view(request, **values)
        except Exception as error:
            answer = _first(self._of_exceptions, request, error)
            if answer is None:
                raise
            return answer

    def after(self, request: Any, response: Any) -> Any:
        """Pass a response through the middleware and return the response to send."""
        for process in self._of_responses:
            response = process(request, response)
        return response


def _methods(objects: Iterable[object], name: str) -> list[Callable[..., Any]]:
    return [getattr(each, name) for each in objects if hasattr(each, name)]


def _first(methods: Iterable[Callable[..., Any]], *arguments: Any, **named: Any) -> Any:
    """Return the first result other than None."""
    return next((answer for method in methods if (answer := method(*arguments, **named)) is not None), None)


def load_templates(settings: Settings) -> Any:
    """Return a Jinja environment for the templates in TEMPLATE_DIRS and in the `templates` folders of packages.

    A package's templates are prefixed with its name. The environment includes the JINJA2_EXTENSIONS and
    JINJA2_FILTERS. Translatable text is not translated. Raises ImportError if Jinja is not installed.
    """
    try:
        import jinja2
    except ModuleNotFoundError as error:
        raise missing_package(error, "templates") from error
    packages = {name.rpartition(".")[2]: jinja2.PackageLoader(name) for name in _with_templates(settings)}
    folders = jinja2.FileSystemLoader(list(settings.TEMPLATE_DIRS))
    loader = jinja2.ChoiceLoader([folders, jinja2.PrefixLoader(packages)])
    options = {"autoescape": True, "extensions": settings.JINJA2_EXTENSIONS, **settings.JINJA2_ENVIRONMENT_KWARGS}
    environment: Any = jinja2.Environment(loader=loader, **options)  # noqa: S701 - on unless settings.py turns it off
    if hasattr(environment, "install_null_translations"):
        environment.install_null_translations()
    environment.filters |= {name: import_string(function) for name, function in settings.JINJA2_FILTERS.items()}
    return environment


def _with_templates(settings: Settings) -> list[str]:
    from importlib.resources import files

    return [name for name in settings.INSTALLED_APPS if files(name).joinpath("templates").is_dir()]


class Installed(NamedTuple):
    """The contents of a `urls` module: its path, endpoint prefix, groups of rules, and views by endpoint."""

    path: str
    prefix: str
    groups: list[ViewGroup]
    views: Mapping[Any, Any]


def installed(package: str, settings: Settings) -> Installed | None:
    """Return the rules and views of a package in INSTALLED_APPS. Its path is its name unless APP_MOUNT_POINTS sets it.

    The endpoints in its ``view_groups`` are prefixed with the package's name. Returns None if the package has no `urls`
    or its path is None. Raises ImportError if the package does not exist.
    """
    name = package.rpartition(".")[2]
    path = settings.APP_MOUNT_POINTS.get(package, f"/{name}")
    import_string(package)
    if path is None or not _exists(f"{package}.urls"):
        return None
    return _contents(f"{package}.urls", path, f"{name}/")


def of_project(settings: Settings) -> Installed | None:
    """Return the rules and views of the ROOT_URL_MODULE module, or None if it does not exist."""
    module: str = settings.ROOT_URL_MODULE
    return _contents(module, "", "") if find_spec(module) else None


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the parent may be missing in this dialect, as for kay.sessions.urls
        return False


def _contents(module: str, path: str, prefix: str) -> Installed:
    """Return the rules and views of a `urls` module.

    It defines either ``view_groups``, or rules and ``all_views``, whose endpoints already include the prefix. The rules
    come from ``make_rules()``, or else from the map that ``make_url()`` returns.
    """
    urls = import_string(module)
    if hasattr(urls, "view_groups"):
        return Installed(path, prefix, list(urls.view_groups), {})
    rules = (
        urls.make_rules() if hasattr(urls, "make_rules") else [rule.empty() for rule in urls.make_url().iter_rules()]
    )
    return Installed(path, "", [ViewGroup(*rules)], urls.all_views)


T = TypeVar("T")


class KayApp:
    """A WSGI application made from settings and view groups. It includes the views of the INSTALLED_APPS."""

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
        """Add a group's rules below a path, prefixing their endpoints."""
        for factory in group.mounted(path, prefix):
            self.url_map.add(factory)

    def install(self, parts: Installed | None) -> None:
        """Add the rules and views of a `urls` module."""
        if parts is None:
            return
        for group in parts.groups:
            self.add(group, parts.path, parts.prefix)
        for endpoint, view in parts.views.items():
            self.views.add(endpoint, view)

    @lazy
    def templates(self) -> Any:
        """The Jinja environment for templates. Raises ImportError if Jinja is not installed."""
        return load_templates(self.app_settings)

    def view(self, endpoint: Any, view: Named) -> None:
        """Register the view for an endpoint of ``url_map``. It may take any form that ``Rule`` accepts."""
        self.views.add(endpoint, view)

    def provide(self, dependency: Dependency[T], source: Callable[[Any], T]) -> None:
        """Register the source that computes a dependency on first access, replacing any earlier source."""
        self._sources[dependency] = checked(source, self.app_settings) if dependency is Request.user else source

    def get_response(self, request: Request) -> Response:
        """Return the response of the view or the middleware, or the error page of an HTTP exception that they raise.

        Raises LookupError for an endpoint without a view, or TypeError if the result is not a response.
        """
        try:
            adapter = self.url_map.bind_to_environ(request.environ)
        except HTTPException as error:  # the host is malformed
            return self._as_response(error, request)
        token = handled.set(Call(self, request, adapter))
        try:
            response = self._as_response(self._call_view(request, adapter), request)
            return self._as_response(self._middleware.after(request, response), request)
        finally:
            handled.reset(token)

    def _call_view(self, request: Request, adapter: MapAdapter) -> Any:
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
            raise TypeError(f"a result must be a response or a WSGI application, not {answer!r}")
        return self.response_class.force_type(answer, request.environ)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return call_in_own_context(self._respond, environ, start_response)

    def _respond(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if refused := refused_head(environ):
            return refused(environ, start_response)
        provide_all(environ, self._sources)
        with self.request_class(environ) as request:
            return self.get_response(request)(environ, start_response)


def get_application(app_settings: object = "settings") -> KayApp:
    """Return a project's application, made from its settings module and, if it exists, its ROOT_URL_MODULE."""
    app = KayApp(app_settings)
    app.install(of_project(app.app_settings))
    return app
