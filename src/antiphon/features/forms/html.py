"""HTML, escaped as it is made."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import TypeAlias

AttributeValue: TypeAlias = str | float | bool | None


class Html(str):
    """Text that is HTML already, which templates take as it is: it has ``__html__``."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def as_html(value: object) -> Html:
    """Return a value as HTML: escaped, unless it has ``__html__``."""
    if type(value) is Html:
        return value
    html = getattr(value, "__html__", None)
    return Html(escape(str(value)) if html is None else html())


def attributes(values: Mapping[str, AttributeValue]) -> Html:
    """Return attributes as they stand in a tag. One that is None or False is left out, one that is True is bare."""
    given = {name: value for name, value in values.items() if value is not None and value is not False}
    return Html(" ".join(name if value is True else f'{name}="{escape(str(value))}"' for name, value in given.items()))


def tag(name: str, values: Mapping[str, AttributeValue], *content: object) -> Html:
    """Return an element. ``content`` is escaped; the element of an input has none."""
    written = attributes(values)
    start = f"<{name} {written}>" if written else f"<{name}>"
    return Html(start if name in _VOID else f"{start}{joined(content)}</{name}>")


_VOID = {"input"}


def joined(parts: Iterable[object], separator: str = "") -> Html:
    """Return parts one after another, those that are not HTML escaped."""
    return Html(separator.join(as_html(part) for part in parts))
