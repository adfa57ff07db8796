"""The language of a request, by the native feature, and messages for projects without translations."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

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
    """Use the native feature for the messages in ``src/locales``, if there are any."""
    if folder := folder_of(app.root_dir, app.dirs["LOCALES"]):
        from antiphon.features import Languages

        languages = Languages(folder, default=app.config["LOCALE"], cookie=COOKIE)
        native.use(languages)
        native.before_request(_remembering(languages))


def _remembering(languages: "Languages") -> Callable[[NativeRequest], None]:
    """Return a hook that stores a language requested in the query in a cookie, as switches in pages expect."""

    def remember(native: NativeRequest) -> None:
        if b"lang=" not in native.query_string or native.method not in SAFE_METHODS:
            return
        with suppress(HTTPError):  # a query that is too long
            if languages.match(native.args.get("lang") or ""):
                native.language.remember()

    return remember


def language_of(request: "Request") -> str:
    """Return the language of a request, or the project's default if there are no messages."""
    return request.native.language.tag if _has_texts(request.app) else str(request.app.config["LOCALE"])


def _has_texts(app: "Asok") -> bool:
    return app.has_pages and app.native.provides(NativeRequest.language)


def translated(request: "Request", key: str, values: dict[str, object]) -> str:
    """Return the message for a key in the language of a request; the key itself if the project has no messages."""
    if _has_texts(request.app):
        return request.native.language.gettext(key, **values)
    return key


def as_written(request: "Request", key: str) -> str:
    """Return the message for a key with its placeholders, for values known later; without a message, the key."""
    if _has_texts(request.app):
        return request.native.language.find(key) or key
    return key
