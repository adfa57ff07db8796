"""Combine which lines all processes ran, but for those whose data can't be read: a process was killed as it wrote.

python -m scripts.combined_coverage
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from coverage import Coverage

ROOT = Path(__file__).parent.parent


def is_whole(path: Path) -> bool:
    """Return whether a database is one, and not damaged."""
    try:
        with closing(sqlite3.connect(path)) as database:
            database.execute("SELECT version FROM coverage_schema")  # which a process may not have come to write
            return database.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    except sqlite3.DatabaseError:
        return False


if __name__ == "__main__":
    for path in ROOT.glob(".coverage.*"):
        if not is_whole(path):
            path.unlink()
    measured = Coverage()
    measured.combine()
    measured.save()
