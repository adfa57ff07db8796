"""The kept bytes of a body: a spool that is written and read without blocking an event loop, and its form."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from antiphon.concurrency.loop import yield_to_loop
from antiphon.http.limits import Limits

if TYPE_CHECKING:
    from antiphon.body.form_data import FormIndex
    from antiphon.uploads.spool import Spool

T = TypeVar("T")

READ_SIZE = 256 << 10
"""The maximum number of bytes that are read in one step."""

FORM_DATA = "multipart/form-data"


def is_form(content_type: str) -> bool:
    """Return True for the Content-Type of a form in parts."""
    return content_type.lstrip(" \t")[: len(FORM_DATA)].lower() == FORM_DATA


async def flush(spool: "Spool", may_block: bool) -> None:
    """Write the bytes that wait in memory to the file, at once if this ``may_block``, otherwise without blocking an
    event loop.

    Raises InsufficientStorage (507).
    """
    if may_block:
        spool.flush()
    elif spool.flushes_at_once:
        spool.flush()
        await yield_to_loop()
    else:
        await _on_file_thread(spool.flush)


def read_at(spool: "Spool", offset: int) -> bytes:
    """Return a chunk of at most ``READ_SIZE`` bytes from an offset; empty if no more are kept."""
    return spool.read_at(offset, READ_SIZE) if offset < spool.size else b""


async def aread_at(spool: "Spool", offset: int) -> bytes:
    """Return what ``read_at`` does, on an event loop: a thread reads the file."""
    read = spool.reader_of_file(offset, READ_SIZE)
    return read_at(spool, offset) if read is None else await _on_file_thread(read)


def read_all(spool: "Spool") -> bytes:
    """Return all bytes, not copied if they came in one chunk and are in memory."""
    return spool.getvalue() if spool.in_memory else spool.read_at(0, spool.size)


def index_of(content_type: str, spool: "Spool", limits: Limits) -> "FormIndex":
    """Return the index of the parts of a form so far, to which more chunks can be fed.

    Raises ContentTooLarge (413) for a form beyond a limit.
    """
    form, offset = index_class()(content_type, limits), 0
    while chunk := read_at(spool, offset):
        form.feed(chunk)
        offset += len(chunk)
    return form


async def _on_file_thread(function: Callable[[], T]) -> T:
    """Call a function on a thread that never waits for a body: those that do would otherwise wait for each other."""
    from antiphon.concurrency.crossing import run_on_file_thread

    return await run_on_file_thread(function)


# Imported on first use; a repeated import statement takes as long as reading a small form.


@cache
def spool_class() -> "type[Spool]":
    """Return the class of spools."""
    from antiphon.uploads.spool import Spool

    return Spool


@cache
def index_class() -> "type[FormIndex]":
    """Return the class of indexes."""
    from antiphon.body.form_data import FormIndex

    return FormIndex
