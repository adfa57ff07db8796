"""The routes of an application in their order, as a list that its program may change at any time."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from antiphon.dialects.microdot.routing import Entry


class URLMap(list[Entry]):
    """Routes. ``version`` is another object after each change: so nobody has to compare them to see one."""

    version: object


def _changing(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def change(self: URLMap, *arguments: Any, **named: Any) -> Any:
        try:
            return method(self, *arguments, **named)
        finally:
            self.version = object()

    return change


for _name in (
    "__delitem__", "__iadd__", "__imul__", "__init__", "__setitem__", "append", "clear", "extend", "insert", "pop",
    "remove", "reverse", "sort",
):  # fmt: skip
    setattr(URLMap, _name, _changing(getattr(list, _name)))
