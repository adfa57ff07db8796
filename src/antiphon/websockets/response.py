"""The response that accepts a handshake: middleware sees it, and it opens the conversation when it is sent."""

from antiphon.response.message import Stream
from antiphon.response.response import Response
from antiphon.websockets.connection import Connection


class WebSocketResponse(Response):
    """The acceptance of a handshake (101, RFC 6455 §4.2.2), whose body is the conversation: it has no chunks.

    Header fields and cookies that you set are sent with the handshake, if the server allows that.
    """

    __slots__ = {"connection": "The connection of the conversation."}

    def __init__(self, connection: Connection, conversation: Stream) -> None:
        super().__init__(headers=connection.fields)
        self._body = conversation
        self._status = 101
        self.connection = connection
