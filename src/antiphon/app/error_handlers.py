"""Which handler answers an error: the one for its class, the most specific first, or the one for its status."""

from antiphon.app.hooks import Hook
from antiphon.app.returns import to_response
from antiphon.error_response import as_http_error
from antiphon.handler import Steps, failed
from antiphon.request import Request
from antiphon.response import Response


class ErrorHandlers:
    """The error handlers of an application, by class and by status."""

    def __init__(self) -> None:
        self._by_class: dict[type[BaseException], Hook] = {}
        self._by_status: dict[int, Hook] = {}

    def add(self, key: type[BaseException] | int, handler: Hook) -> None:
        """Register a handler. Raises TypeError for what is neither a class of exceptions nor a status."""
        if isinstance(key, int):
            self._by_status[key] = handler
        elif isinstance(key, type) and issubclass(key, Exception):
            self._by_class[key] = handler
        else:
            raise TypeError(f"an error handler is for a class of exceptions or a status, not {key!r}")

    def find(self, error: BaseException) -> Hook | None:
        """The handler for an error: by the error's class, by its status, then by the classes that it derives from."""
        if not isinstance(error, Exception):
            return None
        own, *bases = type(error).__mro__
        if own in self._by_class:
            return self._by_class[own]
        by_status = self._by_status.get(as_http_error(error).status)
        if by_status is not None:
            return by_status
        return next((self._by_class[base] for base in bases if base in self._by_class), None)

    def answer(self, request: Request, error: BaseException, blocks: bool) -> Steps[Response]:
        """The steps to the response to an error; ``blocks`` says that sync handlers run on a thread.

        What the handler returns has the error's status, unless it says another. A handler that fails is answered
        like any error that nobody handles.
        """
        handler = self.find(error)
        if handler is None:
            return failed(request, error)
        try:
            answer = yield from handler.around(blocks).call(request, error)
            response = to_response(answer, handler.function)
            if response.status == 200 and not isinstance(answer, Response | tuple):
                response.status = as_http_error(error).status
            response.error = error
        except GeneratorExit:
            raise
        except BaseException as again:
            return failed(request, again)
        return response
