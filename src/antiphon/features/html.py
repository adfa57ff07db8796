"""HTML escaping and building, a type for text that is already HTML, and text as a person should see it."""

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import TypeAlias

from antiphon.types import Text


class Markup(str):
    """Text that templates don't escape and that a handler can return as a page. Its methods return plain text."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return the text, which is HTML."""
        return str(self)


AttributeValue: TypeAlias = Text | float | bool | None


def as_html(value: object) -> Markup:
    """Return a value as HTML: escaped, unless it has ``__html__``."""
    if type(value) is Markup:
        return value
    html = getattr(value, "__html__", None)
    return Markup(escape(str(value)) if html is None else html())


def attributes(values: Mapping[str, AttributeValue]) -> Markup:
    """Return attributes as written in a tag. None and False omit an attribute, and True gives it no value."""
    written = []
    for name, value in values.items():
        if value is True:
            written.append(name)
        elif value is not None and value is not False:
            text = str(value)
            written.append(f'{name}="{text if text.isalnum() else escape(text)}"')
    return Markup(" ".join(written))


def tag(name: str, values: Mapping[str, AttributeValue], *content: object) -> Markup:
    """Return an element. Its ``content`` is escaped; an input has none."""
    written = attributes(values)
    start = f"<{name} {written}>" if written else f"<{name}>"
    if name in _VOID:
        return Markup(start)
    inner = as_html(content[0]) if len(content) == 1 else joined(content)
    return Markup(f"{start}{inner}</{name}>")


_VOID = {"input"}


def joined(parts: Iterable[object], separator: str = "") -> Markup:
    """Return the parts joined with the separator. Parts that are not HTML are escaped."""
    return Markup(separator.join([as_html(part) for part in parts]))


def visible(text: str) -> str:
    """Return text with each character that a person wouldn't see, or that changes how others look, as its number."""
    return "".join([each if _is_seen(each) else f"<U+{ord(each):04X}>" for each in " ".join(text.split())])


def _is_seen(character: str) -> bool:
    return character.isprintable() and not _unseen(character)


_unseen = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
).match
"""The characters that are printable by their category, but show nothing (Default_Ignorable_Code_Point)."""
