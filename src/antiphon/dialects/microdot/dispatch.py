"""The dispatch of a request in Microdot's order: receive its body, call its handler, make a response.

Before-request handlers are called first, those of the application before those of a mounted one, and then the route's
handler. After-request handlers follow: first those of the mounted application, last those of the request. Any error is
passed to its handler, whose response goes through the after-error-request handlers instead.
"""

import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

from antiphon import Limits, current_request, embedding
from antiphon import Request as NativeRequest
from antiphon import Response as NativeResponse
from antiphon.dialects.microdot.errors import HTTPException, MalformedJSONError, MissingFileError
from antiphon.dialects.microdot.request import Request
from antiphon.dialects.microdot.response import JSON, Response, to_response
from antiphon.embedding import (
    BEGIN_ON_THREAD,
    ON_LOOP,
    ON_THREAD,
    Head,
    NotBegun,
    RequestState,
    SharedFields,
    is_async,
    quote_path,
    response_of,
    set_current_request,
)
from antiphon.http import BadRequest, ContentTooLarge, HTTPError
from antiphon.http.urls.path import check_path

if TYPE_CHECKING:
    from antiphon.dialects.microdot.application import Microdot
    from antiphon.embedding import Crossing


_MOST_ESCAPED = 12
"""The maximum number of bytes that encode one character of a path."""
_USUAL = Limits()
_AROUND_TARGET = len("  HTTP/1.1\r\n")


def check_request_line(head: Head) -> None:
    """Check the path, and check the request line's length, including its line ending, against ``max_readline``.

    Raises BadRequest.
    """
    path, query = head.path, head.query_string
    check_path(path)
    size = len(head.method) + (len(query) + 1 if query else 0) + _AROUND_TARGET
    if size + _MOST_ESCAPED * len(path) <= Request.max_readline and not head.root_path:
        return
    size += len(head.raw_path or quote_path(head.root_path + path))
    if size > Request.max_readline:
        raise BadRequest(f"the request line has {size} bytes; the limit is {Request.max_readline}")


def limits_at_once() -> Limits:
    """Return the limits for bodies that can be loaded without further checks."""
    return _limits(min(Request.max_body_length, Request.max_content_length))


async def receive(request: Request) -> None:
    """Load a body of up to ``max_body_length`` bytes. Leave a longer one to the stream.

    Raises ContentTooLarge for a body above ``max_content_length``, and the same errors as ``Content.load``.
    """
    native = request.native
    content = native.content
    length, most = content.length, Request.max_content_length
    is_loaded = length is not None and length <= Request.max_body_length and length <= most
    if not is_loaded or most > _USUAL.memory:  # otherwise, the usual limits suffice
        native.limits = _limits(most)
    if is_loaded:
        await content.load(_limits(most))
        request.is_streamed = False
    elif length is None:
        await _load(request)
    elif length > most:
        raise ContentTooLarge
    else:
        content.is_kept = content.is_complete


async def _load(request: Request) -> None:
    """Load a body of unknown length, up to the limit."""
    content, limits = request.native.content, request.native.limits
    try:
        await content.load(_limits(min(limits.body, Request.max_body_length)))
    except ContentTooLarge:
        if content.received > limits.body or (content.is_complete and content.size > limits.body):
            raise
    else:
        request.is_streamed = False


@lru_cache(maxsize=16)
def _limits(size: float) -> Limits:
    """Return the limits for a size, which may be any number."""
    size = max(int(min(size, sys.maxsize)), 0)
    return Limits(body=size, memory=size)


_JSON_ONLY = SharedFields.only_typed(JSON)
_USUAL_STATUS = {
    media_type: SharedFields.only_typed(f"{media_type}; charset=UTF-8")
    for media_type in ("text/plain", "text/html", "application/json")
}
"""The header fields of most responses, by media type."""


def native_response(request: Request, result: Any) -> NativeResponse:
    """Convert a handler's result to a native response. Raises the same errors as ``Response.native``."""
    body: Any = result
    status = 200
    if type(result) is tuple and len(result) == 2 and type(result[1]) is int:
        body, status = result
    kind = type(body)
    if kind is str and (fields := _USUAL_STATUS.get(Response.default_content_type)):
        response = response_of(body.encode(), fields)
    elif kind is dict or kind is list:
        response = response_of(embedding.encode_json(body), _JSON_ONLY)
    else:
        response, status = to_response(result).native(), 200
    if status != 200:
        response.status = status
    if request.failure is not None:
        response.error = request.failure
    if request.native.consulted:
        response.vary(*request.native.consulted)
    return response


def own_response(request: Request, result: Any) -> Response:
    """Convert a handler's result to a Microdot response."""
    response = to_response(result)
    if request.native.consulted:
        named = [name.strip() for name in response.headers.get("Vary", "").split(",") if name.strip()]
        named += [name.title() for name in request.native.consulted]
        response.headers["Vary"] = ", ".join({name.lower(): name for name in named}.values())
    return response


def raised(_request: NativeRequest, error: Exception) -> NoReturn:
    """Re-raise an error that was not handled."""
    raise error


T = TypeVar("T", Response, NativeResponse)

_COROUTINE = 0x80
"""The flag that marks the code object of a coroutine function."""

_REASONS = {400: "Bad request", 413: "Payload too large"}


def waits(function: Callable[..., Any]) -> bool:
    """Return True for a coroutine function."""
    code = getattr(function, "__code__", None)
    return bool(code.co_flags & _COROUTINE) if code is not None else is_async(function)


class Call(Protocol):
    """A way to call a sync or async function: a coroutine function on the loop, any other on a thread."""

    def __call__(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Awaitable[Any]: ...


async def call_in_steps(function: Callable[..., Any], request: Request, /, *arguments: Any, **named: Any) -> Any:
    """Call a function in steps that a driver runs, and return its result."""
    if waits(function):
        await ON_LOOP
        try:
            return await function(request, *arguments, **named)
        finally:
            request.has_begun = True
    await (ON_THREAD if request.has_begun else BEGIN_ON_THREAD)
    request.has_begun = True
    result = function(request, *arguments, **named)
    if hasattr(result, "__await__"):
        await ON_LOOP
        result = await result
    return result


def call_on_loop(function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Awaitable[Any]:
    """Call a function on an event loop without a driver, and return its result when awaited."""
    if waits(function):
        return function(*arguments, **named)  # type: ignore[no-any-return]  # what a coroutine function returns
    from antiphon.embedding import Crossing  # late: it needs asyncio

    request = current_request(None)
    crossing = Crossing() if request is None else RequestState(request).crossing
    return _call_on_worker(crossing, partial(function, *arguments, **named))


async def call_decorated(handler: Callable[..., Any], request: Request, /, *arguments: Any, **named: Any) -> Any:
    """Call a handler inside a decorator of this package. A request that needs a thread only here begins here."""
    if waits(handler):
        return await handler(request, *arguments, **named)
    crossing = RequestState(request.native).crossing.in_same_context()
    crossing.begins, request.has_begun = not request.has_begun, True
    return await _call_on_worker(crossing, partial(handler, request, *arguments, **named))


async def _call_on_worker(crossing: "Crossing", function: Callable[[], Any]) -> Any:
    result = await crossing.run(function)
    return await result if hasattr(result, "__await__") else result


async def dispatch(
    app: "Microdot",
    request: Request,
    call: Call,
    make: Callable[[Request, Any], T],
    fail: Callable[[NativeRequest, Exception], T],
) -> T:
    """Return the response that ``make`` makes from the handler's result.

    If an error handler or an after-error-request handler fails, ``fail`` makes the response.
    """
    native = request.native
    set_current_request(native)
    try:
        if refused := app.head_checks.head_error(native.head):
            return fail(native, refused)
        try:
            head = native.head
            is_held = request.is_streamed = head.has_body
            check_request_line(head)
            if is_held:
                is_read = native._read_small_body(limits_at_once())
                if is_read if isinstance(is_read, bool) else await is_read:
                    is_held = request.is_streamed = False
                else:
                    await receive(request)
            found, request.url_prefix, request.subapp = app.find_route(request)
            if callable(found):
                request.route = found
                is_own = request.subapp is None and not app.overridden
                has_hooks = not is_own or app.before_request_handlers
                result = await _before(app, request, call) if has_hooks else None
                if result is None:
                    values = request.url_args
                    if call is call_on_loop and waits(found):
                        result = await (found(request, **values) if values else found(request))
                    else:
                        result = await call(found, request, **(values or {}))
                if not is_own or app.after_request_handlers or request.after_request_handlers:
                    result = await _after_all(app, request, to_response(result), call)
                response = make(request, result)
                return response if not is_held else _released(request, response)
            failure = await _without_route(app, request, found, call)
        except NotBegun as refusal:
            response = fail(native, refusal)
            return response if not native.head.has_body else _released(request, response)
        except Exception as error:
            failure = await _respond_to_error(app, request, call, error)
        response = make(request, await _after_error(app, request, call, failure))
        return response if not native.head.has_body else _released(request, response)
    except Exception as error:
        return fail(native, error)


async def dispatch_by(function: Callable[..., Any], request: Request) -> NativeResponse:
    """Return the response of an overridden ``dispatch_request``."""
    native = request.native
    set_current_request(native)
    try:
        if refused := request.app.head_checks.head_error(native.head):
            return RequestState(native).failed(refused)
        await receive_ahead(request)
        response = native_response(request, await call_in_steps(function, request))
        return response if not native.head.has_body else _released(request, response)
    except Exception as error:
        return RequestState(native).failed(error)


async def receive_ahead(request: Request) -> None:
    """Receive the body for an overridden ``dispatch_request``, which reads it as handlers do.

    An error in the body is raised when the request is dispatched.
    """
    if request.native.head.has_body:
        request.is_streamed = True
        with suppress(HTTPError):
            await receive(request)


async def _before(app: "Microdot", request: Request, call: Call) -> Any:
    """Return the first result that a before-request hook returns, if any."""
    result = None
    for before in app.get_request_handlers(request, "before_request", False):
        result = await call(before, request)
        if result:
            break
    return result


async def _after_all(app: "Microdot", request: Request, response: Response, call: Call) -> Response:
    """Return the response after all after-request hooks: first those of the applications, then those of the request."""
    for after in app.get_request_handlers(request, "after_request", True):
        response = await _after(call, after, request, response)
    for after in request.after_request_handlers:
        response = await _after(call, after, request, response)
    return response


async def _after(call: Call, handler: Callable[..., Any], request: Request, response: Response) -> Response:
    """Return the hook's replacement for a response, or the response itself if the hook returns nothing."""
    result = await call(handler, request, response)
    return to_response(result) if result else response


async def _after_error(app: "Microdot", request: Request, call: Call, response: Response) -> Response:
    """Return an error's response after all after-error-request hooks."""
    for handler in app.get_request_handlers(request, "after_error_request", True):
        response = await _after(call, handler, request, response)
    return response


async def _without_route(app: "Microdot", request: Request, found: dict[str, str] | int, call: Call) -> Response:
    """Return the response to OPTIONS, made from the found headers, or to a request without a route, made from the found
    status.
    """
    if isinstance(found, dict):
        return Response(headers=found)
    return await _respond_with_status(app, request, call, found, "Not found")


async def _respond_to_error(app: "Microdot", request: Request, call: Call, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return await _respond_with_status(app, request, call, error.status_code, error.reason)
    if isinstance(error, HTTPError):
        return await _respond_to_http_error(app, request, call, error)
    handler = _handler_of(app, request, type(error))
    try:
        result = None if handler is None else await call(handler, request, error)
        if result is not None:
            return to_response(result)
    except Exception as failure:
        error = failure
    if isinstance(error, (MalformedJSONError, MissingFileError)):
        return await _respond_with_status(app, request, call, error.status_code, error.reason)
    request.failure = error
    RequestState(request.native).log_failure(error)
    return await _respond_with_status(app, request, call, 500, "Internal server error")


async def _respond_to_http_error(app: "Microdot", request: Request, call: Call, error: HTTPError) -> Response:
    """Return the response to an HTTP error from the layers below."""
    if error.status >= 500:
        request.failure = error
        RequestState(request.native).log_failure(error)
    response = await _respond_with_status(app, request, call, error.status, _REASONS.get(error.status) or error.detail)
    for name, value in error.headers.items():
        response.headers.setdefault(name.title(), value)
    return response


def _handler_of(app: "Microdot", request: Request, kind: type[Exception]) -> Callable[..., Any] | None:
    """Return the handler for an exception's class or for its closest base class."""
    for base in kind.__mro__:
        for owner in (request.subapp, app):
            if owner is not None and base in owner.error_handlers:
                return owner.error_handlers[base]
    return None


async def _respond_with_status(
    app: "Microdot", request: Request, call: Call, status_code: int, reason: str | None
) -> Response:
    """Return the result for a status, from ``error_response`` if the application overrides it."""
    if "error_response" in app.overridden:
        return to_response(await call(app.error_response, request, status_code, reason))
    return to_response(await error_result(app, request, call, status_code, reason))


async def error_result(app: "Microdot", request: Request, call: Call, status_code: int, reason: str | None) -> Any:
    """Call the handler for a status and return its result. If there is no handler, return the reason and the status."""
    for owner in (request.subapp, app):
        if owner is not None and status_code in owner.error_handlers:
            return await call(owner.error_handlers[status_code], request)
    return reason or "N/A", status_code


def _released(request: Request, response: T) -> T:
    """Return a response after freeing the memory and files of its request's body.

    Programs that use Microdot's own response, and applications that wrap this one, must free them in another way.
    """
    native = request.native
    if isinstance(response, NativeResponse):
        RequestState(native).release(response)
    return response


__all__ = ["invoke_handler", "iscoroutine"]

invoke_handler = call_on_loop
"""Call another function: await a coroutine function, or run a plain function on a worker thread."""


def iscoroutine(value: object) -> bool:
    """Return True if a value is a coroutine."""
    return hasattr(value, "send") and hasattr(value, "throw") and hasattr(value, "__await__")
