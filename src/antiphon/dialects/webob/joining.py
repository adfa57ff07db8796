"""References to URLs, resolved as RFC 3986 §5 has it: no character is dropped, unlike in urllib.parse."""

from antiphon.http.urls.url import URL

__all__ = ["urljoin"]


def urljoin(base: str, url: str | None) -> str:
    """Return the URL of a reference that was found at ``base``.

    A reference with the scheme of the base, and no host, counts as one without a scheme. Raises ValueError for text
    that browsers would read as another URL: control characters, a space at an end, a backslash in the path.
    """
    if not base or not url:
        return url or base
    found_at = URL(base)
    scheme, colon, rest = url.partition(":")
    if colon and not rest.startswith("//") and scheme.lower() == found_at.scheme.lower():
        url = rest
    return str(found_at.join(url)) if url else base
