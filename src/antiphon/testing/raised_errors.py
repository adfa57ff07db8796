"""Applications of ours that raise what they would answer with a 500."""

from asyncio import AbstractEventLoop
from typing import Any

from antiphon.adapters.servable import Servable
from antiphon.http.errors import InternalServerError
from antiphon.request.request import Request
from antiphon.response.conditional import close_unsent
from antiphon.response.response import Response


class RaisingErrors(Servable):
    """An application that raises the error which another one has answered with a 500.

    All else is the other one's, as are its startup and shutdown: it may be served beside this.
    """

    def __init__(self, application: Servable) -> None:
        super().__init__()
        self._application = application

    async def handle(self, request: Request) -> Response:
        """The steps that answer a request."""
        return _raised(request, await self._application.handle(request))

    async def answer(self, request: Request) -> Response:
        """The response, awaited on an event loop."""
        return _raised(request, await self._application.answer(request))

    def __call__(self, *arguments: Any) -> Any:
        """Answer a WSGI or an ASGI server. What is no request is for the other application."""
        if len(arguments) == 3 and arguments[0]["type"] != "http":
            return self._application(*arguments)
        return super().__call__(*arguments)

    async def start(self) -> None:
        """Start the other one up, unless it has happened."""
        await self._application.start()

    def start_on_thread(self) -> None:
        """The same where no loop runs."""
        self._application.start_on_thread()

    def __rsgi_init__(self, loop: AbstractEventLoop) -> None:
        """Start the other one up."""
        self._application.__rsgi_init__(loop)

    def __rsgi_del__(self, loop: AbstractEventLoop) -> None:
        """Shut the other one down."""
        self._application.__rsgi_del__(loop)


def _raised(request: Request, response: Response) -> Response:
    if response.error is None or response.status != InternalServerError.status:
        return response
    close_unsent(response.body, request)
    raise response.error
