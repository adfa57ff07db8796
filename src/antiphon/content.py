"""A request's content: received once, within limits, decoded, and kept for everyone who reads it.

Pieces are received one after another, by whoever wants more of them: on the server's own thread or loop. What is on
another thread waits for that.
"""

import os
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.body.limits import Limits
from antiphon.event_loop import is_on_loop
from antiphon.head import Head, parse_length
from antiphon.http.errors import BadRequest, ContentTooLarge, HTTPError
from antiphon.http.over_limit import over_limit
from antiphon.pace import Pace

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from io import BytesIO

    from antiphon.content_decoding import ContentDecoder
    from antiphon.form_data import FormData
    from antiphon.uploads.spool import Spool
    from antiphon.uploads.window import Window

T = TypeVar("T")

AT_ONCE = 64 << 10
"""A body of up to so many bytes that comes in one piece is kept as that."""

PIECE = 256 << 10
"""Bytes that are read at once of what is kept."""

FORM_DATA = "multipart/form-data"

DISCARDING = 5
"""Seconds for which the rest of a body that is refused is received."""
MOST_DISCARDED = 64 << 20
"""How many bytes of it are."""
_WHILE_DISCARDING = Limits(timeout=DISCARDING, rate=0)

_NO_PIECES: Iterator[bytes] = iter(())


class Content:
    """The bytes of a request's body, which come from its head unless they are given.

    ``folder`` is where a large one is kept, None for where the system has temporary files.
    """

    __slots__ = (
        "_declared", "_decoder", "_form", "_has_begun", "_head", "_is_receiving", "_pace", "_pieces", "_spool", "data",
        "failure", "folder", "is_complete", "is_kept", "loop", "received",
    )  # fmt: skip

    def __init__(self, head: Head, data: bytes | None = None) -> None:
        self.data = data
        """All of it, where that is in memory; None until it is complete."""
        self.is_complete = data is not None
        """Whether all of it has been received."""
        self.is_kept = True
        """Whether what was received can be read again. May be set until the first piece is received."""
        self.received = 0 if data is None else len(data)
        """How many bytes have come, as they were sent."""
        self.failure: HTTPError | None = None
        """Why it could not be received."""
        self.loop: AbstractEventLoop | None = None
        """The server's loop, on which other threads have it received."""
        self.folder: str | os.PathLike[str] | None = None
        self._head = head
        self._declared: int | None = None
        self._has_begun = False
        self._is_receiving = False
        self._pace: Pace
        self._decoder: ContentDecoder | None = None
        self._pieces: Iterator[bytes] = _NO_PIECES
        self._spool: Spool | None = None
        self._form: FormData | None = None

    # What is known of it

    @property
    def length(self) -> int | None:
        """The declared length in bytes (RFC 9110 §8.6). Raises BadRequest (400) for one that is none."""
        if self._declared is None and (value := self._head.field("content-length")):
            try:
                self._declared = parse_length(value)
            except ValueError as error:
                raise BadRequest(str(error)) from None
        return self._declared

    @property
    def size(self) -> int:
        """How many bytes are kept so far, decoded."""
        return len(self.data) if self.data is not None else self._spool.size if self._spool is not None else 0

    @property
    def is_in_file(self) -> bool:
        """Whether it has become so large that it is kept in a file."""
        return self._spool is not None and not self._spool.in_memory

    @property
    def spool(self) -> "Spool":
        """Where it is kept."""
        if self._spool is None:
            self._spool = self._new_spool()
            if self.data:
                self._spool.add(self.data)
        return self._spool

    def _new_spool(self) -> "Spool":
        from antiphon.uploads.spool import Spool

        return Spool(folder=self.folder)

    def form(self, limits: Limits) -> "FormData":
        """Where the parts of a form are. Of one in memory it is found now, else it is while that arrives."""
        if self._form is None:
            from antiphon.form_data import FormData

            form = FormData(self._head.field("content-type") or "", limits)
            form.feed(self.spool.getvalue())
            self._form = form
        return self._form

    def kept(self, offset: int) -> bytes:
        """A piece of what is kept, from an offset on; empty where nothing is."""
        data = self.data
        if data is None:
            return self._spool.read_at(offset, PIECE) if self._spool is not None else b""
        return data if not offset and len(data) <= PIECE else data[offset : offset + PIECE]

    def read_all(self) -> bytes:
        """All of it, in memory from now on."""
        if self.data is None:
            self.data = self.spool.read_at(0, self.size)
        return self.data

    async def akept(self, offset: int) -> bytes:
        """The same on an event loop."""
        if not self.is_in_file:
            return self.kept(offset)
        from antiphon.threads import Crossing

        return await Crossing().run(self.kept, offset)

    @property
    def is_decoded(self) -> bool:
        """Whether it was sent coded, and is kept without that: Content-Encoding and Content-Length don't hold of it."""
        return self._decoder is not None

    def open(self) -> "BytesIO | Window":
        """All of it as a file object of its own, which is read from the start."""
        if self.data is not None:
            from io import BytesIO

            return BytesIO(self.data)
        from antiphon.uploads.window import Window

        return Window(self.spool, 0, self.size)

    def share(self, head: Head) -> "Content":
        """The same content for another request, which may be closed by itself."""
        shared = Content(head, self.data)
        shared._decoder = self._decoder
        shared.is_complete = self.is_complete
        shared.received = self.received
        if self.data is None:
            shared._spool = self.spool.share()
        return shared

    # Receiving

    async def load(self, limits: Limits) -> None:
        """Receive all of it. Called again, it goes on where it broke off. Where the head blocks, it never waits.

        Raises ContentTooLarge (413) from Content-Length before a byte is read, else by counting; BadRequest (400) for
        a bad Content-Length or a body that ends too early; UnsupportedMediaType (415) for a coding that is unknown;
        RequestTimeout (408) for one that comes too slowly; InsufficientStorage (507); ClientDisconnected.
        """
        self.check_kept()
        self.is_kept = True
        if self.is_complete and self.size > limits.body:  # they may have been set since
            raise _too_large(limits)
        while not self.is_complete:
            await self.advance(limits)

    def check_kept(self) -> None:
        """Raise RuntimeError where some of it was streamed without being kept."""
        if not self.is_kept and self.received:
            raise self.failure or RuntimeError(
                f"{self.received} bytes of the body have been streamed, and are gone: body='lazy' keeps what is read"
            )

    async def advance(self, limits: Limits) -> bytes:
        """Receive more of it: the next piece, decoded; empty at the end. Raises what ``load`` does."""
        if self._is_receiving:
            raise RuntimeError("the body is being received already: one task or thread at a time waits for it")
        if self._spool is not None and self._spool.is_closed and self.failure is not None:
            raise self.failure  # the disk was full, and nothing is kept any more
        self._is_receiving = True
        try:
            if not self._has_begun:
                self._begin(limits)
            piece = await self._next(limits)
            if piece and self.is_kept:
                await self._keep(piece, limits)
        except HTTPError as error:
            self.failure = error
            raise
        finally:
            self._is_receiving = False
        return piece

    def _begin(self, limits: Limits) -> None:
        self._pace = Pace()
        declared = self.length
        if declared is not None:
            if self._head.field("transfer-encoding"):
                raise BadRequest("a body has a Content-Length or a Transfer-Encoding, not both")
            if declared > limits.body:
                raise _too_large(limits)
        if coding := self._head.field("content-encoding"):
            from antiphon.content_decoding import content_decoder

            self._decoder = content_decoder(coding)
        self._has_begun = True

    async def _next(self, limits: Limits) -> bytes:
        if self.received > limits.body:
            raise _too_large(limits)
        while not self.is_complete:
            if piece := next(self._pieces, b""):
                return piece
            data = b"" if self.received == self._declared else await self._receive(limits)
            if not data:
                self._end()
            elif self._decoder is not None:
                self._pieces = self._decoder.feed(data, limits.body)
            else:
                self.is_complete = self.received == self._declared
                return data
        return b""

    async def _receive(self, limits: Limits) -> bytes:
        """The next bytes, as they were sent."""
        data = await self._next_bytes(limits)
        if self.received > limits.body:
            self._pieces = iter((data,)) if self._decoder is None else self._pieces
            raise _too_large(limits)
        self._pace.check(self.received, limits)
        return data

    async def _next_bytes(self, limits: Limits) -> bytes:
        head = self._head
        if not head.blocks:
            data = await self._pace.within(head.receive(), limits)
        elif is_on_loop():
            from antiphon.threads import Crossing

            data = await Crossing().run(_taken, head.receive())
        else:
            data = await head.receive()
        self.received += len(data)
        return data

    def _end(self) -> None:
        declared, received = self._declared, self.received
        if declared is not None and received != declared:
            end = "ended after" if received < declared else "has"
            raise BadRequest(f"the body {end} {received} bytes, where Content-Length declares {declared}")
        if self._decoder is not None:
            self._decoder.finish()
        self.is_complete = True
        if self.is_kept:
            self._settle()

    def _settle(self) -> None:
        """Have all of it at hand, if it is in memory."""
        if not self.is_in_file:
            self.data = b"" if self._spool is None else self._spool.getvalue()

    async def _keep(self, piece: bytes, limits: Limits) -> None:
        if self.is_complete and self._spool is None and len(piece) <= AT_ONCE:
            self.data = piece
            return
        spool = self.spool
        if self._form is not None:
            self._form.feed(piece)
        spool.add(piece)
        if spool.is_due:
            if spool.in_memory and self._is_form():
                self.form(limits)
            await self._flush(spool)
        if self.is_complete:
            self._settle()

    def _is_form(self) -> bool:
        return (self._head.field("content-type") or "").lstrip(" \t")[: len(FORM_DATA)].lower() == FORM_DATA

    async def _flush(self, spool: "Spool") -> None:
        if not is_on_loop():
            spool.flush()
            return
        from antiphon.threads import Crossing

        await Crossing().run(spool.flush)

    async def discard(self) -> None:
        """Receive what is left and forget it, up to a point: many clients listen only when they have sent all.

        It is for a body that is refused. One that waits to be asked for (RFC 9110 §10.1.1) is not received at all.
        """
        if self.is_complete or (not self.received and (self._head.field("expect") or "").lower() == "100-continue"):
            return
        self.is_complete, self.is_kept = True, False
        most, until = self.received + MOST_DISCARDED, monotonic() + DISCARDING
        with suppress(HTTPError):
            while self.received != self._declared and monotonic() < until:
                data = await self._next_bytes(_WHILE_DISCARDING)
                if not data or self.received > most:
                    return

    # On other threads

    def load_on_thread(self, limits: Limits) -> None:
        """As ``load``, for code that may block. Raises NotLoadedError on an event loop, or where it has none."""
        loading = self.load(limits)
        if self.is_complete:
            _taken(loading)
        else:
            self._on_thread(loading)

    def advance_on_thread(self, limits: Limits) -> bytes:
        """As ``advance``, likewise."""
        return b"" if self.is_complete else self._on_thread(self.advance(limits))

    def _on_thread(self, receiving: Coroutine[Any, Any, T]) -> T:
        """Wait for what receives, which is taken where the server wants it."""
        if is_on_loop() or not (self._head.blocks or self.loop):
            receiving.close()
            raise NotLoadedError
        if self.loop is None:
            return _taken(receiving)
        from asyncio import run_coroutine_threadsafe

        return run_coroutine_threadsafe(receiving, self.loop).result()

    def close(self) -> None:
        """Free the file in which it is kept, if it is so large."""
        if self._spool is not None:
            self._spool.close()


class NotLoadedError(RuntimeError):
    """The body is wanted on an event loop, and is not there yet."""


def _taken(receiving: Coroutine[Any, Any, T]) -> T:
    """What is received where that blocks, and so never waits."""
    try:
        receiving.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # it gives its T
    raise AssertionError(receiving)


def _too_large(limits: Limits) -> ContentTooLarge:
    detail = f"the body is longer than the {limits.body} bytes that are accepted"
    return over_limit(ContentTooLarge, "body", limits.body, detail)
