"""The response: a page's return value, with the status and header fields set on the request."""

import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from antiphon import Request as NativeRequest
from antiphon import Response as NativeResponse
from antiphon.dialects.asok.templating.rendering import completed
from antiphon.embedding import SharedFields, response_of, safe_filename, to_response
from antiphon.http import NotFound

if TYPE_CHECKING:
    from antiphon.dialects.asok.request import Request


HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


class StatusCode(int):
    """The current status, by default 200: ``request.status_code == 404``. Call it with a status to set it."""

    _request: "Request"

    @classmethod
    def of(cls, request: "Request", code: int) -> "StatusCode":
        self = cls(code)
        self._request = request
        return self

    @overload
    def __call__(self, code: None = None) -> int: ...
    @overload
    def __call__(self, code: int) -> "Request": ...
    def __call__(self, code: int | None = None) -> "Request | int":
        """Set the status and return the request; without a code, return the current status.

        Raises ValueError unless the code is from 200 to 599.
        """
        if code is None:
            return int(self)
        self._request.status_code = code
        return self._request


def file_response(path: str, filename: str | None, as_attachment: bool) -> NativeResponse:
    """Return a response with the file at an absolute path. Its name, or the one given, is made safe.

    Raises NotFound (404) if it is not a regular file, or Forbidden (403) if it can't be read.
    """
    name = safe_filename(filename or os.path.basename(path))
    response = NativeResponse.file(path, filename=name, as_attachment=as_attachment, inline=not as_attachment)
    response.headers.pop("x-content-type-options", None)  # SECURITY_HEADERS decides whether to send it
    return response


def path_below(folder: str, path: str) -> str:
    """Return the real path of a file in a folder, given its absolute path or its path in the folder.

    Raises NotFound (404) for a path outside of the folder, even through a link.
    """
    if "\0" in path:
        raise NotFound
    root = os.path.realpath(folder)
    for each in (path, path.lstrip("/")):
        found = os.path.realpath(os.path.join(root, each))
        if found.startswith(os.path.join(root, "")):
            return found
    raise NotFound


class Response:
    """A response with its own body, status and header fields, for pages that set all of them at once."""

    def __init__(
        self,
        body: Any = "",
        status_code: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        content_type: str = HTML,
    ) -> None:
        self.body = body
        self.status_code = status_code
        self.headers: dict[str, str] = dict(headers or ())
        self.content_type = content_type

    def __str__(self) -> str:
        return str(self.body)

    def __bytes__(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else str(self.body).encode()


class Answer(NamedTuple):
    """A page's return value that is not text. It is converted to a response like a native handler's return value.

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
            made = response_of(value, SharedFields.only_typed(content_type))
        else:
            made = to_response(value, self.page, native)
        return amended(self.request, made) if isinstance(made, NativeResponse) else self._wait(made)

    async def _wait(self, made: Awaitable[NativeResponse]) -> NativeResponse:
        return amended(self.request, await made)


def answer(request: "Request", value: Any, page: Callable[..., Any]) -> NativeResponse | Answer:
    """Return the native response for a page's return value, or a value to convert to one."""
    if type(value) is not str:
        if isinstance(value, Response):
            return answer(request, _told(request, value), page)
        if not isinstance(value, str):
            return Answer(request, value, page)
    if request.content_type is HTML:
        value = completed(request, value)
    request.let_go()
    response = response_of(value.encode(), SharedFields.only_typed(request.content_type))
    if request.own_status is None and request.added_headers is None:
        return response
    return amended(request, response)


def _told(request: "Request", response: Response) -> Any:
    """Return a response's body, and copy its status, type and header fields to the request."""
    request.status_code = response.status_code
    request.content_type = response.content_type
    request.response_headers.extend(response.headers.items())
    return response.body


def amended(request: "Request", response: NativeResponse) -> NativeResponse:
    """Set the request's status and header fields on a response. Return the response."""
    if request.own_status is not None:
        response.status = request.own_status
    for name, value in request.added_headers or ():
        response.headers.add(name, value)
    return response
