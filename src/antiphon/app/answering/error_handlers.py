"""Error handlers, by class of exception, the most specific first, or by status."""

from collections.abc import Iterable
from copy import copy
from typing import TypeAlias

from antiphon.app.answering.hooks import Hook
from antiphon.app.answering.returns import respond
from antiphon.explanations import explained
from antiphon.handler.contract import describe, failed, log_failure
from antiphon.handler.errors import as_http_error, headers_of
from antiphon.http.errors import HTTPError
from antiphon.http.redirect import RaisedAnswer
from antiphon.request.request import Request
from antiphon.response.response import Response

Found: TypeAlias = tuple[type[BaseException] | int, Hook]
"""The class or status for which a handler was registered, and the handler."""


class ErrorHandlers:
    """The error handlers of an application or a blueprint, by class and by status."""

    def __init__(self) -> None:
        self._handlers: dict[type[BaseException] | int, Hook] = {}

    def __bool__(self) -> bool:
        """True if there is any handler."""
        return bool(self._handlers)

    @property
    def has_async(self) -> bool:
        """True if any handler is awaited."""
        return any(handler.is_async for handler in self._handlers.values())

    def add(self, key: type[BaseException] | int, handler: Hook) -> None:
        """Register a handler. Raises what ``check_key`` does, and ValueError for a second handler for the same key."""
        check_key(key)
        known = self._handlers.setdefault(key, handler)
        if known is not handler:
            name = key if isinstance(key, int) else key.__name__
            raise explained(
                "bad-error-handler",
                ValueError(
                    f"{name} is already handled by {describe(known.function)}, and now by {describe(handler.function)}"
                ),
            )

    def find(self, error: BaseException) -> Found | None:
        """Return the handler for an error, and the class or status for which it was registered.

        An HTTPError's own class comes first, then its status, then the classes that it derives from. Other errors have
        no status of their own: 500 comes just before Exception.
        """
        if not isinstance(error, Exception):
            return None
        kinds = type(error).__mro__
        status = as_http_error(error).status
        count = 1 if isinstance(error, HTTPError) else kinds.index(Exception)
        keys: tuple[type[BaseException] | int, ...] = (*kinds[:count], status, *kinds[count:])
        return next(((key, self._handlers[key]) for key in keys if key in self._handlers), None)


def check_key(key: object) -> None:
    """Check that a key is a class of exceptions (else TypeError) or a status from 400 to 599 (else ValueError)."""
    if isinstance(key, int):
        if not 400 <= key <= 599:
            raise explained("bad-error-handler", ValueError(f"an error's status is one of 400 to 599, not {key}"))
    elif not isinstance(key, type) or not issubclass(key, Exception) or issubclass(key, RaisedAnswer):
        raise explained(
            "bad-error-handler", TypeError(f"an error handler is for a class of exceptions or a status, not {key!r}")
        )


async def answer_error(
    error_handlers: Iterable[ErrorHandlers], request: Request, error: BaseException, blocks: bool, is_driven: bool
) -> Response:
    """Answer an error with the handler of the first of these that has one for it.

    ``blocks`` says that sync handlers run on a thread, ``is_driven`` that they may go there. The handler's answer has
    the error's status, unless it sets another, and with that status the error's headers, such as Allow (RFC 9110
    §15.5.6). If the handler fails, its own error is answered, as one without a handler.
    An unexpected error is logged, even when a handler answers it with a page.
    """
    found = find_handler(error_handlers, error)
    if found is None:
        return failed(request, error)
    key, handler = found
    handler = handler.for_handler(blocks)
    traceback = error.__traceback__
    try:
        raise error  # so that it is the context of what its handler raises
    except BaseException:
        error.__traceback__ = traceback
        return await _answer_by(key, handler.pinned() if is_driven else handler, request, error)
    finally:
        error.__traceback__ = traceback  # without the frames here: they keep the error, and it would keep them


async def _answer_by(key: type[BaseException] | int, handler: Hook, request: Request, error: BaseException) -> Response:
    """Return the handler's answer to an error, or the answer to the handler's own error."""
    try:
        answer = await handler.call(request, error)
        response = copy(
            await respond(answer, handler.function, request)
        )  # it may be one that answers other errors, too
        told = as_http_error(error)
        if answer is None or not response.has_own_status:
            response.status = told.status
        if response.status == told.status:
            _add_missing(request, response, told)
        response.error = error
    except GeneratorExit:
        raise
    except BaseException as again:
        return failed(request, again)
    if not isinstance(error, HTTPError) and (isinstance(key, int) or key is Exception):
        log_failure(request, error)
    return response


def _add_missing(request: Request, response: Response, told: HTTPError) -> None:
    """Add the header fields of an error that a response does not set itself."""
    fields = told.headers.items() if "www-authenticate" in response.headers else headers_of(request, told)
    for name, value in [field for field in fields if field[0] not in response.headers]:
        response.headers.add(name, value)


def find_handler(error_handlers: Iterable[ErrorHandlers], error: BaseException) -> Found | None:
    """Return the first handler for an error; None for an answer that was raised, which is not an error."""
    if isinstance(error, RaisedAnswer):
        return None
    for handlers in error_handlers:
        if found := handlers.find(error):
            return found
    return None
