"""What is written twice: in Python, and in C where the extension was built."""

from collections.abc import Callable
from inspect import isclass, isfunction
from typing import Any

# Each module with twins is imported, since it says so where it is.
import antiphon.adapters.asgi
import antiphon.adapters.wsgi
import antiphon.app.dispatch.middleware
import antiphon.app.dispatch.returns
import antiphon.body.multipart
import antiphon.concurrency.iterables
import antiphon.features.logs.formats
import antiphon.features.metrics.instruments
import antiphon.features.templates.environment
import antiphon.http.cookies
import antiphon.http.headers
import antiphon.http.reads
import antiphon.http.urls.urlencoded
import antiphon.lazy
import antiphon.response.fields
import antiphon.serialization.json_bounds
from antiphon.speedups import PURE, accelerated

try:
    from antiphon.speedups import _speedups as extension
except ImportError:
    extension = None  # type: ignore[assignment]

try:
    import antiphon.serialization.defaults
except ModuleNotFoundError:  # a debug build of Python has no msgspec

    @accelerated
    def set_defaults(value: object, /) -> None:
        """Do nothing, as for values without records."""


NOT_BUILT = "the extension was not built for this Python"
NAMES = sorted(name for name, twin in PURE.items() if isfunction(twin))
"""The functions."""
CLASSES = sorted(name for name, twin in PURE.items() if isclass(twin))


HEAD_ATTRIBUTES = (
    "environ", "scope", "method", "path", "root_path", "host_line", "has_body", "uncoded_length", "_left", "_fields",
    "_receive", "send", "_has_more", "watch", "_next",
)  # fmt: skip


def pure(name: str) -> Callable[..., Any]:
    return PURE[name]


def compiled(name: str) -> Callable[..., Any]:
    return getattr(extension, name)  # type: ignore[no-any-return]


def look_up(twin: Callable[[str], Callable[..., Any]], lines: object, *names: object) -> object:
    """Return what is found in an index of header lines, which is not the same object in both."""
    index, host, is_framed, length = twin("index_lines")(lines)
    return host, is_framed, length, [twin("find_line")(index, name) for name in names]


def attributes_of(make: Callable[..., object], *arguments: object) -> dict[str, object]:
    """Return the class and the attributes of a head, as far as it has them."""
    head = make(*arguments)
    given = {name: getattr(head, name) for name in HEAD_ATTRIBUTES if hasattr(head, name)}
    return {"class": type(head), **given}


def outcome(function: Callable[..., object], *arguments: object) -> tuple[str, str]:
    """Return what a call gives, or the error that it raises: each with its type."""
    try:
        result = function(*arguments)
    except Exception as error:
        return type(error).__name__, str(error)
    return repr(type(result)), repr(result)


__all__ = [
    "CLASSES", "NAMES", "NOT_BUILT", "antiphon", "attributes_of", "compiled", "extension", "look_up", "outcome", "pure",
]  # fmt: skip
