"""The context of an application and its request, a single object that code accesses through ``flask.globals``."""

import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Self, TypeVar

from antiphon.dialects.flask import signals, teardown
from antiphon.dialects.flask.globals import _cv_app, _cv_request
from antiphon.dialects.flask.imports import reexports
from antiphon.dialects.flask.running import drive, stream_with_context
from antiphon.dialects.werkzeug.exceptions.base import HTTPException
from antiphon.embedding import ON_THREAD, lazy

__all__ = [
    "AppContext", "RequestContext", "_AppCtxGlobals", "after_this_request", "copy_current_request_context",
    "has_app_context", "has_request_context", "stream_with_context",
]  # fmt: skip

if TYPE_CHECKING:
    from contextvars import Context
    from types import TracebackType

    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.flask.app import Flask
    from antiphon.dialects.flask.bodies import NativeBody, ServerBody
    from antiphon.dialects.flask.sessions import SessionMixin
    from antiphon.dialects.flask.wrappers import Request
    from antiphon.dialects.werkzeug.routing.adapter import MapAdapter

F = TypeVar("F", bound=Callable[..., Any])

_MISSING: Any = object()

_get = _cv_app.get
_set = _cv_app.set


class _AppCtxGlobals:
    """The namespace ``g``, which lasts as long as an application context."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute, or ``default`` if it is missing."""
        return self.__dict__.get(name, default)

    def pop(self, name: str, default: Any = _MISSING) -> Any:
        """Remove an attribute and return it. Raises KeyError if it is missing and no ``default`` is given."""
        return self.__dict__.pop(name) if default is _MISSING else self.__dict__.pop(name, default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return an attribute. If it is missing, first set it to ``default``."""
        return self.__dict__.setdefault(name, default)

    def __contains__(self, name: str) -> bool:
        return name in self.__dict__

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __repr__(self) -> str:
        ctx = _get()
        return object.__repr__(self) if ctx is None else f"<flask.g of '{ctx.app.name}'>"


class AppContext:
    """The state of an active application, and of its request if it has one.

    A request context that is pushed inside a context of the same application shares that context's ``g``, and leaves
    the application's teardown to it. A context without a request that is pushed inside a request context uses that
    context's request.
    """

    flashes: "list[tuple[str, str]] | None" = None
    """The messages that this request displays, once they have been read."""
    host: "AppContext | None" = None
    """The outer context whose ``g`` and teardown are shared; None if this context has its own."""
    is_on_loop = False
    """True while dispatch steps run on an event loop, where they must not block."""
    to_thread: "Awaitable[None]" = ON_THREAD
    """The switch to a thread. Until code of the application has been called, it may refuse a server's request."""
    is_refused = False
    """True if the request was refused: no code of the application was called, so nothing has to be torn down."""
    body: "NativeBody | ServerBody | None" = None
    """The request's body, if it must be loaded before code on an event loop may read it."""
    is_copy = False
    """True if another context owns the request and closes its body."""
    _borrowed: "AppContext | None" = None
    """The outer context that owns the request; None if this one owns it, or if there is none."""
    _opens_late = False
    """True if the session is opened on first use, because the request has no cookie for it."""
    _pins = 0
    """The number of streams that need this context. It is torn down after the last of them."""
    _leaves_later = False
    """True if the context was popped and its teardown waits for a stream."""
    on_loop: "Context | None" = None
    """The context of those functions of a request on a thread that run on a loop."""
    at_end: "Callable[[BaseException | None], object] | None" = None
    """The function to which the last stream leaves the teardown; None if the stream's reader has to do it."""

    def __init__(
        self, app: "Flask", *, request: "Request | None" = None, session: "SessionMixin | None" = None
    ) -> None:
        self.app = app
        self._request = request
        self._opened = session
        self._outer: list[AppContext | None] = []
        self._after_request_functions: list[Callable[[Any], Any]] = []
        if request is not None:
            try:
                self.__dict__["url_adapter"] = app.create_url_adapter(request)
            except HTTPException as error:
                self.__dict__["url_adapter"] = None
                request.routing_exception = error

    @classmethod
    def from_environ(cls, app: "Flask", environ: "WSGIEnvironment", /) -> "AppContext":
        return app.request_context(environ)

    @lazy
    def url_adapter(self) -> "MapAdapter | None":
        """The rules bound to the request or to SERVER_NAME; None if there is neither."""
        return self.app.create_url_adapter(None)

    @lazy
    def g(self) -> _AppCtxGlobals:
        namespace: _AppCtxGlobals = self.app.app_ctx_globals_class()
        return namespace

    # Request

    @property
    def holder(self) -> "AppContext | None":
        """The context that owns the request: this one or an outer one. None if there is no request."""
        return self._borrowed if self._request is None else self

    @property
    def has_request(self) -> bool:
        """True if there is a request."""
        return self.holder is not None

    @property
    def request(self) -> "Request":
        """The request. Raises RuntimeError if there is none."""
        holder = self.holder
        if holder is None:
            raise RuntimeError("There is no request in this context.")
        return holder._request  # type: ignore[return-value]

    @property
    def session(self) -> "SessionMixin":
        """The session; reading it marks it as accessed. Raises RuntimeError if there is none."""
        holder = self.holder
        session = None if holder is None else holder._session  # noqa: SLF001 - same class
        if session is None:
            raise RuntimeError("The session has not yet been opened.")
        session.accessed = True
        return session

    @property
    def _session(self) -> "SessionMixin | None":
        if self._opened is None and self._opens_late:
            self._open_session(self.request)
        return self._opened

    @_session.setter
    def _session(self, session: "SessionMixin") -> None:
        self._opened = session

    def copy(self) -> "AppContext":
        """Return a context with the same request and session, for concurrent work."""
        return self._lending(type(self)(self.app, request=self.request, session=self.holder._session))  # type: ignore[union-attr]  # noqa: SLF001 - ``request`` has checked it

    def _lending(self, copied: "AppContext") -> "AppContext":
        copied.body, copied.is_copy = self.body, True
        return copied

    @property
    def request_adapter(self) -> "MapAdapter":
        adapter: Any = None if self.holder is None else self.holder.url_adapter
        if adapter is None:
            raise RuntimeError("There is no request in this context, or its host is not served.")
        return adapter  # type: ignore[no-any-return]  # checked above

    def match_request(self) -> None:
        """Find the rule for the request. Subclasses may override it."""
        request: Any = self._request
        try:
            request.url_rule, request.view_args = self.url_adapter.match(return_rule=True)  # type: ignore[union-attr]
        except HTTPException as error:
            request.routing_exception = error

    # Pushing and popping

    def push(self) -> None:
        """Make this the current context. Open its session and match its request."""
        outer = _get()
        self._outer.append(outer)
        if self._request is not None:
            self._push_request(self._request, outer)
            return
        self._borrow()
        _set(self)
        if signals.appcontext_pushed.receivers:
            self._send(signals.appcontext_pushed)

    def _push_request(self, request: "Request", outer: "AppContext | None") -> None:
        if len(self._outer) == 1:
            self.host = None if outer is None or outer.app is not self.app else outer.host or outer
            if self.host is not None:
                self.__dict__["g"] = self.host.g
        _set(self)
        if signals.appcontext_pushed.receivers and self.host is None:
            self._send(signals.appcontext_pushed)
        if self._opened is None:
            app = self.app
            if app.session_may_block or app.config["SESSION_COOKIE_NAME"] in request.environ.get("HTTP_COOKIE", ""):
                self._open_session(request)
            else:  # the session is empty, and matters only once it has contents
                self._opens_late = True
        if self.url_adapter is not None:
            self.match_request()

    def _open_session(self, request: "Request") -> None:
        interface = self.app.session_interface
        session = interface.open_session(self.app, request)
        self._opened = interface.make_null_session(self.app) if session is None else session

    def _send(self, signal: Any) -> None:
        signal.send(self.app, _async_wrapper=self.app.ensure_sync)

    def pop(self, exc: BaseException | None = _MISSING) -> None:
        """Pop and tear down this context, and restore the outer one. Teardown functions get ``exc``."""
        if self._leave_at_once():
            return
        try:
            drive(self, teardown.leave(self, sys.exc_info()[1] if exc is _MISSING else exc))
        finally:
            if not self._leaves_later:
                self.on_loop = None  # it refers to this object

    def _leave_at_once(self) -> bool:
        """Pop the context if it is the current one and has nothing to call. Return True if it was popped."""
        if _get() is not self or self._pins or (teardown.has_teardown(self.app) and not self.is_refused):
            return False
        outer = self._pop_outer()
        try:
            if self._request is not None and not self._outer:
                teardown.close(self, self._request)
        finally:
            _set(outer)
        return True

    def _pop_outer(self) -> "AppContext | None":
        """Return the context outside of the last push, and share the request of that before it, if there is one."""
        outer = self._outer.pop()
        if self._outer:
            self._borrow()
        return outer

    def _borrow(self) -> None:
        """Share the request of the context that is outside, after this one was pushed or popped."""
        outer = next((each for each in reversed(self._outer) if each is not self), None)
        self._borrowed = None if outer is None else outer.holder

    def __enter__(self) -> Self:
        self.push()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: "TracebackType | None"
    ) -> None:
        self.pop(error)

    # Streams

    def pin(self) -> None:
        """Delay the teardown until ``unpin`` has been called as many times as ``pin``."""
        self._pins += 1

    def unpin(self, exc: BaseException | None = None) -> None:
        """Tear the context down if it was popped and nothing else needs it."""
        self._pins -= 1
        if self._leaves_later and not self._pins:
            self._leaves_later = False
            if self.at_end is not None:
                self.at_end(exc)
                return
            try:
                drive(self, teardown.tear_down(self, exc))
            finally:
                self.on_loop = None

    def __repr__(self) -> str:
        request = self._request
        what = "" if request is None else f" {request.url!r} [{request.method}]"
        return f"<{type(self).__name__} {id(self)}{what} of {self.app.name}>"


class RequestContext(AppContext):
    """A request's context, made from an environ as in Flask 3.1."""

    def __init__(
        self,
        app: "Flask",
        environ: "WSGIEnvironment",
        request: "Request | None" = None,
        session: "SessionMixin | None" = None,
    ) -> None:
        if request is None:
            request = app.request_class(environ)
            request.json_module = app.json
        super().__init__(app, request=request, session=session)

    def copy(self) -> "AppContext":
        """Return a context with the same request and session, for concurrent work."""
        return self._lending(type(self)(self.app, self.request.environ, self.request, self._session))


def _current_request_context(user: str) -> AppContext:
    ctx: AppContext | None = _cv_request.get(None)
    if ctx is None:
        raise RuntimeError(f"'{user}' can only be used when a request context is active, such as in a view function.")
    return ctx


def after_this_request(f: F) -> F:
    """Register a function for the current request's response only. It must return the response to send.

    Usable as a decorator. Raises RuntimeError outside of a request.
    """
    _current_request_context("after_this_request")._after_request_functions.append(f)  # noqa: SLF001
    return f


def copy_current_request_context(f: F) -> F:
    """Return a function that runs with the current request and session, no matter when and where it is called.

    Each call has its own context, so calls can run concurrently. Raises RuntimeError outside of a request.
    """
    ctx = _current_request_context("copy_current_request_context").copy()

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with ctx.copy() as own:
            return own.app.ensure_sync(f)(*args, **kwargs)

    return update_wrapper(wrapper, f)  # type: ignore[return-value]  # called like the function


def has_request_context() -> bool:
    """Return True while a request is being handled."""
    return _cv_request.get(None) is not None


def has_app_context() -> bool:
    """Return True if ``current_app`` and ``g`` are available."""
    return _get() is not None


if not TYPE_CHECKING:
    __getattr__ = reexports(__name__)
