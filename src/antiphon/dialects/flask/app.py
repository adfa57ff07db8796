"""The application, which handles requests over WSGI, ASGI and RSGI."""

import os
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import IO, TYPE_CHECKING, Any, Literal, TypeVar
from weakref import ref

from antiphon.dialects._environ.applications import OUTER, EnvironApplication
from antiphon.dialects.flask import dispatch, helpers, servers, teardown
from antiphon.dialects.flask.blueprints import open_for_reading
from antiphon.dialects.flask.bodies import NativeBody
from antiphon.dialects.flask.config import DEFAULTS
from antiphon.dialects.flask.ctx import AppContext, RequestContext
from antiphon.dialects.flask.dispatch import OVERRIDABLE, given, made_response, overrides_of
from antiphon.dialects.flask.globals import PRESERVE, g
from antiphon.dialects.flask.imports import deferred, reexports
from antiphon.dialects.flask.running import async_to_sync, drive
from antiphon.dialects.flask.sansio.app import App
from antiphon.dialects.flask.wrappers import Request, Response
from antiphon.dialects.werkzeug.routing.exceptions import RequestRedirect
from antiphon.embedding import RequestState, call_in_own_context, lazy
from antiphon.http import HTTPError
from antiphon.http.limits import UNBOUNDED

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from antiphon import Request as NativeRequest
    from antiphon import Response as NativeResponse
    from antiphon.dialects.flask.cli import AppGroup
    from antiphon.dialects.flask.sessions import SessionInterface
    from antiphon.dialects.flask.templating import Environment
    from antiphon.dialects.flask.testing import FlaskClient, FlaskCliRunner
    from antiphon.dialects.flask.websockets import SocketViews
    from antiphon.dialects.werkzeug.routing.adapter import MapAdapter
    from antiphon.embedding import DescribedApp, ForeignSockets

T = TypeVar("T")


def _session_interface() -> Any:
    from antiphon.dialects.flask.sessions import SecureCookieSessionInterface

    return SecureCookieSessionInterface()


class Flask(App, EnvironApplication):
    """An application with routes, hooks, templates, static files and settings.

    ``import_name`` is the name of its module or package. Folders are located relative to it, or to ``root_path``. Files
    in ``static_folder`` are served below ``static_url_path``, and on ``static_host`` if hosts are matched. Rules
    specify subdomains of SERVER_NAME with ``subdomain_matching``, or full hosts with ``host_matching``.
    ``instance_path`` is the folder for files that are not part of the program. With ``instance_relative_config``, paths
    of settings files are relative to it.
    """

    default_config = DEFAULTS
    """The default settings of applications."""
    request_class: type[Request] = Request
    """The request class."""
    response_class: type[Response] = Response
    """The response class."""
    session_interface: "SessionInterface" = deferred(_session_interface)
    """The object that opens and saves sessions."""
    input_class = NativeBody
    """The class of ``wsgi.input`` for a body that is received as it is read."""
    request_limits = UNBOUNDED
    """The limits for request heads. Each request limits its own body: see ``max_content_length``."""

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
        EnvironApplication.__init__(self)
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
            return weakly().send_static_file(filename)  # type: ignore[union-attr]  # only the application calls it

        static.__module__, static.__name__ = "flask.app", "<lambda>"  # extensions expect these names
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
        """The overridden methods, as functions of a context and their arguments. Used by the dispatcher."""
        return overrides_of(self, _OWN)

    @lazy
    def syncs_itself(self) -> bool:
        """True if the program overrides how async functions are run. Used by the dispatcher."""
        return "ensure_sync" in self.overrides or "async_to_sync" in self.overrides

    @lazy
    def session_may_block(self) -> bool:
        """True if sessions are stored anywhere but in the cookie. Used by the dispatcher."""
        from antiphon.dialects.flask.sessions import SecureCookieSessionInterface

        return type(self.session_interface) is not SecureCookieSessionInterface

    @lazy
    def cli(self) -> "AppGroup":  # type: ignore[override]
        """The application's command group."""
        from antiphon.dialects.flask.cli import AppGroup

        return AppGroup(name=self.name)

    # Files and templates

    def open_resource(self, resource: str, mode: str = "rb", encoding: str | None = None) -> IO[Any]:
        """Open a file below ``root_path`` for reading. Raises ValueError for any other mode."""
        return open_for_reading(os.path.join(self.root_path, resource), mode, encoding)

    def open_instance_resource(self, resource: str, mode: str = "rb", encoding: str | None = "utf-8") -> IO[Any]:
        """Open a file below ``instance_path``."""
        path = os.path.join(self.instance_path, resource)
        return open(path, mode, encoding=None if "b" in mode else encoding)

    def create_jinja_environment(self) -> "Environment":
        """Return a new Jinja environment with ``jinja_options`` and Flask's template globals."""
        from antiphon.dialects.flask.templating import create_environment

        return create_environment(self)

    def update_template_context(self, *args: Any) -> None:
        """Add the context processors' values to a dictionary of template variables, without replacing any."""
        ctx, (context,) = given(args, {})
        original = dict(context)
        names = [None, *reversed(ctx.request.blueprints)] if ctx.has_request else [None]
        for name in names:
            for processor in self.template_context_processors.get(name, ()):
                context.update(self.ensure_sync(processor)())
        context.update(original)

    def make_shell_context(self) -> dict[str, Any]:
        """Return the shell's names: the application, ``g``, and the results of the shell context processors."""
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
        """Serve on this machine for development. In debug mode, code is reloaded and errors get a page."""
        from antiphon.dialects.flask.cli.commands import run_app

        run_app(self, host, port, debug, load_dotenv, **options)

    def test_client(self, use_cookies: bool = True, **kwargs: Any) -> "FlaskClient":
        """Return a ``test_client_class`` instance that calls the application without a server."""
        from antiphon.dialects.flask.testing import FlaskClient

        return (self.test_client_class or FlaskClient)(self, self.response_class, use_cookies=use_cookies, **kwargs)

    def test_cli_runner(self, **kwargs: Any) -> "FlaskCliRunner":
        """Return a ``test_cli_runner_class`` instance for the application's commands."""
        from antiphon.dialects.flask.testing import FlaskCliRunner

        return (self.test_cli_runner_class or FlaskCliRunner)(self, **kwargs)

    # Contexts

    def app_context(self) -> AppContext:
        return AppContext(self)

    def request_context(self, environ: "WSGIEnvironment") -> AppContext:
        """Return a request's context for a `with` block. Subclasses may override it."""
        return RequestContext(self, environ)

    def test_request_context(self, *args: Any, **kwargs: Any) -> AppContext:
        """Return the context of a request made from the given values: see ``EnvironBuilder``."""
        from antiphon.dialects.flask.testing import EnvironBuilder

        builder = EnvironBuilder(self, *args, **kwargs)
        try:
            return self.request_context(builder.get_environ())
        finally:
            builder.close()

    # URLs

    def create_url_adapter(self, request: "Request | None") -> "MapAdapter | None":
        """Return the rules bound to a request, or to SERVER_NAME; None if there is neither.

        Raises SecurityError if the host is not in TRUSTED_HOSTS.
        """
        config = self.config
        server_name = config["SERVER_NAME"]
        if request is None:
            if server_name is None:
                return None
            return self.url_map.bind(
                server_name, script_name=config["APPLICATION_ROOT"], url_scheme=config["PREFERRED_URL_SCHEME"]
            )
        if (trusted := config["TRUSTED_HOSTS"]) is not None:
            request.trusted_hosts = trusted
        if request.trusted_hosts is not None:
            request.host  # noqa: B018 - reading the host checks it
        if self.url_map.host_matching:
            return self.url_map.bind_to_environ(request.environ)
        subdomain = None if self.subdomain_matching else self.url_map.default_subdomain or ""
        return self.url_map.bind_to_environ(request.environ, server_name=server_name, subdomain=subdomain)

    def described_api(self) -> "DescribedApp":
        """Return the routes, and the meaning of Flask's names, for API documents."""
        from antiphon.dialects.flask.api_description import described

        return described(self)

    def url_for(
        self,
        /,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **values: Any,
    ) -> str:
        """Return an endpoint's URL: a path during a request, unless ``_external`` or ``_scheme`` asks for a full URL.

        An endpoint that starts with a dot belongs to the current blueprint. Raises BuildError for an unknown endpoint,
        RuntimeError outside of a request if SERVER_NAME is not set, or ValueError for a ``_scheme`` with a path.
        """
        return helpers.url_of(self, endpoint, values, _anchor, _method, _scheme, _external)

    # Steps of the dispatch: each method runs the step of the same name. The context is an optional first argument.

    def full_dispatch_request(self, *args: Any, **named: Any) -> "Response":
        """Return the response to the current request. Raises errors that have no error handler."""
        ctx, _ = given(args, named)
        return drive(ctx, dispatch.full_dispatch_request(ctx))

    def preprocess_request(self, *args: Any, **named: Any) -> Any:
        """Call the before-request functions until one returns a response. Return that response, or None."""
        ctx, _ = given(args, named)
        return drive(ctx, dispatch.preprocess_request(ctx))

    def dispatch_request(self, *args: Any, **named: Any) -> Any:
        """Return the view's result. Raises the routing exception if the request matches no view."""
        ctx, _ = given(args, named)
        return drive(ctx, dispatch.dispatch_request(ctx))

    def process_response(self, *args: Any, **named: Any) -> "Response":
        """Call the after-request functions, save the session, and return the response."""
        ctx, (response,) = given(args, named)
        return drive(ctx, dispatch.process_response(ctx, response))

    def finalize_request(self, *args: Any, **named: Any) -> "Response":
        """Make a response from a view's result, call the after-request functions, and return the response."""
        ctx, rest = given(args, named)
        return drive(ctx, dispatch.finalize_request(ctx, *rest))

    def handle_exception(self, *args: Any, **named: Any) -> "Response":
        """Return the response to an unhandled error. Raises the error instead if errors should propagate."""
        ctx, (error,) = given(args, named)
        return drive(ctx, dispatch.handle_exception(ctx, error))

    def handle_user_exception(self, *args: Any, **named: Any) -> Any:
        """Return the error handler's result, or the HTTP exception itself. Raises an error that has no handler."""
        ctx, (error,) = given(args, named)
        return drive(ctx, dispatch.handle_user_exception(ctx, error))

    def handle_http_exception(self, *args: Any, **named: Any) -> Any:
        """Return the result of an HTTP exception's error handler, or the exception itself."""
        ctx, (error,) = given(args, named)
        return drive(ctx, dispatch.handle_http_exception(ctx, error))

    def do_teardown_request(self, *args: Any, **named: Any) -> None:
        """Call the teardown functions of the current request. They get the current error by default."""
        ctx, rest = given(args, named)
        teardown.run(ctx, teardown.do_teardown_request, *rest or [sys.exc_info()[1]])

    def do_teardown_appcontext(self, *args: Any, **named: Any) -> None:
        """Call the teardown functions of the current context. They get the current error by default."""
        ctx, rest = given(args, named)
        teardown.run(ctx, teardown.do_teardown_appcontext, *rest or [sys.exc_info()[1]])

    def log_exception(self, *args: Any, **named: Any) -> None:
        """Log an unhandled error, given as ``sys.exc_info()``."""
        ctx, (exc_info,) = given(args, named)
        self.logger.error(f"Exception on {ctx.request.path} [{ctx.request.method}]", exc_info=exc_info)

    def make_default_options_response(self, *args: Any, **named: Any) -> "Response":
        """Return the response to OPTIONS, with the methods of the rules that match the path."""
        ctx, _ = given(args, named)
        adapter = ctx.request_adapter
        response = self.response_class()
        response.allow.update(adapter.allowed_methods())
        return response

    def raise_routing_exception(self, request: "Request") -> None:
        """Raise the routing exception. In debug mode, raise an explanatory error if a form would be redirected."""
        error: Any = request.routing_exception
        loses_body = isinstance(error, RequestRedirect) and error.code not in {307, 308}
        if self.debug and loses_body and request.method not in {"GET", "HEAD", "OPTIONS"}:
            from antiphon.dialects.flask.debughelpers import FormDataRoutingRedirect

            raise FormDataRoutingRedirect(request)
        raise error

    def make_response(self, rv: Any) -> "Response":
        """Make a response from a view's result.

        Text, bytes and iterators become the body; a dict or list becomes JSON. Other responses and WSGI applications
        become a ``response_class``. A tuple is a body with a status, with headers, or with both. Raises TypeError for
        anything else.
        """
        return made_response(self, rv)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a plain function that waits for a coroutine function's result. Return other functions unchanged."""
        return self.async_to_sync(func) if dispatch.waits(func) else func

    def async_to_sync(self, func: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., T]:
        """Return a plain function that runs a coroutine function on the request's loop and waits for its result."""
        return async_to_sync(func)

    # Serving

    def wsgi_app(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a WSGI request. Programs may replace it with a WSGI application that wraps it."""
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
            if PRESERVE in environ:
                for each in (ctx.host, ctx):
                    if each is not None:
                        environ[PRESERVE](each)
            ctx.pop(None if error is not None and self.should_ignore_error(error) else error)

    def __call__(self, head: Any, second: Any, send: Any = None, /) -> Any:
        """Handle a call from a WSGI server with ``wsgi_app``, or a call from an ASGI server."""
        if send is not None:
            return super().__call__(head, second, send)
        if head.get(OUTER) is self:
            return self.wsgi_app(head, second)
        if not self._is_direct:
            return self._serve_wsgi(head, second)
        refused = self.refuse_environ(head, second)
        if refused is not None:
            return refused
        if PRESERVE in head:  # the test client inspects and ends the request in its own context
            return self.wsgi_app(head, second)
        return call_in_own_context(self.wsgi_app, head, second)

    # Requests over ASGI and RSGI

    def respond_to_environ(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Handle a WSGI request made from a native one. Observers have already been notified of the native request."""
        environ[OUTER] = self
        return type(self).__call__(self, environ, start_response)

    async def receive_body(self, request: "NativeRequest") -> None:
        """Receive a small body.

        A body above MAX_CONTENT_LENGTH is left to the view, which refuses it at once.
        """
        most = self.config["MAX_CONTENT_LENGTH"]
        if most is None or (request.head.uncoded_length or 0) <= most:
            await super().receive_body(request)

    def respond_by_environ(  # pyright: ignore[reportIncompatibleMethodOverride]  # steps are any coroutine
        self, request: "NativeRequest", environ: "WSGIEnvironment", body: Any
    ) -> "Coroutine[Any, Any, NativeResponse]":
        """Return the steps that handle a native request through its environ.

        If a program has replaced ``wsgi_app`` or ``__call__``, that WSGI application is called on a thread.
        """
        if "wsgi_app" in self.overrides:
            return super().respond_by_environ(request, environ, body)
        return servers.respond(self, request, environ, body)

    def _respond_to_handshake(self, request: "NativeRequest") -> "NativeResponse | Awaitable[NativeResponse]":
        """Handle a WebSocket handshake by calling a view, which finds the socket in its environ."""
        try:
            self.check_head(request)
        except HTTPError as error:
            return RequestState(request).failed(error)
        return (self._socket_views.find(request) or self._sockets).respond(request)

    @lazy
    def _socket_views(self) -> "SocketViews":
        from antiphon.dialects.flask.websockets import SocketViews

        return SocketViews(self)

    @lazy
    def _sockets(self) -> "ForeignSockets":
        from antiphon.embedding import ForeignSockets

        return ForeignSockets.of_wsgi(self.respond_to_environ)

    @property
    def propagates_errors(self) -> bool:
        """True if TESTING is set, as over WSGI: the test client acts as the server, so the test sees the error."""
        return bool(self.testing)

    @property
    def interface(self) -> Literal["wsgi", "asgi"]:
        """WSGI if all views, hooks and error handlers are plain functions; otherwise ASGI."""
        return servers.interface_of(self)


_OWN: dict[str, Any] = {name: getattr(Flask, name) for name in (*OVERRIDABLE, "__call__")}
"""The original methods, even if a program replaces those of this class."""


if not TYPE_CHECKING:
    __getattr__ = reexports(__name__)
