"""The engine of a process: it carries out requests and jobs, and takes over those of processes that have died.

Each process is an executor of its own, with a lease that it renews. What an executor has begun is left alone while its
lease lasts: its process may be slow, or waiting.

| a request or job is | in DBOS | the next state, and who brings it about |
|---|---|---|
| in the outbox | a row of ours | queued, by the first process that sees it, in one transaction |
| queued | ENQUEUED | open, by the first process that is free: the one that has queued it, or one that looks at a beat |
| open | PENDING, with an executor | finished or failed, by that executor; queued, by another after the lease |
| failed | ERROR | queued or cancelled, by an operator, or for a request, by its client |
| finished, cancelled | SUCCESS, CANCELLED | deleted after the ``ttl`` |

An error of the engine, such as a lost connection, is never the outcome of the work. DBOS repeats its own statements
until they pass. If one of ours fails, the execution is given up and begins again. It also does, after a pause, if this
process lacks a key or the code for it, until it has been started too often.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from contextvars import copy_context
from functools import partial
from itertools import count
from math import inf
from secrets import token_hex
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon import Request, explained
from antiphon.embedding import KeptResponse, is_async, missing_package, set_current_request
from antiphon.features import StoreUnavailable
from antiphon.features.durable.administration import STATUSES, RequestFailed, args_of, is_carried_out_again
from antiphon.features.durable.flow import (
    GIVEN_UP,
    LONGEST_PAUSE,
    PAUSE,
    Elsewhere,
    Flow,
    Interrupted,
    called,
    current,
    in_thread,
    may_pass,
    needing_another,
)
from antiphon.features.durable.stored import (
    AGAIN,
    BEAT,
    BURY,
    KNOWN,
    LEAVE,
    POST,
    TAKE,
    WAITING,
    Tables,
    dialect_of,
    kept_of,
    request_of,
    response_to,
    schema_of,
)
from antiphon.features.stores import unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from dbos import WorkflowStatus

    from antiphon.features.seal import Seal

T = TypeVar("T")

BEATS = 6
"""The number of renewals per lease."""
PATIENCE = 4 / BEATS
"""The fraction of a lease after which an executor that has not renewed it is dead. Finding that out takes the rest."""
THREADS = 100
"""The number of ``def`` functions that a process runs at once. Further ones wait."""
MOST = 1000
"""The number of jobs that are open in a process at once, most of which may be asleep."""
ELSEWHERE = 10.0
"""The seconds for which what this process can't carry out is left alone: 10,000 starts take more than a day."""
CLEAN_EVERY, CLEANED = 60.0, 500
"""The seconds between two deletions of what has expired, and how much is deleted at once."""
SEALED = ""
"""The name of a job whose argument is the job as the outbox kept it."""
LOOK_EVERY = 2.5
"""The maximum number of seconds between two looks for what others have queued."""
SOON = 5.0
"""The minimum number of seconds for which a client waits for the database itself, whatever the ``wait``."""
_log = logging.getLogger("antiphon")


class Engine:
    """DBOS in this process, for one application.

    ``handlers`` returns the function that carries out a stored request, and ``functions`` the function of a job by its
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
        handlers: Callable[[Request], Callable[[Request], Any]],
        functions: Callable[[str], Callable[..., Any]],
        due: Callable[[], float],
        max_connections: int,
    ) -> None:
        self.url, self.name = url, name
        self._own_pool = max(2, max_connections * 3 // 8)
        self._pool = max_connections - self._own_pool
        self._check_sqlite()
        self._lease, self._ttl, self._retries = lease, ttl, retries
        self.handlers, self.functions, self._due = handlers, functions, due
        self._stopping, self._awake, self._queued = Event(), Event(), Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._starting: set[asyncio.Future[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._steady_since, self._beaten = inf, -inf
        self._cleaned = self._next = 0.0
        self._is_woken = False
        self._seen: dict[str, tuple[float, float]] = {}
        """The executors' latest renewals, and when they were first seen here, as no clock tells that is set."""
        self._given_up: deque[tuple[float, str, str]] = deque()
        self._astray: dict[str, float] = {}
        self.taken_up = set[str]()
        """The ids of what was claimed from a queue, which an earlier process may have begun."""
        self.failed = 0
        """The number of requests and jobs that are failed, in all processes, as of the last look."""
        self.work_of_app: Callable[[], Any] = nullcontext
        self.on_failure: Callable[[str, str], object] = lambda kind, name: None  # noqa: ARG005

    def _check_sqlite(self) -> None:
        import sqlite3

        if dialect_of(self.url) == "sqlite" and sqlite3.sqlite_version_info < (3, 42):
            raise explained(
                "bad-durable",
                f"Durable needs SQLite 3.42 or newer, and Python uses {sqlite3.sqlite_version} here (Debian 12 has"
                ' 3.40): use PostgreSQL, Durable("postgresql:///shop"), or a Python with a newer SQLite, such as'
                " one that uv installs",
                RuntimeError,
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
                "feature-used-twice", "DBOS runs once in a process, and another Durable is running", RuntimeError
            )
        self._stopping, self._awake, self._queued = Event(), Event(), Event()
        self._awake.set()
        self._loop, self._threads = asyncio.get_running_loop(), asyncio.Semaphore(THREADS)
        self.executor, self._beaten = token_hex(16), -inf
        self.serializer = workflows.Sealed(seal)
        workflows.running.append(self)
        try:
            self._active = workflows.launch(self.url, self.name, self.executor, self.serializer, self._tell, self._pool)
            self._tables = Tables(self.url, self._own_pool)
            self.client = workflows.client_of(self._tables.engine, self.name, self.serializer)
            self._queue = self.client.register_queue(f"{self.name}-jobs", worker_concurrency=MOST)
            self._tables.make()
            self._beat()
        except BaseException:
            workflows.running.remove(self)
            workflows.stop()
            raise
        self._workflows = workflows
        self._threads_at_work = [
            Thread(target=each, name="antiphon-durable", daemon=True) for each in (self._watch, self._claim)
        ]
        for each in self._threads_at_work:
            each.start()

    async def close(self) -> None:
        """Leave what is open to other processes, at once."""
        from concurrent.futures import ThreadPoolExecutor

        if self._loop is None:
            return
        self._stopping.set()
        self._awake.set()
        self._queued.set()
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await in_thread(self._stop)
        self._loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))  # that of DBOS is over
        self._loop = None

    def _stop(self) -> None:
        for each in self._threads_at_work:
            each.join()
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
            raise StoreUnavailable.for_now()
        if self._loop is None:
            work.close()
            raise _not_started()
        context = copy_context()
        context.run(set_current_request, None)  # a timer that has been cancelled would keep it for a while
        return context.run(asyncio.run_coroutine_threadsafe, work, self._loop)

    # Watching

    def wake(self) -> None:
        """Look into the outbox now."""
        self._awake.set()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self._is_woken = self._awake.is_set()
            self._awake.clear()
            self._next = min(self._lease / BEATS, LOOK_EVERY)
            for work in self._watches():
                try:
                    work()
                except Exception as error:  # what is in the way of one is not in the way of the others
                    self._beaten = -inf if work == self._beat else self._beaten
                    self._cleaned = 0.0 if work in (self._clean, self._adopt) else self._cleaned
                    self._outage(error)
            self._awake.wait(self._next)

    def _watches(self) -> list[Callable[[], None]]:
        """Return what is to be done now."""
        often = [self._beat, self._take_over, self._resume, self._forward, self._schedule]
        if time.monotonic() - self._cleaned < CLEAN_EVERY:
            return often
        self._cleaned = time.monotonic()
        return [*often, self._adopt, self._clean]

    def _tell(self, error: Exception) -> bool:
        """Note an error in a statement of DBOS, which may have done what it doesn't know of. Return True to go on."""
        self._cleaned = 0.0
        self._outage(error)
        return not self._stopping.is_set()

    def _outage(self, error: Exception) -> StoreUnavailable:
        """Log an error of the database and return the error for clients."""
        cause = getattr(error, "orig", None)  # without the statement, which has the values of a hundred rows
        return unavailable(f"of Durable, {self.name}", cause if isinstance(cause, Exception) else error)

    def _claim(self) -> None:
        """Carry out what is queued, as soon as it is: DBOS would look at each queue each second."""
        while not self._stopping.is_set():
            is_full = False
            self._queued.clear()
            try:
                is_full = self._workflows.claim(self._queue, MOST)
            except Exception as error:
                self._outage(error)
            self._queued.wait(1.0 if is_full else None)

    def _beat(self) -> None:
        """Renew the lease, and see who has not, and whether something waits that others have left."""
        began = time.monotonic()  # it may be held up with what it has read
        found = self._tables.run(BEAT, KNOWN, WAITING, id=self.executor, app=self.name)
        known = {row: self._seen.get(row[0], (None, began)) for row in map(tuple, found[1])}
        self._seen = {id_: (seen, since if seen == last else began) for (id_, seen), (last, since) in known.items()}
        self._is_woken |= bool(found[2])
        if found[2]:
            self._queued.set()
        self._steady_since = self._steady_since if self._is_in_time() else time.monotonic()
        self._beaten = began

    def _is_in_time(self) -> bool:
        """Return False if this process or the database has been held up, by which others may be late, too."""
        return time.monotonic() - self._beaten < 2 * self._lease / BEATS

    def _schedule(self) -> None:
        self._next = min(self._next, self._due())

    def _take_over(self) -> None:
        """Queue what dead executors have begun, once this process has seen living ones renew their leases."""
        patience = PATIENCE * self._lease
        if time.monotonic() - self._steady_since < patience:
            return
        last = self._beaten - patience
        dead = {id_: seen for id_, (seen, since) in self._seen.items() if not seen or since <= last}
        if dead and self._is_in_time():
            self._requeue([each.workflow_id for each in self._begun([*dead])], [*dead])
            for id_, seen in dead.items():
                self._tables.run(BURY, id=id_, seen=seen)

    def _requeue(self, ids: list[str], executors: list[str]) -> None:
        """Let any process carry out what one of these executors has begun, if it still has it."""
        self._workflows.requeue(self.client, ids, executors)
        self._queued.set()

    def _begun(self, executors: list[str] | None = None) -> "list[WorkflowStatus]":
        """Return what these executors, or any, have begun and not finished."""
        return self.client.list_workflows(
            status="PENDING", executor_id=executors, load_input=False, load_output=False, application_name=self.name
        )

    def _resume(self) -> None:
        """Queue what was given up here, if its pause is over."""
        for _ in range(len(self._given_up)):
            end, id_, _ = self._given_up[0]
            if end > time.monotonic():
                self._given_up.rotate(-1)
                continue
            self._requeue([id_], [self.executor])
            self._given_up.popleft()

    def leave(self, id_: str, error: Elsewhere) -> None:
        """Leave to another process what this one can't carry out."""
        if all(reason != str(error) for *_, reason in self._given_up.copy()):  # other threads change it
            _log.error("durable work is left to another process, id %s: %s", id_, error)
        self._given_up.append((time.monotonic() + ELSEWHERE, id_, str(error)))

    def _adopt(self) -> None:
        """Queue what nobody carries out, though it has begun.

        An executor that died before its first beat has no row. This one may have claimed something without knowing so,
        if the connection was lost at the commit: it is what isn't at work for a minute, since a start takes a while.
        """
        begun, active = self._begun(), {*self._active()}
        known = {None, *(row[0] for row in self._tables.run(KNOWN, app=self.name)[0])}
        if unknown := sorted({str(each.executor_id) for each in begun if each.executor_id not in known}):
            self._requeue([each.workflow_id for each in begun if each.executor_id in unknown], unknown)
        now, idle = time.monotonic(), {each.workflow_id for each in begun if each.executor_id == self.executor} - active
        self._astray = {each: self._astray.get(each, now) for each in idle}
        lost = [each for each, since in self._astray.items() if now - since >= CLEAN_EVERY]
        self._requeue(lost, [self.executor])

    def _forward(self) -> None:
        """Queue the jobs of the outbox, each in the transaction that deletes it there: as it is, if it can't be read
        here.
        """
        rows: list[Any] = [None] if self._is_woken else []
        while rows:
            with self._tables.engine.begin() as connection:
                rows = [*connection.execute(self._tables.statement(TAKE), {"app": self.name})]
                for id_, stored in rows:
                    try:
                        name, args, kwargs = self.serializer.deserialize(stored)
                    except Elsewhere:
                        name, args, kwargs = SEALED, (stored,), {}
                    self.client.enqueue_in_transaction(connection, self._options(id_), name, args, kwargs)
            self._queued.set()

    def _clean(self) -> None:
        before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - self._ttl))
        old = self.client.list_workflows(
            status=STATUSES["finished"] + STATUSES["cancelled"],
            completed_before=before,
            limit=CLEANED,
            load_input=False,
            load_output=False,
            application_name=self.name,
        )
        if old:
            self.client.delete_workflows([each.workflow_id for each in old])
        self.failed = len(
            self.client.list_workflows(
                status=STATUSES["failed"], limit=1000, load_input=False, load_output=False, application_name=self.name
            )
        )

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
        """Return a job as the outbox keeps it. Raises RuntimeError unless the app has started."""
        if self._loop is None:
            raise _not_started()
        return self.serializer.serialize(values)

    def enqueue(self, id_: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Queue a job under an id, unless there is one. Calls the database. Raises RuntimeError as ``sealed`` does."""
        if self._loop is None:
            raise _not_started()
        self.client.enqueue(self._options(id_), name, args, kwargs)
        self._queued.set()

    def find(self, id_: str) -> "WorkflowStatus | None":
        """Return a request or job, or None. Raises StoreUnavailable if the database doesn't respond."""
        try:
            return next(iter(self.client.list_workflows(workflow_ids=[id_], application_name=self.name)), None)
        except Exception as error:
            raise self._outage(error) from error

    async def result(
        self, ids: list[str], stored: dict[str, Any], checks: dict[str, Any], wait: float
    ) -> tuple[str, dict[str, Any], dict[str, Any] | None]:
        """Start a request, unless it has been started and has not failed, and wait for its result.

        Return its id, and the checks and the response of the one that has the id, None while it is open. The second of
        the ``ids`` is for a request whose first one is certainly that of another caller. Raises StoreUnavailable if the
        database doesn't respond.
        """
        latter = await self._soon(self._workflows.status(ids[1]), SOON) if ids[1:] else None
        id_, known, handle = await self._started(ids[1:] if latter else ids, stored, checks, max(wait, SOON))
        getting = asyncio.ensure_future(handle.get_result(polling_interval_sec=0.2))
        done, _ = await asyncio.wait([getting], timeout=wait)
        if done and not getting.cancelled():
            if isinstance(failed := getting.exception(), RequestFailed):  # unraised, or it would keep this frame alive
                return id_, known, failed.kept
            try:
                return id_, known, getting.result()
            except Elsewhere as error:
                raise self._outage(error) from error
        getting.cancel()
        return id_, known, None

    async def _started(
        self, ids: list[str], stored: dict[str, Any], checks: dict[str, Any], wait: float
    ) -> tuple[str, dict[str, Any], Any]:
        """Start a request under the first id that is not another caller's, and return its id, checks and handle."""
        id_, *others = ids
        handle = await self._soon(self._workflows.start(id_, stored, checks), wait)
        if getattr(handle, "task", None) is not None:
            return id_, checks, handle
        found = await self._soon(handle.get_status(), SOON)  # it has been started before
        known = args_of(found)[1]
        if others and _is_of_another(known, checks):
            return await self._started(others, stored, checks, wait)
        if is_carried_out_again(found) and all(known.get(name) == checks.get(name) for name in _COMPARED):
            queue, ended = self._workflows.RECOVERED, found.completed_at or 0
            await self._soon(in_thread(partial(self._tables.run, AGAIN, id=id_, ended=ended, queue=queue)), SOON)
            self._queued.set()
        return id_, known, handle

    async def _soon(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Return the result of what waits for the database. Raises StoreUnavailable if it fails or takes longer.

        It goes on then, and if the client leaves: half started, a request would stay open.
        """
        waiting = asyncio.ensure_future(work)
        self._starting.add(waiting)
        waiting.add_done_callback(self._starting.discard)
        if not (await asyncio.wait([waiting], timeout=seconds))[0]:
            raise self._outage(TimeoutError("it has not responded in time"))
        try:
            return waiting.result()
        except Exception as error:
            raise self._outage(error) from error

    @contextmanager
    def _flow(self, kind: str, name: str) -> "Iterator[Flow]":
        """Make what is called in the block the execution of a request or job. Raise what must not be its outcome."""
        flow = Flow(self._workflows.current_id(), self._stopping, self._workflows.record, self._workflows.arecord)
        flow.name = name
        token, task = current.set(flow), asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            yield flow
        except BaseException as error:
            if flow.lost is None:
                self.note_end(kind, flow.name, flow.id, error)
                raise
        finally:
            current.reset(token)
            self.taken_up.discard(flow.id)
        if self._stopping.is_set():
            raise Interrupted
        if flow.lost is not None:
            if isinstance(flow.lost.__cause__, Elsewhere):
                self.leave(flow.id, flow.lost.__cause__)
            elif isinstance(flow.lost.__cause__, Exception):
                self._outage(flow.lost.__cause__)
                self._given_up.append((0.0, flow.id, ""))
            self.note_end(kind, flow.name, flow.id, flow.lost)
            raise flow.lost

    def note_end(self, kind: str, name: str, id_: str, error: BaseException) -> None:
        """Tell an operator of what has failed for good: in the log, in ``failed``, and to ``on_failure``."""
        if isinstance(error, Exception) and not self._stopping.is_set():
            _log.error("the %s %s has failed for good, id %s: %r", kind, name, id_, error)
            self.failed += 1
            self.on_failure(kind, name)

    async def carry_out(self, stored: dict[str, Any]) -> dict[str, Any]:
        """Carry out a stored request and return its response; again, with growing pauses, after what may pass.

        Raises RequestFailed with the response of the last attempt if that is an error of the server.
        """

        async def respond() -> dict[str, Any]:
            request = request_of(stored)
            with flow.of_engine(), needing_another():
                carry_out = self.handlers(request)
            async with nullcontext() if is_async(carry_out) else self._threads:
                response = await response_to(request, carry_out, self.work_of_app)
            set_current_request(None)  # a timer of the next step would keep it for a while
            if KeptResponse.is_retried(response.status):
                raise RequestFailed.of(response) from response.error
            return kept_of(response)

        def may_be_over(error: Exception) -> bool:
            is_of_server = not isinstance(error, RequestFailed) or error.kept["status"] >= 500
            return flow.may_pass or (is_of_server and may_pass(error))

        with self._flow("request", f"{stored['method']} {stored['path']}") as flow:
            try:
                return await self._attempted("request", flow, respond, may_be_over)
            except RequestFailed as failed:
                if failed.kept["status"] < 500:
                    return failed.kept
                outcome = RequestFailed(*failed.args)
            raise outcome  # without the cause, whose traceback would keep the request alive

    async def work(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Call the function of a job, again with growing pauses while it fails.

        The process may be older than the one that has queued the job.
        """
        with self._flow("job", name) as flow:
            with flow.of_engine(), needing_another():
                if name == SEALED:
                    name, args, kwargs = self.serializer.deserialize(*args)
                    flow.name = name
                function = partial(self.functions(name), *args, **kwargs)

            async def call() -> None:
                async with nullcontext() if is_async(function) else self._threads:
                    await called(function, self.work_of_app)

            await self._attempted("job", flow, call, lambda _: True)

    async def _attempted(
        self, kind: str, flow: Flow, work: "Callable[[], Awaitable[T]]", is_repeated: Callable[[Exception], bool]
    ) -> T:
        """Return the result of work, in as many attempts as it takes. Raises the error of the last one."""
        for attempt in count(await self._replayed(flow)):
            flow.begin()
            try:
                with flow.outcome():
                    return await work()
            except Exception as error:
                if flow.lost is not None:
                    raise
                if attempt >= self._retries or not is_repeated(error):
                    await flow.pause(0, GIVEN_UP)
                    raise
                _log.warning("the %s %s has failed, and is tried again, id %s: %r", kind, flow.name, flow.id, error)
            await flow.pause(min(2.0 ** min(attempt, 20), LONGEST_PAUSE))
        raise AssertionError("counting has an end")

    async def _replayed(self, flow: Flow) -> int:
        """Take the steps of attempts that failed in another process, without calling the function again.

        Return the number of these attempts, since the last one after which it was given up.
        """
        if flow.id not in self.taken_up:
            return 0
        with flow.of_engine():
            steps = [each["function_name"] for each in await self.client.list_workflow_steps_async(flow.id)]
        last = max((place for place, name in enumerate(steps, 1) if name in (PAUSE, GIVEN_UP)), default=0)
        attempts = 0
        for name in steps[:last]:
            if name in (PAUSE, GIVEN_UP):
                await flow.pause(0, name)
                attempts = attempts + 1 if name == PAUSE else 0
            else:
                with suppress(Exception):  # which it has failed with
                    await flow.astep(name, _never)
        return attempts


_COMPARED = ("fingerprint", "caller", "caller_fields", "person")
"""The checks of a request that are the same in a retry for which a failed one is carried out again."""


def _is_of_another(known: dict[str, Any], checks: dict[str, Any]) -> bool:
    """Return True if what is known under an id can't be another attempt at a request with these checks.

    A caller who shows other credentials than before, for the same request, may have renewed them.
    """
    shows_another = any(known.get(name) != checks.get(name) for name in ("caller", "caller_fields"))
    return known["person"] not in ("", checks["person"]) or (
        shows_another and known["fingerprint"] != checks["fingerprint"]
    )


def _not_started() -> RuntimeError:
    message = "Durable works while its app is started: serve it, or use Client(app) as a context manager"
    return explained("not-started", message, RuntimeError)


async def _never() -> None:
    raise AssertionError("a recorded step was called")
