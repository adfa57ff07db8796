"""Pages of a project, based on the native ``Pages``, the middlewares around them, and the pages for errors."""

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
from antiphon.embedding import as_http_error, innermost, is_async
from antiphon.features import PageFile, Pages
from antiphon.http import HTTPError

if TYPE_CHECKING:
    from antiphon.dialects.asok.app import Asok


def around(middlewares: Iterable[Callable[..., Any]], page: Callable[..., Any]) -> Callable[..., Any]:
    """Return a page's function wrapped in middlewares, the first of which is the outermost."""
    for middleware in reversed([*middlewares]):
        page = _layer(middleware, page)
    return page


def waits(function: Callable[..., Any]) -> bool:
    """Return True for a coroutine function, and for a plain decorator's wrapper of one, which returns its result."""
    return is_async(function) or is_async(innermost(function))


async def result_of(function: Callable[..., Any], request: Any) -> Any:
    """Call a function with a request, on the loop, and await its result if that is awaitable."""
    result = function(request)
    return await result if hasattr(result, "__await__") else result


def _layer(middleware: Callable[..., Any], following: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that passes the next middleware to a middleware and is sync or async like the latter."""
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
    """Return a coroutine function that calls another one, or a plain decorator's wrapper around one."""

    async def call(request: Any) -> Any:
        return await result_of(function, request)

    return call


def _awaitable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is called on its task's thread when it is awaited."""

    async def call(request: Any) -> Any:
        from antiphon.embedding import Crossing

        return await Crossing(copy_context()).run(function, request)

    return call


def _sync_around_async(middleware: Callable[..., Any], following: Callable[..., Any]) -> Callable[..., Any]:
    """Return a layer whose middleware waits on a thread for the next function, which runs on the loop."""

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
    """Register the responses to errors: the pages named after their status, or else a short page.

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
    """Return the native error handler that calls a page's function and is sync or async like the latter."""
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
    """Return the request for an error's page, with the error's status and without the failed page's type."""
    advise(app, native, error)
    request = Request.of(app, native)
    told = AbortException(400, str(error)) if isinstance(error, ValidationError) else as_http_error(error)
    request.page_file = path
    request.own_status = told.status
    request.content_type = HTML
    told_to_page = {"title": f"Error {told.status}", "description": told.detail or "An error occurred."}
    request.params.update(told_to_page)
    request.page_context = {"error_message": told.detail, **told_to_page}
    return request


def _plain_page(request: Request) -> str:
    """Return a page with the status and the message of an error.

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
"""The methods that ``render`` handles, unless a page has a function with their name."""
_VERBS = (*METHODS, "HEAD", "OPTIONS")

_hex = re.compile(r"[0-9A-Fa-f-]{1,64}").fullmatch
_slug = re.compile(r"[a-z0-9-]{1,255}").fullmatch


def _read_hex(segment: str) -> str:
    """Convert a segment of hexadecimal digits. Raises ValueError for any other segment."""
    if not _hex(segment):
        raise ValueError(f"{segment[:50]!r} is not hexadecimal")
    return segment


def _read_slug(segment: str) -> str:
    """Convert a segment of lowercase letters, digits and hyphens. Raises ValueError for any other segment."""
    if not _slug(segment):
        raise ValueError(f"{segment[:50]!r} is not a slug")
    return segment


CONVERTERS: Mapping[str, Callable[[str], str]] = {"hex": _read_hex, "slug": _read_slug}
"""The converters for dynamic segments that are not native: ``[name:slug]``."""

_status_of_error = re.compile(r"([45]\d\d)(?:/(?:page|index))?").fullmatch


class AsokPages(Pages):
    """The pages of a project: ``page.py`` is the page of its folder, or else ``page.html``.

    ``of_errors`` are the pages for errors, by the statuses in their names.
    """

    suffixes = (".py", ".html", ".asok")

    def __init__(self, app: "Asok", folder: str) -> None:
        super().__init__(folder)
        self.of_errors: dict[int, tuple[str, PageFunction]] = {}
        self._app = app

    def handlers(self, page: PageFile) -> Iterable[tuple[tuple[str, ...], Callable[..., Any]]]:
        """Return the handlers of a page by method. Raises ValueError for a module that has no handlers."""
        functions = [*self._functions(page)]
        if not functions:
            raise ValueError(f"{page.path} has no handler: define render, or a method's function such as post")
        if found := _status_of_error(page.name):
            self.of_errors[int(found[1])] = page.path, functions[-1][1]
        return [
            (each, self._handler(page.path, function)) for methods, function in functions for each in _apart(methods)
        ]

    def _functions(self, page: PageFile) -> Iterator[tuple[tuple[str, ...], PageFunction]]:
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
        """Return the native handler that calls a page's function inside the middlewares, sync or async like the
        function.
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
    """Return GET separate from other methods, since a route with only safe methods needs less processing."""
    others = tuple(method for method in methods if method != "GET")
    return [("GET",), others] if others and len(others) < len(methods) else [methods]


def _render(module: ModuleType) -> PageFunction | None:
    """Return the function for methods without their own function in a page, or None."""
    if callable(render := vars(module).get("render")):
        return render  # type: ignore[no-any-return]  # it has been asked
    if "CONTENT" in vars(module):
        return lambda _request: module.CONTENT
    return None


def _render_template(request: Request) -> str:
    """Respond with the template that is the page itself."""
    return request.html(request.page_file or "", **request.page_context)
