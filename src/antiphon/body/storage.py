"""A body as it is kept: in memory while it is small, else in one file, and a form with where its parts are."""

import os
from functools import cache
from typing import TYPE_CHECKING

from antiphon.concurrency.loop import is_on_loop, yield_to_loop
from antiphon.http.head import Head
from antiphon.http.limits import Limits

if TYPE_CHECKING:
    from io import BytesIO

    from antiphon.body.form_data import FormData
    from antiphon.concurrency.crossing import Crossing
    from antiphon.uploads.spool import Spool
    from antiphon.uploads.window import Window

CHUNK = 256 << 10
"""Bytes that are read at once of what is kept."""

FORM_DATA = "multipart/form-data"


class KeptBody:
    """The bytes of a body that have come so far, decoded.

    ``folder`` is where a large one is kept, None for where the system has temporary files.
    """

    data: bytes | None = None
    """All of it, where that is in memory; None until it is complete."""
    folder: str | os.PathLike[str] | None = None
    has_uploads = False
    """Whether files of a form were given, which read what is kept by themselves."""
    _head: Head
    _spool: "Spool | None" = None
    _form: "FormData | None" = None
    _is_receiving = False

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
            self._spool = _spool_class()(folder=self.folder, data=self.data or b"")
        return self._spool

    def form(self, limits: Limits) -> "FormData":
        """Where the parts of a form are. Of one in memory it is found now, else it is while that arrives."""
        if self._form is None:
            form = _form_class()(self._head.field("content-type") or "", limits, self.data)
            if self.data is None:
                self._feed(form)
            self._form = form
        else:
            self._form.check(limits)
        return self._form

    def _feed(self, form: "FormData") -> None:
        spool, offset = self.spool, 0
        while chunk := spool.read_at(offset, CHUNK):
            form.feed(chunk)
            offset += len(chunk)

    def kept(self, offset: int) -> bytes:
        """A chunk of what is kept, from an offset on; empty where nothing is."""
        data = self.data
        if data is None:
            if self._is_receiving:
                raise is_received()
            return self._spool.read_at(offset, CHUNK) if self._spool is not None and offset < self._spool.size else b""
        return data if not offset and len(data) <= CHUNK else data[offset : offset + CHUNK]

    def read_all(self) -> bytes:
        """All of it, in memory from now on."""
        if self.data is None:
            self.data = self.spool.read_at(0, self.size)
        return self.data

    async def akept(self, offset: int) -> bytes:
        """The same on an event loop."""
        if self.data is None and not self._is_receiving and self._spool is not None:
            read = self._spool.reader_of_file(offset, CHUNK)
            if read is not None:
                return await _crossing().run(read)
        return self.kept(offset)

    def open(self) -> "BytesIO | Window":
        """All of it as a file object of its own, which is read from the start."""
        if self.data is not None:
            from io import BytesIO

            return BytesIO(self.data)
        from antiphon.uploads.window import Window

        return Window(self.spool, 0, self.size)

    def add(self, chunk: bytes) -> bool:
        """Keep one more chunk, in memory: whether ``write`` has to be called before the next one.

        Raises ContentTooLarge (413) for a form beyond a limit.
        """
        spool = self._spool or self.spool
        spool.add(chunk)
        if self._form is not None:
            self._form.feed(chunk)
        return spool.is_due

    async def write(self, limits: Limits, is_all: bool) -> None:
        """Have the file take what waits for it, if that is much; after all of it, have what is in memory at hand.

        Raises ContentTooLarge (413), InsufficientStorage (507).
        """
        spool = self.spool
        if spool.is_due:
            if spool.in_memory and self._is_form():
                self.form(limits)
            await self._flush(spool)
        if is_all and spool.in_memory:
            self.data = spool.getvalue()

    async def _flush(self, spool: "Spool") -> None:
        if not is_on_loop():
            spool.flush()
        elif spool.flushes_at_once:
            spool.flush()
            await yield_to_loop()
        else:
            await _crossing().run(spool.flush)

    def _is_form(self) -> bool:
        return (self._head.field("content-type") or "").lstrip(" \t")[: len(FORM_DATA)].lower() == FORM_DATA

    def close(self) -> None:
        """Free the file in which it is kept, if it is so large."""
        if self._spool is not None:
            self._spool.close()


def _crossing() -> "Crossing":
    """The way to threads that never wait for a body: those that do would otherwise wait for each other."""
    from antiphon.concurrency.crossing import Crossing
    from antiphon.concurrency.workers import file_workers

    return Crossing(threads=file_workers())


@cache
def _spool_class() -> "type[Spool]":
    """Imported when a body is first kept: an import that is repeated takes as long as a small form."""
    from antiphon.uploads.spool import Spool

    return Spool


@cache
def _form_class() -> "type[FormData]":
    """Likewise, when a form in parts is first read."""
    from antiphon.body.form_data import FormData

    return FormData


def is_received() -> RuntimeError:
    """The error for who reads or receives a body that somebody else receives."""
    return RuntimeError("the body is being received already: one task or thread at a time waits for it")
