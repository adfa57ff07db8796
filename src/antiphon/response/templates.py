"""Template strings (PEP 750, since Python 3.14) as HTML."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeGuard


class TemplateString(Protocol):
    """A template string: texts, and the values between them."""

    @property
    def strings(self) -> tuple[str, ...]: ...
    def __iter__(self) -> Iterator[Any]: ...


def is_template(value: object) -> TypeGuard[TemplateString]:
    """Check that a value is a template string."""
    kind = type(value)
    return kind.__module__ == "string.templatelib" and kind.__name__ == "Template"


def render_template(template: Iterable[Any]) -> str:
    """Return the HTML of a template string. Values without ``__html__`` that are not template strings are escaped."""
    from html import escape

    parts = []
    conversions: dict[str | None, Callable[[Any], Any]] = {"s": str, "r": repr, "a": ascii, None: lambda value: value}
    for part in template:
        if isinstance(part, str):
            parts.append(part)
        elif hasattr(part.value, "__html__"):
            parts.append(part.value.__html__())
        elif is_template(part.value):
            parts.append(render_template(part.value))
        else:
            parts.append(escape(format(conversions[part.conversion](part.value), part.format_spec)))
    return "".join(parts)
