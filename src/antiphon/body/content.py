"""A request's content: received once, and kept for everyone who reads it, on whatever thread."""

from collections.abc import Coroutine
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.body.pacing import Pace
from antiphon.body.receiver import ReceivedBody, result_of
from antiphon.concurrency.loop import is_on_loop
from antiphon.http.head import Head
from antiphon.http.limits import Limits

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

T = TypeVar("T")

DISCARDING = 5
"""Seconds for which the rest of a body that is refused is received."""
MOST_DISCARDED = 64 << 20
"""How many bytes of it are."""
_WHILE_DISCARDING = Limits(timeout=DISCARDING, rate=0)


class Content(ReceivedBody):
    """The bytes of a request's body, which come from its head unless they are given."""

    loop: "AbstractEventLoop | None" = None
    """The server's loop, on which other threads have it received."""
    outermost: object = None
    """Who had it first, and answers last: whose refusal it is that counts."""

    def share(self, head: Head) -> "Content":
        """The same content for another request, which may be closed by itself."""
        shared = Content(head, self.data)
        shared._decoder = self._decoder
        shared.is_complete = self.is_complete
        shared.received = self.received
        if self.data is None:
            shared._spool = self.spool.share()
            if self.is_complete and head.field("content-type") == self._head.field("content-type"):
                shared._form = self._form
        return shared

    async def discard(self) -> None:
        """Receive what is left and forget it, up to a point: many clients listen only when they have sent all.

        It is for a body that is refused. One that waits to be asked for (RFC 9110 §10.1.1) is not received at all.
        """
        if self.is_complete or self._is_receiving or (not self.received and self._is_held_back()):
            return
        self.is_complete = True
        vars(self)["_pace"] = Pace()
        self.failure = self._broken = self.failure or RuntimeError("the body was refused, and is gone")
        most, until = self.received + MOST_DISCARDED, monotonic() + DISCARDING
        with suppress(Exception):  # whatever breaks off what nobody wants
            while self.received != self.readable_length and self.received <= most and monotonic() < until:
                data = await self._next_bytes(_WHILE_DISCARDING)
                if not data:
                    return
                self.received += len(data)

    def _is_held_back(self) -> bool:
        return (self._head.field("expect") or "").lower() == "100-continue"

    # On other threads

    def load_on_thread(self, limits: Limits) -> None:
        """As ``load``, for code that may block. Raises NotLoadedError on an event loop, or where it has none."""
        if self._is_there():
            self._check_wanted(limits)
        else:
            self._on_thread(self.load(limits))

    def advance_on_thread(self, limits: Limits) -> bytes:
        """As ``advance``, likewise."""
        return b"" if self._is_there() else self._on_thread(self.advance(limits))

    def _is_there(self) -> bool:
        """Whether nothing has to be received."""
        if not self._has_begun and not self.is_complete and not self._head.has_body:
            self.data, self.is_complete = b"", True
        return self.is_complete

    def _on_thread(self, receiving: Coroutine[Any, Any, T]) -> T:
        """Wait for what receives, which is taken where the server wants it."""
        if is_on_loop() or not (self._head.blocks or self.loop):
            receiving.close()
            raise NotLoadedError
        if self.loop is None:
            return result_of(receiving)
        from asyncio import run_coroutine_threadsafe

        return run_coroutine_threadsafe(receiving, self.loop).result()


class NotLoadedError(RuntimeError):
    """The body is wanted on an event loop, and is not there yet."""
