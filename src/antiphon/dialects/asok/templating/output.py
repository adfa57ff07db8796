"""Values as HTML: what is printed of them, and what of it is escaped."""

from typing import Any

from markupsafe import escape

from antiphon.features.markup import Markup as SafeString

__all__ = ["SafeString", "to_html"]


def to_html(value: Any) -> str:
    """Return what is printed of a value, with the entities of Python's ``html.escape``: nothing of None.

    What has ``__html__``, or is printed as a SafeString, is HTML as it is.
    """
    kind = type(value)
    if kind is not str:
        if value is None:
            return ""
        if hasattr(kind, "__html__"):
            return value.__html__()  # type: ignore[no-any-return]
        value = str(value)
        if hasattr(type(value), "__html__"):
            return value.__html__()  # type: ignore[no-any-return]
    text = escape(value)
    return str(text).replace("&#39;", "&#x27;").replace("&#34;", "&quot;") if "&#3" in text else text
