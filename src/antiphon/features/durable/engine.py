"""The engine of a process: it carries out requests and jobs, and takes over those of processes that have died.

Each process is an executor of its own, with a lease that it renews. What an executor has begun is left alone while its
lease lasts: its process may be slow, or waiting.

| a request or job is | in DBOS | the next state, and who brings it about |
|---|---|---|
| in the outbox | a row of ours | queued, by the first process that sees it, in one transaction |
| queued | ENQUEUED | open, by the first process that is free |
| open | PENDING, with an executor | finished or failed, by that executor; queued, by another after the lease |
| finished, failed | SUCCESS, ERROR | deleted after the ``ttl`` |
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from contextvars import copy_context
from functools import partial
from math import inf
from secrets import token_hex
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.app.dispatch.plan import Plan
from antiphon.app.store import try_later, unavailable
from antiphon.explanations import explained
from antiphon.features.durable.flow import PAUSE, Flow, Interrupted, called, current, in_thread
from antiphon.features.durable.stored import (
    BEAT,
    BURY,
    DEAD,
    KNOWN,
    LEAVE,
    POST,
    TAKE,
    Tables,
    dialect_of,
    request_of,
    response_to,
    schema_of,
)
from antiphon.handler.callables import is_async
from antiphon.handler.scope import set_current_request
from antiphon.lazy import missing_package
from antiphon.request.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from antiphon.features.recorder.shelf import Seal

T = TypeVar("T")

BEATS = 6
"""The number of renewals per lease."""
PATIENCE = 4 / BEATS
"""The fraction of a lease after which an executor that has not renewed it is dead. Finding that out takes the rest."""
THREADS = 100
"""The number of ``def`` functions that a process runs at once. Further ones wait."""
MOST = 1000
"""The number of jobs that are open in a process at once, most of which may be asleep."""
LONGEST_PAUSE = 3600.0
"""The longest pause between two attempts of a job, in seconds."""
CLEAN_EVERY, CLEANED = 60.0, 500
"""The seconds between two deletions of what has expired, and how much is deleted at once."""
STATES = {
    "PENDING": "open", "ENQUEUED": "queued", "DELAYED": "queued", "SUCCESS": "finished", "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed", "CANCELLED": "cancelled",
}  # fmt: skip
OPEN = ("PENDING", "ENQUEUED", "DELAYED")
_log = logging.getLogger("antiphon")


class Engine:
    """DBOS in this process, for one application.

    ``plans`` returns the plan by which a stored request is carried out, and ``functions`` the function of a job by its
    name. ``due`` enqueues what a schedule has made due, and returns the seconds until it may be called again.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        lease: float,
        ttl: float,
        retries: int,
        plans: Callable[[Request], Plan],
        functions: Callable[[str], Callable[..., Any]],
        due: Callable[[], float],
    ) -> None:
        self.url, self.name = url, name
        self._check_sqlite()
        self._lease, self._ttl, self._retries = lease, ttl, retries
        self._plans, self._functions, self._due = plans, functions, due
        self._stopping, self._awake = Event(), Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._starting: set[asyncio.Future[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._steady_since = inf
        self._cleaned = self._next = 0.0

    def _check_sqlite(self) -> None:
        import sqlite3

        if dialect_of(self.url) == "sqlite" and sqlite3.sqlite_version_info < (3, 42):
            raise explained(
                "bad-durable",
                RuntimeError(
                    f"Durable needs SQLite 3.42 or newer, and Python uses {sqlite3.sqlite_version} here (Debian 12 has"
                    ' 3.40): use PostgreSQL, Durable("postgresql:///shop"), or a Python with a newer SQLite, such as'
                    " one that uv installs"
                ),
            )

    # The process's life

    async def open(self, seal: "Seal") -> None:
        """Begin to carry out requests and jobs on the running loop. Blocks until the tables are up to date."""
        try:
            from antiphon.features.durable import workflows
        except ModuleNotFoundError as error:
            raise missing_package(error, "durable") from None
        if workflows.running:
            raise explained(
                "feature-used-twice", RuntimeError("DBOS runs once in a process, and another Durable is running")
            )
        self._stopping, self._awake = Event(), Event()
        self._loop, self._threads = asyncio.get_running_loop(), asyncio.Semaphore(THREADS)
        self.executor, self._steady_since = token_hex(16), inf
        self._serializer = workflows.Sealed(seal)
        workflows.running.append(self)
        try:
            workflows.launch(self.url, self.name, self.executor, self._serializer)
            self._tables = Tables(self.url)
            self.client = workflows.client_of(self._tables.engine, self.name, self._serializer)
            self.client.register_queue(f"{self.name}-jobs", worker_concurrency=MOST, on_conflict="always_update")
            self._tables.make()
            self._beat()
        except BaseException:
            workflows.running.remove(self)
            workflows.stop()
            raise
        self._workflows = workflows
        self._watcher = Thread(target=self._watch, name="antiphon-durable", daemon=True)
        self._watcher.start()

    async def close(self) -> None:
        """Leave what is open to other processes, at once."""
        if self._loop is None:
            return
        self._stopping.set()
        self._awake.set()
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await in_thread(self._stop)
        self._loop.set_default_executor(_default_executor())  # DBOS has replaced it with one that is over
        self._loop = None

    def _stop(self) -> None:
        self._watcher.join()
        self._workflows.stop()
        with suppress(Exception):  # the lease ends by itself
            self._tables.run(LEAVE, id=self.executor)
        self.client.destroy()
        self._tables.engine.dispose()
        self._workflows.running.remove(self)

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Run a coroutine on the engine's loop, from any thread. Raises RuntimeError unless the app has started."""
        if self._stopping.is_set():
            work.close()
            raise try_later()
        if self._loop is None:
            work.close()
            raise explained(
                "not-started",
                RuntimeError(
                    "Durable works while its app is started: serve it, or use Client(app) as a context manager"
                ),
            )
        context = copy_context()
        context.run(set_current_request, None)  # a timer that has been cancelled would keep it for a while
        return context.run(asyncio.run_coroutine_threadsafe, work, self._loop)

    # Watching

    def wake(self) -> None:
        """Look into the outbox now."""
        self._awake.set()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self._awake.clear()
            self._next = self._lease / BEATS
            for work in (self._beat, self._take_over, self._forward, self._clean, self._schedule):
                try:
                    work()
                except Exception as error:  # what is in the way of one is not in the way of the others
                    self._steady_since = inf if work == self._beat else self._steady_since
                    unavailable(f"of Durable, {self.name}", error)
            self._awake.wait(self._next)

    def _beat(self) -> None:
        self._tables.run(BEAT, id=self.executor, app=self.name)
        self._steady_since = min(self._steady_since, time.monotonic())

    def _schedule(self) -> None:
        self._next = min(self._next, self._due())

    def _take_over(self) -> None:
        """Queue what dead executors have begun, once this process has seen living ones renew their leases."""
        patience = PATIENCE * self._lease
        if time.monotonic() - self._steady_since < patience:
            return
        if dead := [row[0] for row in self._tables.run(DEAD, app=self.name, patience=patience)]:
            self._workflows.recover(dead)
            for each in dead:
                self._tables.run(BURY, id=each, patience=patience)

    def _forward(self) -> None:
        """Queue the jobs of the outbox, each in the transaction that deletes it there."""
        rows: list[Any] = [None]
        while rows:
            with self._tables.engine.begin() as connection:
                rows = [*connection.execute(self._tables.statement(TAKE), {"app": self.name})]
                for id_, stored in rows:
                    name, args, kwargs = self._serializer.deserialize(stored)
                    self.client.enqueue_in_transaction(connection, self._options(id_), name, args, kwargs)

    def _clean(self) -> None:
        if time.monotonic() - self._cleaned < CLEAN_EVERY:
            return
        self._cleaned = time.monotonic()
        before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - self._ttl))
        old = self.client.list_workflows(
            completed_before=before, limit=CLEANED, load_input=False, load_output=False, application_name=self.name
        )
        if old:
            self.client.delete_workflows([each.workflow_id for each in old])
        begun = self.client.list_workflows(
            status="PENDING", load_input=False, load_output=False, application_name=self.name
        )
        # An executor that died before its first beat has no row.
        known = {None, *(row[0] for row in self._tables.run(KNOWN, app=self.name))}
        if unknown := {each.executor_id for each in begun} - known:
            self._workflows.recover(sorted(map(str, unknown)))

    def _options(self, id_: str) -> Any:
        return {
            "workflow_name": self._workflows.JOB,
            "queue_name": f"{self.name}-jobs",
            "workflow_id": id_,
            "app_version": self.name,
        }

    # Requests and jobs

    @property
    def outbox(self) -> str:
        """The statement that writes a job into the outbox."""
        return POST.format(s=schema_of(self.url))

    def sealed(self, *values: object) -> str:
        """Return a job as the outbox keeps it."""
        return self._serializer.serialize(values)

    def enqueue(self, id_: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Queue a job under an id, unless there is one. Calls the database."""
        self.client.enqueue(self._options(id_), name, args, kwargs)

    def latest(self) -> list[tuple[float, str, str, str]]:
        """Return when the latest requests and jobs began, what they are, their states and their errors."""
        if self._loop is None:
            return []
        return [
            (
                (each.created_at or 0) / 1000,
                _named(each),
                STATES.get(each.status, each.status.lower()),
                "" if each.error is None else type(each.error).__name__,  # its message may have a secret
            )
            for each in self.client.list_workflows(limit=100, sort_desc=True, application_name=self.name)
        ]

    async def result(self, id_: str, stored: dict[str, Any], checks: dict[str, Any], wait: float) -> Any:
        """Start a request, unless one has this id, and wait for its result.

        Return the checks and the response of the one that has the id, None while it is open. Raises StoreUnavailable
        if the database doesn't respond.
        """
        starting = asyncio.ensure_future(self._workflows.start(id_, stored, checks))
        self._starting.add(starting)  # it goes on if the client leaves: half started, the request would stay open
        starting.add_done_callback(self._starting.discard)
        if not (await asyncio.wait([starting], timeout=max(wait, 5.0)))[0]:
            raise unavailable(f"of Durable, {self.name}", TimeoutError("it has not responded in time"))
        handle = starting.result()
        task = getattr(handle, "task", None)  # None if it has been started before
        if task is None:
            checks = (await handle.get_status()).input["args"][1]
        getting = asyncio.ensure_future(handle.get_result(polling_interval_sec=0.2))
        done, _ = await asyncio.wait([getting], timeout=wait)
        if done:
            return checks, getting.result()
        getting.cancel()
        return checks, None

    @contextmanager
    def _flow(self) -> "Iterator[Flow]":
        """Make what is called in the block the execution of a request or job. Raise what must not be its outcome."""
        flow = Flow(self._workflows.current_id(), self._stopping, self._workflows.record, self._workflows.arecord)
        token, task = current.set(flow), asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            yield flow
        except Exception:
            if flow.lost is None:
                raise
        finally:
            current.reset(token)
        if self._stopping.is_set():
            raise Interrupted
        if flow.lost is not None:
            raise flow.lost

    async def carry_out(self, stored: dict[str, Any]) -> dict[str, Any]:
        """Carry out a stored request and return its response."""
        with self._flow():
            request = request_of(stored)
            plan = self._plans(request)
            async with nullcontext() if plan.handler.is_async else self._threads:
                kept = await response_to(request, plan)
        return kept

    async def work(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Call the function of a job, again with growing pauses while it fails."""
        with self._flow() as flow:
            function = partial(self._functions(name), *args, **kwargs)
            for attempt in range(await self._replayed(flow), self._retries + 1):
                flow.begin()
                try:
                    async with nullcontext() if is_async(function) else self._threads:
                        await called(function)
                except Exception as error:
                    if flow.lost is not None or attempt == self._retries:
                        raise
                    _log.warning("the job %s has failed, and is tried again: %r", name, error)
                else:
                    return
                await flow.pause(min(2.0**attempt, LONGEST_PAUSE))

    async def _replayed(self, flow: Flow) -> int:
        """Take the steps of attempts that failed in another process, without calling the function again.

        Return the number of these attempts.
        """
        steps = [each["function_name"] for each in await self.client.list_workflow_steps_async(flow.id)]
        last = max((place for place, name in enumerate(steps, 1) if name == PAUSE), default=0)
        for name in steps[:last]:
            if name == PAUSE:
                await flow.pause(0)
            else:
                with suppress(Exception):  # which it has failed with
                    await flow.astep(name, _never)
        return steps.count(PAUSE)


def _named(each: Any) -> str:
    """Return the route of a request, or the function of a job."""
    args: Any = each.input["args"] if each.input else (each.name,)
    return str(args[1]["what"] if len(args) == 2 else args[0])


async def _never() -> None:
    raise AssertionError("a recorded step was called")


def _default_executor() -> Any:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(thread_name_prefix="asyncio")
