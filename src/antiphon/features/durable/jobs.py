"""Jobs: functions that are called without a client, by name and at times, and the outbox that belongs to a request."""

import re
import sys
import time
from collections.abc import Callable, Coroutine, Generator
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from antiphon import Request, Response, explained
from antiphon.embedding import DatabaseConnection, RequestState, describe, missing_package
from antiphon.features.durable.engine import Engine

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_interval = re.compile(r"(?:([1-9][0-9]{0,5}) )?(second|minute|hour|day|week)s?").fullmatch


class Schedule(NamedTuple):
    """The times at which a function is called: multiples of ``seconds`` since 1970, or those of a crontab, in UTC."""

    text: str
    seconds: int
    """0 for a crontab."""

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Read "1 hour", "15 minutes", or the five fields of a crontab. Raises ValueError."""
        if found := _interval(text):
            return cls(text, int(found[1] or 1) * _SECONDS[found[2]])
        if len(text.split()) != 5 or not _croniter().is_valid(text):
            raise explained(
                "bad-durable", f'a schedule must be such as "1 hour", "15 minutes" or "0 3 * * *", not {text!r}'
            )
        return cls(text, 0)

    def last(self, now: float) -> float:
        """Return the last time that is not after ``now``."""
        if self.seconds:
            return now - now % self.seconds
        return float(_croniter()(self.text, datetime.fromtimestamp(now + 1, UTC)).get_prev(float))

    def next(self, now: float) -> float:
        """Return the first time after ``now``."""
        if self.seconds:
            return self.last(now) + self.seconds
        return float(_croniter()(self.text, datetime.fromtimestamp(now, UTC)).get_next(float))


def _croniter() -> Any:
    try:
        from croniter import croniter
    except ModuleNotFoundError as error:
        raise missing_package(error, "durable") from None
    return croniter


class Schedules:
    """The functions that are called at fixed times, by whichever process is first."""

    def __init__(self) -> None:
        self._added: list[tuple[Callable[..., Any], Schedule]] = []
        self._known: dict[str, Schedule] = {}
        self._reached: dict[str, float] = {}

    def add(self, function: Callable[..., Any], text: str) -> None:
        """Call a function at the times of a schedule."""
        self._added.append((function, Schedule.parse(text)))

    def check(self) -> None:
        """Find the names of the functions, which exist once their modules are imported. Raises ValueError."""
        self._known = {name_of_job(function): schedule for function, schedule in self._added}

    def due(self, engine: Engine) -> float:
        """Enqueue what is due and return the seconds until the next time."""
        now = time.time()
        for name, schedule in self._known.items():
            last = schedule.last(now)
            if name not in self._reached:  # a time that all processes missed is made up for, but not before the first
                prefix = f"every {name} "
                ran = engine.client.list_workflows(
                    workflow_id_prefix=prefix, limit=1, load_input=False, load_output=False
                )
                self._reached[name] = 0.0 if ran else last
            if last > self._reached[name]:
                engine.enqueue(f"every {name} {last:.0f}", name, (), {})
                self._reached[name] = last
        return min([schedule.next(now) - now for schedule in self._known.values()], default=3600.0)


def name_of_job(function: Callable[..., Any]) -> str:
    """Return the name by which other processes find a function. Raises ValueError if they couldn't."""
    name = f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"
    try:
        found = function_of(name)
    except (ImportError, AttributeError, ValueError):
        found = None
    if found is not function and getattr(found, "__wrapped__", None) is not function:
        raise explained(
            "bad-durable",
            f"{describe(function)} is called in other processes, which must be able to import it: define it with"
            " def or async def at the top of its module",
        )
    return name


def function_of(name: str) -> Callable[..., Any]:
    """Return a function by its name. Raises ImportError, AttributeError or ValueError if there is none."""
    module, _, attributes = name.partition(":")
    found: Any = sys.modules.get(module) or import_module(module)
    for attribute in attributes.split("."):
        found = getattr(found, attribute)
    return found  # type: ignore[no-any-return]


class JobId(str):
    """The id of a job. Awaited in an ``async def`` handler, it has the job written by an async connection at once;
    otherwise, that is done when the handler has returned.
    """

    write: Callable[[], Coroutine[Any, Any, object]] | None = None

    def __await__(self) -> Generator[Any, Any, str]:
        write, self.write = self.write, None
        if write is not None:
            yield from write().__await__()
        return str(self)


def post(request: Request, value: object, engine: Engine, id_: str, job: tuple[Any, ...]) -> JobId:
    """Write a job into the outbox, in the open transaction of a request's connection. Return its id."""
    connection, posted = _connection_for(value, "Durable(inside=...)"), JobId(id_)
    write = partial(connection.run, engine.outbox, **_row(engine, id_, job))
    if connection.is_async:

        async def write_if_not_awaited(request: Request, response: Response) -> None:
            await connection.catch_up()
            is_committed = ended[0].is_committed if ended else None
            if posted.write is not None and is_committed:
                raise explained(
                    "bad-inside",
                    f"{request.route.handled_by} has committed its transaction without the job that it enqueued before:"
                    " write await durable.enqueue(...)",
                    RuntimeError,
                )
            if is_committed is None and response.error is None and not connection.is_failed:
                await posted

        posted.write = write
        request.on_response(write_if_not_awaited)
    else:
        DatabaseConnection.at_once(write())
    state = RequestState(request)
    resources = state.transactions(value) or state.transactions()  # none if middleware holds it
    ended = [each.after_commit(engine.wake) for each in resources[:1]]
    return posted


def post_at_once(value: object, engine: Engine, id_: str, job: tuple[Any, ...]) -> None:
    """Write a job into the outbox, in the transaction of a connection."""
    connection = _connection_for(value, "durable.enqueue_inside(...)", waits=False)
    DatabaseConnection.at_once(connection.run(engine.outbox, **_row(engine, id_, job)))


def _connection_for(value: object, what: str, *, waits: bool = True) -> DatabaseConnection:
    connection = DatabaseConnection.of(value)
    if connection is None or (connection.is_async and not waits):
        kind = "database connection" if waits else "database connection that doesn't wait,"
        raise explained(
            "bad-inside",
            f"{what} must have a {kind} of sqlite3, aiosqlite, psycopg, asyncpg, SQLAlchemy or Django, not"
            f" {type(value).__name__}",
            RuntimeError,
        )
    return connection


def _row(engine: Engine, id_: str, job: tuple[Any, ...]) -> dict[str, str]:
    return {"id": id_, "app": engine.name, "job": engine.sealed(*job)}
