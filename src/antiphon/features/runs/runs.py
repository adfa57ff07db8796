"""Runs: streams that outlive their requests.

runs = Runs(SQLiteStore("var/runs.db"))
run = await runs.astart(answer(question), owner=request.user.id)
return Response.events(run.follow(request.last_event_id))
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from functools import partial, update_wrapper
from hashlib import sha256
from inspect import Parameter, isawaitable, signature
from secrets import token_urlsafe
from threading import Lock
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar, get_args, get_type_hints
from uuid import UUID

import msgspec

from antiphon import App, HTTPError, Limits, current_request, explained
from antiphon.embedding import (
    SAFE_METHODS,
    FeatureStore,
    RequestState,
    check_numbers,
    contained,
    describe,
    encode_json,
    errors_name_it,
    json_as,
    mounted_together,
    refuse_on_loop,
    seconds_of,
    serving_loop,
    unwatched,
)
from antiphon.features import Store, StoreUnavailable
from antiphon.features.channels.feed import Keep
from antiphon.features.idempotency.claims import IS_REPEATABLE, fingerprint_of, reused_with
from antiphon.features.runs.production import FAILURES, Bounds, Production
from antiphon.features.runs.record import Ledger, Line, Record
from antiphon.features.runs.run import Run, read_all
from antiphon.features.runs.worker import Worker
from antiphon.http import NotFound, ServiceUnavailable, TooManyRequests
from antiphon.types import Duration

T = TypeVar("T")

_OWN = Limits(nuls=sys.maxsize)
"""The limits for what the program itself has stored, which may have any text."""


class RunCall(Generic[T]):
    """A repeatable call of a function decorated with ``@runs.restartable``, as a source for ``start``. Provisional."""

    def __init__(self, function: "Repeatable", arguments: bytes) -> None:
        self.name = function.name
        self.arguments = arguments
        self._function = function

    def source(self) -> "Iterable[T] | AsyncIterable[T]":
        """Call the function and return its iterator."""
        source: Iterable[T] | AsyncIterable[T] = self._function.source(self.arguments)
        return source


class Repeatable:
    """A function that may be called again with the same arguments, and the types of these arguments."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name = f"{function.__module__}.{function.__qualname__}"
        self._function = function
        self._signature = signature(function)
        for parameter in self._signature.parameters.values():
            variable = parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD, Parameter.POSITIONAL_ONLY)
            if variable or parameter.annotation is Parameter.empty:
                reason = "needs a name and an annotation, so its value can be stored and read again"
                message = f"the argument {parameter.name!r} of {describe(function)} {reason}"
                raise explained("bad-feature-option", message, TypeError)

    def call(self, *given: Any, **named: Any) -> RunCall[Any]:
        """Return a call. Raises TypeError for arguments that do not fit, or that JSON can't represent."""
        bound = self._signature.bind(*given, **named)
        arguments = encode_json(bound.arguments)
        self._read(arguments)
        return RunCall(self, arguments)

    def source(self, arguments: bytes) -> Any:
        """Call the function with stored arguments. Raises TypeError if they no longer fit."""
        return self._function(**self._read(arguments))

    def _read(self, arguments: bytes) -> dict[str, Any]:
        types = get_type_hints(self._function, include_extras=True)
        try:
            kept = msgspec.json.decode(arguments, type=dict[str, msgspec.Raw])
            return {name: json_as(bytes(value), types[name], limits=_OWN) for name, value in kept.items()}
        except (HTTPError, KeyError, msgspec.MsgspecError) as error:
            message = f"the arguments of {describe(self._function)} can't be read again: {error}"
            raise explained("bad-feature-option", message, TypeError) from error


P = ParamSpec("P")

EndFunction: TypeAlias = Callable[[Run[Any], list[Any]], Awaitable[None] | None]
"""A function for the end of runs: it gets the run, whose state is final, and its stored values."""

RunOwner: TypeAlias = str | int | UUID
"""The id of a user, or of another kind of owner."""

RETRY_AFTER = 5
"""The number of seconds after which a client may try again if too many runs are live."""
MOST_ASKING = 10
"""The number of runs that may wait for a person, for each run that may be live otherwise."""


class _Own:
    """The state of runs in one process."""

    def __init__(self, runs: "Runs[Any]") -> None:
        self.pid = os.getpid()
        self.store = runs._stores.current
        self.ledger = runs._new_ledger(self.store)
        self.worker = Worker(
            self.ledger, runs._name, runs._lease, runs._can_start, runs._start_again, runs._functions_for_end
        )
        self.apps: set[App] = set()
        self.loop: asyncio.AbstractEventLoop | None = None


@errors_name_it
class Runs(Generic[T]):
    """Streams that outlive their requests: each is produced once, where it was started. Provisional.

        runs = Runs()

    Any number of clients can follow a run, from any point, in any process.

    The default ``store`` is that of the app: a MemoryStore for one process, a SQLiteStore for the processes on one
    machine, or a PostgresStore or ValkeyStore for many machines. ``Runs[Token](store)`` reads values as the type
    ``Token``. Two objects with the same ``name`` and store are equivalent. With ``app.use(runs)``, a process also takes
    over runs that other processes have had to abandon.

    In all processes together, at most ``max_runs`` runs are live at once, and at most ``max_runs_per_owner`` for one
    owner or, without one, for one caller, by ``request.caller.key``.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        name: str = "runs",
        max_runs: int = 100,
        max_runs_per_owner: int = 10,
        ttl: Duration = 3600.0,
        max_values: int = 10_000,
        max_bytes: int = 8 << 20,
        max_value_size: int = 65_536,
        deadline: Duration | None = None,
        lease: Duration = 10.0,
    ) -> None:
        """Runs that wait for a person are not among ``max_runs``, but are at most ten times as many. The newest
        ``max_bytes`` bytes of a run's values, as JSON, are kept. Each process that follows a run keeps up to
        ``max_values`` of them in memory; values of more than ``max_value_size`` bytes, and earlier ones, are loaded
        when a follower needs them. A run is forgotten ``ttl`` after it ends. It fails after its ``deadline``, unless
        that is None. If its process dies, its followers are notified within a ``lease``. These times are in seconds or
        timedeltas.

        Raises ValueError for an empty name and for numbers that are not above 0, and TypeError for any other store.
        """
        seconds, deadline, lease = seconds_of(ttl), seconds_of(deadline), seconds_of(lease)
        check_numbers(
            max_runs=max_runs, max_runs_per_owner=max_runs_per_owner, ttl=seconds, max_values=max_values,
            max_bytes=max_bytes, max_value_size=max_value_size, lease=lease, deadline=deadline,
        )  # fmt: skip
        if not name:
            raise explained("bad-feature-option", "the name of runs must not be empty")
        self._stores = FeatureStore("Runs", store, client_side=True)  # hub_of refuses such a store
        self._name = name
        self._max_runs = max_runs
        self._max_runs_per_owner = max_runs_per_owner
        self._seconds = seconds
        self._bounds = Bounds(Keep(max_values, max_bytes), max_value_size)
        self._deadline = deadline
        self._lease = lease
        self._functions: dict[str, Repeatable] = {}
        self._end_functions: list[EndFunction] = []
        self._lock = Lock()
        self._process = None if store is None else _Own(self)

    def _new_ledger(self, store: Store) -> Ledger:
        return Ledger(store, self._name, self._bounds.keep, self._seconds)

    def _own(self) -> _Own:
        """Return this process's state. A forked process gets a new one."""
        own = self._process
        if own is None or own.pid != os.getpid():
            with self._lock:
                own = self._process
                if own is None or own.pid != os.getpid():
                    own = self._process = _Own(self)
        return own

    def install(self, app: App) -> None:
        """Watch other processes' runs while the app runs, and let its shutdown wait for this process's runs.

        Raises RuntimeError if there is no store.
        """
        self._stores.taken_from(app)
        self._own()

        async def runs() -> AsyncIterator[None]:
            own = self._own()
            own.apps.add(app)
            own.loop = asyncio.get_running_loop()
            own.worker.keep_watching(True)
            yield
            own.worker.keep_watching(False)

        app.lifespan(runs)

    # Starting

    def restartable(self, function: "Callable[P, Iterable[T] | AsyncIterable[T]]") -> Callable[P, RunCall[T]]:
        """Let another process start a function's runs again if their process ends before they do.

        The function must be idempotent, and its annotated arguments must be expressible as JSON.
        ``current_run().earlier_values()`` returns the values of earlier attempts. A run whose process was killed three
        times is not started again. Raises TypeError for an argument without an annotation, and ValueError for a second
        function with the same name.
        """
        known = Repeatable(function)
        if known.name in self._functions:
            raise explained("bad-feature-option", f"there are two functions named {known.name}")
        self._functions[known.name] = known

        def call(*given: P.args, **named: P.kwargs) -> RunCall[T]:
            return known.call(*given, **named)

        return update_wrapper(call, function)

    def on_end(self, function: "F") -> "F":
        """Register a function to be called when a run ends, before its followers are told: ``@runs.on_end``.

        It gets the run, in its final state, and the stored values, for example to store a response. It may be
        ``async``; otherwise, it runs on a thread. It is called by the process that ends the run; if that dies
        before it returns, another process calls it again. An error is logged. Register it in each process, before any
        runs are started.
        """
        self._end_functions.append(function)
        return function

    def start(
        self, source: "Iterable[T] | AsyncIterable[T] | RunCall[T]", *, owner: RunOwner | None = None,
        key: str | None = None,
    ) -> Run[T]:  # fmt: skip
        """Start producing a source's values in this process and return the run.

        With ``astart``, an async source runs on this loop, in a task without the request; any other source runs on a
        separate thread. The values must be expressible as JSON. Only the ``owner`` can find the run; if there is none,
        everyone who knows its id can. If the owner has already started a run with the same ``key``, such as
        ``request.idempotency_key``, it is returned instead, in whatever state it is, if the request or
        a restartable function's arguments are the same.

        Raises UnprocessableContent (422) for a key that was used with others, ServiceUnavailable (503) if too many runs
        are live, TooManyRequests (429) if the owner has too many live runs, StoreUnavailable (503), TypeError for a
        source that is not an iterator and for a key without an owner, and RuntimeError on an event loop. If one of
        these errors is raised, or an earlier run returned, the source is closed, except on an event loop, where it can
        be passed on.
        """
        refuse_on_loop("start()", "astart()")
        return self._start(source, owner, key, None)

    async def astart(
        self, source: "Iterable[T] | AsyncIterable[T] | RunCall[T]", *, owner: RunOwner | None = None,
        key: str | None = None,
    ) -> Run[T]:  # fmt: skip
        """``start``, on an event loop."""
        return await self._call(partial(self._start, source, owner, key, asyncio.get_running_loop()))

    astart.__qualname__ += " (in a def handler: start)"  # Python's warning that it is not awaited says this, too

    def _start(
        self, source: "Iterable[T] | AsyncIterable[T] | RunCall[T]", owner: RunOwner | None, key: str | None,
        loop: asyncio.AbstractEventLoop | None,
    ) -> Run[T]:  # fmt: skip
        RequestState.check_effect("a run")
        own = self._own()
        if key is not None and owner is None:
            message = "a key belongs to an owner, so that nobody gets another's run: start(..., owner=..., key=...)"
            raise explained("bad-feature-option", message, TypeError)
        record = Record(
            token_urlsafe(16), stored_owner(owner), "running", own.worker.token, deadline=self._deadline,
            caller=_caller() if owner is None else "", started=own.ledger.store.clock(),
        )  # fmt: skip
        if key is not None:
            given = _given(key, source)
            record = record._replace(key=_hash("key", record.owner or "", key), given=given)
        if isinstance(source, RunCall):
            record = record._replace(function=source.name, arguments=source.arguments)
            source = source.source()
        elif isinstance(source, str | bytes | dict) or not isinstance(source, Iterable | AsyncIterable):
            message = (
                f"a run must be made from an iterator or an async iterator of values, not from {type(source).__name__}"
            )
            raise explained("bad-event", message, TypeError)
        production = self._production(record, source)
        try:
            known = own.ledger.claim(record)
            if known is not None and not _is_same(known.given, record.given):
                raise reused_with("another request")
            if known is None:
                own.worker.add(production)
                own.ledger.add(record)
                self._check_limits(record)
                production.begin()
                own.ledger.renew(record)
                if not own.ledger.has_claimed(record):
                    raise ServiceUnavailable("This took too long to start. Try again.", retry_after=1)
        except BaseException:
            own.worker.discard(record.id)
            self._withdraw(record)
            production.close(self._loop_for(loop))
            raise
        if known is not None:
            production.close(self._loop_for(loop))
            return Run(self, known, shown_owner(owner))
        return self._begin(production, self._loop_for(loop), owner=owner)

    def _withdraw(self, record: Record) -> None:
        with suppress(StoreUnavailable):  # which is already logged, and other processes end the run
            self._own().ledger.remove(record)

    def _check_limits(self, record: Record) -> None:
        """Check the limits after adding the run, so that they are not exceeded even if several runs are added at
        once.
        """
        live = self._own().ledger.live().values()
        if _are_too_many(live, self._max_runs):
            raise ServiceUnavailable("Too much is being done at once. Try again soon.", retry_after=RETRY_AFTER)
        own = [each for each in live if (each.owner, each.caller) == (record.owner, record.caller)]
        if (record.owner is not None or record.caller) and _are_too_many(own, self._max_runs_per_owner):
            raise TooManyRequests("You have started too much at once. Try again soon.", retry_after=RETRY_AFTER)

    def _production(self, record: Record, source: Any) -> Production:
        own = self._own()
        return Production(record, source, own.ledger, self._bounds, own.worker.ended)

    def _begin(
        self, production: Production, loop: asyncio.AbstractEventLoop, written: Iterable[T] = (),
        owner: RunOwner | None = None,
    ) -> Run[T]:  # fmt: skip
        own = self._own()
        run = Run(self, production.record, shown_owner(owner))
        run._written = [*written]
        run._production = production
        request = current_request(None)
        apps = own.apps | ({request.app} if request is not None and isinstance(request.app, App) else set())
        production.unfinished = {each.unfinished for app in apps for each in mounted_together(app)}
        production.hold(True)
        production.start(run, loop)
        return run

    def _loop_for(self, loop: asyncio.AbstractEventLoop | None) -> asyncio.AbstractEventLoop:
        """Return the loop for a source: that of the caller, of its request, or of the app."""
        return serving_loop(self._own().loop) if loop is None or loop.is_closed() else loop

    def _can_start(self, record: Record) -> bool:
        return record.function in self._functions

    def _start_again(self, record: Record) -> None:
        """Start a run that this process has taken over."""
        own = self._own()
        function = self._functions[record.function or ""]
        total, lines, values = read_all(own.ledger, record.id)
        production = self._production(record, function.source(record.arguments))
        own.worker.add(production)
        production.begin(lines, total)
        self._begin(production, self._loop_for(None), [self._read(line) for line in values])

    def _functions_for_end(self) -> "Callable[[Record], None] | None":
        return self._call_functions_for_end if self._end_functions else None

    def _call_functions_for_end(self, record: Record) -> None:
        """Call the functions for the end of a run, on this thread and on the app's loop. Raises StoreUnavailable."""
        _, _, lines = read_all(self._own().ledger, record.id)
        values = [self._read(line) for line in lines]
        for function in self._end_functions:
            try:
                called = function(Run(self, record), values)
                if isawaitable(called):
                    asyncio.run_coroutine_threadsafe(contained(called), self._loop_for(None)).result()
            except FAILURES:
                logging.getLogger("antiphon").exception(
                    "%s failed at the end of the run %s", describe(function), record.id
                )

    # Finding

    def find(self, id: str, *, owner: RunOwner | None) -> Run[T]:  # noqa: A002 - as in the path
        """Return an owner's run by its id; if ``owner`` is None, a run without an owner.

        Raises NotFound (404) for an unknown id and for another owner's run, StoreUnavailable (503), and RuntimeError on
        an event loop.
        """
        refuse_on_loop("find()", "afind()")
        return self._find(id, owner)

    async def afind(self, id: str, *, owner: RunOwner | None) -> Run[T]:  # noqa: A002
        """``find``, on an event loop."""
        return await self._call(partial(self._find, id, owner))

    def _find(self, id_: str, owner: RunOwner | None) -> Run[T]:
        stored = stored_owner(owner)
        record = self._own().ledger.load(id_)
        if record is None or record.owner != stored:
            raise NotFound
        return Run(self, record, shown_owner(owner))

    def owned_by(self, owner: RunOwner) -> list[Run[T]]:
        """Return an owner's stored runs, oldest first.

        Raises StoreUnavailable (503), and RuntimeError on an event loop.
        """
        refuse_on_loop("owned_by()", "aowned_by()")
        return self._owned_by(owner)

    async def aowned_by(self, owner: RunOwner) -> list[Run[T]]:
        """``owned_by``, on an event loop."""
        return await self._call(partial(self._owned_by, owner))

    def _owned_by(self, owner: RunOwner) -> list[Run[T]]:
        stored = stored_owner(owner)
        if stored is None:
            raise explained("bad-feature-option", "runs are listed by owner, so the owner can't be None", TypeError)
        return [Run(self, record, shown_owner(owner)) for record in self._own().ledger.owned_by(stored)]

    def __ends__(self, user: Any, key: str | None) -> Iterable[tuple[str, Callable[[], int | None]]]:
        return [("runs", partial(self._stop_all_of, user))]

    def _stop_all_of(self, user: Any) -> int | None:
        """Stop the live runs whose owner is a user's id. Return None if the user has none."""
        owner = user if isinstance(user, RunOwner) else getattr(user, "pk", getattr(user, "id", None))
        if isinstance(owner, bool) or not isinstance(owner, RunOwner) or owner == "":
            return None
        return sum(run._stop() for run in self._owned_by(owner) if run._record.is_live)

    async def _call(self, function: "Callable[[], R]") -> "R":
        """Call a function on a thread if the store blocks."""
        return await asyncio.to_thread(function) if self._own().store.blocks else function()

    def _read(self, line: Line) -> T:
        alias = getattr(self, "__orig_class__", None)
        wanted = get_args(alias)[0] if alias is not None else Any
        value: Any = line.value() if isinstance(wanted, TypeVar) else json_as(line.text, wanted, limits=_OWN)
        return value  # type: ignore[no-any-return]  # the T of ``Runs[T]``


R = TypeVar("R")
F = TypeVar("F", bound=EndFunction)


def _are_too_many(records: Collection[Record], most: int) -> bool:
    """True if there are too many live runs, or too many that wait for a person, which need only a little memory."""
    asking = sum(record.state == "asking" for record in records)
    return len(records) - asking > most or asking > MOST_ASKING * most


def _given(key: str, source: object) -> str:
    """Return hashes of what a key is used for, as far as that is known: a call's arguments, and the request.

    Note that a repeated request gets the same run, so that an idempotent route may return its stream.
    """
    request, found = current_request(None), []
    if isinstance(source, RunCall):
        found.append(_hash("given", key, source.name, source.arguments.hex()))
    if request is not None:
        request[IS_REPEATABLE] = True
        content = request.content
        # Not those of a handshake, whose messages differ.
        if request.method not in SAFE_METHODS and content.is_complete and content.in_memory:
            found.append(fingerprint_of(key, request))
    return " ".join(found)


def _is_same(given: str, other: str) -> bool:
    """Return True unless two uses of a key certainly differ: a repeated request may call with more, such as a chat's
    messages since, and the same call may come with another request.
    """
    return not (given and other) or not {*given.split()}.isdisjoint(other.split())


def _caller() -> str:
    """Return a hash of the current request's caller, as limits count it; empty if there is no request."""
    request = current_request(None)
    if request is None:
        return ""
    with unwatched(request):
        return _hash("caller", request.caller.key)


def shown_owner(owner: RunOwner | None) -> str | int | None:
    """Return an owner as runs show it. Raises TypeError for anything but an id, and ValueError for empty text."""
    if owner is None:
        return None
    if isinstance(owner, bool) or not isinstance(owner, str | int | UUID):
        message = f"an owner must be text, a number, a UUID or None, not {type(owner).__name__}"
        raise explained("bad-feature-option", message, TypeError)
    if owner == "":
        raise explained("bad-feature-option", "an owner must not be empty text")
    return owner if isinstance(owner, int) else str(owner)


def stored_owner(owner: RunOwner | None) -> str | None:
    """Return the hash of an owner, which is stored. The owners 1 and "1" differ. Raises as ``shown_owner``."""
    shown = shown_owner(owner)
    return None if shown is None else _hash("number" if isinstance(shown, int) else "text", str(shown))


def _hash(*parts: str) -> str:
    return sha256(FeatureStore.name_of("run", *parts).encode("utf-8", "surrogatepass")).hexdigest()
