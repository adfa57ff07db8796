"""One call of a WSGI application."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from antiphon.dialects._environ.calling import call_application
from antiphon.dialects.werkzeug.datastructures.headers import Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


def run_wsgi_app(
    app: "WSGIApplication", environ: "WSGIEnvironment", buffered: bool = False
) -> tuple[Iterable[bytes], str, Headers]:
    """Return the body, the status and the headers of an application's answer, including what it wrote with ``write``.

    The application gets a copy of the environ. Its body is read until it has started its response; ``buffered`` reads
    it to the end and closes it. Raises what the application raises, and RuntimeError if it starts no response.
    """
    body, status, fields = call_application(app, dict(getattr(environ, "environ", environ)), buffered)
    return body, status, Headers(fields)
