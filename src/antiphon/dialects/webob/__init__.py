"""The dialect of WebOb: `from antiphon.dialects.webob import Request, Response`. Names are imported on first use."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon.dialects.webob.datetime_utils import UTC, day, hour, minute, month, second, week, year
    from antiphon.dialects.webob.request import LegacyRequest, Request
    from antiphon.dialects.webob.response import Response
    from antiphon.dialects.webob.util import html_escape

__version__ = "1.8.11"
"""The version of WebOb that the dialect is compatible with."""

__all__ = [
    "UTC", "LegacyRequest", "Request", "Response", "day", "hour", "html_escape", "minute", "month", "second",
    "week", "year",
]  # fmt: skip

_MODULE_OF = {
    name: module
    for module, names in {
        "datetime_utils": (
            "UTC day hour minute month parse_date parse_date_delta second serialize_date serialize_date_delta "
            "timedelta_to_seconds week year"
        ),
        "request": "BaseRequest LegacyRequest Request",
        "response": "Response",
        "util": "html_escape",
    }.items()
    for name in names.split()
}
_MODULES = frozenset({
    "acceptparse", "byterange", "cachecontrol", "client", "compat", "cookies", "datetime_utils", "dec", "descriptors",
    "etag", "exc", "headers", "multidict", "request", "response", "static", "util",
})  # fmt: skip
"""Modules that are attributes of the package even before they are imported."""


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(f"{__package__}.{name}")
    if name not in _MODULE_OF:
        raise AttributeError(f"the WebOb dialect has no webob.{name}", name=name)
    value: object = getattr(import_module(f"{__package__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_MODULE_OF})
