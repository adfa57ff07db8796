"""Sessions: ``request.session``, stored by the native feature in the store that ``settings.py`` names."""

from typing import Any


def renew_session(request: Any) -> None:
    """Give the session a new key and keep its data, as before a login. The old key becomes useless."""
    request.session.rotate()
