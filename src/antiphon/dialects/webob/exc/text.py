"""Text for the bodies of errors, with and without markup."""

import re
from collections.abc import Callable
from typing import Any

# A tag without an end is matched, too, so that a text of many "<" takes linear time.
_tag = re.compile(r"<[^>]*+(>?)")
_break = re.compile(r"<br[^>]*+(>?)", re.IGNORECASE)
_comment_mark = re.compile("<!--|-->")


def no_escape(value: Any) -> str:
    """Return an object's text; "" for None. Bytes are read as UTF-8."""
    if value is None:
        return ""
    return value.decode() if isinstance(value, bytes) else str(value)


def strip_tags(value: str) -> str:
    """Return the text of markup: each `<br>` becomes a line end, and other tags and comment marks are removed."""
    text = value.replace("\n", " ").replace("\r", "")
    text = _break.sub(_by("\n"), text)
    return _tag.sub(_by(""), _comment_mark.sub("", text))


def _by(replacement: str) -> Callable[[re.Match[str]], str]:
    return lambda match: replacement if match[1] else match[0]


class Lazy:
    """A value whose text is made when a template uses it."""

    __slots__ = ("_text", "_value")

    def __init__(self, text: Callable[[Any], str], value: Any) -> None:
        self._text = text
        self._value = value

    def __str__(self) -> str:
        return self._text(self._value)
