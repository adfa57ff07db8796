"""Types of the functions that applications register and of the values that views return."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, Union

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from antiphon.dialects.werkzeug.datastructures import Headers
    from antiphon.dialects.werkzeug.wrappers import Response

ResponseValue: TypeAlias = Union[
    "Response", str, bytes, list[Any], Mapping[str, Any], Iterator[str], Iterator[bytes], AsyncIterable[str],
    AsyncIterable[bytes],
]  # fmt: skip
"""A body that a view returns, or a complete response."""

HeaderValue: TypeAlias = str | list[str] | tuple[str, ...]
"""The value or values of a header field."""

HeadersValue: TypeAlias = Union["Headers", Mapping[str, HeaderValue], Sequence[tuple[str, HeaderValue]]]
"""The header fields that a view returns with a body."""

ResponseReturnValue: TypeAlias = Union[
    ResponseValue, tuple[ResponseValue, HeadersValue], tuple[ResponseValue, int],
    tuple[ResponseValue, int, HeadersValue], "WSGIApplication",
]  # fmt: skip
"""Anything that a view can return."""

ResponseClass = TypeVar("ResponseClass", bound="Response")

AppOrBlueprintKey: TypeAlias = str | None
"""A blueprint's name, or None for the application."""

AfterRequestCallable: TypeAlias = (
    Callable[[ResponseClass], ResponseClass] | Callable[[ResponseClass], Awaitable[ResponseClass]]
)
BeforeFirstRequestCallable: TypeAlias = Callable[[], None] | Callable[[], Awaitable[None]]
BeforeRequestCallable: TypeAlias = (
    Callable[[], ResponseReturnValue | None] | Callable[[], Awaitable[ResponseReturnValue | None]]
)
ErrorHandlerCallable: TypeAlias = Callable[[Any], ResponseReturnValue] | Callable[[Any], Awaitable[ResponseReturnValue]]
RouteCallable: TypeAlias = Callable[..., ResponseReturnValue] | Callable[..., Awaitable[ResponseReturnValue]]
ShellContextProcessorCallable: TypeAlias = Callable[[], dict[str, Any]]
TeardownCallable: TypeAlias = Callable[[BaseException | None], None] | Callable[[BaseException | None], Awaitable[None]]
TemplateContextProcessorCallable: TypeAlias = Callable[[], dict[str, Any]] | Callable[[], Awaitable[dict[str, Any]]]
TemplateFilterCallable: TypeAlias = Callable[..., Any]
TemplateGlobalCallable: TypeAlias = Callable[..., Any]
TemplateTestCallable: TypeAlias = Callable[..., bool]
URLDefaultCallable: TypeAlias = Callable[[str, dict[str, Any]], None]
URLValuePreprocessorCallable: TypeAlias = Callable[[str | None, dict[str, Any] | None], None]
