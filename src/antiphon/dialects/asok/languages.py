"""A request's language, found by the native feature, and messages for projects without translations."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from antiphon import App
from antiphon import Request as NativeRequest
from antiphon.dialects.asok.config import folder_of
from antiphon.embedding import SAFE_METHODS
from antiphon.http import HTTPError

if TYPE_CHECKING:
    from antiphon.dialects.asok.app import Asok
    from antiphon.dialects.asok.request import Request
    from antiphon.features import Languages

COOKIE = "asok_lang"
"""The name of the cookie that stores a visitor's language."""


def install_languages(app: "Asok", native: App) -> None:
    """Use the native feature for the messages in ``src/locales``, if the project has any."""
    if folder := folder_of(app.root_dir, app.dirs["LOCALES"]):
        from antiphon.features import Languages

        languages = Languages(folder, default=app.config["LOCALE"], cookie=COOKIE)
        native.use(languages)
        native.before_request(_remembering(languages))


def _remembering(languages: "Languages") -> Callable[[NativeRequest], None]:
    """Return a hook that stores the language chosen in the query string in a cookie, as language switchers in pages
    expect.
    """

    def remember(native: NativeRequest) -> None:
        if b"lang=" not in native.query_string or native.method not in SAFE_METHODS:
            return
        with suppress(HTTPError):  # a query that is too long
            if languages.match(native.args.get("lang") or ""):
                native.language.remember()

    return remember


def language_of(request: "Request") -> str:
    """Return the request's language, or the project's default if the project has no messages."""
    return request.native.language.tag if _has_texts(request.app) else str(request.app.config["LOCALE"])


def _has_texts(app: "Asok") -> bool:
    return app.has_pages and app.native.is_provided(NativeRequest.language)


def translated(request: "Request", key: str, values: dict[str, object]) -> str:
    """Return the message for a key in the request's language; the key itself if the project has no messages."""
    if _has_texts(request.app):
        return request.native.language.gettext(key, **values)
    return key


def as_written(request: "Request", key: str) -> str:
    """Return the message for a key with its placeholders, to be filled in later. If there is none, return the key."""
    if _has_texts(request.app):
        return request.native.language.find(key) or key
    return key


FILE = os.path.join(".asok", "geo.csv")
_OF_COUNTRIES = ("iso", "name", "dial_code", "flag", "capital", "continent", "currency", "languages", "timezone")


class GeoLocation(dict[str, Any]):
    """A client's location: ``ip``, ``city``, ``country``, ``lat``, ``lon``, and any other columns of the file.

    Unknown values are "Unknown" or 0.0.
    """

    def __missing__(self, name: str) -> NoReturn:
        if name in _OF_COUNTRIES:
            raise KeyError(
                f"{name}: the Asok dialect has no table of countries, only the columns that the first line of {FILE}"
                " names"
            )
        raise KeyError(name)


def install_locations(app: "Asok", native: App) -> None:
    """Read the project's file of IP ranges at startup, if it has one."""
    path = os.path.join(app.root_dir, FILE)
    if os.path.isfile(path):
        native.on_startup(lambda: app.locations.read(path))


def location_of(request: "Request") -> GeoLocation:
    return GeoLocation({"ip": request.ip, **request.app.locations.find(request.ip)})
