"""Redirects."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from antiphon.dialects.werkzeug.exceptions.http_exception import escape_html
from antiphon.dialects.werkzeug.response_class import response_class

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.werkzeug.wrappers.response import Response as WerkzeugResponse

_PAGE = """<!doctype html>
<html lang=en>
<title>Redirecting...</title>
<h1>Redirecting...</h1>
<p>You should be redirected automatically to the target URL: <a href="{0}">{0}</a>. If not, click the link.
"""


def redirect(
    location: str,
    code: int = 302,
    Response: "Callable[..., Any] | None" = None,  # noqa: N803 - its name
) -> "WerkzeugResponse":
    """Return a redirect to any ``location``, as this class, with a page for clients that don't follow it."""
    make = Response or response_class()
    response: WerkzeugResponse = make(_PAGE.format(escape_html(location)), code, mimetype="text/html")
    response.headers["Location"] = location
    return response


def append_slash_redirect(environ: "WSGIEnvironment", code: int = 308) -> "WerkzeugResponse":
    """Return a redirect to the same path with a slash at its end, relative, with the query."""
    last = environ["PATH_INFO"].rpartition("/")[2]
    query = environ.get("QUERY_STRING")
    target = f"{last}/" if last else "./"
    if ":" in last or "\\" in last:
        # Else it would begin with a scheme (RFC 3986 §4.2), or, as browsers read backslashes, with a host.
        target = f"./{target}"
    return redirect(f"{target}?{query}" if query else target, code)
