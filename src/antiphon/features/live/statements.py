"""The tables that code reads and writes: as its statements name them, which SQLAlchemy reports, or named by hand.

A statement names each table that it reads, so all of its words count as tables that it may read. A word too many costs
a render at most, whose text is the same. The tables that it writes follow words such as UPDATE. A connection keeps them
until its transaction has ended, and there is no event after a commit, only before it:

| a connection has | at a commit | after a rollback | after a refusal | when it is used again, or returns to its pool |
|---|---|---|---|---|
| written tables | they are to be told | forgotten | stay | forgotten |
| tables to be told | and are told with these | told | are written ones again | told |

So what a commit has written of which the reply was lost is told, too: a render too many does no harm.

The tables of a statement that is committed by itself are to be told at once.
"""

import re
from collections.abc import Callable, Collection, Iterable, MutableMapping
from contextlib import suppress
from functools import cache, lru_cache
from hashlib import sha256
from math import inf
from typing import Any
from weakref import WeakSet

from antiphon import explained
from antiphon.embedding import DatabaseConnection
from antiphon.features.ends import render_in_progress, told_of_ends

Tables = frozenset[str]
_LONGEST = 4096
"""The length of a statement above which its tables are looked for each time, so that it isn't kept in memory."""
_LONGEST_NAME = 200
_WRITTEN, _TO_TELL = "antiphon written", "antiphon to tell"

_words = re.compile(r"\w++")
_part = r"(?:\"[^\"]++\"|`[^`]++`|\[[^\]]++\]|[\w$]++)"
_writes = re.compile(
    r"\b(?:(?:insert|replace|merge)\s++(?:(?:or\s++\w++|ignore|overwrite)\s++)?(?:into\s++)?"
    r"|update\s++(?:or\s++\w++\s++|ignore\s++)?|delete\s++from\s++|truncate\s++(?:table\s++)?|copy\s++)"
    rf"(?:only\s++)?(?:{_part}\s*+\.\s*+)*({_part})",
    re.IGNORECASE,
)
_NO_TABLES = {"set", "of", "nowait", "skip", "from"}
"""The words after ``on conflict do update`` and ``for update``, and after a column that is called ``copy``."""


class RenderWords(set[str]):
    """The words of all statements of a render, which is made again after ``seconds``, when its login ends."""

    seconds = inf

    def note_login(self, keys: Iterable[str], seconds: float) -> None:
        """Note that it depends on the login of a user with these keys, which ends after that time."""
        self.update(map(_login_of, keys))
        self.seconds = min(self.seconds, seconds)


class Reading:
    """A block of code whose reads are collected, and whose writes are not told: a render would cause the next one."""

    def __enter__(self) -> RenderWords:
        words = RenderWords()
        self._token = render_in_progress.set(words)
        return words

    def __exit__(self, *_: object) -> None:
        render_in_progress.reset(self._token)


def _words_read() -> RenderWords | None:
    """Return the words of all statements of the render that is in progress, if there is one."""
    render = render_in_progress.get()
    return render if isinstance(render, RenderWords) else None


_told: "WeakSet[Callable[[Tables], None]]" = WeakSet()


def tell_of_writes(function: Callable[[Tables], None]) -> None:
    """Call a function with the tables that this process has written, on any thread, as long as it is referred to."""
    _told.add(function)
    with suppress(ImportError):
        _watch_sqlalchemy()


def named(name: str) -> str:
    """Return a table's name as statements are searched for it: its words, in lower case."""
    return " ".join(_words.findall(name.lower()))


def is_read(name: str, words: Collection[str]) -> bool:
    """Return True if the statements with these words may read a table."""
    return name in words or (" " in name and all(word in words for word in name.split()))


def live_reads(*tables: str) -> None:
    """Tell that the present code reads tables, or anything else with a name, that its SQL statements don't name.
    Provisional.

    A live block that this code renders is then rendered again after ``live_writes`` of one of them. Anywhere else, this
    does nothing. Raises ValueError for a name without letters and digits, or with more than 200.
    """
    names = _checked(tables)
    if (reads := _words_read()) is not None:
        reads.update(word for name in names for word in name.split())


def live_writes(*tables: str) -> None:
    """Tell that tables, or anything else that ``live_reads`` names, were written and committed without SQLAlchemy.
    Provisional.

    Live blocks that read them are rendered again, in all processes. In a transaction of the request, write
    ``request.after_commit(live_writes, "orders")``. Raises ValueError as ``live_reads`` does.
    """
    names = _checked(tables)
    if _words_read() is None:
        _tell(names)


def _checked(tables: Iterable[str]) -> Tables:
    names = {name: named(name) for name in tables}
    if wrong := [name for name, known in names.items() if not known or len(name) > _LONGEST_NAME]:
        reason = f"a table's name must have letters or digits, and up to {_LONGEST_NAME} characters, not {wrong[0]!r}"
        raise explained("bad-feature-option", reason)
    return frozenset(names.values())


def _tell(tables: Tables) -> None:
    for function in [*_told]:
        function(tables)


# Logins, as if each user's were a table


def tell_login(key: str) -> None:
    """Tell that logins of a user have ended: live blocks that depend on them are rendered again, which checks them."""
    live_writes(_login_of(key))


told_of_ends.append(tell_login)


OF_LOGIN = "login_"
"""The prefix of the words of logins."""


def _login_of(key: str) -> str:
    return f"{OF_LOGIN}{sha256(key.encode()).hexdigest()[:32]}"


# SQLAlchemy


@cache
def _watch_sqlalchemy() -> None:
    from sqlalchemy import Engine, Pool, event

    event.listen(Engine, "before_cursor_execute", _note)
    event.listen(Engine, "commit", _commit)
    event.listen(Engine, "commit_twophase", _commit)
    event.listen(Engine, "rollback", _forget)
    event.listen(Engine, "handle_error", _take_back)
    event.listen(Pool, "checkin", _return)


def tables_written(statement: str) -> Tables:
    """Return the names of the tables that a statement writes, except longer ones than any database has."""
    found = [name for name in _writes.findall(statement) if name.lower() not in _NO_TABLES]
    return frozenset(named(name) for name in found if len(name) <= _LONGEST_NAME) - {""}


def words_in(statement: str) -> Tables:
    """Return the words of a statement, in lower case: all tables that it may read."""
    return frozenset(_words.findall(statement.lower()))


_written_in = lru_cache(4096)(tables_written)
_words_in = lru_cache(1024)(words_in)


def _note(connection: Any, _cursor: Any, text: str, *_: object) -> None:
    info = connection.info
    _tell_now(info)
    is_short = len(text) <= _LONGEST
    if (reads := _words_read()) is not None:
        reads |= _words_in(text) if is_short else words_in(text)
    elif written := _written_in(text) if is_short else tables_written(text):
        known = DatabaseConnection.of(connection)
        kept = _TO_TELL if known is not None and known.commits_each else _WRITTEN
        info[kept] = info.get(kept, frozenset()) | written


def _commit(connection: Any, *_: object) -> None:
    info = connection.info
    if written := info.pop(_WRITTEN, None):
        info[_TO_TELL] = info.get(_TO_TELL, frozenset()) | written


def _take_back(context: Any) -> None:
    """Have the tables of a commit that the database has refused told only after a later one, which SQLite allows."""
    connection = context.connection
    if (
        connection is None
        or connection.invalidated
        or not DatabaseConnection.is_rolled_back(context.original_exception)
    ):
        return
    if tables := connection.info.pop(_TO_TELL, None):
        connection.info[_WRITTEN] = tables


def _forget(connection: Any) -> None:
    if not connection.invalidated:  # a lost connection has no info, and to ask for it raises
        connection.info.pop(_WRITTEN, None)
        _tell_now(connection.info)


def _return(_connection: Any, record: Any) -> None:
    record.info.pop(_WRITTEN, None)
    _tell_now(record.info)


def _tell_now(info: MutableMapping[Any, Any]) -> None:
    if tables := info.pop(_TO_TELL, None):
        _tell(tables)
