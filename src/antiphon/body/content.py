"""A request's content: received once, and kept for all code that reads it, on any thread.

A Receiver returns the chunks, a Spool keeps them, and Content determines which code waits for them, and where. If a
form is so large that it goes to a file, it is indexed while its chunks arrive.

| the body is | ``data`` | ``_spool`` | ``is_complete`` | ``_loss`` |
|---|---|---|---|---|
| not received, or streamed and not kept | None | None | no | None |
| being received, and kept | None | the bytes so far | no | None |
| complete, and small or read as a whole | the bytes | None, or the same bytes | yes | None |
| complete, and in a spool | None | the bytes | yes | None |
| cut off, or discarded | None | the bytes so far, if any | no; yes if discarded | the reason |
"""

import os
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.body.receiver import (
    SMALL_BODY,
    Pace,
    Receiver,
    body_too_large,
    declared_length,
    readable_length,
    result_of,
)
from antiphon.concurrency.loop import is_on_background_loop, running_loop
from antiphon.explanations import explained
from antiphon.http.errors import ClientDisconnected, HTTPError, RequestTimeout, without_traceback
from antiphon.http.head import Head
from antiphon.http.limits import Limits
from antiphon.uploads.spool import SHARE, Spool, Window

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from io import BytesIO

    from antiphon.body.form_data import FormData, FormIndex

T = TypeVar("T")

FORM_DATA = "multipart/form-data"

_MOST_AT_ONCE = 256 << 10
"""The size in bytes of a chunk of the data in memory, the same as in a spool."""


class Content:
    """The decoded bytes of a request's body. They come from ``head``, unless they are passed as ``data``."""

    __slots__ = (
        "__weakref__", "_form", "_is_receiving", "_loss", "_receiver", "_spool", "_streamed", "data", "failure",
        "folder", "has_uploads", "head", "is_complete", "is_kept", "is_refused", "loop", "outermost", "received",
        "when_not_waited_for",
    )  # fmt: skip

    def __init__(self, head: Head, data: bytes | None = None) -> None:
        self.head = head
        self.data = data
        """All bytes, if they are in memory; None until the body is complete."""
        self.received = 0 if data is None else len(data)
        """The number of bytes received so far, as they were sent."""
        self.is_complete = data is not None
        """True if no more will be received: the whole body has arrived, or it was discarded."""
        self.is_kept = True
        """True if received bytes can be read again. It may be set until the first chunk is received."""
        self.is_refused = False
        """True if the request was refused because of its head, regardless of its body."""
        self.failure: Exception | None = None
        """A copy of the error with which receiving the body last ended."""
        self.has_uploads = False
        """True if a form's files, which read the kept bytes themselves, have been returned."""
        self.folder: str | os.PathLike[str] | None = None
        """The folder for the files of large bodies; None for the system's folder for temporary files."""
        self.loop: AbstractEventLoop | None = None
        """The server's event loop, on which the body is received for code on other threads."""
        self.when_not_waited_for: Callable[[], None] | None = None
        """A function that is called as soon as no thread waits for the body any longer."""
        self.outermost: object = None
        """The outermost application through which this request passes. It responds last, so its refusal is final."""
        self._receiver: Receiver | None = None
        self._spool: Spool | None = None
        self._form: FormIndex | None = None
        """The parts of a form, once they are needed, or once part of the form is in a file."""
        self._is_receiving = False
        self._streamed = 0
        """The number of bytes that were returned without being kept."""
        self._loss: Exception | None = None
        """The reason why the body can no longer be received as a whole."""

    @classmethod
    def over(cls, head: Head, spool: "Spool") -> "Content":
        """Return the content whose bytes are all in a spool."""
        content = cls(head)
        content._spool = spool
        content.received = spool.size
        content.is_complete = True
        return content

    def share(self, head: Head) -> "Content":
        """Return the same content for another request, which may be closed separately. The body has to be loaded."""
        shared = Content(head, self.data)
        shared.is_complete = self.is_complete
        shared.received = self.received
        shared._receiver = self._receiver
        if self.data is None:
            shared._spool = self._spooled().share()
            # The index depends on the boundary in it.
            if shared._content_type == self._content_type:
                # Its offsets hold for the same bytes.
                shared._form = self._form
        return shared

    # Size

    @property
    def size(self) -> int:
        """The number of bytes kept so far."""
        return len(self.data) if self.data is not None else self._spool.size if self._spool is not None else 0

    @property
    def length(self) -> int | None:
        """The declared length in bytes (RFC 9110 §8.6). Raises BadRequest (400) for a malformed one."""
        return declared_length(self.head)

    @property
    def is_whole(self) -> bool:
        """True if all of the body has arrived and none of it was refused."""
        return self.is_complete and self.failure is None

    @property
    def readable_length(self) -> int | None:
        """The declared length in bytes; None if absent or malformed."""
        return readable_length(self.head)

    @property
    def is_empty(self) -> bool:
        """True if the body has no bytes, as far as that is known before it is received."""
        if self.is_whole:
            return not (self.size if self.is_kept else self.received)
        return self.readable_length == 0 or not self.head.has_body

    @property
    def may_be_empty(self) -> bool:
        """True if only receiving the body can show whether it has any bytes, and these will be kept."""
        is_open = not (self.is_complete or self.received) and self.head.has_body
        return is_open and self.is_kept and not self.head.field("content-length")  # WSGI allows an empty one

    def is_small(self, most: int) -> bool:
        """Return True if the body certainly has at most this many bytes; a body with a content coding may grow."""
        length = self.readable_length
        return length is not None and length <= most and not (self._decodes() and self.head.field("content-encoding"))

    @property
    def is_decoded(self) -> bool:
        """True if a content coding was decoded: Content-Encoding and Content-Length don't apply to the kept bytes."""
        return self._receiver is not None and self._receiver.is_decoded

    @property
    def in_memory(self) -> bool:
        """True unless the body is so large that it is kept in a file."""
        return self._spool is None or self._spool.in_memory

    @property
    def _content_type(self) -> str:
        return self.head.field("content-type") or ""

    # Receiving

    def begin(self, pace: Pace) -> None:
        """Continue with the pace measured while the first bytes were received."""
        self._receiver = Receiver(self.head, pace)

    def stream_as_sent(self) -> None:
        """Return bytes as they are sent, in their content coding, without keeping them. Call it before anything is
        received.
        """
        self.is_kept = False
        self.leave_coded()

    def leave_coded(self) -> None:
        """Return the bytes as they are sent, in their content coding. Has no effect once a chunk has been received."""
        if not self.is_complete:
            self._received_by().leave_coded()

    def _decodes(self) -> bool:
        return self._receiver is None or self._receiver.decodes

    def hold(self, data: bytes) -> None:
        """Take over the first bytes, which have been received but not checked."""
        self._received_by().hold(data)
        self.received = len(data)

    def break_off(self, error: HTTPError | OSError) -> None:
        """Take over the error that interrupted receiving the first bytes. After a timeout, bytes may be requested
        again.
        """
        self.failure = without_traceback(error)
        if not isinstance(error, RequestTimeout):
            self._loss = self.failure

    async def load(self, limits: Limits) -> None:
        """Receive the whole body: on its event loop, or, if the head blocks, on a thread, where this never awaits
        anything.

        When called again, it continues where it stopped.
        Raises ContentTooLarge (413), based on Content-Length before a byte is read, otherwise by counting; BadRequest
        (400) for a bad Content-Length or a body that ends too early; UnsupportedMediaType (415) for an unknown coding;
        NotImplementedByServer (501) for a Transfer-Encoding other than chunked; RequestTimeout (408) for a body that
        arrives too slowly; InsufficientStorage (507) and ClientDisconnected.
        """
        self._check_loadable(limits)
        while not self.is_complete:
            await self.advance(limits)

    async def aload(self, limits: Limits) -> None:
        """Do what ``load`` does, on an event loop; a blocking head is read on a thread."""
        if not self.head.blocks:
            return await self.load(limits)
        self._check_loadable(limits)
        while not self.is_complete:
            await self.aadvance(limits)
        return None

    async def advance(self, limits: Limits) -> bytes:
        """Receive the next chunk, decoded; empty at the end. Runs where ``load`` does and raises the same errors."""
        if self._is_receiving:
            raise _in_use()
        if self.is_complete:
            return b""
        receiver = self._received_by()
        self._is_receiving, chunk = True, b""
        try:
            chunk = await receiver.next_chunk(limits)
            if not self.is_kept:
                self._streamed += len(chunk)
            elif self._keep(chunk, receiver.has_ended, limits):
                await self._write(limits)
            self.is_complete = receiver.has_ended
            if self.is_complete:
                self.end_waiting()
        except Exception as error:
            kept = without_traceback(error)
            # With a chunk in hand, which was not kept, the body is no longer whole.
            if chunk or receiver.fault is not None:
                self._loss = kept
            if isinstance(error, HTTPError | OSError):
                self.failure = kept
            raise
        finally:
            # After an error, too: the progress shows what has arrived.
            self.received = receiver.received
            self._is_receiving = False
        return chunk

    def end_waiting(self) -> None:
        """Record that no thread waits for the body any longer."""
        if self.when_not_waited_for is not None:
            self.when_not_waited_for()
            # Called once: the place may belong to another request by now.
            self.when_not_waited_for = None

    async def aadvance(self, limits: Limits) -> bytes:
        """Do what ``advance`` does, on an event loop."""
        if self.is_complete or not self.head.blocks:
            return await self.advance(limits)
        if self._is_receiving:
            raise _in_use()
        from antiphon.concurrency.crossing import Crossing

        return await Crossing().run(lambda: result_of(self.advance(limits)))

    async def discard(self) -> None:
        """Receive and discard the rest of a refused body, because many clients read the response only after sending it
        all.

        This runs where ``load`` does. If the client waits for permission to send its body (RFC 9110 §10.1.1), the body
        is not received at all. A body that was refused because of its head isn't received either if that might block a
        server's thread for as long as the client likes. A client that was already too slow gets no more time.
        """
        if self.is_complete or self._is_receiving or (not self.received and self._is_left()):
            return
        # Before the first await, so that nobody else receives the body meanwhile.
        self.is_complete = True
        self.failure = self._loss = self.failure or explained(
            "body-read-twice", "the body was refused, and is gone", RuntimeError
        )
        if isinstance(self.failure, RequestTimeout):
            return
        receiver = self._received_by()
        with suppress(Exception):  # neither the body nor the reason why it breaks off matters
            await receiver.drain()
        self.received = receiver.received

    def _is_left(self) -> bool:
        if self.head.blocks and (self.is_refused or isinstance(self.failure, HTTPError)):
            return True
        return (self.head.field("expect") or "").lower() == "100-continue"

    def discard_on_thread(self) -> None:
        """Do what ``discard`` does, over WSGI."""
        result_of(self.discard())

    def load_on_thread(self, limits: Limits) -> None:
        """Do what ``load`` does, in code that may block. Raises NotLoadedError in any other code."""
        if self._has_all():
            self._check_loadable(limits)
        else:
            self._wait_for(self.load(limits))

    def advance_on_thread(self, limits: Limits) -> bytes:
        """Do what ``advance`` does, in code that may block. Raises NotLoadedError in any other code."""
        return b"" if self._has_all() else self._wait_for(self.advance(limits))

    def check_size(self, limits: Limits) -> None:
        """Raise ContentTooLarge (413) for a body that was received under higher limits."""
        if self.is_complete and self.size > limits.body:
            raise body_too_large(limits)

    def check_kept(self, offset: int) -> None:
        """Raise an error if the bytes from an offset can't be read because they are lost, or were streamed and not
        kept.
        """
        if self._loss is not None:
            raise without_traceback(self._loss)
        if not self.is_kept and offset != self._streamed:
            raise self.failure_again() or explained(
                "body-read-twice",
                f"{self._streamed} bytes of the body have been streamed, and are gone: read the whole body before,"
                " with request.body or request.form, or use receive='lazy', which keeps what is streamed",
                RuntimeError,
            )

    def failure_again(self) -> Exception | None:
        """Return the error that last interrupted receiving the body, to be raised again; None if there is none."""
        return None if self.failure is None else without_traceback(self.failure)

    def is_failure(self, error: BaseException) -> bool:
        """True if an error is the one that last interrupted receiving the body."""
        failure = self.failure
        return failure is not None and type(error) is type(failure) and error.args == failure.args

    def _check_loadable(self, limits: Limits) -> None:
        if self._loss is not None or not self.is_kept:
            self.check_kept(0)
            self.is_kept = True
        self.check_size(limits)

    def _received_by(self) -> Receiver:
        if self._receiver is None:
            self._receiver = Receiver(self.head)
        return self._receiver

    def _has_all(self) -> bool:
        if not self.is_complete and not self.head.has_body:
            self.data, self.is_complete = b"", True
        return self.is_complete

    def _wait_for(self, receiving: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine that receives the body; it runs where the server wants it to."""
        loop = self.loop
        if self.head.blocks:
            if not is_on_background_loop():
                return result_of(receiving)
        # On the loop itself, a wait would last forever: nothing could receive the body.
        elif loop is not None and running_loop() is not loop:
            return _received_on(loop, receiving)
        # It was not begun, and would warn that nothing awaits it.
        receiving.close()
        raise NotLoadedError

    # Keeping

    def _keep(self, chunk: bytes, is_last: bool, limits: Limits) -> bool:
        """Keep a chunk in memory. Return True if the bytes in memory have to be written to the file."""
        # A small body that came as one chunk is kept as it is, without a spool.
        if is_last and self._spool is None and len(chunk) <= SMALL_BODY:
            self.data = chunk
            return False
        # What may be read as a whole would be read back from a file; a form's files would not.
        if self._spool is None and self.is_small(limits.memory) and not is_form(self._content_type):
            self._spool = Spool(self.folder, threshold=min(limits.memory, SHARE))
        spool = self._spooled()
        spool.add(chunk)
        if self._form is not None:
            self._form.feed(chunk)
        is_due = spool.is_due
        if is_last and not is_due and spool.in_memory:
            self.data = spool.read_all()
        return is_due

    async def _write(self, limits: Limits) -> None:
        """Write the bytes in memory to the file. After that, a form's parts are indexed while they arrive."""
        spool = self._spooled()
        # Before the flush: the bytes are still in memory.
        if self._form is None and is_form(content_type := self._content_type):
            self._form = index_class().of(content_type, spool, limits)
        await spool.aflush(self.head.blocks)

    def _spooled(self) -> "Spool":
        if self._spool is None:
            self._spool = Spool(self.folder, self.data or b"")
        return self._spool

    def read_at(self, offset: int) -> bytes:
        """Return a chunk of the kept bytes, from an offset; empty if no more are kept."""
        data = self.data
        if data is None:
            if self._is_receiving:
                raise _in_use()
            return self._spool.chunk_at(offset) if self._spool is not None else b""
        # A whole body without a copy.
        return data if not offset and len(data) <= _MOST_AT_ONCE else data[offset : offset + _MOST_AT_ONCE]

    def save(self, path: "str | os.PathLike[str]") -> None:
        """Create a file with all bytes, once they have been received. Raises the same errors as ``Spool.save``."""
        self._spooled().save(path)

    async def aread_at(self, offset: int) -> bytes:
        """Do what ``read_at`` does, on an event loop; a thread reads the file."""
        if self.data is None and not self._is_receiving and self._spool is not None:
            return await self._spool.achunk_at(offset)
        return self.read_at(offset)

    def read_all(self) -> bytes:
        """Return all bytes and keep them in memory."""
        if self.data is None:
            self.data = self._spooled().read_all()
        return self.data

    def open(self) -> "BytesIO | Window":
        """Return a file object for all bytes, with its own position."""
        if self.data is not None:
            from io import BytesIO

            return BytesIO(self.data)
        return Window(self._spooled(), 0, self.size)

    def form(self, content_type: str, limits: Limits, charset: str | None) -> "FormData":
        """Return the form in the bytes. ``content_type`` (multipart/form-data) and ``charset`` are the declared ones.

        Raises ContentTooLarge (413) for a form beyond a limit, and BadRequest (400) for a malformed form.
        """
        spool, form = self._spooled(), self._form
        if form is not None:
            form.check(limits)
        elif self.data is not None:
            form = self._form = index_class()(content_type, limits, self.data)
        else:
            form = self._form = index_class().of(content_type, spool, limits)
        read = form.read(spool, charset)
        self.has_uploads = self.has_uploads or bool(read.files)
        return read

    def close(self) -> None:
        """Free the memory and the file of a body that isn't small."""
        if self._spool is not None:
            self._spool.close()


class NotLoadedError(RuntimeError):
    """The error for a body that is needed on an event loop but has not arrived yet."""


def _received_on(loop: "AbstractEventLoop", receiving: Coroutine[Any, Any, T]) -> T:
    """Wait for a coroutine that receives on its loop. Raises ClientDisconnected if the server cancels it."""
    from asyncio import run_coroutine_threadsafe
    from concurrent.futures import CancelledError

    try:
        return run_coroutine_threadsafe(receiving, loop).result()
    except CancelledError as error:
        raise ClientDisconnected("The request was cancelled.") from error


def _in_use() -> RuntimeError:
    return explained(
        "body-read-twice",
        "the body is already being received: only one task or thread at a time can wait for it",
        RuntimeError,
    )


def is_form(content_type: str) -> bool:
    """Return True for the Content-Type of a multipart form."""
    return content_type.lstrip(" \t")[: len(FORM_DATA)].lower() == FORM_DATA


# The imports are cached, because a repeated import statement takes as long as reading a small form.


@cache
def index_class() -> "type[FormIndex]":
    """Return the class of indexes."""
    from antiphon.body.form_data import FormIndex

    return FormIndex
