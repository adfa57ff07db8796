"""Decorators that turn functions of a request into WSGI applications or middleware."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from antiphon.dialects._environ.heads import forget_frames, head_error
from antiphon.dialects.webob.exc import HTTPException, status_map
from antiphon.dialects.webob.request import Request

__all__ = ["wsgify"]


class wsgify:  # noqa: N801 - WebOb's name
    """A WSGI application made from a function of a request. It can still be called with a request.

    The function may return a response or any other WSGI application, text or bytes to write to ``req.response``, or
    None to send ``req.response`` itself. Cookies set on ``req.response`` are added to any response. HTTP exceptions
    that the function raises are sent as responses. Methods can be decorated too.

    ``RequestClass`` creates the request. ``args`` and ``kwargs`` are passed after it. Subclasses may set
    ``RequestClass`` and override ``call_func``.
    """

    RequestClass: Any = Request

    def __init__(
        self,
        func: Any = None,
        RequestClass: Any = None,  # noqa: N803 - WebOb's name
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        middleware_wraps: Any = None,
    ) -> None:
        self.func = func
        if RequestClass is not None and RequestClass is not self.RequestClass:
            self.RequestClass = RequestClass
        self.args = tuple(args)
        self.kwargs = dict(kwargs or {})
        self.middleware_wraps = middleware_wraps

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {id(self)} wrapping {self.func!r}>"

    def __get__(self, obj: Any, owner: type | None = None) -> Any:
        bind = getattr(self.func, "__get__", None)
        return self if bind is None else self.clone(bind(obj, owner))

    def __call__(self, req: Any, *args: Any, **kw: Any) -> Any:
        """Handle a request over WSGI, or call the function with a request.

        If no function has been given yet, the argument is the function. Raises TypeError for any other arguments.
        """
        if self.func is None:
            if args or kw:
                raise TypeError(f"Unbound {type(self).__name__} can only be called with the function it will wrap")
            return self.clone(req)
        if not isinstance(req, dict):
            positional, named = self._prepare_args(args, kw)
            return self.call_func(req, *positional, **named)
        if len(args) != 1 or kw:
            raise TypeError(
                f"Calling {self.func!r} as a WSGI app with the wrong signature: pass an environ and start_response, or"
                " a request"
            )
        return self._respond(req, args[0])

    def _respond(self, environ: dict[str, Any], start_response: Any) -> Any:
        if refused := head_error(environ):
            return status_map[refused.status](refused.detail)(environ, start_response)
        request = self.RequestClass(environ)
        response = request.response = request.ResponseClass()
        args, kw = self._prepare_args(None, None)
        try:
            answer = self.call_func(request, *args, **kw)
        except HTTPException as raised:
            forget_frames(raised)
            answer = raised
        response = request.response
        if isinstance(answer, str):
            answer = answer.encode(response.charset or "utf-8")
        if isinstance(answer, bytes):
            response.write(answer)
            answer = None
        if answer is not None and answer is not response:
            response = response.merge_cookies(answer)
        return response(environ, start_response)

    def get(self, url: str, **kw: Any) -> Any:
        """Call the function with a GET request for a URL. Keyword arguments set attributes of the request."""
        return self.request(url, **{"method": "GET", **kw})

    def post(self, url: str, POST: Any = None, **kw: Any) -> Any:  # noqa: N803 - WebOb's name
        """Call the function with a POST request for a URL. ``POST`` contains the body or the form's fields."""
        return self.request(url, POST=POST, **{"method": "POST", **kw})

    def request(self, url: str, **kw: Any) -> Any:
        """Call the function with a request that ``Request.blank`` makes for a URL."""
        return self(self.RequestClass.blank(url, **kw))

    def call_func(self, req: Any, *args: Any, **kwargs: Any) -> Any:
        return self.func(req, *args, **kwargs)

    def clone(self, func: Any = None, **kw: Any) -> Self:
        """Return a copy for ``func``, with the given parameters replaced."""
        given: dict[str, Any] = {"func": self.func if func is None else func, "middleware_wraps": self.middleware_wraps}
        if self.RequestClass is not type(self).RequestClass:
            given["RequestClass"] = self.RequestClass
        if self.args:
            given["args"] = self.args
        if self.kwargs:
            given["kwargs"] = self.kwargs
        return type(self)(**{name: value for name, value in given.items() if value is not None} | kw)

    @property
    def undecorated(self) -> Any:
        return self.func

    @classmethod
    def middleware(cls, middle_func: Any = None, app: Any = None, **kw: Any) -> Any:
        """Turn a function of a request and an application into middleware.

        Without an ``app``, returns a decorator for applications that accepts more keyword arguments for the function.
        """
        if middle_func is None:
            return _UnboundMiddleware(cls, app, kw)
        if app is None:
            return _MiddlewareFactory(cls, middle_func, kw)
        return cls(middle_func, middleware_wraps=app, kwargs=kw)

    def _prepare_args(self, args: Any, kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        positional = args or self.args
        if self.middleware_wraps is not None:
            positional = (self.middleware_wraps, *positional)
        return positional, kwargs or self.kwargs


class _UnboundMiddleware:
    """A decorator that turns functions into middleware and passes them keyword arguments."""

    def __init__(self, wrapper_class: type[wsgify], app: Any, kw: dict[str, Any]) -> None:
        self.wrapper_class = wrapper_class
        self.app = app
        self.kw = kw

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {id(self)} wrapping {self.app!r}>"

    def __call__(self, func: Any, app: Any = None) -> Any:
        return self.wrapper_class.middleware(func, app=self.app if app is None else app, **self.kw)


class _MiddlewareFactory:
    """A decorator that wraps applications in middleware and passes keyword arguments to its function."""

    def __init__(self, wrapper_class: type[wsgify], middleware: Any, kw: dict[str, Any]) -> None:
        self.wrapper_class = wrapper_class
        self.middleware = middleware
        self.kw = kw

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {id(self)} wrapping {self.middleware!r}>"

    def __call__(self, app: Any = None, **config: Any) -> Any:
        return self.wrapper_class.middleware(self.middleware, app, **(self.kw | config))
