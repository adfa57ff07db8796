"""The language of the code that runs: that of the request that is being answered, else the default."""

from typing import TYPE_CHECKING

from antiphon.features.languages.texts import Texts
from antiphon.handler.context import find_current_request
from antiphon.request.language import Language, language_of

if TYPE_CHECKING:
    from antiphon.features.languages.feature import Languages

_used: "list[Languages]" = []
"""The feature that an application used last: it says the default where no request is answered."""


def use_outside_of_requests(languages: "Languages") -> None:
    """Have the default of a feature, from now on, where no request is answered."""
    _used[:] = [languages]


def current_language() -> Language | Texts | None:
    """Return the language of the current request; outside of requests, and of applications with languages, the default.

    None if no application has used ``Languages``.
    """
    request = find_current_request()
    if request is not None and (language := language_of(request)) is not None:
        return language
    return _used[0].texts(_used[0].default) if _used else None
