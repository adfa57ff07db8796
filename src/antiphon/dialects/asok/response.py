"""The response: the value that a page returned, with the status and the header fields that were set on the request."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from antiphon import Request as NativeRequest
from antiphon import Response as NativeResponse
from antiphon.dialects.asok.content_types import HTML
from antiphon.dialects.asok.templating.completion import completed
from antiphon.embedding import only_typed, response_of, to_response
from antiphon.http.headers import field_pairs

if TYPE_CHECKING:
    from antiphon.dialects.asok.request import Request


class Response:
    """A response with its own body, status and header fields, for pages that set them all at once."""

    def __init__(
        self,
        body: Any = "",
        status_code: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        content_type: str = HTML,
    ) -> None:
        self.body = body
        self.status_code = status_code
        self.headers: dict[str, str] = dict(field_pairs(headers or ()))
        self.content_type = content_type

    def __str__(self) -> str:
        return str(self.body)

    def __bytes__(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else str(self.body).encode()


class Answer(NamedTuple):
    """A value that a page has returned and that is not text, to be made a response as a native handler's is.

    An iterator is a stream of HTML.
    """

    request: "Request"
    value: Any
    page: Callable[..., Any]

    def __response__(self, native: NativeRequest) -> NativeResponse | Awaitable[NativeResponse]:
        value, content_type = self.value, self.request.content_type
        if isinstance(value, Iterator):
            made: NativeResponse | Awaitable[NativeResponse] = NativeResponse.stream(value, content_type=content_type)
        elif isinstance(value, bytes) and content_type is not HTML:
            made = response_of(value, only_typed(content_type))
        else:
            made = to_response(value, self.page, native)
        return amended(self.request, made) if isinstance(made, NativeResponse) else self._wait(made)

    async def _wait(self, made: Awaitable[NativeResponse]) -> NativeResponse:
        return amended(self.request, await made)


def answer(request: "Request", value: Any, page: Callable[..., Any]) -> NativeResponse | Answer:
    """Return the native response for a page's return value, or a value that makes it."""
    if type(value) is not str:
        if isinstance(value, Response):
            return answer(request, _told(request, value), page)
        if not isinstance(value, str):
            return Answer(request, value, page)
    if request.content_type is HTML:
        value = completed(request, value)
    request.let_go()
    response = response_of(value.encode(), only_typed(request.content_type))
    if request.own_status is None and request.added_headers is None:
        return response
    return amended(request, response)


def _told(request: "Request", response: Response) -> Any:
    """Return the body of a response, whose status, type and header fields the request is given."""
    request.status_code = response.status_code
    request.content_type = response.content_type
    request.response_headers.extend(response.headers.items())
    return response.body


def amended(request: "Request", response: NativeResponse) -> NativeResponse:
    """Set the status and the header fields of the request on a response, and return it."""
    if request.own_status is not None:
        response.status = request.own_status
    for name, value in request.added_headers or ():
        response.headers.add(name, value)
    return response
