"""One call of a WSGI application."""

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any

from antiphon.dialects.werkzeug.datastructures import Headers
from antiphon.dialects.werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


def run_wsgi_app(
    app: "WSGIApplication", environ: "WSGIEnvironment", buffered: bool = False
) -> tuple[Iterable[bytes], str, Headers]:
    """The body, the status and the headers that an application answers with, what it wrote with ``write`` included.

    It gets a copy of the environ. Its body is read until it has begun its response, or to the end and closed if it is
    to be ``buffered``. Raises what it raises, and RuntimeError when it doesn't begin one.
    """
    call = _Call()
    answer = app(dict(getattr(environ, "environ", environ)), call.start_response)
    close = getattr(answer, "close", None)
    if buffered:
        try:
            rest = list(answer)
        finally:
            if close is not None:
                close()
        return [*call.written, *rest], *call.head()
    chunks = iter(answer)
    while call.started is None and (chunk := next(chunks, None)) is not None:
        call.written.append(chunk)
    status, headers = call.head()
    body: Iterable[bytes] = chain(call.written, chunks) if call.written else answer
    if close is not None and body is not answer:
        body = ClosingIterator(body, close)
    return body, status, headers


class _Call:
    """What an application passes to ``start_response``, and what it writes."""

    def __init__(self) -> None:
        self.started: tuple[str, list[tuple[str, str]]] | None = None
        self.written: list[bytes] = []

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        """Take status and headers; an error that comes with them is raised."""
        if exc_info:
            raise exc_info[1].with_traceback(exc_info[2])
        self.started = status, headers
        return self.written.append

    def head(self) -> tuple[str, Headers]:
        """Status and headers."""
        if self.started is None:
            raise RuntimeError("the application did not call start_response")
        status, headers = self.started
        return status, Headers(headers)
