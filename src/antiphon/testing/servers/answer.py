"""What an application on an event loop sends, on its way to the reader: one chunk ahead of it, no more."""

import asyncio
from collections.abc import Callable, Iterable, Iterator

from antiphon.testing.errors import ContractError
from antiphon.testing.servers.exchange import Head


class Answer:
    """A head and the chunks of a body, written by the application's side and taken by the reader's.

    ``complete`` tells that the application has sent all, ``left`` that the client has gone away before that.
    """

    def __init__(self) -> None:
        self.head: Head | None = None
        self.complete = False
        self.left = False
        self.fault: ContractError | None = None
        self.refusal: Exception | None = None
        self._chunk: bytes | None = None
        self._rest: Iterator[bytes] = iter(())
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for what a change of this answer brings about."""
        while not condition():
            await self._changed.wait()

    def notify(self) -> None:
        """Have everyone who waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    # The application's side

    def start(self, head: Head) -> None:
        """The response begins."""
        self.head = head
        self.notify()

    async def send(self, chunk: bytes) -> None:
        """Hand over a chunk as soon as there is room; it goes nowhere when the client has left."""
        await self.until(lambda: self._chunk is None or self.left)
        if self.left or not chunk:
            await asyncio.sleep(0)  # other tasks must run, even if the application never waits for anything
        else:
            self._chunk = chunk
            self.notify()

    def finish(self, chunks: Iterable[bytes] = ()) -> None:
        """Nothing more comes from the application but these chunks, which are taken when they are read."""
        self._rest = iter(chunks)
        self.complete = True
        self.notify()

    def refuse(self, complaint: str) -> ContractError:
        """The error to raise for a breach of contract; the first one is kept for the client."""
        error = ContractError(complaint)
        self.fault = self.fault or error
        return error

    def refuse_gone(self, error: Exception) -> Exception:
        """The error to raise for sending to a client that has left; it is not held against an application."""
        self.refusal = self.refusal or error
        return self.refusal

    # The reader's side

    @property
    def readable(self) -> bool:
        """Whether ``take`` has a chunk, or the end, at once."""
        return self._chunk is not None or self.complete

    def take(self) -> bytes | None:
        """The chunk that is there; None at the end."""
        chunk, self._chunk = self._chunk, None
        if chunk is None:
            return next(self._rest, None)
        self.notify()
        return chunk

    def leave(self) -> None:
        """The client goes away, if it does not have all."""
        if not self.complete:
            self.left = True
        self.notify()
