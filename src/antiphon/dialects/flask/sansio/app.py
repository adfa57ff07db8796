"""The application without request handling: its settings, rules and registrations."""

import os
import sys
from collections.abc import Callable, Mapping, ValuesView
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.dialects.flask.config import Config, ConfigAttribute
from antiphon.dialects.flask.ctx import _AppCtxGlobals
from antiphon.dialects.flask.helpers import find_package, get_debug_flag, parents_of
from antiphon.dialects.flask.imports import deferred
from antiphon.dialects.flask.sansio.scaffold import Scaffold, _endpoint_from_view_func, _named, setupmethod
from antiphon.dialects.werkzeug.exceptions.base import BadRequest, BadRequestKeyError
from antiphon.dialects.werkzeug.exceptions.statuses import Aborter
from antiphon.dialects.werkzeug.routing.exceptions import BuildError
from antiphon.dialects.werkzeug.routing.map import Map
from antiphon.dialects.werkzeug.routing.rules import Rule
from antiphon.embedding import describe, lazy

if TYPE_CHECKING:
    import logging

    from antiphon.dialects.flask.json.provider import JSONProvider
    from antiphon.dialects.flask.sansio.blueprints import Blueprint
    from antiphon.dialects.flask.templating import DispatchingJinjaLoader, Environment
    from antiphon.dialects.flask.testing import FlaskClient, FlaskCliRunner
    from antiphon.dialects.flask.wrappers import Response

F = TypeVar("F", bound=Callable[..., Any])


def _environment() -> Any:
    from antiphon.dialects.flask.templating import Environment

    return Environment


def _json_provider() -> Any:
    from antiphon.dialects.flask.json.provider import DefaultJSONProvider

    return DefaultJSONProvider


def _as_timedelta(value: Any) -> Any:
    return value if value is None or isinstance(value, timedelta) else timedelta(seconds=value)


class App(Scaffold):
    """An application: see ``Flask``."""

    aborter_class: type[Aborter] = Aborter
    """The class of ``aborter``."""
    jinja_environment: "type[Environment]" = deferred(_environment)
    """The class of ``jinja_env``."""
    app_ctx_globals_class: type[Any] = _AppCtxGlobals
    """The class of ``g``."""
    config_class: type[Config] = Config
    """The class of ``config``."""
    json_provider_class: "type[JSONProvider]" = deferred(_json_provider)
    """The class of ``json``."""
    url_rule_class: type[Rule] = Rule
    """The class of URL rules."""
    url_map_class: type[Map] = Map
    """The class of ``url_map``."""
    test_client_class: "type[FlaskClient] | None" = None
    """The class of ``test_client()``'s result; None means FlaskClient."""
    test_cli_runner_class: "type[FlaskCliRunner] | None" = None
    """The class of ``test_cli_runner()``'s result; None means FlaskCliRunner."""
    jinja_options: dict[str, Any] = {}  # noqa: RUF012 - subclasses replace it
    """Arguments for the Jinja environment."""
    default_config: Mapping[str, Any] = MappingProxyType({})
    """The default settings of applications."""
    response_class: "type[Response]"
    """The class of responses."""

    testing = ConfigAttribute[bool]("TESTING")
    """True if errors are raised in tests rather than shown to the client."""
    secret_key = ConfigAttribute[str | bytes | None]("SECRET_KEY")
    """The key that signs cookies."""
    permanent_session_lifetime = ConfigAttribute[timedelta]("PERMANENT_SESSION_LIFETIME", _as_timedelta)
    """The lifetime of a permanent session."""

    def __init__(
        self,
        import_name: str,
        static_url_path: str | None = None,
        static_folder: str | os.PathLike[str] | None = "static",
        static_host: str | None = None,  # noqa: ARG002 - for subclasses
        host_matching: bool = False,
        subdomain_matching: bool = False,
        template_folder: str | os.PathLike[str] | None = "templates",
        instance_path: str | None = None,
        instance_relative_config: bool = False,
        root_path: str | None = None,
    ) -> None:
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        if instance_path is None:
            instance_path = self.auto_find_instance_path()
        elif not os.path.isabs(instance_path):
            raise ValueError(
                "If an instance path is provided it must be absolute. A relative path was given instead:"
                f" {instance_path!r}"
            )
        self.instance_path = instance_path
        self.config = self.make_config(instance_relative_config)
        self.aborter = self.make_aborter()
        self.json = self.json_provider_class(self)
        self.url_build_error_handlers: list[Callable[[Exception, str, dict[str, Any]], str]] = []
        self.teardown_appcontext_funcs: list[Callable[..., Any]] = []
        self.shell_context_processors: list[Callable[[], dict[str, Any]]] = []
        self.blueprints: dict[str, Blueprint] = {}
        self.extensions: dict[str, Any] = {}
        self.url_map = self.url_map_class(host_matching=host_matching)
        self.subdomain_matching = subdomain_matching
        self._got_first_request = False

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_first_request:
            raise AssertionError(
                f"The setup method '{f_name}' can no longer be called on the application. It has already handled its"
                " first request, any changes will not be applied consistently.\nMake sure all imports, decorators,"
                " functions, etc. needed to set up the application are done before running it."
            )

    @lazy
    def name(self) -> str:
        """The import name or, if that is `__main__`, the name of the program's file."""
        if self.import_name != "__main__":
            return self.import_name
        file: str | None = getattr(sys.modules["__main__"], "__file__", None)
        return "__main__" if file is None else os.path.splitext(os.path.basename(file))[0]

    @lazy
    def logger(self) -> "logging.Logger":
        from antiphon.dialects.flask.logging import create_logger

        return create_logger(self)

    @lazy
    def jinja_env(self) -> "Environment":
        """The Jinja environment, created on first use."""
        return self.create_jinja_environment()

    def create_jinja_environment(self) -> "Environment":
        raise NotImplementedError

    def make_config(self, instance_relative: bool = False) -> "Config":
        """Return the configuration. Its file paths are relative to the application or to its instance folder."""
        defaults = {**self.default_config, "DEBUG": get_debug_flag()}
        return self.config_class(self.instance_path if instance_relative else self.root_path, defaults)

    def make_aborter(self) -> Aborter:
        """Return the function that raises HTTP exceptions for ``abort``."""
        return self.aborter_class()

    def auto_find_instance_path(self) -> str:
        """Return the path of the instance folder: next to the application, or below its installation prefix."""
        prefix, folder = find_package(self.import_name)
        return (
            os.path.join(folder, "instance") if prefix is None else os.path.join(prefix, "var", f"{self.name}-instance")
        )

    def create_global_jinja_loader(self) -> "DispatchingJinjaLoader":
        """Return the loader for the templates of the application and its blueprints."""
        from antiphon.dialects.flask.templating import DispatchingJinjaLoader

        return DispatchingJinjaLoader(self)

    def select_jinja_autoescape(self, filename: str | None) -> bool:
        """Return True if values are escaped in a template, as in HTML and XML templates and unnamed strings."""
        return filename is None or filename.endswith((".html", ".htm", ".xml", ".xhtml", ".svg"))

    @property
    def debug(self) -> bool:
        debug: bool = self.config["DEBUG"]
        return debug

    @debug.setter
    def debug(self, value: bool) -> None:
        self.config["DEBUG"] = value
        if self.config["TEMPLATES_AUTO_RELOAD"] is None and "jinja_env" in self.__dict__:
            self.jinja_env.auto_reload = value

    # Registration

    @setupmethod
    def register_blueprint(self, blueprint: "Blueprint", **options: Any) -> None:
        """Add a blueprint's routes, hooks and handlers. ``options`` override the blueprint's own."""
        blueprint.register(self, options)

    def iter_blueprints(self) -> "ValuesView[Blueprint]":
        """Return the blueprints in the order of registration."""
        return self.blueprints.values()

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a rule and its endpoint's view. By default, the endpoint is named after the view.

        ``options`` are passed to ``Rule``; ``methods`` defaults to GET. OPTIONS is handled automatically unless the
        rule includes it or ``provide_automatic_options`` is False. Raises AssertionError if the endpoint already has
        another view.
        """
        endpoint = _endpoint_from_view_func(view_func) if endpoint is None else endpoint
        methods = options.pop("methods", None)
        if methods is None:
            methods = getattr(view_func, "methods", None) or ("GET",)
        if isinstance(methods, str):
            raise TypeError(
                f'Allowed methods must be a list of strings, for example: @app.route({rule!r}, methods=["POST"])'
            )
        methods = {method.upper() for method in methods}
        if provide_automatic_options is None:
            provide_automatic_options = getattr(view_func, "provide_automatic_options", None)
        required: set[str] = set(getattr(view_func, "required_methods", ()))
        if provide_automatic_options is None:
            provide_automatic_options = "OPTIONS" not in methods and self.config["PROVIDE_AUTOMATIC_OPTIONS"]
            if provide_automatic_options:
                required.add("OPTIONS")
        added: Any = self.url_rule_class(rule, methods=methods | required, endpoint=endpoint, **options)
        added.provide_automatic_options = bool(provide_automatic_options)
        self.url_map.add(added)
        if view_func is not None:
            if self.view_functions.get(endpoint, view_func) != view_func:
                raise AssertionError(
                    f"View function mapping is overwriting an existing endpoint function: {endpoint}, of"
                    f" {describe(self.view_functions[endpoint])}. Give {describe(view_func)} another endpoint='...'."
                )
            self.view_functions[endpoint] = view_func

    @setupmethod
    def template_filter(self, name: Any = None) -> Callable[[F], F]:
        """Register a template filter. Usable as a decorator, with or without a name."""
        return _named(self.add_template_filter, name)

    @setupmethod
    def add_template_filter(self, f: Callable[..., Any], name: str | None = None) -> None:
        self.jinja_env.filters[name or f.__name__] = f

    @setupmethod
    def template_test(self, name: Any = None) -> Callable[[F], F]:
        """Register a template test. Usable as a decorator, with or without a name."""
        return _named(self.add_template_test, name)

    @setupmethod
    def add_template_test(self, f: Callable[..., bool], name: str | None = None) -> None:
        self.jinja_env.tests[name or f.__name__] = f

    @setupmethod
    def template_global(self, name: Any = None) -> Callable[[F], F]:
        """Register a function that templates can call. Usable as a decorator, with or without a name."""
        return _named(self.add_template_global, name)

    @setupmethod
    def add_template_global(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Register a function that templates can call."""
        self.jinja_env.globals[name or f.__name__] = f

    @setupmethod
    def teardown_appcontext(self, f: F) -> F:
        """Register a function to call at the end of each context. It gets the unhandled error, or None."""
        self.teardown_appcontext_funcs.append(f)
        return f

    @setupmethod
    def shell_context_processor(self, f: F) -> F:
        """Register a function that returns names to add to the shell."""
        self.shell_context_processors.append(f)
        return f

    # Errors

    def _find_error_handler(self, e: Exception, blueprints: list[str]) -> Callable[..., Any] | None:
        """Find an error's handler: by status first, then the innermost blueprint, then the closest class."""
        exc_class, code = self._get_exc_class_and_code(type(e))
        spec = self.error_handler_spec
        for wanted in (None,) if code is None else (code, None):
            for name in (*blueprints, None):
                handlers = spec[name].get(wanted) if name in spec else None
                for base in exc_class.__mro__ if handlers else ():
                    if (handler := handlers.get(base)) is not None:  # type: ignore[union-attr]
                        return handler
        return None

    def trap_http_exception(self, e: Exception) -> bool:
        """Return True if an HTTP exception is treated like any other error (TRAP_HTTP_EXCEPTIONS)."""
        if self.config["TRAP_HTTP_EXCEPTIONS"]:
            return True
        traps_bad_requests = self.config["TRAP_BAD_REQUEST_ERRORS"]
        if traps_bad_requests is None and self.debug and isinstance(e, BadRequestKeyError):
            return True
        return bool(traps_bad_requests) and isinstance(e, BadRequest)

    def should_ignore_error(self, error: BaseException | None) -> bool:  # noqa: ARG002 - for subclasses
        """Return True if an error should not be passed to teardown functions."""
        return False

    # URLs

    def redirect(self, location: str, code: int = 302) -> "Response":
        from antiphon.dialects.werkzeug.utils import redirect

        response: Response = redirect(location, code, self.response_class)  # type: ignore[assignment]
        return response

    def inject_url_defaults(self, endpoint: str, values: dict[str, Any]) -> None:
        """Call the ``url_defaults`` functions, which may change a URL's values, the application's own first."""
        names: list[str | None] = [None]
        if "." in endpoint:
            names += reversed(parents_of(endpoint.rpartition(".")[0]))
        for name in names:
            if name in self.url_default_functions:
                for function in self.url_default_functions[name]:
                    function(endpoint, values)

    def handle_url_build_error(self, error: BuildError, endpoint: str, values: dict[str, Any]) -> str:
        """Return the first URL that one of ``url_build_error_handlers`` returns. Raises the last BuildError."""
        for handler in self.url_build_error_handlers:
            try:
                url = handler(error, endpoint, values)
            except BuildError as another:
                error = another
            else:
                if url is not None:
                    return url
        raise error
