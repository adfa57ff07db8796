"""The scope of a request: it is the current request, its handler may be cancelled, and its body is freed at the end."""

from collections.abc import Awaitable, Callable, Generator, Iterator
from contextvars import Context, ContextVar
from functools import update_wrapper
from types import coroutine
from typing import Any, Generic, TypeVar, overload

from antiphon.body.content import Content
from antiphon.concurrency.iterables import resume
from antiphon.concurrency.loop import drop_withdrawn_cancellation, running_loop
from antiphon.explanations import explained
from antiphon.handler.errors import localized
from antiphon.http.errors import HTTPError, localizers
from antiphon.request.dependencies import Dependency
from antiphon.request.request import Request
from antiphon.response.response import Response

T = TypeVar("T")
_current: ContextVar[Request | None] = ContextVar("antiphon.request.request", default=None)


@overload
def current_request() -> Request: ...
@overload
def current_request(default: T, /) -> Request | T: ...
def current_request(*default: T) -> Request | T:
    """Return the request that is being handled: in its handler, its middleware, and everything that these call or
    start.

    If no request is being handled, return ``default``, or raise RuntimeError without one.
    """
    request = _current.get()
    if request is not None:
        return request
    if default:
        return default[0]
    raise explained(
        "no-current-request",
        "no request is being handled here: pass the request on to code that runs outside its handler and"
        " middleware, or start a thread's work with contextvars.copy_context().run(...)",
        RuntimeError,
    )


def _in_language_of_current_request(error: HTTPError) -> HTTPError:
    request = _current.get()
    return error if request is None else localized(request, error).error


def localize_errors() -> None:
    """Translate this process's errors from now on, since an application has languages."""
    localizers[:] = [_in_language_of_current_request]


def request_in(context: Context) -> Request | None:
    """Return the request that is being handled in another context, or None."""
    return context.get(_current)


set_current_request = _current.set
"""Make a request the current one in this context. The returned token is valid in this context only."""

reset_current_request = _current.reset
"""Restore the previously current request with the token, in the same context. For nested requests."""


def in_scope(function: Callable[..., Awaitable[T]], on_disconnect: bool | None) -> Callable[..., Awaitable[T]]:
    """Return an ``async def`` handler that is cancelled when its request's lifetime ends.

    ``on_disconnect`` determines whether it is also cancelled when the client disconnects; None means for GET and HEAD
    only. The cancellation leaves the handler as an HTTPError: 504 after the deadline, 499 after a disconnect, 503 if
    the process ends. For a handler that never waits, this costs only a call.
    """

    @coroutine
    def scoped(request: Request, **named: Any) -> Generator[Any, Any, Any]:
        steps: Any = function(request, **named)
        started = resume(steps, None)
        if started is None or started[0]:
            return started and started[1]
        rest: Any = rest_in_scope(steps, started[1], request, on_disconnect)
        return (yield from rest)

    return update_wrapper(scoped, function)


@coroutine
def rest_in_scope(steps: Any, effect: object, request: Request, on_disconnect: bool | None) -> Generator[Any, Any, Any]:
    """Await ``effect``, which a handler's steps have yielded, and then the rest of the steps, in the scope of
    ``in_scope``.
    """
    if running_loop() is None:  # driven manually, where nothing could cancel it
        return (yield from rest(steps, effect))
    from antiphon.handler.cancellation import CancellableHandler

    with CancellableHandler(request, on_disconnect) as handler:
        result = yield from rest(steps, effect)
    # The cancellation may not have arrived before the handler ended.
    if handler.is_cancelled:
        yield from drop_withdrawn_cancellation()
    return result


def rest(steps: Any, effect: object) -> Generator[Any, Any, Any]:
    """Await ``effect``, which the steps have yielded, and then the rest of the steps. Drivers send only None."""
    while True:
        try:
            yield effect
        except BaseException as error:
            try:
                effect = steps.throw(error)
            except StopIteration as end:
                return end.value
        else:
            return (yield from steps.__await__())


awaitable_rest = coroutine(rest)
"""The same, to be awaited."""


def release(request: Request, response: Response) -> None:
    """Free the body's resources as soon as it can't be read any more. A body that an outer application shares is left
    alone.
    """
    content = request.content
    # A stream may still wait for the body.
    if not response.is_streamed:
        content.end_waiting()
    # An outer application may still read the body, and frees it.
    if content.outermost is not None:
        return
    if response.status >= 400 and not content.is_complete:
        # After the response: a client may send as slowly as it likes, or read only after it has sent everything.
        request._defer_first(content.discard_on_thread if request.head.blocks else content.discard)
    _free(request, content, response)


def _free(request: Request, content: Content, response: Response) -> None:
    """Close the body now, or when the response has been sent: files of a form may be read until then.

    If ``after_response`` functions are called then, the body is always closed after them.
    """
    # ``finish`` closes the body after these functions.
    if request._deferred:
        return
    if not content.in_memory or (content.has_uploads and response.is_streamed):
        request.after_response(content.close)
    elif content.has_uploads:
        content.close()  # registering it for the end takes far longer


L = TypeVar("L")


class RequestLocal(Generic[L]):
    """A per-request object, such as a global ``request`` or ``ctx`` of another framework.

    ``ctx = RequestLocal(Context)`` has the attributes and items of an object that ``factory`` creates from the request
    on first use, once per request. ``ctx()`` returns that object. Raises RuntimeError if no request is being handled.
    """

    __slots__ = ("_dependency", "_factory")

    def __init__(self, factory: Callable[[Request], L]) -> None:
        # Past its own ``__setattr__``, which sets attributes of the request's object.
        object.__setattr__(self, "_factory", factory)
        name = getattr(factory, "__qualname__", type(factory).__qualname__)
        object.__setattr__(self, "_dependency", Dependency(name))

    def __call__(self) -> L:
        """Return the object of the current request."""
        request = current_request()
        dependency: Dependency[L] = object.__getattribute__(self, "_dependency")
        if dependency not in request:
            request[dependency] = object.__getattribute__(self, "_factory")(request)
        return request[dependency]

    def __getattr__(self, name: str) -> Any:
        return getattr(self(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self(), name)

    def __getitem__(self, key: Any) -> Any:
        held: Any = self()
        return held[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        held: Any = self()
        held[key] = value

    def __delitem__(self, key: Any) -> None:
        held: Any = self()
        del held[key]

    def __contains__(self, key: object) -> bool:
        held: Any = self()
        return key in held

    def __iter__(self) -> Iterator[Any]:
        held: Any = self()
        return iter(held)

    def __len__(self) -> int:
        held: Any = self()
        return len(held)

    def __bool__(self) -> bool:
        return bool(self())

    def __str__(self) -> str:
        return str(self())

    def __repr__(self) -> str:
        factory = object.__getattribute__(self, "_factory")
        return f"<RequestLocal {getattr(factory, '__qualname__', factory)!r}>"
