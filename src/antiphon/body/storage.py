"""The bytes of a body, kept in memory if they are few, else in one file, with the offsets of a form's parts."""

import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from antiphon.concurrency.loop import yield_to_loop
from antiphon.http.limits import Limits

if TYPE_CHECKING:
    from antiphon.body.form_data import FormData, FormIndex
    from antiphon.uploads.spool import Spool, Window

T = TypeVar("T")

READ_SIZE = 256 << 10
"""Most bytes that are read from what is kept in one step."""

FORM_DATA = "multipart/form-data"


class Storage:
    """Keeps the chunks of a body, decoded, in their order.

    ``content_type`` is the body's, ``folder`` the place for the file of a large one (None: the system's folder for
    temporary files), ``data`` the first bytes.
    """

    __slots__ = ("_content_type", "_form", "_spool")

    def __init__(self, content_type: str, folder: str | os.PathLike[str] | None = None, data: bytes = b"") -> None:
        self._content_type = content_type
        self._spool = _spool_class()(folder, data)
        self._form: FormIndex | None = None

    @property
    def size(self) -> int:
        """Bytes that are kept so far."""
        return self._spool.size

    @property
    def is_in_file(self) -> bool:
        """True if some of the bytes are in a file."""
        return not self._spool.in_memory

    def add(self, chunk: bytes) -> bool:
        """Keep one more chunk, in memory. True if ``write`` must be called before the next one.

        Raises ContentTooLarge (413) for a form beyond a limit.
        """
        self._spool.add(chunk)
        if self._form is not None:
            self._form.feed(chunk)
        return self._spool.is_due

    async def write(self, limits: Limits, may_block: bool) -> None:
        """Write the bytes that wait in memory to the file, at once if this ``may_block``, else without blocking an
        event loop.

        The parts of a form are then indexed while they arrive.

        Raises ContentTooLarge (413) for a form beyond a limit, InsufficientStorage (507).
        """
        spool = self._spool
        if self._form is None and self._is_form():
            self._form = self._index(limits)
        if may_block:
            spool.flush()
        elif spool.flushes_at_once:
            spool.flush()
            await yield_to_loop()
        else:
            await _on_file_thread(spool.flush)

    def read_at(self, offset: int) -> bytes:
        """Return a chunk of at most ``READ_SIZE`` bytes from an offset; empty if no more are kept."""
        return self._spool.read_at(offset, READ_SIZE) if offset < self._spool.size else b""

    async def aread_at(self, offset: int) -> bytes:
        """Return what ``read_at`` does, on an event loop: a thread reads the file."""
        read = self._spool.reader_of_file(offset, READ_SIZE)
        return self.read_at(offset) if read is None else await _on_file_thread(read)

    def read_all(self) -> bytes:
        """Return all bytes, not copied if they came in one chunk and are in memory."""
        return self._spool.getvalue() if self._spool.in_memory else self._spool.read_at(0, self._spool.size)

    def open(self) -> "Window":
        """Return a file object on all bytes, with its own position."""
        from antiphon.uploads.spool import Window

        return Window(self._spool, 0, self._spool.size)

    def form(self, limits: Limits, charset: str | None) -> "FormData":
        """Return the form in the bytes; its files are views of them. ``charset`` is what the request declares.

        Raises ContentTooLarge (413) for a form beyond a limit, BadRequest (400) for malformed or missing parts.
        """
        spool, form = self._spool, self._form
        if form is not None:
            form.check(limits)
        elif spool.in_memory:
            form = self._form = _index_class()(self._content_type, limits, spool.getvalue())
        else:
            form = self._form = self._index(limits)
        return form.read(spool, charset)

    def share(self, content_type: str) -> "Storage":
        """Return a storage of the same bytes that stays when this one is closed. Nothing is added to either."""
        shared = Storage(content_type)
        shared._spool = self._spool.share()
        if content_type == self._content_type:
            shared._form = self._form
        return shared

    def close(self) -> None:
        """Free the memory and the file."""
        self._spool.close()

    def _is_form(self) -> bool:
        return self._content_type.lstrip(" \t")[: len(FORM_DATA)].lower() == FORM_DATA

    def _index(self, limits: Limits) -> "FormIndex":
        form, offset = _index_class()(self._content_type, limits), 0
        while chunk := self.read_at(offset):
            form.feed(chunk)
            offset += len(chunk)
        return form


async def _on_file_thread(function: Callable[[], T]) -> T:
    """Call a function on a thread that never waits for a body: those that do would otherwise wait for each other."""
    from antiphon.concurrency.crossing import run_on_file_thread

    return await run_on_file_thread(function)


# Imported on first use; a repeated import statement takes as long as reading a small form.


@cache
def _spool_class() -> "type[Spool]":
    from antiphon.uploads.spool import Spool

    return Spool


@cache
def _index_class() -> "type[FormIndex]":
    from antiphon.body.form_data import FormIndex

    return FormIndex
