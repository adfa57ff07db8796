"""The application: a handler of requests over WSGI, ASGI and RSGI."""

import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any, TypeVar
from weakref import ref

from antiphon.dialects.flask import dispatch
from antiphon.dialects.flask.blueprints import open_for_reading
from antiphon.dialects.flask.calling import ApplicationType
from antiphon.dialects.flask.ctx import AppContext, RequestContext
from antiphon.dialects.flask.deferred import deferred
from antiphon.dialects.flask.dispatching import Dispatching
from antiphon.dialects.flask.driving import drive
from antiphon.dialects.flask.globals import g
from antiphon.dialects.flask.linking import Linking
from antiphon.dialects.flask.overriding import OVERRIDABLE, given, overrides_of
from antiphon.dialects.flask.reexports import reexports
from antiphon.dialects.flask.sansio.app import App
from antiphon.dialects.flask.serving import IS_INNER, Served
from antiphon.dialects.flask.serving_files import Files
from antiphon.dialects.flask.wrappers import Request, Response
from antiphon.dialects.werkzeug.datastructures.dicts import ImmutableDict
from antiphon.lazy import lazy

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from antiphon.dialects.flask.cli import AppGroup
    from antiphon.dialects.flask.sessions import SessionInterface
    from antiphon.dialects.flask.templating import Environment
    from antiphon.dialects.flask.testing import FlaskClient, FlaskCliRunner

T = TypeVar("T")


def _session_interface() -> Any:
    from antiphon.dialects.flask.sessions import SecureCookieSessionInterface

    return SecureCookieSessionInterface()


class Flask(Files, Served, Dispatching, Linking, metaclass=ApplicationType):
    """An application with routes, hooks, templates, static files and settings.

    ``import_name`` is that of its module or package: folders are found relative to it, or to ``root_path``. Files in
    ``static_folder`` are served below ``static_url_path``, on ``static_host`` if hosts are matched. With
    ``subdomain_matching`` rules have subdomains of SERVER_NAME, with ``host_matching`` whole hosts. Files that are not
    part of the program lie in ``instance_path``; with ``instance_relative_config`` those of settings do, too.
    """

    default_config = ImmutableDict(
        {
            "DEBUG": None,
            "TESTING": False,
            "PROPAGATE_EXCEPTIONS": None,
            "SECRET_KEY": None,
            "SECRET_KEY_FALLBACKS": None,
            "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
            "USE_X_SENDFILE": False,
            "TRUSTED_HOSTS": None,
            "SERVER_NAME": None,
            "APPLICATION_ROOT": "/",
            "SESSION_COOKIE_NAME": "session",
            "SESSION_COOKIE_DOMAIN": None,
            "SESSION_COOKIE_PATH": None,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SECURE": False,
            "SESSION_COOKIE_PARTITIONED": False,
            "SESSION_COOKIE_SAMESITE": None,
            "SESSION_REFRESH_EACH_REQUEST": True,
            "MAX_CONTENT_LENGTH": None,
            "MAX_FORM_MEMORY_SIZE": 500_000,
            "MAX_FORM_PARTS": 1_000,
            "SEND_FILE_MAX_AGE_DEFAULT": None,
            "TRAP_BAD_REQUEST_ERRORS": None,
            "TRAP_HTTP_EXCEPTIONS": False,
            "EXPLAIN_TEMPLATE_LOADING": False,
            "PREFERRED_URL_SCHEME": "http",
            "TEMPLATES_AUTO_RELOAD": None,
            "MAX_COOKIE_SIZE": 4093,
            "PROVIDE_AUTOMATIC_OPTIONS": True,
        }
    )
    """The settings of an application that sets none."""

    request_class: type[Request] = Request
    """The class of requests."""
    response_class: type[Response] = Response
    """The class of responses."""
    session_interface: "SessionInterface" = deferred(_session_interface)  # type: ignore[assignment]
    """How sessions are opened and saved."""

    def __init__(
        self,
        import_name: str,
        static_url_path: str | None = None,
        static_folder: str | os.PathLike[str] | None = "static",
        static_host: str | None = None,
        host_matching: bool = False,
        subdomain_matching: bool = False,
        template_folder: str | os.PathLike[str] | None = "templates",
        instance_path: str | None = None,
        instance_relative_config: bool = False,
        root_path: str | None = None,
    ) -> None:
        Served.__init__(self)
        App.__init__(
            self, import_name, static_url_path, static_folder, static_host, host_matching, subdomain_matching,
            template_folder, instance_path, instance_relative_config, root_path,
        )  # fmt: skip
        if self.has_static_folder:
            self._add_static_rule(static_host)

    def _add_static_rule(self, static_host: str | None) -> None:
        if bool(static_host) != self.url_map.host_matching:
            raise AssertionError("Invalid static_host/host_matching combination")
        weakly = ref(self)

        def static(filename: str) -> Response:
            return weakly().send_static_file(filename)  # type: ignore[union-attr]  # it is called by the application

        static.__module__, static.__name__ = "flask.app", "<lambda>"  # by which extensions know it
        rule = f"{self.static_url_path}/<path:filename>"
        self.add_url_rule(rule, endpoint="static", host=static_host, view_func=static)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in OVERRIDABLE or name == "session_interface":
            self._forget_overrides()

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._forget_overrides()

    def _forget_overrides(self) -> None:
        for name in ("overrides", "syncs_itself", "session_may_block"):
            vars(self).pop(name, None)

    @lazy
    def overrides(self) -> dict[str, Callable[..., Any]]:
        """The methods that this program replaces: functions of a context and their arguments, for the dispatch."""
        return overrides_of(self, _OWN)

    @lazy
    def syncs_itself(self) -> bool:
        """True if this program replaces how async functions are run. For the dispatch."""
        return "ensure_sync" in self.overrides or "async_to_sync" in self.overrides

    @lazy
    def session_may_block(self) -> bool:
        """True if sessions are kept elsewhere than in the cookie. For the dispatch."""
        from antiphon.dialects.flask.sessions import SecureCookieSessionInterface

        return type(self.session_interface) is not SecureCookieSessionInterface

    @lazy
    def cli(self) -> "AppGroup":  # type: ignore[override]
        """The group of the application's commands."""
        from antiphon.dialects.flask.cli import AppGroup

        return AppGroup(name=self.name)

    # Files and templates

    def open_resource(self, resource: str, mode: str = "rb", encoding: str | None = None) -> IO[Any]:
        """Open a file below ``root_path`` for reading. Raises ValueError for another mode."""
        return open_for_reading(os.path.join(self.root_path, resource), mode, encoding)

    def open_instance_resource(self, resource: str, mode: str = "rb", encoding: str | None = "utf-8") -> IO[Any]:
        """Open a file below ``instance_path``."""
        path = os.path.join(self.instance_path, resource)
        return open(path, mode, encoding=None if "b" in mode else encoding)

    def create_jinja_environment(self) -> "Environment":
        """Return a new Jinja environment, with ``jinja_options``, and with Flask's names for templates."""
        from antiphon.dialects.flask.globals import request, session
        from antiphon.dialects.flask.helpers import get_flashed_messages

        reloads = self.config["TEMPLATES_AUTO_RELOAD"]
        options = {
            "autoescape": self.select_jinja_autoescape,
            "auto_reload": self.debug if reloads is None else reloads,
            **self.jinja_options,
        }
        environment = self.jinja_environment(self, **options)
        environment.globals.update(
            url_for=self.url_for, get_flashed_messages=get_flashed_messages, config=self.config, request=request,
            session=session, g=g,
        )  # fmt: skip
        environment.policies["json.dumps_function"] = self.json.dumps
        return environment

    def update_template_context(self, *args: Any) -> None:
        """Add to the values of a template, a dictionary, those of the context processors, unless it has them."""
        ctx, (context,) = given(args, {})
        original = dict(context)
        names = [None, *reversed(ctx.request.blueprints)] if ctx.has_request else [None]
        for name in names:
            for processor in self.template_context_processors.get(name, ()):
                context.update(self.ensure_sync(processor)())
        context.update(original)

    def make_shell_context(self) -> dict[str, Any]:
        """Return the values for the shell: the application, ``g``, and those of the shell context processors."""
        context: dict[str, Any] = {"app": self, "g": g}
        for processor in self.shell_context_processors:
            context.update(processor())
        return context

    # Programs

    def run(
        self,
        host: str | None = None,
        port: int | None = None,
        debug: bool | None = None,
        load_dotenv: bool = True,
        **options: Any,
    ) -> None:
        """Serve on this machine for development, with reloads and error pages if the application is debugged."""
        from antiphon.dialects.flask.cli.serving import run_app

        run_app(self, host, port, debug, load_dotenv, **options)

    def test_client(self, use_cookies: bool = True, **kwargs: Any) -> "FlaskClient":
        """Return a client that asks the application without a server, of ``test_client_class``."""
        from antiphon.dialects.flask.testing import FlaskClient

        return (self.test_client_class or FlaskClient)(self, self.response_class, use_cookies=use_cookies, **kwargs)

    def test_cli_runner(self, **kwargs: Any) -> "FlaskCliRunner":
        """Return a runner of the application's commands, of ``test_cli_runner_class``."""
        from antiphon.dialects.flask.testing import FlaskCliRunner

        return (self.test_cli_runner_class or FlaskCliRunner)(self, **kwargs)

    # Contexts

    def app_context(self) -> AppContext:
        """Return a context of the application, for a `with` block."""
        return AppContext(self)

    def request_context(self, environ: "WSGIEnvironment") -> AppContext:
        """Return the context of a request, for a `with` block. Subclasses may override it."""
        return RequestContext(self, environ)

    def test_request_context(self, *args: Any, **kwargs: Any) -> AppContext:
        """Return the context of a request that is made of values: see ``EnvironBuilder``."""
        from antiphon.dialects.flask.testing import EnvironBuilder

        builder = EnvironBuilder(self, *args, **kwargs)
        try:
            return self.request_context(builder.get_environ())
        finally:
            builder.close()

    # Serving

    def wsgi_app(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a WSGI server. May be replaced by a WSGI application around it."""
        ctx = self.request_context(environ)
        error: BaseException | None = None
        try:
            try:
                ctx.push()
                response = drive(ctx, dispatch.step(ctx, dispatch.full_dispatch_request))
            except Exception as raised:
                error = raised
                response = drive(ctx, dispatch.step(ctx, dispatch.handle_exception, raised))
            except BaseException as raised:
                error = raised
                raise
            return response(environ, start_response)
        finally:
            if "werkzeug.debug.preserve_context" in environ:
                environ["werkzeug.debug.preserve_context"](ctx)
            ctx.pop(None if error is not None and self.should_ignore_error(error) else error)

    def __call__(self, head: Any, second: Any, send: Any = None, /) -> Any:
        """Answer a WSGI server by ``wsgi_app``, or an ASGI server."""
        if send is not None:
            return super().__call__(head, second, send)
        if self._is_direct or IS_INNER in head:
            return self.wsgi_app(head, second)
        return self._serve_wsgi(head, second)


_OWN: dict[str, Any] = {name: getattr(Flask, name) for name in (*OVERRIDABLE, "__call__")}
"""The methods as they are here, even if a program replaces those of the class."""


if not TYPE_CHECKING:
    __getattr__ = reexports(__name__)
