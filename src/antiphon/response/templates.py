"""Templates as responses: their data, which is passed by name alongside options, and template strings (PEP 750)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CoroutineType
from typing import Any, NoReturn, Protocol, TypeGuard

from antiphon.explanations import explained


def check_data(maker: Callable[..., Any], template: object, data: Mapping[str, Any], status: object = None) -> None:
    """Check that no name in the data is, or may become, the name of an option.

    Raises TypeError for a name that begins with an underscore, for a mapping instead of a status, for a template that
    is not text, and for a coroutine, which a template would print.
    """
    if not isinstance(template, str):
        name, kind = maker.__qualname__, type(template).__name__
        message = f"{name} takes the name of a template first, not {kind}: {name}(template, name=value)"
        raise explained("bad-template-option", TypeError(message))
    if isinstance(status, Mapping):
        name = maker.__qualname__
        message = f"{name} takes data by name, not as a dict: {name}(template, name=value), or **data"
        raise explained("bad-template-option", TypeError(message))
    for name, value in data.items():
        if name[:1] == "_":
            _refuse(maker, name)
        if type(value) is CoroutineType:
            value.close()
            given = f"{maker.__qualname__}(..., {name}={value.__qualname__}(...))"
            raise explained("coroutine-not-awaited", TypeError(f"{given} was given a coroutine: `await` it first"))


def _refuse(maker: Callable[..., Any], name: str) -> NoReturn:
    from difflib import get_close_matches
    from inspect import signature

    options = [option for option in signature(maker).parameters if option[0] == "_"]
    near = get_close_matches(name, options, 1)
    meant = f": did you mean {near[0]!r}?" if near else "."
    raise explained(
        "bad-template-option",
        TypeError(
            f"{maker.__qualname__} has no option {name!r}{meant} It has {', '.join(options)}. Names in data can't begin"
            " with an underscore"
        ),
    )


class TemplateString(Protocol):
    """A template string: literal text, and the values in it."""

    @property
    def strings(self) -> tuple[str, ...]: ...
    def __iter__(self) -> Iterator[Any]: ...


def is_template(value: object) -> TypeGuard[TemplateString]:
    """Return True if a value is a template string."""
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
