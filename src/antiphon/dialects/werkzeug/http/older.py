"""Functions that `werkzeug.http` had up to version 2, which some libraries still import."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from antiphon.dialects.werkzeug import datastructures as ds
from antiphon.dialects.werkzeug.http.moments import http_date

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.datastructures import Authorization, WWWAuthenticate


def parse_authorization_header(value: str | None) -> "Authorization | None":
    """The credentials; None where they are absent or can't be read."""
    return ds.Authorization.from_header(value)


def parse_www_authenticate_header(
    value: str | None, on_update: "Callable[[WWWAuthenticate], None] | None" = None
) -> "WWWAuthenticate":
    """The challenge, an empty one of Basic where there is none; ``on_update`` is told of changes."""
    found = ds.WWWAuthenticate.from_header(value) or ds.WWWAuthenticate("basic")
    found._on_update = on_update  # noqa: SLF001 - as the response sets it
    return found


def cookie_date(expires: datetime | float | None = None) -> str:
    """A moment as cookies have it."""
    return http_date(expires)
