"""The records: users and entries in SQLite, and the pictures as files next to it."""

import sqlite3
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_urlsafe

from antiphon import Dependency, Upload
from examples.guestbook.passwords import NOBODYS, hash_password, is_password

TABLES = """
create table if not exists users (id integer primary key, name text unique collate nocase, password text not null);
create table if not exists entries (
    id integer primary key autoincrement, author integer not null references users, words text not null,
    written text not null, picture text, caption text not null
);
"""
ENTRIES = """
select entries.id, name, words, written, picture, caption from entries join users on users.id = author
where entries.id < ? order by entries.id desc limit ?
"""
ENTRIES_SINCE = """
select entries.id, name, words, written, picture, caption from entries join users on users.id = author
where entries.id > ? order by entries.id limit ?
"""
SIGNATURES = {b"\x89PNG\r\n\x1a\n": ".png", b"\xff\xd8\xff": ".jpg", b"GIF87a": ".gif", b"GIF89a": ".gif"}


@dataclass
class User:
    id: int
    name: str


@dataclass
class Entry:
    id: int
    author: str
    words: str
    written: datetime
    picture: str | None
    caption: str


def picture_suffix(file: Upload) -> str | None:
    """Return the suffix for the real type of a file, whatever its name, or None if it is not a picture."""
    with file.open() as opened:
        start = opened.read(16)
    return next((suffix for signature, suffix in SIGNATURES.items() if start.startswith(signature)), None)


class Book:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pictures = folder / "pictures"
        self.pictures.mkdir(parents=True, exist_ok=True)
        with self.open() as database:
            database.executescript(TABLES)

    def open(self) -> AbstractContextManager[sqlite3.Connection]:
        return closing(sqlite3.connect(self.folder / "book.db", isolation_level=None))  # each statement commits

    def add_user(self, name: str, password: str) -> User | None:
        """Add a user; None if the name is taken."""
        query = "insert or ignore into users values (null, ?, ?) returning id, name"
        with self.open() as database:
            row = database.execute(query, [name, hash_password(password)]).fetchone()
        return User(*row) if row else None

    def user(self, id: str) -> User | None:
        with self.open() as database:
            row = database.execute("select id, name from users where id = ?", [id]).fetchone()
        return User(*row) if row else None

    def user_with(self, name: str, password: str) -> User | None:
        with self.open() as database:
            row = database.execute("select id, name, password from users where name = ?", [name]).fetchone()
        matches = is_password(password, row[2] if row else NOBODYS)  # takes as long even if there is no such user
        return User(*row[:2]) if row and matches else None

    def add_entry(self, author: User, words: str, picture: Upload | None, caption: str) -> None:
        name = None
        if picture:
            name = f"{token_urlsafe(12)}{picture_suffix(picture)}"
            picture.save(self.pictures / name)
        row = [author.id, words, datetime.now(UTC).isoformat(), name, caption]
        with self.open() as database:
            database.execute("insert into entries values (null, ?, ?, ?, ?, ?)", row)

    def entries(self, before: int, most: int) -> list[Entry]:
        """Return the newest entries before a given one, newest first."""
        return self._found(ENTRIES, before, most)

    def entries_since(self, last: int, most: int) -> list[Entry]:
        """Return the oldest entries after a given one, oldest first."""
        return self._found(ENTRIES_SINCE, last, most)

    def _found(self, query: str, id: int, most: int) -> list[Entry]:
        with self.open() as database:
            rows = database.execute(query, [id, most]).fetchall()
        return [Entry(*row[:3], datetime.fromisoformat(row[3]), *row[4:]) for row in rows]

    def last_id(self) -> int:
        """Return the number of the last entry, which may be deleted by now, or 0 before the first one."""
        with self.open() as database:
            row = database.execute("select seq from sqlite_sequence where name = 'entries'").fetchone()
        return row[0] if row else 0

    def picture(self, name: str) -> Path | None:
        """Return the file of a picture in an entry."""
        with self.open() as database:
            found = database.execute("select 1 from entries where picture = ?", [name]).fetchone()
        return self.pictures / name if found else None

    def delete_entry(self, id: int, author: User) -> bool:
        """Delete an entry and its picture. Return False if the author has no such entry."""
        query = "delete from entries where id = ? and author = ? returning picture"
        with self.open() as database:
            row = database.execute(query, [id, author.id]).fetchone()
        if row and row[0]:
            (self.pictures / row[0]).unlink(missing_ok=True)
        return row is not None


BOOK = Dependency[Book]("book")
