"""Durable handlers, as a feature of an app: what was accepted is finished, once, whatever dies.

durable = Durable("postgresql:///shop"); app.use(durable), then @app.post("/orders", durable=True)
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext
from datetime import timedelta
from functools import partial, update_wrapper
from hashlib import sha256
from itertools import chain
from secrets import token_hex
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from antiphon import App, Dependency, Request, Response, current_request, explained
from antiphon.embedding import (
    Added,
    DatabaseConnection,
    FeatureStore,
    KeptResponse,
    KeyHandling,
    PlannedRoute,
    Reads,
    RequestState,
    RouteKeys,
    TimedSigner,
    check_numbers,
    checked_by,
    errors_name_it,
    is_async,
    seconds_of,
)
from antiphon.features import StoreUnavailable
from antiphon.features.durable.administration import Administration, RequestFailed, args_of, state_of
from antiphon.features.durable.committed import Committed
from antiphon.features.durable.engine import Engine
from antiphon.features.durable.flow import attempts_in, called, check_off_loop, current, flow_for, name_of
from antiphon.features.durable.jobs import JobId, Schedules, function_of, name_of_job, post, post_at_once
from antiphon.features.durable.stored import stored_of
from antiphon.features.idempotency.claims import (
    KEY,
    Write,
    by_identity,
    by_name,
    check_kept,
    check_same,
    different_field,
    fields_of_caller,
    fingerprint_of,
    key_of,
    reused_with,
)
from antiphon.http import BadRequest, InternalServerError, NotFound, UnprocessableContent
from antiphon.types import Caller, Duration, Route, SecretKeys

if TYPE_CHECKING:
    from antiphon import App
    from antiphon.features import Metrics
    from antiphon.features.seal import Seal

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[[], Any])

DAY = 24 * 3600.0
"""The number of seconds in a day."""


@errors_name_it
class Durable:
    """A feature that finishes each accepted request to a ``durable`` route, even if its process dies, and its jobs.
    Provisional.

        app.use(Durable("sqlite:///var/jobs.db"))

    A client sends an Idempotency-Key with each request, and the same key with each retry. The request is stored, and
    its handler is called with a copy: without middleware and hooks, which have accepted it, but with its dependencies.
    If the process dies, another one, on any machine, calls the handler again within the ``lease``, in seconds or a
    timedelta; steps that were recorded are not carried out again.
    """

    def __init__(
        self,
        url: str,
        *,
        inside: Dependency[Any] | None = None,
        by: Callable[[Request], str | None] | None = None,
        wait: Duration = 10.0,
        lease: Duration = 15.0,
        ttl: Duration = DAY,
        retries: int | timedelta = timedelta(days=3),
        path: str = "/durable",
        name: str = "antiphon",
        max_connections: int = 32,
    ) -> None:
        """If the handler has returned after ``wait`` seconds, its response is sent, and sent again to each retry;
        before that, the client gets a 202 with the address, below ``path``, at which the response can be followed. A
        retry after a 5xx, 408, 425 or 429 is carried out again. Responses and finished jobs are kept for ``ttl``, and
        what has failed, until ``antiphon jobs`` says more. Callers are distinguished as by ``IdempotentWrites``, or by
        the text that ``by`` returns for a request.

        ``url`` is that of a database of PostgreSQL, or of SQLite 3.42 or newer on one machine
        ("sqlite:///var/shop.db"), in which DBOS Transact makes its tables. Applications that share it have different
        ``name``s. All that is stored is encrypted with the app's secret keys. With ``inside``, the dependency that
        gives handlers a connection to the same database, ``enqueue`` writes a job in the transaction of the request,
        and a durable request whose transaction was committed isn't carried out again. A job that fails is called again
        after 1 second, then 2, and so on up to an hour, for the time of ``retries``, or that many times, as is a
        request that fails by what may pass, such as an outage.

        A process opens at most ``max_connections`` to PostgreSQL, for all that it carries out and looks for.

        Raises ValueError for numbers that are not above 0, or fewer than 4 connections, another database and a bad
        name, TypeError if ``inside`` isn't a dependency, and RuntimeError for an older SQLite. A process runs one
        ``Durable``.
        """
        wait, lease, ttl = seconds_of(wait), seconds_of(lease), seconds_of(ttl)
        number = retries.total_seconds() if isinstance(retries, timedelta) else retries
        check_numbers(wait=wait, lease=lease, ttl=ttl, retries=number or None)
        check_numbers(4, max_connections=max_connections)
        if not url.startswith(("postgresql:", "postgresql+psycopg:", "postgres:", "sqlite:")):
            raise explained(
                "bad-feature-option",
                'Durable needs PostgreSQL or SQLite, "postgresql:///shop" or "sqlite:///var/shop.db"',
            )
        if not re.fullmatch(r"[a-z0-9_-]{3,256}", name):  # as DBOS wants it, which would only say so when it starts
            raise explained(
                "bad-feature-option",
                f"Durable(name=...) must be 3 to 256 of a-z, 0-9, - and _, such as shop-orders, not {name!r}",
            )
        if inside is not None:
            DatabaseConnection.check_source(inside, "Durable")
        self._inside, self._by = inside, None if by is None else checked_by(by, "Durable")
        self._wait, self._path = wait, path.rstrip("/")
        self._schedules = Schedules()
        self._handlers: dict[tuple[str, tuple[str, ...]], Callable[[Request], Any]] = {}
        self._engine = Engine(
            url.replace("postgres:", "postgresql:", 1),
            name,
            lease=lease,
            ttl=ttl,
            retries=attempts_in(number) if isinstance(retries, timedelta) else retries,
            handlers=self._handler_of,
            functions=function_of,
            due=lambda: self._schedules.due(self._engine),
            max_connections=max_connections,
        )
        self._postgres_connections = {} if url.startswith("sqlite:") else {"Durable": max_connections}
        self._committed = None if inside is None else Committed(inside, ttl, self._engine)

    def install(self, app: "App") -> None:
        """Make the app use this feature for its durable routes. Raises TypeError for a blueprint."""
        if not isinstance(app, App):
            raise explained(
                "for-whole-app",
                "Durable belongs to the application, not a blueprint: write app.use(Durable(url))",
                TypeError,
            )
        self._app = app
        self._engine.work_of_app = app.work
        inner = None if self._committed is None else self._committed.around
        app.handle_key(RouteKeys.durable, KeyHandling(around=self._surround, is_later=True, inner=inner))
        app.get(f"{self._path}/<id>", name=f"durable_{self._engine.name}")(self._follow)
        app.on_startup(self._open)
        app.on_shutdown(self._engine.close)

    async def _open(self) -> None:
        self._schedules.check()
        keys: SecretKeys = self._app.secret_keys
        self._addresses = TimedSigner(keys.oldest_first, "antiphon durable", "sha256")
        await self._engine.open(self._seal())

    def _seal(self) -> "Seal":
        from antiphon.features.seal import Seal

        return Seal(self._app.secret_keys, b"antiphon durable", feature="Durable", extra="durable")

    def _administration(self) -> Administration:
        """Return what the command ``antiphon jobs`` shows and does, without starting the app."""
        self._app.plan()
        return Administration(self._engine, self._seal())

    def __metrics__(self, metrics: "Metrics") -> None:
        failures = metrics.counter(
            "antiphon_durable_failures", "Durable requests and jobs that have failed for good.", ["kind", "job"]
        )
        self._engine.on_failure = lambda kind, name: failures.add(kind=kind, job=name if kind == "job" else "")

    def __health__(self) -> dict[str, dict[str, int]]:
        return {"durable": {"failed": self._engine.failed}}

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        if route.meta.get(RouteKeys.durable):
            yield Added(202, headers=("location", "retry-after"))
            yield Added(400, BadRequest, "The Idempotency-Key header is missing or malformed.")
            yield Added(422, UnprocessableContent, "The key was used for another request.")
            yield Added(503, StoreUnavailable)
            yield Added(parameter=KEY)

    # Routes

    def _surround(self, route: Route, carry_out: Callable[[Request], Any]) -> Callable[[Request], Any]:
        """Return what accepts the requests of a route. Raises ValueError for a route that can't be durable."""
        check_kept(
            route,
            "durable",
            {
                RouteKeys.idempotent: "is idempotent, which it is anyway: leave out idempotent=True",
                RouteKeys.resumable: (
                    "is resumable, too: let it store the upload, and enqueue what is to be done with it"
                ),
            },
        )
        self._handlers[route.where, route.methods] = carry_out

        def accept(request: Request) -> Response:
            write, checks, carrying_out = self._accepted(request)
            return self._response(request, write, checks, *carrying_out().result())

        async def aaccept(request: Request) -> Response:
            if request.head.has_body:
                await request.aload()
            write, checks, carrying_out = self._accepted(request)
            return self._response(request, write, checks, *await asyncio.wrap_future(carrying_out()))

        return update_wrapper(aaccept if is_async(route.handler) else accept, route.handler)

    def _accepted(self, request: Request) -> tuple[Write, dict[str, Any], Callable[[], Any]]:
        """Return who sends a request, what its retries are compared with, and the function that carries it out."""
        key = key_of(request)
        write = by_name(self._by, request, key) if self._by else by_identity(request, key)
        checks: dict[str, Any] = {
            "what": f"{request.method} {request.route.pattern}",
            "caller": write.caller,
            "person": write.person,
            "owner": self._owner(request),
            "shown": _shown(request),
            "key": key,
            "fingerprint": fingerprint_of(write.key, request),
        }
        ids = [self._id_of(write.key)]
        if self._by is None:
            checks["caller_fields"] = fields_of_caller(write.key, request, {Reads.EVERYTHING})
            other = FeatureStore.name_of("idempotent by another", checks["fingerprint"], write.key)
            ids.append(self._id_of(write.own or other))
        stored = stored_of(request)
        return write, checks, lambda: self._engine.submit(self._engine.result(ids, stored, checks, self._wait))

    def _id_of(self, key: str) -> str:
        return sha256(f"{self._engine.name}\n{key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _response(
        self,
        request: Request,
        write: Write,
        checks: dict[str, Any],
        id_: str,
        known: dict[str, Any],
        kept: dict[str, Any] | None,
    ) -> Response:
        if known["person"] not in ("", checks["person"]):
            raise reused_with("other credentials")
        check_same(known, write.key, write, checks["fingerprint"], request)
        return self._still_open(request, id_) if kept is None else KeptResponse.of(kept)

    def _still_open(self, request: Request, id_: str) -> Response:
        """Return a 202 with an address that can't be guessed from the client's key, from which ``id_`` is made."""
        id_ = self._addresses.sign(id_.encode(), time.time()).decode()
        where = request.url_for(f"durable_{self._engine.name}", id=id_)
        return Response(b"", 202, {"location": where, "retry-after": str(FeatureStore.RETRY_AFTER)})

    def _follow(self, request: Request, id: str) -> Response:  # noqa: A002 - the parameter of the route
        """Return the response to a durable request, or 202 while it is open, to who has sent that."""
        if self._app.is_provided(Request.user):
            _ = request.user  # so that it is among the caller's identities, as it may have been when that was accepted
        address = self._addresses.unsign(id.encode("utf-8", "surrogatepass"))
        found = None if address is None else self._engine.find(address[0].decode())
        given = () if found is None else args_of(found)
        if found is None or len(given) != 2 or not self._is_of(request, given[1]):
            raise NotFound(f"There is nothing at {request.path[:200]}.")
        match state_of(found):
            case "queued" | "open":
                return self._still_open(request, found.workflow_id)
            case "finished":
                output: Any = found.output
                if not isinstance(output, dict):  # it can't be read here
                    raise StoreUnavailable.for_now()
                return KeptResponse.of(output)
            case "failed" if isinstance(found.error, RequestFailed):
                return KeptResponse.of(found.error.kept)
            case "failed" | "cancelled":
                raise InternalServerError("This request could not be finished.") from found.error

    def _is_of(self, request: Request, checks: dict[str, Any]) -> bool:
        """Return True if a request certainly has the sender of the one that has these ``checks``.

        Its handler, or a hook, may have looked at anything. So if nobody has proven who sends it, or by more than that,
        all that a client shows must be the same.
        """
        owner = self._owner(request)
        if checks["owner"] not in ("", owner):
            return False
        if checks.get("shown") == _shown(request) or (owner and self._by):
            return True
        write = by_identity(request, checks.get("key", ""))
        fields = checks.get("caller_fields", {})
        return bool(checks["owner"]) and not (
            write.caller != checks["caller"] or different_field(write.key, request, fields)
        )

    def _owner(self, request: Request) -> str:
        """Return a hash of the proven identities of a request, or of what ``by`` returns for it, or "" for neither."""
        proven = [str(each) for each in request.caller.identities if each.is_proven]
        key = self._by(request) if self._by else FeatureStore.name_of(*proven)
        return sha256(key.encode("utf-8", "surrogatepass")).hexdigest() if key else ""

    def _handler_of(self, request: Request) -> Callable[[Request], Any]:
        """Return the function that carries out a stored request. Raises LookupError if a deploy has removed it."""
        route = PlannedRoute.route_of(self._app, request)
        carry_out = self._handlers.get((route.where, route.methods))
        if carry_out is None:
            raise explained(
                "bad-durable",
                f"{request.method} {request.path} was accepted, and is no longer a durable route",
                LookupError,
            )
        return carry_out

    # In handlers and jobs

    def step(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function once, however often the request or job is taken up again, and return its result.

        If the process dies before the result is recorded, the function is called again: pass on a key, for example to a
        bank. The result is pickled. An error is raised, and the function may be called again in a later attempt.
        Raises RuntimeError outside of a durable handler and a job, and TypeError on an event loop: use ``astep`` there.
        """
        return flow_for("step", on_loop=False).step(name_of(function), partial(function, *args, **kwargs))

    @overload
    async def astep(self, function: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    async def astep(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R: ...
    async def astep(self, function: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> Any:
        """Call a function once, as ``step`` does, in an ``async def`` handler or job. A ``def`` function is called on a
        thread.
        """

        async def call() -> Any:
            return await called(partial(function, *args, **kwargs))

        return await flow_for("step", on_loop=True).astep(name_of(function), call)

    def sleep(self, duration: Duration) -> None:
        """Sleep in a durable handler or a job, in seconds or a timedelta, from when any process first gets here.

        Until its end, a ``def`` function occupies one of a hundred threads. Raises the same errors as ``step``.
        """
        flow_for("sleep", on_loop=False).sleep(seconds_of(duration))

    async def asleep(self, duration: Duration) -> None:
        """Sleep as ``sleep`` does, in an ``async def`` handler or job. A process can hold many thousands of these."""
        await flow_for("sleep", on_loop=True).asleep(seconds_of(duration))

    def enqueue(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> JobId:
        """Call a function soon, in any process, until it succeeds. Return the job's id.

        In a request, with ``inside``, the job is written now, in the open transaction: after a rollback, there is no
        job. By an async connection, it is written where the id is awaited, ``await durable.enqueue(...)``, or when the
        handler has returned. Otherwise, as in a run, a script and a job, it is written now, which blocks, and
        whatever is rolled back later: use ``enqueue_inside`` there. The function is ``def`` or ``async def``, at the
        top of a module, and may use ``step`` and ``sleep``. The arguments are pickled. Raises ValueError for a function
        that other processes can't import.
        """
        id_, job, flow = _new_id(), (name_of_job(function), args, kwargs), current.get()
        request = current_request(None) if self._inside is not None else None
        if request is None or self._inside is None:
            RequestState.check_effect("a job that is enqueued outside of the transaction")
            check_off_loop("enqueue", "asyncio.to_thread(durable.enqueue, ...)")
            with nullcontext() if flow is None else flow.of_engine():
                self._engine.enqueue(id_, *job)
            return JobId(id_)
        return post(request, request[self._inside], self._engine, id_, job)

    def enqueue_inside(
        self, connection: object, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> str:
        """Call a function soon, as ``enqueue`` does, if the transaction of a connection is committed. Return the job's
        id.

        The job is written now, to the same database as that of ``Durable``, by a connection of sqlite3, psycopg,
        SQLAlchemy or Django that doesn't wait: under ``await connection.run_sync(...)``, for an async one of
        SQLAlchemy. Raises the same errors as ``enqueue``, and RuntimeError for another connection.
        """
        id_, job = _new_id(), (name_of_job(function), args, kwargs)
        post_at_once(connection, self._engine, id_, job)
        return id_

    def every(self, schedule: str) -> Callable[[F], F]:
        """Call a function at fixed times, once among all processes: ``@durable.every("1 hour")``.

        The schedule is a number of seconds, minutes, hours, days or weeks, counted from 1970, or the five fields of a
        crontab, such as "0 3 * * *", in UTC. Of the times that all processes missed, the last one is made up for.
        Usable as a decorator. Raises ValueError for any other schedule, or a function that can't be imported.
        """

        def register(function: F) -> F:
            self._schedules.add(function, schedule)
            return function

        return register


def _shown(request: Request) -> str:
    """Return a hash of the credentials, cookies and other fields by which a handler may know who has sent a request."""
    fields = sorted((name.lower(), value) for name, value in request.head.fields())
    kept = [field for field in fields if field[0] not in Caller.OF_ONE_TRY and field[0] != "cookie"]
    shown = [request.host or "", request.caller.cookies(), *chain.from_iterable(kept)]
    return sha256(FeatureStore.name_of("shown", *shown).encode("utf-8", "surrogatepass")).hexdigest()


def _new_id() -> str:
    """Return the id of a new job: the same one in each attempt at the request or job that enqueues it."""
    flow = current.get()
    if flow is None:
        return token_hex(16)
    flow.check_outside("job")
    flow.enqueued += 1
    return f"{flow.id}-{flow.enqueued}"
