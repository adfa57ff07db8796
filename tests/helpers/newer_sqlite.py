"""A plugin of pytest: SQLite is newer than that of Python, if that is too old for DBOS (Debian 12)."""

import sqlite3
import sys

if sqlite3.sqlite_version_info < (3, 42):
    import pysqlite3

    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
