"""The language of a request."""

import re
from typing import Any

from antiphon.dialects.kay.conf import Settings

_is_tag = re.compile(r"[A-Za-z]{1,8}(?:[-_][A-Za-z0-9]{1,8}){0,7}").fullmatch


def guess_language(request: Any, settings: Settings) -> str | None:
    """Return the language of the cookie LANG_COOKIE_NAME, else the client's favourite, else DEFAULT_LANG.

    None if USE_I18N is off. A malformed language tag counts as absent.
    """
    if not settings.USE_I18N:
        return None
    default: str = settings.DEFAULT_LANG
    liked = (request.cookies.get(settings.LANG_COOKIE_NAME), *request.accept_languages.values())
    return next((tag for tag in liked if tag is not None and _is_tag(tag)), default)
