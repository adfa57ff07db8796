"""One call of a WSGI application in process, without a server."""

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any

from antiphon.dialects._environ.chunks import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

Fields = list[tuple[str, str]]


def call_application(
    application: "WSGIApplication",
    environ: "WSGIEnvironment",
    buffered: bool = False,
    caught: list[Any] | None = None,
) -> tuple[Iterable[bytes], str, Fields]:
    """Call an application with an environ, and return the body, the status line and the header fields of its answer.

    The body has all that the application wrote with ``write``. It is read until the application has called
    ``start_response``; ``buffered`` reads it to the end and closes it. Raises what the application raises, and
    RuntimeError if that never calls ``start_response``. If the application passes an error to ``start_response``, it is
    added to ``caught`` as a triple, or raised if ``caught`` is None.
    """
    call = _Call(caught)
    answer = application(environ, call.start_response)
    close = getattr(answer, "close", None)
    if buffered:
        try:
            rest = list(answer)
        finally:
            if close is not None:
                close()
        return [*call.written, *rest], *call.head()
    body: Iterable[bytes] = answer  # a server's wrapper of a file need not be an iterable
    if call.started is None or call.written:
        chunks = iter(answer)
        while call.started is None and (chunk := next(chunks, None)) is not None:
            call.written.append(chunk)
        body = chain(call.written, chunks)
    status, fields = call.head()
    if close is not None and body is not answer:
        body = ClosingIterator(body, close)
    return body, status, fields


class _Call:
    """The arguments of ``start_response``, and the chunks that were written."""

    def __init__(self, caught: list[Any] | None) -> None:
        self._caught = caught
        self.started: tuple[str, Fields] | None = None
        self.written: list[bytes] = []

    def start_response(self, status: str, fields: Fields, exc_info: Any = None, /) -> Any:
        if exc_info and self._caught is not None:
            self._caught.append(exc_info)
        elif exc_info:
            raise exc_info[1].with_traceback(exc_info[2])
        self.started = status, fields
        return self.written.append

    def head(self) -> tuple[str, Fields]:
        if self.started is None:
            raise RuntimeError("the application did not call start_response")
        return self.started
