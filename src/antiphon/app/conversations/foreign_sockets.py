"""WebSockets of applications that are not ours: their steps, on a loop, as a conversation."""

from collections.abc import Callable
from typing import TypeAlias

from antiphon.app.conversations.conversation import SocketHandler, Steps
from antiphon.app.socket_options import SocketOptions
from antiphon.handler.contract import failed
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.websockets.connection import Connection

Talk: TypeAlias = Callable[[Request, Connection], Steps]


class ForeignSockets(SocketHandler):
    """A handler of handshakes, which gives responses: ``talk`` has the steps of a conversation.

    The steps agree on a subprotocol themselves, and give a response instead of a conversation. They see the client's
    disconnect; with ``cancels``, they are cancelled then if they wait for something else. ``blocks`` says that each has
    a thread, so their number is limited.
    """

    def __init__(self, talk: Talk, *, blocks: bool = False, cancels: bool = False) -> None:
        super().__init__(talk, SocketOptions(), (), cancels)
        self._talk = talk
        self._blocks = blocks

    async def answer(self, request: Request) -> Response:
        """Answer a handshake, whatever goes wrong."""
        try:
            response: Response = await self(request)
        except Exception as error:
            return failed(request, error)
        return response

    def check_end(self, answer: object) -> None:
        """Ignore the response of an application that has talked: it is not sent."""

    def _steps(self, request: Request, connection: Connection) -> Steps:
        return self._talk(request, connection)
