"""A body as it is received: once, chunk by chunk, within limits, and decoded.

Chunks are received one after another, by whoever wants more of them: on the server's own thread or loop.
"""

from collections.abc import Coroutine, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.body.pacing import Pace
from antiphon.body.storage import KeptBody, is_received
from antiphon.concurrency.loop import TIME_SLICE, is_on_loop, yield_to_loop
from antiphon.http.errors import BadRequest, ContentTooLarge, HTTPError, over_limit
from antiphon.http.head import Head, parse_length
from antiphon.http.limits import Limits
from antiphon.lazy import lazy

if TYPE_CHECKING:
    from antiphon.body.decompression import ContentDecoder
    from antiphon.concurrency.fairness import Member

T = TypeVar("T")

AT_ONCE = 64 << 10
"""A body of up to so many bytes that comes in one chunk is kept as that."""

_NO_CHUNKS: Iterator[bytes] = iter(())


class ReceivedBody(KeptBody):
    """What of a body has been received, and how the rest is."""

    is_kept = True
    """Whether what was received can be read again. May be set until the first chunk is received."""
    failure: Exception | None = None
    """Why it could not be received."""
    _declared: int | None = None
    _has_begun = False
    _has_ended = False
    """Whether nothing more comes; what has come may still have to be kept."""
    _waiting: "tuple[Coroutine[Any, Any, bytes], Any] | None" = None
    """What receives the first chunk, and for what it waits."""
    _held = b""
    """What has come, and must not be read: there is too much of it."""
    _decoder: "ContentDecoder | None" = None
    _chunks = _NO_CHUNKS
    """What has come, and is still to be decoded."""
    _member: "Member | None" = None
    _end_of_turn = 0.0
    """When those have their turn who are on the loop, too, though nothing has to be received."""
    _given = 0
    """How many bytes, decoded, were given on without being kept."""
    _broken: Exception | None = None
    """Why it can't be received even if somebody tries again."""

    is_complete = False
    """Whether all of it has been received."""
    received = 0
    """How many bytes have come, as they were sent."""

    def __init__(self, head: Head, data: bytes | None = None) -> None:
        self._head = head
        if data is not None:
            self.data = data
            self.received = len(data)
            self.is_complete = True

    @lazy
    def _pace(self) -> Pace:
        return Pace()

    @lazy
    def _coding(self) -> str | None:
        return self._head.field("content-encoding")

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
    def readable_length(self) -> int | None:
        """The declared length; None where none is declared, or a malformed one."""
        try:
            return self.length
        except BadRequest:
            return None

    @property
    def is_empty(self) -> bool:
        """Whether it has nothing, as far as that is known before it is received."""
        if self.is_complete:
            return not self.size
        return self.readable_length == 0 or not self._head.has_body

    def is_small(self, most: int) -> bool:
        """Whether it is known to have few bytes; one that is coded may become large."""
        length = self.readable_length
        return length is not None and length <= most and not self._coding

    @property
    def is_decoded(self) -> bool:
        """Whether it was sent coded, and is kept without that: Content-Encoding and Content-Length don't hold of it."""
        return self._decoder is not None

    def receive_on(self, receiving: Coroutine[Any, Any, bytes], effect: Any) -> None:
        """Go on with what receives the first chunk, and waits for this."""
        self._waiting = receiving, effect

    def hold(self, data: bytes) -> None:
        """Be given the first chunk, which is yet to be looked at."""
        self._held = data
        self.received = len(data)

    def break_off(self, error: HTTPError | OSError) -> None:
        """Be told why nothing of it can be received."""
        self.failure = self._broken = error

    async def load(self, limits: Limits) -> None:
        """Receive all of it. Called again, it goes on where it broke off. Where the head blocks, it never waits.

        Raises ContentTooLarge (413) from Content-Length before a byte is read, else by counting; BadRequest (400) for
        a bad Content-Length or a body that ends too early; UnsupportedMediaType (415) for a coding that is unknown;
        RequestTimeout (408) for one that comes too slowly; InsufficientStorage (507); ClientDisconnected.
        """
        self._check_wanted(limits)
        while not self.is_complete:
            await self.advance(limits)

    def _check_wanted(self, limits: Limits) -> None:
        """Raise where all of it is not to be had, and have it kept."""
        if self._broken is not None or not self.is_kept:
            self.check_kept(0)
            self.is_kept = True
        self.check_size(limits)

    def check_size(self, limits: Limits) -> None:
        """Raise ContentTooLarge (413) for a body that is there already, within limits that may have been others."""
        if self.is_complete and self.size > limits.body:
            raise _too_large(limits)

    def check_kept(self, offset: int) -> None:
        """Raise where what was received can't be read from an offset on: it is lost, or was streamed and not kept."""
        if self._broken is not None:
            raise self._broken
        if not self.is_kept and offset != self._given:
            raise self.failure or RuntimeError(
                f"{self._given} bytes of the body have been streamed, and are gone: body='lazy' keeps what is read"
            )

    async def advance(self, limits: Limits) -> bytes:
        """Receive more of it: the next chunk, decoded; empty at the end. Raises what ``load`` does."""
        if self._is_receiving:
            raise is_received()
        if self.is_complete:
            return b""
        self._is_receiving, chunk = True, b""
        try:
            if not self._has_begun:
                self._begin(limits)
            if self._decoder is not None:
                if self._given and monotonic() > self._end_of_turn:
                    await yield_to_loop()  # before more is taken, which a cancellation would lose
                    self._end_of_turn = monotonic() + TIME_SLICE
                chunk = self._decoded()
            while not chunk and not self._has_ended:
                data = self._held
                if not data and self.received != self._declared:
                    data = await self._next_bytes(limits)
                    self.received += len(data)
                chunk = self._taken(data, limits)
            if not self.is_kept:
                self._given += len(chunk)
            elif self._has_ended and self._spool is None and len(chunk) <= AT_ONCE:
                self.data = chunk
            elif self.add(chunk) or self._has_ended:
                await self.write(limits, self._has_ended)
            self.is_complete = self._has_ended
        except Exception as error:
            if chunk:  # it has come, and is lost
                self._broken = error
            if isinstance(error, HTTPError | OSError):
                self.failure = error
            raise
        finally:
            self._is_receiving = False
        return chunk

    def _begin(self, limits: Limits) -> None:
        declared = self.length
        if not self._head.has_body:
            self._has_begun = self._has_ended = True
            return
        if declared is not None:
            if self._head.field("transfer-encoding"):
                raise BadRequest("a body has a Content-Length or a Transfer-Encoding, not both")
            if declared > limits.body:
                raise _too_large(limits)
        if self._coding:
            from antiphon.body.decompression import content_decoder

            self._decoder = content_decoder(self._coding)
        self._has_begun = True

    def _next_bytes(self, limits: Limits) -> Coroutine[Any, Any, bytes]:
        """What comes next, as it was sent; empty at the end."""
        if self._head.blocks:
            return self._blocking(limits)
        return self._in_turn(limits) if self.received > AT_ONCE else self._coming(limits)

    def _coming(self, limits: Limits) -> Coroutine[Any, Any, bytes]:
        """The same from a head that has it come by itself."""
        if self._waiting is not None:
            (receiving, effect), self._waiting = self._waiting, None
            return self._pace.still_within(receiving, effect, self.received, limits)
        return self._pace.within(self._head.receive(), self.received, limits)

    async def _blocking(self, limits: Limits) -> bytes:
        """The same from a head that blocks."""
        head, pace = self._head, self._pace
        pace.check(self.received, limits)
        before = monotonic()
        data = await (_on_worker(head) if is_on_loop() else head.receive())
        pace.waited += monotonic() - before
        return data

    async def _in_turn(self, limits: Limits) -> bytes:
        """The same of a large body, which lets others go first where it's their turn."""
        member = self._member
        if member is None:
            from antiphon.concurrency.fairness import new_member

            member = self._member = new_member()
        queue = member.queue
        if not queue.try_acquire(member):
            await queue.acquire(member)
        try:
            return await self._coming(limits)
        finally:
            queue.release(member)

    def _taken(self, data: bytes, limits: Limits) -> bytes:
        """What can be read by means of the bytes that came last; nothing at the end."""
        received, declared = self.received, self._declared
        if received > limits.body or (declared is not None and (received > declared if data else received < declared)):
            self._held = data
            raise _too_large(limits) if received > limits.body else _wrong_length(received, declared)
        if self._held:
            self._held = b""
        if self._decoder is None:
            self._has_ended = not data or received == declared
            return data
        if data:
            self._chunks = self._decoder.feed(data, limits.body)
            return self._decoded()
        self._decoder.finish()
        self._has_ended = True
        return b""

    def _decoded(self) -> bytes:
        """The next chunk of what has come, decoded."""
        try:
            return next(self._chunks, b"")
        except HTTPError as error:
            self._broken = error
            raise


def result_of(receiving: Coroutine[Any, Any, T]) -> T:
    """What is received where that blocks, and so never waits."""
    try:
        receiving.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # it gives its T
    raise AssertionError(receiving)


async def _on_worker(head: Head) -> bytes:
    """The next bytes of a head that blocks, on an event loop."""
    from antiphon.concurrency.crossing import Crossing

    return await Crossing().run(lambda: result_of(head.receive()))


def _wrong_length(received: int, declared: int | None) -> BadRequest:
    end = "has" if declared is not None and received > declared else "ended after"
    return BadRequest(f"the body {end} {received} bytes, where Content-Length declares {declared}")


def _too_large(limits: Limits) -> ContentTooLarge:
    detail = f"The body is longer than the {limits.body} bytes that are accepted."
    return over_limit(ContentTooLarge, "body", limits.body, detail)
