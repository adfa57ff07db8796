"""A body as its server delivers it: chunk by chunk, within limits, with content codings decoded.

Chunks are received where the head delivers them: on a thread if it blocks, otherwise on the server's event loop.
``Pace`` limits the time spent waiting for them, with a maximum wait for data and a minimum average rate. Only time
during which code waits for the body is measured, so a handler may take as long as it likes between two chunks.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from functools import cache
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.concurrency.iterables import resume
from antiphon.concurrency.loop import running_loop, yield_to_loop
from antiphon.http.errors import (
    BadRequest,
    ContentTooLarge,
    HTTPError,
    NotImplementedByServer,
    RequestTimeout,
    over_limit,
    without_traceback,
)
from antiphon.http.grammar import OWS, split_list
from antiphon.http.head import Head, parse_length
from antiphon.http.limits import NO_BOUND, Limits

if TYPE_CHECKING:
    from antiphon.body.codings import ContentDecoder
    from antiphon.concurrency.fairness import Member


GRACE = 5.0
"""The number of seconds of waiting after which the average rate is checked."""


class Pace:
    """The time spent waiting for one body."""

    __slots__ = ("waited",)

    def __init__(self, waited: float = 0.0) -> None:
        self.waited = waited
        """The seconds of waiting so far."""

    async def resume(self, receiving: Coroutine[Any, Any, bytes], effect: Any, received: int, limits: Limits) -> bytes:
        """Continue a coroutine that receives the next bytes, after ``received`` bytes. Return them.

        It was started, on an event loop, and awaits ``effect``. Raises RequestTimeout (408).
        """
        left, timeout = self._left(received, limits), limits.timeout
        before = monotonic()
        try:
            # Whichever comes first; a timeout of 0 is none.
            data = await _finished_within()(timeout if 0 < timeout <= left else left, receiving, effect)
        finally:
            self.waited += monotonic() - before
        if data is None:
            raise _overdue(left, limits)
        return data

    def check(self, received: int, limits: Limits) -> None:
        """Check the rate so far, before a blocking call receives more. Raises RequestTimeout (408)."""
        # A blocking call can't be interrupted: the rate is looked at before the next one.
        if self.waited > GRACE and self._left(received, limits) <= 0:
            raise _too_slow(limits)

    def _left(self, received: int, limits: Limits) -> float:
        """Return how many more seconds of waiting the rate allows; negative if the rate is already too low."""
        return GRACE + received / limits.rate - self.waited if limits.rate else inf


def resume_first(receiving: Coroutine[Any, Any, bytes], effect: Any, limits: Limits) -> Awaitable[bytes | None]:
    """Continue a coroutine that receives the first bytes, as ``Pace.resume`` does.

    The result is None if they are overdue.
    """
    left, timeout = GRACE if limits.rate else inf, limits.timeout
    return _finished_within()(timeout if 0 < timeout <= left else left, receiving, effect)


def first_overdue(limits: Limits) -> RequestTimeout:
    """Return the error for overdue first bytes."""
    return _overdue(GRACE if limits.rate else inf, limits)


def _overdue(left: float, limits: Limits) -> RequestTimeout:
    return _too_late(limits) if 0 < limits.timeout <= left else _too_slow(limits)


def _too_late(limits: Limits) -> RequestTimeout:
    return over_limit(RequestTimeout, "timeout", limits.timeout, f"No data arrived for {limits.timeout} seconds.")


def _too_slow(limits: Limits) -> RequestTimeout:
    detail = f"The body arrives more slowly than {limits.rate} bytes per second."
    return over_limit(RequestTimeout, "rate", limits.rate, detail)


@cache
def _finished_within() -> Callable[[float, Coroutine[Any, Any, bytes], Any], Awaitable[bytes | None]]:
    """Return ``finished_within``, imported on first use together with asyncio, which a threaded server doesn't need."""
    from antiphon.concurrency.timers import finished_within

    return finished_within


T = TypeVar("T")

SMALL_BODY = 64 << 10
"""The maximum size of a small body in bytes. A small body never takes turns and is kept as the chunk that arrived."""

DRAIN_BYTES = 64 << 20
DRAIN_SECONDS = 5
"""Bounds on the rest of a body that is received only to be discarded."""

_NO_CHUNKS: Iterator[bytes] = iter(())


class Receiver:
    """A receiver of the body of ``head``, for one caller at a time.

    A chunk that is refused because of a limit isn't lost: a later call with a higher limit returns it. A content coding
    is decoded, unless raw chunks are requested.
    """

    __slots__ = (
        "_declared", "_decoded", "_decoder", "_drains_until", "_has_begun", "_head", "_held", "_may_be_coded",
        "_member", "_pace", "_time_slice", "decodes", "fault", "has_ended", "received",
    )  # fmt: skip

    def __init__(self, head: Head, pace: Pace | None = None) -> None:
        self._head = head
        self.decodes = True
        """False if chunks are returned in their content coding, as they were sent."""
        self._pace = pace or Pace()
        self.received = 0
        """The number of bytes received so far, as they were sent."""
        self.has_ended = False
        """True if there are no more chunks."""
        self.fault: HTTPError | None = None
        """The error of the bytes that were being decoded. They are lost, so the rest can no longer be received."""
        self._has_begun = False
        self._declared: int | None = None
        self._held = b""
        """Received bytes that exceed a limit."""
        self._may_be_coded = False
        """True until the content coding has been looked up, which only a body with bytes needs."""
        self._decoder: ContentDecoder | None = None
        self._decoded = _NO_CHUNKS
        """Chunks of the bytes that were received, decoded on demand."""
        self._time_slice: Any = None
        """The time for which decoding may keep the event loop from running other tasks."""
        self._member: Member | None = None
        self._drains_until = 0.0

    @property
    def is_decoded(self) -> bool:
        """True if the body has a content coding that is being decoded."""
        return self._decoder is not None

    def hold(self, data: bytes) -> None:
        """Take over the first bytes, which the head's ``receive`` has already returned."""
        self._held = data
        self.received = len(data)

    async def next_chunk(self, limits: Limits) -> bytes:
        """Receive the next chunk, decoded; empty at the end only. Raises the same errors as ``Content.load``."""
        if not self._has_begun:
            self._begin(limits)
        chunk = b""
        if self._decoder is not None:
            await self._let_others_run()
            chunk = await self._next_decoded(limits)
        while not chunk and not self.has_ended:
            data = self._held
            # Unless all that was declared has come: asking for more would wait.
            if not data and self.received != self._declared:
                receiving = self._next_bytes(limits)
                data = receiving if isinstance(receiving, bytes) else await receiving
                self.received += len(data)
            if data and self._may_be_coded:  # only its first bytes show that there is a body (RFC 9113 §8.1.1)
                self._held = data
                self._decode()
            data = self._accept(data, limits)
            chunk = data if self._decoder is None else await self._next_decoded(limits)
        return chunk

    async def drain(self, most: int = NO_BOUND) -> None:
        """Receive the rest and discard it, up to ``most`` bytes of the body and ``DRAIN_BYTES``.

        All calls together take up to ``DRAIN_SECONDS``.
        """
        length, most = readable_length(self._head), min(most, self.received + DRAIN_BYTES)
        until = self._drains_until = self._drains_until or monotonic() + DRAIN_SECONDS
        while not self.has_ended and self.received != length and self.received <= most:
            if (left := until - monotonic()) <= 0:
                return
            receiving = self._next_bytes(Limits(timeout=left, rate=0))
            data = receiving if isinstance(receiving, bytes) else await receiving
            self.received += len(data)
            self.has_ended = not data

    def leave_coded(self) -> None:
        """Return chunks in their content coding, as they were sent. Has no effect once one has been received."""
        if not self._has_begun:
            self.decodes = False

    def _begin(self, limits: Limits) -> None:
        head = self._head
        declared = self._declared = declared_length(head)
        if not head.has_body:
            self._has_begun = self.has_ended = True
            return
        if transfer_coding := head.field("transfer-encoding"):
            if declared is not None:
                raise BadRequest("The body has both a Content-Length and a Transfer-Encoding.")
            # Servers decode this coding, and leave others in the body (RFC 9112 §6.1).
            if transfer_coding.strip(OWS).lower() != "chunked":
                if [coding.lower() for coding in split_list(transfer_coding)].count("chunked") > 1:
                    raise BadRequest("The Transfer-Encoding has chunked twice (RFC 9112 §6.1).")
                raise NotImplementedByServer(f"The Transfer-Encoding must be chunked, not {transfer_coding[:80]!r}.")
        if declared is not None and declared > limits.body:
            raise body_too_large(limits)
        self._may_be_coded = self.decodes  # nothing depends on the coding of no content
        if self.decodes and (transfer_coding or declared):
            self._decode()
        # Last, so that a call with higher limits checks the length again.
        self._has_begun = True

    def _decode(self) -> None:
        """Start to decode the content coding. Raises UnsupportedMediaType (415)."""
        if coding := self._head.field("content-encoding"):
            from antiphon.body.codings import content_decoder

            self._decoder = content_decoder(coding)
            if not self._head.blocks:
                from antiphon.concurrency.timers import TimeSlice  # imported late: a threaded server needs no asyncio

                self._time_slice = TimeSlice()
        self._may_be_coded = False

    async def _let_others_run(self) -> None:
        # Before decoding more, so that a cancellation here loses no chunk.
        if self._time_slice is not None and (loop := running_loop()) and self._time_slice.is_over(loop):
            await yield_to_loop()

    def _next_bytes(self, limits: Limits) -> bytes | Coroutine[Any, Any, bytes]:
        """Receive more bytes, as they were sent; none at the end. A coroutine waits for them on an event loop."""
        if self._head.blocks:
            return self._receive_blocking(limits)
        # The first bytes take no turns: only large bodies keep others waiting.
        return self._receive_in_turn(limits) if self.received > SMALL_BODY else self._receive(limits)

    def _receive(self, limits: Limits) -> bytes | Coroutine[Any, Any, bytes]:
        """Receive more bytes on an event loop: immediately and without a timer if they have already arrived."""
        receiving = self._head.receive()
        if isinstance(receiving, bytes):
            return receiving
        # One step by hand: bytes that have arrived need no timer.
        has_ended, data = resume(receiving, None) or (True, b"")
        return data if has_ended else self._pace.resume(receiving, data, self.received, limits)

    def _receive_blocking(self, limits: Limits) -> bytes | Coroutine[Any, Any, bytes]:
        pace = self._pace
        pace.check(self.received, limits)
        before = monotonic()
        data = self._head.receive()
        pace.waited += monotonic() - before
        return data

    async def _receive_in_turn(self, limits: Limits) -> bytes:
        """Receive more of a large body, taking turns with other large bodies on this event loop."""
        member = self._member
        if member is None:
            from antiphon.concurrency.fairness import new_member

            member = self._member = new_member()
        queue = member.queue
        if not queue.try_acquire(member):
            await queue.acquire(member)
        try:
            receiving = self._receive(limits)
            return receiving if isinstance(receiving, bytes) else await receiving
        finally:
            # Also after an error: others wait in line.
            queue.release(member)

    def _accept(self, data: bytes, limits: Limits) -> bytes:
        """Check the latest bytes, which are empty at the end, and feed those within the limit to the decoder."""
        received, declared = self.received, self._declared
        excess = max(received - limits.body, 0)
        is_too_large = 0 < excess >= len(data)
        if is_too_large or (declared is not None and (received > declared if data else received < declared)):
            self._held = data
            raise body_too_large(limits) if is_too_large else _wrong_length(received, declared)
        # Up to the limit, so that how much of a body a stream gets doesn't depend on its chunks.
        within = len(data) - excess
        self._held, data = data[within:], data[:within]
        if self._decoder is None:
            self.has_ended = not data or (received == declared and not self._held)
        elif data:
            self._decoded = self._decoder.feed(data, limits.body)
        else:
            self._decoder.finish()
            self.has_ended = True
        return data

    async def _next_decoded(self, limits: Limits) -> bytes:
        if self.fault is None:
            try:
                return next(self._decoded, b"")
            except HTTPError as error:
                self.fault = without_traceback(error)
        # A body that is too large as it was sent is a 413, no matter how much of it came before the fault was found.
        with suppress(Exception):
            await self.drain(limits.body)
        raise body_too_large(limits) if self.received > limits.body else without_traceback(self.fault)


def declared_length(head: Head) -> int | None:
    """Return the Content-Length in bytes (RFC 9110 §8.6). Raises BadRequest (400) for a malformed one."""
    value = head.field("content-length")
    if not value:
        return None
    try:
        return parse_length(value)
    except ValueError as error:
        raise BadRequest(str(error)) from None


def readable_length(head: Head) -> int | None:
    """Return the Content-Length in bytes; None for an absent or malformed one."""
    try:
        return declared_length(head)
    except BadRequest:
        return None


def result_of(receiving: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that blocks, and therefore never awaits, and return its result."""
    try:
        receiving.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # a coroutine's result is its T
    raise AssertionError(receiving)


def body_too_large(limits: Limits) -> ContentTooLarge:
    """Return the error for a body of more than ``limits.body`` bytes."""
    detail = f"The body is longer than the {limits.body} bytes that are accepted."
    return over_limit(ContentTooLarge, "body", limits.body, detail)


def _wrong_length(received: int, declared: int | None) -> BadRequest:
    if declared is not None and received > declared:
        return BadRequest(f"The body has {received} bytes, but its Content-Length is {declared}.")
    return BadRequest(f"The body ended after {received} bytes, but its Content-Length is {declared}.")
