"""A plain function, or a response, served as an application, and a program that becomes a server by ``app.run()``."""

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from typing import Any, Literal, NoReturn, TypeAlias, overload

from antiphon.adapters.heads import HeadChecks
from antiphon.adapters.servable import Servable, ServedResponse
from antiphon.app.dispatch.returns import ResponseLike, respond
from antiphon.explanations import explained
from antiphon.handler.callables import check_arguments, is_async
from antiphon.handler.contract import BEGIN_ON_THREAD, ON_LOOP
from antiphon.handler.failures import failed
from antiphon.handler.scope import in_scope, set_current_request
from antiphon.http.limits import Limits
from antiphon.http.urls.path import check_path
from antiphon.request.request import Request
from antiphon.response.response import Response

RequestFunction: TypeAlias = (
    Callable[[Request], ResponseLike]
    | Callable[[Request], Awaitable[ResponseLike]]
    | Callable[[Request], None]
    | Callable[[Request], Awaitable[None]]
)


class ServedFunction(Servable):
    """An application that calls a plain ``def`` or ``async def`` function with a loaded request."""

    def __init__(self, function: RequestFunction) -> None:
        super().__init__()
        check_arguments(function, "request")
        self._is_async = is_async(function)
        self._function: Callable[..., Any] = in_scope(function, None) if self._is_async else function  # type: ignore[arg-type]
        self._head_checks = HeadChecks(Limits())

    @property
    def interface(self) -> Literal["wsgi", "asgi"]:
        """WSGI for a ``def``, ASGI for an ``async def``."""
        return "asgi" if self._is_async else "wsgi"

    def _measure_header_sections(self) -> None:
        """Refuse header sections above the limit from now on."""
        self._head_checks.look_at_heads()

    async def _handle(self, request: Request) -> Response:
        """Load the body, call the function, and turn errors into problem details or a page."""
        set_current_request(request)
        try:
            check_path(request.head.path)
            if error := self._head_checks.head_error(request.head):
                raise error
            if request.head.has_body:
                await request.content.load(request.limits)
            if not self._is_async:
                await BEGIN_ON_THREAD
            # Over WSGI, an ``async def`` needs the background loop.
            elif request.head.blocks:
                await ON_LOOP
            result = self._function(request)
            if self._is_async:
                result = await result  # a coroutine, as is_async says
            if not isinstance(result, Response):
                result = await respond(result, self._function, request)
            if result.is_conditional:
                result = copy(result).make_conditional(request)  # the function may return the same one again
            if request.consulted:
                result.vary(*request.consulted)
            return result
        except Exception as error:
            return failed(request, error)

    def _respond(self, request: Request) -> Awaitable[Response]:
        """Handle a request on an event loop; return an awaitable of the response."""
        return self._handle(request) if self._is_async else super()._respond(request)


@overload
def to_app(result: RequestFunction) -> ServedFunction: ...
@overload
def to_app(result: Response) -> ServedResponse: ...
def to_app(result: RequestFunction | Response) -> Servable:
    """Return an application, for any server, that responds with the result of a function or with a given response.

    The function is called with the ``Request``. It is ``def`` or ``async def`` and returns the same values as handlers.
    Usable as a decorator. Raises TypeError for a function that can't be called with a request.
    """
    return ServedResponse(result) if isinstance(result, Response) else ServedFunction(result)


def become_server(app: object, settings: Mapping[str, object]) -> NoReturn:
    """Replace this process with the command.

    Raises RuntimeError unless the application is in the program's own module, and ValueError for ``debug``.
    """
    if settings.get("debug"):
        raise explained(
            "no-debug-in-code",
            "app.run() doesn't accept debug=True, which is easily left in code: use `antiphon run --debug`, or set"
            " ANTIPHON_DEBUG=1 in the environment",
        )
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    name = next((name for name, value in vars(main).items() if value is app), None)
    if file is None or name is None:
        raise explained(
            "run-outside-of-program",
            "app.run() must be called in the module that is run as a program, where the app has a name: write it"
            " at the end, below"
            ' `if __name__ == "__main__":`. Serve any other app with: antiphon run module:app',
            RuntimeError,
        )
    environment = dict(os.environ)
    if main.__spec__ is None:  # not python -m
        module, folder = os.path.splitext(os.path.basename(file))[0], os.path.dirname(os.path.abspath(file))
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (folder, environment.get("PYTHONPATH"))))
    else:
        module = main.__spec__.name
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-m", "antiphon", "run", f"{module}:{name}"]
    for name, value in settings.items():
        if value is not None and value is not False:  # 0 is a valid port
            command.append(f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}"))
    os.execve(sys.executable, command, environment)  # noqa: S606 - no shell is needed
