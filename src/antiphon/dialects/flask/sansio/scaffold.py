"""The base class of applications and blueprints: their folders, and registration of routes, hooks and handlers."""

import os
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.dialects.flask.globals import current_app
from antiphon.dialects.flask.helpers import find_package, get_root_path, send_from_directory  # noqa: F401 - Flask has find_package here
from antiphon.dialects.werkzeug.exceptions.base import HTTPException
from antiphon.dialects.werkzeug.exceptions.statuses import default_exceptions
from antiphon.embedding import lazy

if TYPE_CHECKING:
    from click import Group
    from jinja2 import BaseLoader

    from antiphon.dialects.flask.wrappers import Response

F = TypeVar("F", bound=Callable[..., Any])

Key = str | None
"""A blueprint's name, or None for the application."""

_sentinel: Any = object()


def setupmethod(f: F) -> F:
    """Make a method raise an error after the first request, since some requests would miss its effect."""
    name = f.__name__

    @wraps(f)
    def checked(self: "Scaffold", *args: Any, **kwargs: Any) -> Any:
        self._check_setup_finished(name)
        return f(self, *args, **kwargs)

    return checked  # type: ignore[return-value]  # called like the method


class Scaffold:
    """Routes, hooks and handlers. Folders are located relative to the module or package ``import_name``."""

    if TYPE_CHECKING:
        cli: Group
        name: Any

    _static_folder: str | None = None
    _static_url_path: str | None = None

    def __init__(
        self,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        root_path: str | None = None,
    ) -> None:
        self.import_name = import_name
        self.static_folder = static_folder
        self.static_url_path = static_url_path
        self.template_folder = template_folder
        self.root_path = get_root_path(import_name) if root_path is None else root_path
        self.view_functions: dict[str, Callable[..., Any]] = {}
        self.error_handler_spec: dict[Key, dict[int | None, dict[type[Exception], Callable[..., Any]]]] = defaultdict(
            _handlers
        )
        self.before_request_funcs: dict[Key, list[Callable[..., Any]]] = defaultdict(list)
        self.after_request_funcs: dict[Key, list[Callable[..., Any]]] = defaultdict(list)
        self.teardown_request_funcs: dict[Key, list[Callable[..., Any]]] = defaultdict(list)
        self.template_context_processors: dict[Key, list[Callable[..., Any]]] = defaultdict(list)
        self.template_context_processors[None] = [_default_context]
        self.url_value_preprocessors: dict[Key, list[Callable[..., Any]]] = defaultdict(list)
        self.url_default_functions: dict[Key, list[Callable[..., Any]]] = defaultdict(list)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def _check_setup_finished(self, f_name: str) -> None:
        raise NotImplementedError

    # Folders

    @property
    def static_folder(self) -> str | None:
        """The absolute path of the folder for static files; None if there is none."""
        return None if self._static_folder is None else os.path.join(self.root_path, self._static_folder)

    @static_folder.setter
    def static_folder(self, value: str | os.PathLike[str] | None) -> None:
        self._static_folder = None if value is None else os.fspath(value).rstrip("\\/")

    @property
    def has_static_folder(self) -> bool:
        """True if a folder for static files is set. It need not exist yet."""
        return self.static_folder is not None

    @property
    def static_url_path(self) -> str | None:
        """The path below which static files are served. By default, it is named after their folder."""
        if self._static_url_path is not None:
            return self._static_url_path
        folder = self.static_folder
        return None if folder is None else f"/{os.path.basename(folder)}".rstrip("/")

    @static_url_path.setter
    def static_url_path(self, value: str | None) -> None:
        self._static_url_path = None if value is None else value.rstrip("/")

    @lazy
    def jinja_loader(self) -> "BaseLoader | None":
        """The loader for the templates in ``template_folder``; None if it is not set."""
        if self.template_folder is None:
            return None
        from jinja2 import FileSystemLoader

        return FileSystemLoader(os.path.join(self.root_path, self.template_folder))

    def get_send_file_max_age(self, filename: str | None) -> int | None:  # noqa: ARG002 - for subclasses
        """Return how many seconds clients may cache a file without revalidating it (SEND_FILE_MAX_AGE_DEFAULT)."""
        age: timedelta | int | None = current_app.config["SEND_FILE_MAX_AGE_DEFAULT"]
        return int(age.total_seconds()) if isinstance(age, timedelta) else age

    def send_static_file(self, filename: str) -> "Response":
        """Return a response with a file from ``static_folder``. This is the view for static files.

        Raises RuntimeError if there is no such folder.
        """
        if not self.has_static_folder:
            raise RuntimeError("'static_folder' must be set to serve static_files.")
        return send_from_directory(str(self.static_folder), filename, max_age=self.get_send_file_max_age(filename))

    send_static_file.__module__ = "flask.blueprints"  # extensions expect these names for a blueprint's view

    # Routes

    def _method_route(self, method: str, rule: str, options: dict[str, Any]) -> Callable[[F], F]:
        if "methods" in options:
            raise TypeError(
                f"Use the 'route' decorator to use the 'methods' argument: {method.lower()}() registers {method}."
            )
        return self.route(rule, methods=[method], **options)

    @setupmethod
    def get(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Register a view for GET. Usable as a decorator."""
        return self._method_route("GET", rule, options)

    @setupmethod
    def post(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Register a view for POST. Usable as a decorator."""
        return self._method_route("POST", rule, options)

    @setupmethod
    def put(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Register a view for PUT. Usable as a decorator."""
        return self._method_route("PUT", rule, options)

    @setupmethod
    def delete(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Register a view for DELETE. Usable as a decorator."""
        return self._method_route("DELETE", rule, options)

    @setupmethod
    def patch(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Register a view for PATCH. Usable as a decorator."""
        return self._method_route("PATCH", rule, options)

    @setupmethod
    def route(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Register a view: see ``add_url_rule``. Usable as a decorator."""

        def register(f: F) -> F:
            endpoint = options.pop("endpoint", None)
            self.add_url_rule(rule, endpoint, f, **options)
            return f

        return register

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a rule and its endpoint's view. ``options`` are passed to ``Rule``."""
        raise NotImplementedError

    @setupmethod
    def websocket(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Register a WebSocket view, as Quart does: see ``add_websocket``. Usable as a decorator."""

        def register(f: F) -> F:
            self.add_websocket(rule, options.pop("endpoint", None), f, **options)
            return f

        return register

    @setupmethod
    def add_websocket(
        self, rule: str, endpoint: str | None = None, view_func: Callable[..., Any] | None = None, **options: Any
    ) -> None:
        """Register a rule for WebSockets and its view, which communicates through ``flask.websocket``."""
        from antiphon.dialects.flask.websockets import socket_view

        view = None if view_func is None else socket_view(view_func)
        self.add_url_rule(rule, endpoint, view, provide_automatic_options=False, websocket=True, **options)

    @setupmethod
    def endpoint(self, endpoint: str) -> Callable[[F], F]:
        """Register the view for an endpoint whose rule is added elsewhere. Usable as a decorator."""

        def register(f: F) -> F:
            self.view_functions[endpoint] = f
            return f

        return register

    # Hooks

    @setupmethod
    def before_request(self, f: F) -> F:
        """Register a function to call before each request. If it returns a response, the view is not called."""
        self.before_request_funcs[None].append(f)
        return f

    @setupmethod
    def after_request(self, f: F) -> F:
        """Register a function that receives the response and returns the one to send. The last one runs first."""
        self.after_request_funcs[None].append(f)
        return f

    @setupmethod
    def teardown_request(self, f: F) -> F:
        """Register a function to call at the end of each request. It gets the unhandled error, or None."""
        self.teardown_request_funcs[None].append(f)
        return f

    @setupmethod
    def context_processor(self, f: F) -> F:
        self.template_context_processors[None].append(f)
        return f

    @setupmethod
    def url_value_preprocessor(self, f: F) -> F:
        """Register a function that receives each request's endpoint and path values, and may change the values."""
        self.url_value_preprocessors[None].append(f)
        return f

    @setupmethod
    def url_defaults(self, f: F) -> F:
        """Register a function that receives the endpoint and values of each URL to build, and may change the values."""
        self.url_default_functions[None].append(f)
        return f

    # Error handlers

    @setupmethod
    def errorhandler(self, code_or_exception: type[Exception] | int) -> Callable[[F], F]:
        """Register a handler for a status or a class of errors. Usable as a decorator."""

        def register(f: F) -> F:
            self.register_error_handler(code_or_exception, f)
            return f

        return register

    @setupmethod
    def register_error_handler(self, code_or_exception: type[Exception] | int, f: Callable[..., Any]) -> None:
        exc_class, code = self._get_exc_class_and_code(code_or_exception)
        self.error_handler_spec[None][code][exc_class] = f

    @staticmethod
    def _get_exc_class_and_code(exc_class_or_code: type[Exception] | int) -> tuple[type[Exception], int | None]:
        """Return the class for a handler and, if that class has one, the status."""
        if isinstance(exc_class_or_code, int):
            if exc_class_or_code not in default_exceptions:
                raise ValueError(
                    f"'{exc_class_or_code}' is not a recognized HTTP error code. Use a subclass of HTTPException"
                    " with that code instead."
                )
            return default_exceptions[exc_class_or_code], exc_class_or_code
        kind: Any = exc_class_or_code
        if isinstance(kind, Exception):
            raise TypeError(
                f"{kind!r} is an instance, not a class. Handlers can only be registered for Exception classes or HTTP"
                " error codes."
            )
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            name = getattr(kind, "__name__", kind)
            raise ValueError(
                f"'{name}' is not a subclass of Exception. Handlers can only be registered for Exception classes or"
                " HTTP error codes."
            )
        return kind, kind.code if issubclass(kind, HTTPException) else None


def _handlers() -> dict[int | None, dict[type[Exception], Callable[..., Any]]]:
    return defaultdict(dict)


def _default_context() -> dict[str, Any]:
    from antiphon.dialects.flask.templating import _default_template_ctx_processor

    return _default_template_ctx_processor()


def _endpoint_from_view_func(view_func: Callable[..., Any] | None) -> str:
    """Return the name of a view, the default endpoint of its rule."""
    if view_func is None:
        raise AssertionError("expected view func if endpoint is not provided.")
    return view_func.__name__


def _named(add: Callable[..., None], name: Any) -> Callable[[F], F]:
    """Return a decorator that uses a name. If the name is really a function, decorate it right away."""
    if callable(name):
        add(name)
        return name  # type: ignore[no-any-return]  # as the decorator of a function would

    def register(f: F) -> F:
        add(f, name=name)
        return f

    return register
