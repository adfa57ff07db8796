"""The response: WebOb's response, file responses, and adapters that convert other values to responses."""

from collections.abc import Callable, Iterator
from functools import cache
from mimetypes import guess_type
from os.path import getmtime, getsize
from typing import IO, Any

import venusian
from zope.interface import implementer

from antiphon.dialects.pyramid.interfaces import IResponse, IResponseFactory
from antiphon.dialects.webob.response import Response as _Response

_BLOCK_SIZE = 4096 * 64


@implementer(IResponse)
class Response(_Response):
    """WebOb's response, declared to provide Pyramid's interface."""


class FileResponse(Response):
    """A response that sends a file unchanged, with Last-Modified and Content-Length.

    Unless a type is given, it is guessed from the filename. With ``request``, the server may send the file itself.
    ``cache_max_age`` is in seconds.
    """

    def __init__(
        self,
        path: Any,
        request: Any = None,
        cache_max_age: Any = None,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> None:
        if content_type is None:
            content_type, content_encoding = _guess_type(path)
        super().__init__(conditional_response=True, content_type=content_type, content_encoding=content_encoding)
        self.last_modified = getmtime(path)
        length = getsize(path)
        file = open(path, "rb")  # noqa: SIM115 - closed after it is sent
        wrapper = request.environ.get("wsgi.file_wrapper") if request is not None else None
        self.app_iter = FileIter(file, _BLOCK_SIZE) if wrapper is None else wrapper(file, _BLOCK_SIZE)
        self.content_length = length
        if cache_max_age is not None:
            self.cache_expires = cache_max_age


class FileIter:
    """A file read in blocks."""

    def __init__(self, file: IO[bytes], block_size: int = _BLOCK_SIZE) -> None:
        self.file = file
        self.block_size = block_size

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block = self.file.read(self.block_size)
        if not block:
            raise StopIteration
        return block

    def close(self) -> None:
        self.file.close()


class response_adapter:  # noqa: N801 - Pyramid's name
    """A decorator for a function that converts view results of certain types to responses. ``scan`` registers it.

    ``_depth`` and ``_category`` are used by decorators built on this one.
    """

    venusian = venusian

    def __init__(self, *types_or_ifaces: Any, **kwargs: Any) -> None:
        self.types_or_ifaces = types_or_ifaces
        self.depth = kwargs.pop("_depth", 0)
        self.category = kwargs.pop("_category", "pyramid")
        self.kwargs = kwargs

    def register(self, scanner: Any, name: str, wrapped: Callable[..., Any]) -> None:  # noqa: ARG002 - venusian's call
        for type_or_iface in self.types_or_ifaces:
            scanner.config.add_response_adapter(wrapped, type_or_iface, **self.kwargs)

    def __call__(self, wrapped: Callable[..., Any]) -> Callable[..., Any]:
        self.venusian.attach(wrapped, self.register, category=self.category, depth=self.depth + 1)
        return wrapped


def response_of_type(request: Any, content_type: str) -> Any:
    """Return the request's response for renderers. It gets a content type unless the view has set one."""
    attrs = request.__dict__
    if "response" not in attrs and _makes_plain_responses(request):
        attrs["response"] = response = Response(content_type=content_type)
        return response
    response = request.response
    if response.content_type == response.default_content_type:
        response.content_type = content_type
    return response


def _makes_plain_responses(request: Any) -> bool:
    own = getattr(type(request), "response", None)
    return own is _response_attribute() and request.registry.queryUtility(IResponseFactory) is None


@cache
def _response_attribute() -> Any:
    from antiphon.dialects.pyramid.request import Request

    return Request.response


def _guess_type(path: Any) -> tuple[str, str | None]:
    content_type, content_encoding = guess_type(path, strict=False)
    return content_type or "application/octet-stream", content_encoding


def _get_response_factory(registry: Any) -> Callable[[Any], Any]:
    factory: Callable[[Any], Any] = registry.queryUtility(IResponseFactory, default=lambda request: Response())  # noqa: ARG005
    return factory
