"""Test clients, which send requests to an application and expose its contexts and sessions, and command runners."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

from click.testing import CliRunner, Result

from antiphon.dialects import werkzeug
from antiphon.dialects.flask.cli.group import ScriptInfo
from antiphon.dialects.flask.globals import PRESERVE
from antiphon.dialects.flask.imports import reexports
from antiphon.dialects.werkzeug.test import builder as environs
from antiphon.dialects.werkzeug.test.client import Client, TestResponse
from antiphon.dialects.werkzeug.wrappers.request import Request

if TYPE_CHECKING:
    from types import TracebackType

    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.flask.app import Flask
    from antiphon.dialects.flask.sessions import SessionMixin

"""The environ key for the function that receives contexts to keep after the response."""


class EnvironBuilder(environs.EnvironBuilder):
    """A builder of environs for an application, by default with its SERVER_NAME, scheme and APPLICATION_ROOT.

    Instead of passing a ``base_url``, change these with ``subdomain`` and ``url_scheme``. The other arguments are the
    same as Werkzeug's.
    """

    def __init__(
        self,
        app: "Flask",
        path: str = "/",
        base_url: str | None = None,
        subdomain: str | None = None,
        url_scheme: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if base_url is not None and (subdomain or url_scheme):
            raise AssertionError('Cannot pass "subdomain" or "url_scheme" with "base_url".')
        if base_url is None:
            path, base_url = _place(app, path, subdomain, url_scheme)
        self.app = app
        super().__init__(path, base_url, *args, **kwargs)

    def json_dumps(self, obj: Any, **kwargs: Any) -> str:
        """Encode a value as JSON in the same way as the application."""
        return self.app.json.dumps(obj, **kwargs)


def _place(app: "Flask", path: str, subdomain: str | None, url_scheme: str | None) -> tuple[str, str]:
    """Return the path with its query, and the base URL."""
    url = urlsplit(path)
    host = app.config["SERVER_NAME"] or "localhost"
    scheme = url.scheme or url_scheme or app.config["PREFERRED_URL_SCHEME"]
    netloc = url.netloc or (f"{subdomain}.{host}" if subdomain else host)
    query = f"?{url.query}" if url.query else ""
    return url.path + query, f"{scheme}://{netloc}/{app.config['APPLICATION_ROOT'].lstrip('/')}"


class FlaskClient(Client):
    """A test client that calls an application and keeps its cookies.

    Within ``with client:``, the last request's context is kept so that you can inspect ``request``, ``session`` and
    ``g``. ``environ_base`` provides default values for all environs.
    """

    application: "Flask"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.preserve_context = False
        self._new_contexts: list[AbstractContextManager[Any]] = []
        self._context_stack = ExitStack()
        self.environ_base: dict[str, Any] = {
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_USER_AGENT": f"Werkzeug/{werkzeug.__version__}",
        }

    @contextmanager
    def session_transaction(self, *args: Any, **kwargs: Any) -> "Iterator[SessionMixin]":
        """Open this client's session for changes between requests. It is saved at the end of the ``with`` block.

        The arguments are passed to ``Flask.test_request_context``. Raises TypeError for a client without cookies, or
        RuntimeError if no session can be opened.
        """
        if self._cookies is None:
            raise TypeError("Cookies are disabled. Create a client with 'use_cookies=True'.")
        app = self.application
        context = app.test_request_context(*args, **kwargs)
        self._add_cookies_to_wsgi(context.request.environ)
        with context:
            session = app.session_interface.open_session(app, context.request)
            bool(session)  # reads the session with the application's JSON
        if session is None:
            raise RuntimeError("Session backend did not open a session.")
        yield session
        if app.session_interface.is_null_session(session):
            return
        response = app.response_class()
        with context:
            app.session_interface.save_session(app, session, response)
        host = context.request.host.partition(":")[0]
        self._update_cookies_from_response(host, context.request.path, response.headers.getlist("Set-Cookie"))

    def _copy_environ(self, other: Mapping[str, Any]) -> "WSGIEnvironment":
        keeping: dict[str, Any] = {PRESERVE: self._new_contexts.append} if self.preserve_context else {}
        return self.environ_base | dict(other) | keeping

    def _request_from_builder_args(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request:
        kwargs["environ_base"] = self._copy_environ(kwargs.get("environ_base") or {})
        builder = EnvironBuilder(self.application, *args, **kwargs)
        try:
            return cast("Request", builder.get_request())
        finally:
            builder.close()

    def _request_from(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request:
        match args:
            case (environs.EnvironBuilder() as given, *_):
                builder = copy(given)
                builder.environ_base = self._copy_environ(builder.environ_base or {})
                return cast("Request", builder.get_request())
            case (dict() as environ, *_):
                base = self._copy_environ({})
                builder = EnvironBuilder.from_environ(environ, app=self.application, environ_base=base)
                return cast("Request", builder.get_request())
            case (Request() as given, *_):
                request = copy(given)
                request.environ = self._copy_environ(request.environ)
                return request
        return self._request_from_builder_args(args, kwargs)

    def open(self, *args: Any, buffered: bool = False, follow_redirects: bool = False, **kwargs: Any) -> TestResponse:
        """Send a request, given as ``EnvironBuilder`` arguments, a builder, an environ or a request."""
        request = self._request_from(args, kwargs)
        self._context_stack.close()  # closes the previous request's context
        response = super().open(request, buffered=buffered, follow_redirects=follow_redirects)
        response.json_module = self.application.json
        for context in self._new_contexts:
            self._context_stack.enter_context(context)
        self._new_contexts.clear()
        return response

    def __enter__(self) -> Self:
        if self.preserve_context:
            raise RuntimeError("Cannot nest client invocations")
        self.preserve_context = True
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: "TracebackType | None"
    ) -> None:
        self.preserve_context = False
        self._context_stack.close()


class FlaskCliRunner(CliRunner):
    """A test runner for an application's commands."""

    def __init__(self, app: "Flask", **kwargs: Any) -> None:
        self.app = app
        super().__init__(**kwargs)

    def invoke(self, cli: Any = None, args: Any = None, **kwargs: Any) -> Result:  # type: ignore[override]
        """Run a command of this application, by default one of ``app.cli``, as click's runner does."""
        if "obj" not in kwargs:
            kwargs["obj"] = ScriptInfo(create_app=lambda: self.app)
        return super().invoke(self.app.cli if cli is None else cli, args, **kwargs)


if not TYPE_CHECKING:
    __getattr__ = reexports(__name__)
