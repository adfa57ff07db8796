"""A project's pages, built on the native ``FileRoutes``, with the middlewares around them and its error pages."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import copy_context
from functools import wraps
from html import escape
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from antiphon import App, is_debug
from antiphon import Request as NativeRequest
from antiphon.dialects.asok.exceptions import AbortException, ValidationError
from antiphon.dialects.asok.request import Request
from antiphon.dialects.asok.request_state import advise
from antiphon.dialects.asok.response import HTML, answer
from antiphon.dialects.asok.templating.rendering import asked_blocks
from antiphon.embedding import innermost, is_async
from antiphon.features import FileRoutes, RouteFile
from antiphon.http import HTTPError, InternalServerError

if TYPE_CHECKING:
    from antiphon.dialects.asok.app import Asok


def around(middlewares: Iterable[Callable[..., Any]], page: Callable[..., Any]) -> Callable[..., Any]:
    """Return a page's function wrapped in middlewares, the first of which is the outermost."""
    for middleware in reversed([*middlewares]):
        page = _layer(middleware, page)
    return page


def waits(function: Callable[..., Any]) -> bool:
    """Return True for a coroutine function, or for a plain wrapper around one that returns its coroutine."""
    return is_async(function) or is_async(innermost(function))


async def result_of(function: Callable[..., Any], request: Any) -> Any:
    """Call a function with a request on the event loop, and await the result if it is awaitable."""
    result = function(request)
    return await result if hasattr(result, "__await__") else result


def _layer(middleware: Callable[..., Any], following: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls a middleware with the next function. It is sync or async like the middleware."""
    if is_async(middleware):
        return _async_layer(middleware, _awaited(following) if waits(following) else _awaitable(following))
    if waits(following):
        return _sync_around_async(middleware, following)
    return lambda request: middleware(request, following)


def _async_layer(middleware: Callable[..., Any], following: Callable[..., Any]) -> Callable[..., Any]:
    async def layer(request: Any) -> Any:
        return await middleware(request, following)

    return layer


def _awaited(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a coroutine function that calls another one, or a plain wrapper around one."""

    async def call(request: Any) -> Any:
        return await result_of(function, request)

    return call


def _awaitable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return an awaitable version of a function, which runs on its task's thread."""

    async def call(request: Any) -> Any:
        from antiphon.embedding import Crossing

        return await Crossing(copy_context()).run(function, request)

    return call


def _sync_around_async(middleware: Callable[..., Any], following: Callable[..., Any]) -> Callable[..., Any]:
    """Return a layer for a plain middleware. On a thread, it waits for the next function, which runs on the loop."""

    async def layer(request: Any) -> Any:
        from asyncio import get_running_loop

        from antiphon.embedding import Crossing, run_on

        loop = get_running_loop()

        def wait_for(request: Any) -> Any:
            return run_on(loop, result_of(following, request), copy_context())

        return await Crossing(copy_context()).run(middleware, request, wait_for)

    return layer


Handler = Callable[[NativeRequest, Exception], Any]


def install_errors(app: "Asok", native: App, pages: "AsokPages") -> None:
    """Register the error responses: the pages named after a status, or a short default page.

    In the command's debug mode, an unexpected error gets the debug page.
    """
    plain = _handler(app, None, _plain_page)
    handlers: dict[type[Exception] | int, Handler] = {HTTPError: plain, 500: plain}
    handlers |= {status: _handler(app, *page) for status, page in pages.of_errors.items()}
    handlers[ValidationError] = handlers.get(400, plain)
    if is_debug():
        del handlers[500]
    for key, handler in handlers.items():
        native.errorhandler(key)(handler)


def _handler(app: "Asok", path: str | None, function: "PageFunction") -> Handler:
    """Return the native error handler that calls a page's function. It is sync or async like the function."""
    if waits(function):

        async def async_handler(native: NativeRequest, error: Exception) -> Any:
            request = _prepared(app, native, error, path)
            return answer(request, await result_of(function, request), function)

        return async_handler

    def handler(native: NativeRequest, error: Exception) -> Any:
        request = _prepared(app, native, error, path)
        return answer(request, function(request), function)

    return handler


def _prepared(app: "Asok", native: NativeRequest, error: Exception, path: str | None) -> Request:
    """Return the request for an error page, with the error's status but without the failed page's content type."""
    advise(app, native, error)
    request = Request.of(app, native)
    told: Exception = AbortException(400, str(error)) if isinstance(error, ValidationError) else error
    if not isinstance(told, HTTPError):
        told = InternalServerError("The server failed to handle the request; the failure has been logged.")
    request.page_file = path
    request.own_status = told.status
    request.content_type = HTML
    told_to_page = {"title": f"Error {told.status}", "description": told.detail or "An error occurred."}
    request.params.update(told_to_page)
    request.page_context = {"error_message": told.detail, **told_to_page}
    return request


def _plain_page(request: Request) -> str:
    """Return a page with an error's status and message.

    A request for blocks gets only the text, which the page's script displays in place. A refused write below ``/api``
    gets JSON.
    """
    message = request.page_context["error_message"]
    if request.code == 403 and f"{request.path}/".startswith("/api/"):
        return request.api_error(message or "Forbidden", 403)
    if asked_blocks(request):
        return request.text(message or request.status, request.code)
    return f"<h1>{request.code}</h1>" + (f"<p>{escape(message)}</p>" if message else "")


PageFunction: TypeAlias = Callable[[Request], Any]
"""A page's function, ``def`` or ``async def``, which takes a request and returns text or another response value."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""The methods that ``render`` handles, unless the page has a function named after the method."""
_VERBS = (*METHODS, "HEAD", "OPTIONS")

_hex = re.compile(r"[0-9A-Fa-f-]{1,64}").fullmatch
_slug = re.compile(r"[a-z0-9-]{1,255}").fullmatch


def _read_hex(segment: str) -> str:
    """Convert a segment of hexadecimal digits. Raises ValueError if it contains anything else."""
    if not _hex(segment):
        raise ValueError(f"{segment[:50]!r} is not hexadecimal")
    return segment


def _read_slug(segment: str) -> str:
    """Convert a segment of lowercase letters, digits and hyphens. Raises ValueError if it contains anything else."""
    if not _slug(segment):
        raise ValueError(f"{segment[:50]!r} is not a slug")
    return segment


CONVERTERS: Mapping[str, Callable[[str], str]] = {"hex": _read_hex, "slug": _read_slug}
"""The converters for dynamic segments that are not native: ``[name:slug]``."""

_status_of_error = re.compile(r"([45]\d\d)(?:/(?:page|index))?").fullmatch


class AsokPages(FileRoutes):
    """The pages of a project. A folder's page is its ``page.py``, or else its ``page.html``.

    ``of_errors`` maps each status to the page for that error.
    """

    suffixes = (".py", ".html", ".asok")

    def __init__(self, app: "Asok", folder: str) -> None:
        super().__init__(folder)
        self.of_errors: dict[int, tuple[str, PageFunction]] = {}
        self._app = app

    def handlers(self, page: RouteFile) -> Iterable[tuple[tuple[str, ...], Callable[..., Any]]]:
        """Return the handlers of a page by method. Raises ValueError if its module has none."""
        functions = [*self._functions(page)]
        if not functions:
            raise ValueError(f"{page.path} has no handler: define render, or a method's function such as post")
        if found := _status_of_error(page.name):
            self.of_errors[int(found[1])] = page.path, functions[-1][1]
        return [
            (each, self._handler(page.path, function)) for methods, function in functions for each in _apart(methods)
        ]

    def _functions(self, page: RouteFile) -> Iterator[tuple[tuple[str, ...], PageFunction]]:
        """Yield the functions of a page with their methods, ``render`` last."""
        if not page.path.endswith(".py"):
            yield METHODS, _render_template
            return
        module = self.load(page)
        own = [verb for verb in _VERBS if callable(vars(module).get(verb.lower()))]
        for verb in own:
            yield (verb,), vars(module)[verb.lower()]
        others = tuple(verb for verb in METHODS if verb not in own)
        if others and (function := _render(module)):
            yield others, function

    def _handler(self, path: str, function: PageFunction) -> Callable[[NativeRequest], Any]:
        """Return the native handler that calls a page's function inside the middlewares.

        The handler is sync or async like the function.
        """
        app = self._app
        inner = around(app.middleware_handlers, function)

        def handler(native: NativeRequest) -> Any:
            request = Request(app, native, path)
            return answer(request, inner(request), function)

        async def async_handler(native: NativeRequest) -> Any:
            request = Request(app, native, path)
            return answer(request, await result_of(inner, request), function)

        return wraps(function)(async_handler if waits(inner) else handler)


def _apart(methods: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Separate GET from the other methods, since a route with only safe methods needs less processing."""
    others = tuple(method for method in methods if method != "GET")
    return [("GET",), others] if others and len(others) < len(methods) else [methods]


def _render(module: ModuleType) -> PageFunction | None:
    """Return the page's function for methods that have no function of their own, or None."""
    if callable(render := vars(module).get("render")):
        return render  # type: ignore[no-any-return]  # waits() has checked it
    if "CONTENT" in vars(module):
        return lambda _request: module.CONTENT
    return None


def _render_template(request: Request) -> str:
    return request.html(request.page_file or "", **request.page_context)
