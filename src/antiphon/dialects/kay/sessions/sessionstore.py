"""Session stores for SESSION_STORE in ``settings.py``, which may also name any of Antiphon's own stores."""

import os

from antiphon.dialects.kay.conf import settings
from antiphon.features import CookieStore, SQLiteStore

_PUBLISHED = frozenset({"ReplaceItWithSecretString", "please set secret keys here"})
"""The example keys in Kay's own files, with which anyone could sign a session."""


class GAESessionStore(SQLiteStore):
    """A server-side store in the SQLite file SESSION_DATABASE, by default `sessions.db` in the current folder.

    It replaces Kay's store of the same name, which used App Engine's database.
    """

    def __init__(self) -> None:
        super().__init__(os.path.abspath(settings.SESSION_DATABASE))


class SecureCookieSessionStore(CookieStore):
    """A store in the visitor's cookie, signed with SECRET_KEY. Visitors can read their data.

    Raises ValueError if SECRET_KEY is missing, too short, or an example key from Kay's own files.
    """

    def __init__(self) -> None:
        key = settings.SECRET_KEY
        if key in _PUBLISHED:
            raise ValueError("SECRET_KEY in settings.py is Kay's public example key: replace it with your own")
        super().__init__([key] if key else [])
