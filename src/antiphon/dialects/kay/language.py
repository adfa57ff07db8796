"""The language of a request."""

import re
from typing import Any

from antiphon.dialects.kay.conf import Settings

_is_tag = re.compile(r"[A-Za-z]{1,8}(?:[-_][A-Za-z0-9]{1,8}){0,7}").fullmatch


def guess_language(request: Any, settings: Settings) -> str | None:
    """What the cookie LANG_COOKIE_NAME says, else what the client likes best, else DEFAULT_LANG.

    None without USE_I18N. What is no tag of a language counts as absent.
    """
    if not settings.USE_I18N:
        return None
    default: str = settings.DEFAULT_LANG
    liked = (request.cookies.get(settings.LANG_COOKIE_NAME), *request.accept_languages.values())
    return next((tag for tag in liked if tag is not None and _is_tag(tag)), default)
