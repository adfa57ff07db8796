"""Errors that may say when to come back (RFC 9110 §10.2.3)."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from antiphon.dialects.werkzeug.exceptions.http_exception import HTTPException

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.werkzeug.wrappers import Response


class RetryAfterException(HTTPException):
    """An error whose ``retry_after``, in seconds or as a moment, becomes the Retry-After header."""

    def __init__(
        self,
        description: str | None = None,
        response: "Response | None" = None,
        retry_after: datetime | int | None = None,
    ) -> None:
        super().__init__(description, response)
        self.retry_after = retry_after

    def get_headers(
        self, environ: "WSGIEnvironment | None" = None, scope: dict[str, Any] | None = None
    ) -> list[tuple[str, str]]:
        """Those of the page, and Retry-After."""
        headers = super().get_headers(environ, scope)
        if self.retry_after:
            headers.append(("Retry-After", _printed(self.retry_after)))
        return headers


def _printed(after: datetime | int) -> str:
    from antiphon.http.dates import format_date

    return format_date(after) if isinstance(after, datetime) else str(after)
