"""Percent-encoded text in queries."""

from urllib.parse import quote

from antiphon.http.urls.url import unquote


def urlencode(s: str) -> str:
    """Return text as a value in a query. Slashes stay as they are."""
    return quote(s)


def urldecode(s: str | bytes) -> str:
    """Return the text of a value in a query, where a plus sign is a space. Broken escapes stay as they are."""
    return unquote(s.replace("+", " ") if isinstance(s, str) else s.replace(b"+", b" "))
