"""The statements that a request sends to databases, for tests and debug mode: how often each, from which line.

SQLAlchemy and Django report their statements by events. sqlite3 traces those of a connection, so ``sqlite3.connect`` is
wrapped, as is ``execute`` of psycopg's cursors, which have neither. Nothing is changed before the first watch.
Values in a statement are replaced by ``?``: they may be secrets, and a loop differs only in them.
"""

import linecache
import re
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from types import FrameType
from typing import Any, NamedTuple

from antiphon import Dependency, Request, current_request, explained
from antiphon.embedding import RequestState
from antiphon.features.recorder.record import is_ours, is_own, shown

MANY = 5
"""The number of times that a request may send the same statement from the same line."""

_MOST = 1000
_LONGEST = 10_000
_SHOWN = 200
_literals = re.compile(r"'(?>(?:[^']|'')*)(?:'|\Z)|\b\d++(?:\.\d++)?\b")
_spaces = re.compile(r"\s++")
_is_control = re.compile(r"\s*+(?:begin|commit|rollback|savepoint|release|pragma)\b", re.IGNORECASE).match
_is_orm = re.compile(r"[/\\](?:sqlalchemy|django)[/\\]").search
_is_query_set = re.compile(r"[/\\]django[/\\]db[/\\]models[/\\]query\.py\Z").search
_LAZY = "antiphon_lazy"


class Statement(NamedTuple):
    """A statement with ``?`` for its values, the line that sent it, and the way to send it once."""

    text: str
    place: str
    cure: str


class QueryLog:
    """The statements of one request."""

    def __init__(self) -> None:
        self.count = 0
        self._counts: dict[Statement, int] = {}

    def add(self, statement: Statement) -> None:
        """Count a statement. Only the first thousand different ones are kept."""
        self.count += 1
        if statement in self._counts or len(self._counts) < _MOST:
            self._counts[statement] = self._counts.get(statement, 0) + 1

    def counts(self, more_than: int = 0) -> list[tuple[Statement, int]]:
        """Return the statements that were sent more than this many times, in the order of the first ones."""
        return [(statement, count) for statement, count in self._counts.items() if count > more_than]


def described(statement: Statement, count: int) -> str:
    """Return a line about a statement, with its cure if it was sent too often."""
    cure = f" -> {statement.cure}" if count > MANY else ""
    return f"{count} x {statement.text} ({statement.place}){cure}"


_LOG = Dependency[QueryLog]("statements")
_watched: set[str] = set()


def begin(request: Request) -> QueryLog:
    """Count a request's statements, and return their log. Libraries that were imported since are watched, too."""
    for library, watch in _LIBRARIES.items():
        if library in sys.modules and (library not in _watched or library == "django.db"):
            _watched.add(library)
            watch()
    outermost = RequestState(request).outermost
    if _LOG not in outermost:
        outermost[_LOG] = QueryLog()
    return outermost[_LOG]


def check_budget(log: QueryLog, most: int, method: str, target: str) -> None:
    """Check the number of statements. Raises AssertionError, with all of them."""
    if log.count > most:
        listed = "\n".join([described(*each) for each in log.counts()])
        message = f"{method} {target} sent {log.count} statements to the database, more than {most}:\n{listed}"
        raise explained("too-many-queries", AssertionError(message))


def _current() -> tuple[Request, QueryLog] | None:
    request = current_request(None)
    if request is None or _LOG not in (outermost := RequestState(request).outermost):
        return None
    return request, outermost[_LOG]


def _note(text: str, cure: str, *, is_driver: bool = False) -> None:
    """Count a statement of the current request. A driver's is not counted if an ORM or this package has sent it."""
    current = _current()
    if current is None or _is_control(text):
        return
    request, log = current
    frame = _sender(sys._getframe(1), is_driver)  # noqa: SLF001 - public, and documented
    if frame is None and is_driver:
        return
    place = request.route.handled_by if frame is None else _place(frame)
    plain = _spaces.sub(" ", _literals.sub("?", text[:_LONGEST])).strip()
    log.add(Statement(plain[:_SHOWN], place, cure))


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield the frames of a call, innermost first, beyond a greenlet's first one, as of SQLAlchemy's async calls."""
    getcurrent = getattr(sys.modules.get("greenlet"), "getcurrent", None)  # or it is being imported
    current = getcurrent and getcurrent()
    while frame is not None:
        yield frame
        frame = frame.f_back
        if frame is None and current is not None and (current := current.parent) is not None:
            frame = current.gr_frame


def _sender(frame: FrameType, is_driver: bool) -> FrameType | None:
    """Return the innermost frame of the project, or of a template; None if there is none before this package's own."""
    for each in _frames(frame):
        name = each.f_code.co_filename
        if name == __file__:
            continue
        if is_own(name) or _is_template(each):
            return each
        if is_ours(name) or (is_driver and _is_orm(name)):
            reader = each.f_back  # a template reads attributes by a function of this package, unless that is in C
            return reader if is_ours(name) and reader is not None and _is_template(reader) else None
    return None


def _is_template(frame: FrameType) -> bool:
    return "__jinja_template__" in frame.f_globals


def _place(frame: FrameType) -> str:
    name, line = frame.f_code.co_filename, frame.f_lineno
    if (template := frame.f_globals.get("__jinja_template__")) is not None:
        return f"{template.name}, line {template.get_corresponding_lineno(line)}"
    code = linecache.getline(name, line).strip()
    return f"{shown(name)}, line {line}, in {frame.f_code.co_name}: {code}"


ONCE = "ask once before the loop, with IN or a join"


def _watch_sqlalchemy() -> None:
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

    event.listen(Session, "do_orm_execute", _note_lazy)
    event.listen(Engine, "before_cursor_execute", _note_sqlalchemy)


def _note_lazy(state: Any) -> None:
    """Record which attribute is loaded from the database because it was read."""
    if state.is_select and state.is_relationship_load and state.lazy_loaded_from is not None and _current():
        state.update_execution_options(**{_LAZY: str(state.loader_strategy_path[-1])})


def _note_sqlalchemy(_connection: Any, _cursor: Any, text: str, _values: Any, context: Any, _many: bool) -> None:
    lazy = context.execution_options.get(_LAZY) if context is not None else None
    _note(text, f"load it with the list: .options(selectinload({lazy}))" if lazy else ONCE)


def _watch_django() -> None:
    from django.core.exceptions import ImproperlyConfigured
    from django.db import connections
    from django.db.backends.signals import connection_created

    connection_created.connect(_watch_django_connection, dispatch_uid=__name__)
    try:
        for connection in connections.all(initialized_only=True):
            _watch_django_connection(connection)
    except ImproperlyConfigured:  # Django is imported and not in use
        return


def _watch_django_connection(connection: Any, **_: object) -> None:
    if _note_django not in connection.execute_wrappers:
        connection.execute_wrappers.append(_note_django)  # as its method execute_wrapper does, for good


def _note_django(execute: Callable[..., Any], text: Any, values: Any, many: bool, context: Any) -> Any:
    is_of_model = any(map(_is_query_set, [each.f_code.co_filename for each in _frames(sys._getframe(1))]))  # noqa: SLF001 - public, and documented
    cure = "load them with the list, by select_related(...), prefetch_related(...) or __in" if is_of_model else ONCE
    _note(str(text), cure)
    return execute(text, values, many, context)


def _watch_sqlite3() -> None:
    import sqlite3

    connect = sqlite3.connect

    @wraps(connect)
    def connect_traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(_note_sqlite3)
        return connection

    sqlite3.connect = connect_traced  # type: ignore[assignment]  # nothing else tells of its connections


def _note_sqlite3(text: str) -> None:
    _note(text, ONCE, is_driver=True)


def _watch_psycopg() -> None:
    import psycopg

    for cursor in (psycopg.Cursor, psycopg.AsyncCursor):
        cursor.execute = _noting(cursor.execute)  # type: ignore[method-assign]  # psycopg has no events


def _noting(execute: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(execute)
    def noting(cursor: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        if _current() is not None:
            text = query.decode() if isinstance(query, bytes) else query
            _note(text if isinstance(text, str) else repr(text), ONCE, is_driver=True)
        return execute(cursor, query, *arguments, **options)

    return noting


_LIBRARIES: dict[str, Callable[[], None]] = {
    "sqlalchemy.orm": _watch_sqlalchemy,
    "django.db": _watch_django,
    "sqlite3": _watch_sqlite3,
    "psycopg": _watch_psycopg,
}
