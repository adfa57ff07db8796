"""The session stores that SESSION_STORE in ``settings.py`` may name. It may name any other native store, too."""

import os

from antiphon.dialects.kay.conf import settings
from antiphon.features import CookieStore, SQLiteStore

_PUBLISHED = frozenset({"ReplaceItWithSecretString", "please set secret keys here"})
"""The values of SECRET_KEY in Kay's own files, with which anyone could sign a session."""


class GAESessionStore(SQLiteStore):
    """A store on the server, in the SQLite file SESSION_DATABASE, by default `sessions.db` in the current folder.

    It replaces the store in App Engine's database, whose name it has.
    """

    def __init__(self) -> None:
        super().__init__(os.path.abspath(settings.SESSION_DATABASE))


class SecureCookieSessionStore(CookieStore):
    """A store in the visitor's cookie, signed with SECRET_KEY. Visitors can read their data.

    Raises ValueError for a SECRET_KEY that is missing, too short, or the one in Kay's own files.
    """

    def __init__(self) -> None:
        key = settings.SECRET_KEY
        if key in _PUBLISHED:
            raise ValueError("SECRET_KEY in settings.py is that of Kay's files, which everyone knows: make your own")
        super().__init__([key] if key else [])
