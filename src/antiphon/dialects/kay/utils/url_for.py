"""URLs of views."""

from typing import Any

from antiphon.dialects.kay.current import current_call
from antiphon.dialects.werkzeug.urls.quoting import url_quote


def url_for(endpoint: str, **args: Any) -> str:
    """The URL of an endpoint with these values; what its rule has no place for becomes the query.

    It is a path; with ``_external=True`` it has scheme and host. ``_anchor`` is appended after a `#`. Raises BuildError
    for what no rule leads to, and RuntimeError outside of a request.
    """
    anchor, is_external = args.pop("_anchor", None), args.pop("_external", False)
    url = current_call().adapter.build(endpoint, args, force_external=is_external)
    return url if anchor is None else f"{url}#{url_quote(anchor)}"
