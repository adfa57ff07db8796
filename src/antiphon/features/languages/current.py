"""The language of the running code: that of the current request, else the default."""

from typing import TYPE_CHECKING

from antiphon.features.languages.texts import Texts
from antiphon.handler.context import find_current_request
from antiphon.request.language import Language, language_of

if TYPE_CHECKING:
    from antiphon.features.languages.feature import Languages

_used: "list[Languages]" = []
"""The feature that an application used last, which has the default outside of requests."""


def use_outside_of_requests(languages: "Languages") -> None:
    """Use the default of a feature outside of requests."""
    _used[:] = [languages]


def current_language() -> Language | Texts | None:
    """Return the language of the current request, or the default outside of requests and of apps with languages.

    None if no application has used ``Languages``.
    """
    request = find_current_request()
    if request is not None and (language := language_of(request)) is not None:
        return language
    return _used[0].texts(_used[0].default) if _used else None
