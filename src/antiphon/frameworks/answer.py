"""A response as frameworks need it: its status, its header lines, and a body that finishes the request when closed."""

from collections.abc import AsyncIterable, Iterable
from contextvars import copy_context
from copy import copy
from typing import Any, NamedTuple

from antiphon.adapters.foreign.call import AsyncBody, BlockingBody
from antiphon.http.head import server_head
from antiphon.http.headers import HOP_BY_HOP
from antiphon.request.request import Request
from antiphon.response.message import Body
from antiphon.response.response import Response


class Answer(NamedTuple):
    """The answer to a request: a body in bytes, or a stream that has to be iterated or closed."""

    status: int
    fields: list[tuple[str, str]]
    """The header fields, with names in lower case, and with Content-Length if it is known."""
    body: bytes | BlockingBody | AsyncBody
    request: Request

    @property
    def is_streamed(self) -> bool:
        """True if the body comes in chunks."""
        return not isinstance(self.body, bytes)

    @property
    def response(self) -> Response:
        """The answer as a response, which is an application of WSGI and ASGI."""
        made = Response(None, self.status, self.fields)
        made.body = self.body
        return made


def answer_to(request: Request, response: Response, on_loop: bool) -> Answer:
    """Return a response as the answer to a request, with conditions applied, and without a body for HEAD.

    ``on_loop`` says whether a stream will be read on an event loop. Functions passed to ``request.after_response`` are
    called when the body has been closed.
    """
    if response.is_conditional:
        response = copy(response).conditional(request)
    status, fields, length, body, is_silent = response._message(request.head.method)
    sent = [field for field in fields if field[0] not in HOP_BY_HOP]
    if length is not None:
        sent.append(("content-length", str(length)))
    if isinstance(body, bytes) and not request._deferred:
        return Answer(status, sent, b"" if is_silent else body, request)
    return Answer(status, sent, _finishing(request, body, is_silent, on_loop), request)


def _finishing(request: Request, body: Body, is_silent: bool, on_loop: bool) -> BlockingBody | AsyncBody:
    chunks: Iterable[Any] | AsyncIterable[Any] = iter([body]) if isinstance(body, bytes) else body
    if on_loop:
        kind = _SilentAsyncBody if is_silent else _ClosableAsyncBody
        return kind(request, chunks, copy_context())
    return (_SilentBody if is_silent else BlockingBody)(request, chunks, copy_context())


def stop_watching(request: Request) -> None:
    """End the task that waits for the client's disconnect, if there is one, since the answer has been sent."""
    watch = getattr(server_head(request.head), "watch", None)
    if watch is not None:
        watch.cancel()


class _ClosableAsyncBody(AsyncBody):
    async def aclose(self) -> None:
        """Close the body, and stop watching the client."""
        await super().aclose()
        stop_watching(self._request)

    async def close(self) -> None:
        """Close the body, as some frameworks await this method."""
        await self.aclose()


class _SilentBody(BlockingBody):
    """A body of which nothing is sent."""

    def __next__(self) -> bytes:
        self.close()
        raise StopIteration


class _SilentAsyncBody(_ClosableAsyncBody):
    """A body of which nothing is sent."""

    async def __anext__(self) -> bytes:
        await self.aclose()
        raise StopAsyncIteration
