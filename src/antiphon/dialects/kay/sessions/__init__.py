"""Sessions: ``request.session``, kept by Antiphon's own session feature in the store that ``settings.py`` names."""

from typing import Any


def renew_session(request: Any) -> None:
    """Give the session a new key but keep its data, as you should before a login. The old key becomes invalid."""
    request.session.rotate()
