"""Writes that are carried out only once, even if a client sends them several times, as a feature of an app.

app.use(IdempotentWrites(SQLiteStore("var/writes.db"))), then @app.post("/payments", idempotent=True)

A claim is an entry in the store, made by one request before its handler runs. The entry's version shows whose claim it
is, so no request changes another's claim.

| the handler | in a store, its claim | ``inside`` a transaction, its row |
|---|---|---|
| returned a response | is completed after all commits | is completed before the commit, which decides |
| committed, and returned a response | is completed after it | is completed in a transaction of its own |
| raised a 4xx | is completed | is rolled back, and written in a transaction of its own |
| returned or raised what is to be retried | is released | is deleted or rolled back |
| was interrupted | stays running, or is unknown | is rolled back |
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import suppress
from copy import copy
from functools import partial, update_wrapper
from math import inf
from secrets import token_urlsafe
from typing import Any, assert_never, cast

from antiphon import App, Dependency, Request, Response, explained
from antiphon.embedding import (
    Added,
    Crossing,
    DatabaseConnection,
    FeatureStore,
    KeptResponse,
    KeyHandling,
    OfRequest,
    PlannedRoute,
    Reads,
    RequestState,
    RouteKeys,
    WatchedHead,
    check_numbers,
    checked_by,
    describe,
    errors_name_it,
    is_async,
    is_for_any_thread,
    keep_private,
    seconds_of,
)
from antiphon.features import Store, StoreEntry, StoreUnavailable
from antiphon.features.html import Markup
from antiphon.features.idempotency.claims import (
    COMPLETED,
    IN_USE,
    IS_REPEATABLE,
    KEY,
    KEY_FIELD,
    RUNNING,
    UNKNOWN,
    Claim,
    ClaimState,
    Write,
    broken_off,
    by_identity,
    by_name,
    check_kept,
    check_same,
    fields_of_caller,
    fingerprint_of,
    in_use,
    is_form,
    is_of_another_user,
    key_of,
    write_in_form,
)
from antiphon.features.idempotency.table import Claims, StoreClaims, TableClaims, WritesTable, reopened
from antiphon.features.stores import unavailable
from antiphon.http import BadRequest, Conflict, UnprocessableContent
from antiphon.types import Duration, MiddlewareFunction, Route

DAY = 24 * 3600.0
"""The number of seconds in a day."""

LONGEST_TRY = 60.0
"""The number of seconds after which clients are told that a request without a response may have been interrupted."""

_NOT_KEPT = KeptResponse.OF_ONE_VISITOR | {"date"}
"""Fields that are specific to the first visitor, the first moment or one connection."""

_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 2.0, 2.0, 2.0)
"""The seconds that the second click on a form's button waits for the response to the first one."""

_ATTEMPTS = 5
"""The number of attempts to get a claim while other requests release it or take it over."""


@errors_name_it
class IdempotentWrites:
    """A feature that carries out each request to an ``idempotent`` route only once and sends its response to all
    retries. Provisional.

        app.use(IdempotentWrites())

    Clients send a key with each write, as Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), and the same key
    with each retry. A retry receives the first response, or a 409 if there is none yet. A key that was used with a
    different method, path, query or body, or by a different caller, gets a 422. A request without a key is refused with
    400 or, if ``required`` is false, carried out each time. Responses are kept for ``ttl``, in seconds or a timedelta.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        inside: Dependency[Any] | None = None,
        by: Callable[[Request], str | None] | None = None,
        required: bool = True,
        ttl: Duration = DAY,
        takeover: Duration | None = None,
        max_body: int = 1 << 20,
    ) -> None:
        """Callers are distinguished by everything that ``request.caller`` knows, by the host, and by all header fields
        that the handler, hooks, middleware or dependencies have read, except fields that don't identify a caller, such
        as Accept. In a view and in a mounted app, all such fields and the cookies are included, because other code may
        have read them. Callers who certainly differ have separate keys. With ``by``, callers are distinguished only by
        the text that this function returns for a request, or None if the caller is unknown, and each has separate keys.
        It must not block.

        After a 5xx, 408, 425 or 429 response, a retry is carried out again. A request that was interrupted because its
        process ended or because it was cancelled may already have had an effect, so its retries are refused with 409.
        With ``takeover``, in seconds or a timedelta, a retry is carried out again after that time, which has to be
        longer than any handler takes. Streams, except those of runs with a key, and responses of more than ``max_body``
        bytes, can't be kept and raise a RuntimeError that names the handler. If the store is unavailable, the response
        is a 503, sent before anything is carried out. The default ``store`` is that of the app.

        ``inside`` is the dependency that gives the handler's database connection. Claims and responses are then rows in
        the handler's own transaction instead of entries in a store: they are committed with its effect, or not at all,
        so an interrupted request leaves nothing behind, or its response. The dependency's source is a generator that
        begins a transaction and commits it. It yields a connection of sqlite3, aiosqlite, psycopg or asyncpg, a session
        or connection of SQLAlchemy, sync or async, or Django's connection, for PostgreSQL or SQLite. A handler may also
        commit by itself: its response is then written after it. A missing table is created.

        Raises ValueError for numbers that are not above 0, for a store whose entries are kept by clients, and for a
        store and ``inside`` together, and TypeError if ``inside`` isn't a dependency.
        """
        if inside is not None:
            DatabaseConnection.check_source(inside, "IdempotentWrites")
            if store is not None:
                raise explained(
                    "bad-feature-option",
                    "claims must be kept in a store or inside a transaction, not in both: leave out one",
                )
        self._stores = FeatureStore("IdempotentWrites", store if inside is None else False)
        self._inside: Any = inside
        ttl, takeover = seconds_of(ttl), seconds_of(takeover)
        check_numbers(ttl=ttl, takeover=takeover, max_body=max_body)
        self._by = None if by is None else checked_by(by, "IdempotentWrites")
        self._table = WritesTable(repr(inside), ttl)
        self.required = required
        self._ttl = ttl
        self._takeover = takeover
        self._max_body = max_body

    def install(self, app: App) -> None:
        """Make the app use this feature for its idempotent routes. Raises RuntimeError if there is no store."""
        self._stores.taken_if_any(app) if self._inside is not None else self._stores.taken_from(app)
        watch = self._watch_before_routing
        handling = KeyHandling(around=self._surround, outermost=self._ending, before_routing=watch)
        app.handle_key(RouteKeys.idempotent, handling)
        app.template_context(idempotency_input=_InputOfRequest)

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        if route.meta.get(RouteKeys.idempotent):
            wrong = "missing or malformed" if self.required else "malformed"
            yield Added(400, BadRequest, f"The Idempotency-Key header is {wrong}.")
            wait = ("retry-after",)
            yield Added(409, Conflict, "The first request with this key has no response yet.", headers=wait)
            yield Added(422, UnprocessableContent, "The key was used for another request.")
            yield Added(503, StoreUnavailable)
            optional = not self.required
            yield Added(parameter=KEY, form_field=KEY_FIELD, is_optional=optional, protects="idempotency key")

    def _surround(self, route: Route, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        """Return the handler that makes a claim.

        Raises ValueError for a route whose response can't be kept, or whose body can't be compared.
        """
        if self._inside is None:
            self._store = self._stores.current  # a view has no application to get a store from
        elif route.app is None and not route.before:
            raise explained(
                "bad-inside",
                f"no app gives {describe(route.handler)} what IdempotentWrites(inside=...) needs:"
                f" set {self._inside!r} to"
                " the connection of the framework's transaction, in a function that view(before=...) calls",
            )
        check_kept(route, "idempotent")
        caller = partial(by_name, self._by) if self._by else by_identity

        def once(request: Request) -> Any:
            write = self._write_of(request, caller)
            return handler(request) if write is None else self._carry_out(handler, request, write)

        async def aonce(request: Request) -> Any:
            if request.head.has_body and (_is_in_header(request) or is_form(request)):
                await request.aload()
            write = self._write_of(request, caller)
            return await (handler(request) if write is None else self._acarry_out(handler, request, write))

        return update_wrapper(aonce if is_async(route.handler) else once, handler)

    def _ending(self, route: Route) -> MiddlewareFunction:
        """Return the middleware that ends a claim."""
        return self._end_async if is_async(route.handler) else self._end

    # Before the handler

    def _carry_out(self, handler: Callable[[Request], Any], request: Request, write: Write) -> Any:
        fingerprint = fingerprint_of(write.key, request, is_of_form=write.is_of_form)
        known = DatabaseConnection.at_once(self._claim(request, write, fingerprint))
        if known is not None:
            return known
        RequestState(request).call_first(self._keep)
        return handler(request)

    async def _acarry_out(self, handler: Callable[[Request], Any], request: Request, write: Write) -> Any:
        fingerprinting = partial(fingerprint_of, write.key, request, is_of_form=write.is_of_form)
        if not request.content.in_memory:
            fingerprint = await Crossing().run_shielded(fingerprinting)
        else:
            fingerprint = fingerprinting()
        claiming = self._claim(request, write, fingerprint)
        if self._blocks:
            known = await Crossing().run_shielded(partial(DatabaseConnection.at_once, claiming))
        else:
            known = await claiming
        if known is not None:
            return known
        RequestState(request).call_first(self._akeep)
        return await handler(request)

    @property
    def _blocks(self) -> bool:
        """True if the store blocks. A connection is used where the handler runs, as the handler uses it."""
        return self._inside is None and self._store.blocks

    async def _claims(self, request: Request) -> Claims:
        """Return where this request's claim is kept."""
        if self._inside is None:
            return StoreClaims(self._store, self._ttl)
        connection = self._connection(request[self._inside])
        if connection.is_async and not _is_on_loop(request):
            raise explained(
                "bad-inside",
                f"{request.route.handled_by} is a def handler, but {self._inside!r} gives it an async connection:"
                " write it as async def, or open a connection that doesn't wait",
                RuntimeError,
            )
        return await self._table.claims_on(connection)

    def _connection(self, value: object) -> DatabaseConnection:
        connection = DatabaseConnection.of(value)
        if connection is None:
            raise explained(
                "bad-inside",
                f"{self._inside!r} must give a database connection of sqlite3, aiosqlite, psycopg, asyncpg, SQLAlchemy"
                f" or Django for IdempotentWrites(inside=...), not {type(value).__name__}",
                RuntimeError,
            )
        return connection

    def _write_of(self, request: Request, caller: Callable[[Request, str], Write]) -> Write | None:
        """Return a request's key and caller, or None for a request that has no key and needs none."""
        if not _is_in_header(request) and is_form(request):
            return write_in_form(request, caller, required=self.required)
        return caller(request, key_of(request)) if _is_in_header(request) or self.required else None

    async def _claim(self, request: Request, write: Write, fingerprint: str) -> Response | None:
        """Claim a write for this request and return None, or return the earlier response to it.

        Raises Conflict (409) if another request has claimed it, UnprocessableContent (422) if the key was used for
        another write, and StoreUnavailable (503).
        """
        try:
            claims = await self._claims(request)
            for pause in _PAUSES if write.is_of_form else ():
                try:
                    return await self._claim_in(claims, request, write, fingerprint)
                except Conflict as error:
                    if error.type != IN_USE:
                        raise
                await self._pause(request, pause)
            return await self._claim_in(claims, request, write, fingerprint)
        except Exception as error:
            self._raise_outage(error, is_of_form=write.is_of_form)
            if write.is_of_form and isinstance(error, Conflict) and error.type == IN_USE:
                raise in_use(is_of_form=True) from error
            raise

    async def _pause(self, request: Request, seconds: float) -> None:
        """Wait where the handler would, while the first click on a button is being handled."""
        if self._blocks or not _is_on_loop(request):
            time.sleep(seconds)
        else:
            await asyncio.sleep(seconds)

    def _raise_outage(self, error: Exception, *, is_of_form: bool) -> None:
        """Raise StoreUnavailable (503) if the database does not respond or is locked, and Conflict (409) if it has
        undone this transaction because of another one.
        """
        if self._inside is None:
            return
        if DatabaseConnection.is_conflict(error):
            raise in_use(is_of_form=is_of_form) from error
        if DatabaseConnection.is_outage(error):
            raise unavailable(repr(self._inside), error) from error

    async def _claim_in(self, claims: Claims, request: Request, write: Write, fingerprint: str) -> Response | None:
        data = {"state": RUNNING, "caller": write.caller, "fingerprint": fingerprint, "person": write.person}
        key = write.own if write.person and await claims.load(write.own) else write.key
        for _ in range(_ATTEMPTS):
            entry, known = await claims.add(key, data), None
            if entry is None:
                known = await claims.load(key)
                if known is None:
                    continue
                if key != write.own and is_of_another_user(known, write):
                    key = write.own
                    continue
                known_response = self._respond(known, claims.clock() - known.changed, write, fingerprint, request)
                if known_response is not None:
                    return known_response
                entry = await claims.replace(known, data)
            if entry is not None:
                request[_CLAIM] = claim = Claim(entry, claims, is_of_form=write.is_of_form)
                if isinstance(claims, TableClaims):
                    claim.begun, claim.at_end = self._watch_commit(request)
                    claim.begun.again = claims.again(entry, known)
                return None
        raise in_use()

    def _respond(
        self, known: StoreEntry, age: float, write: Write, fingerprint: str, request: Request
    ) -> Response | None:
        """Return the stored response, or None if the write may be carried out. Raises the same errors as ``_claim``."""
        data = known.data
        check_same(data, known.key, write, fingerprint, request)
        state: ClaimState = data["state"]
        match state:
            case "completed":
                return KeptResponse.of(data)
            case "released":
                return None
            case "unknown":
                if self._takeover is None:
                    raise broken_off("was interrupted, and", is_of_form=write.is_of_form)
            case "running":
                if self._takeover is None or age < self._takeover:
                    why = f"has had no response for {age:.0f} seconds. If it was interrupted"
                    raise in_use() if age < LONGEST_TRY else broken_off(why, is_of_form=write.is_of_form)
            case _:
                assert_never(state)
        return None

    # After the handler

    def _keep(self, request: Request, response: Response) -> Response | None:
        """Record the handler's response before anything specific to this request and visitor is added."""
        kept = self._kept(request, response)
        if self._inside is not None:
            DatabaseConnection.at_once(self._complete(request, kept or response))
        return kept

    async def _akeep(self, request: Request, response: Response) -> Response | None:
        if response.is_streamed:
            kept = await Crossing().run_shielded(partial(self._kept, request, response))
        else:
            kept = self._kept(request, response)
        if self._inside is not None:
            await self._complete(request, kept or response)
        return kept

    def _kept(self, request: Request, response: Response) -> Response | None:
        claim = request[_CLAIM]
        claim.error = response.error
        if KeptResponse.is_retried(response.status) or (claim.is_of_form and response.status >= 400):
            return None  # a person corrects the form, and sends it again
        claim.stored = {"state": UNKNOWN}
        body = response.body
        if not isinstance(body, bytes):
            if IS_REPEATABLE in request:
                claim.stored = None
                return None
            if not is_for_any_thread(body) or getattr(body, "length", inf) > self._max_body:
                raise self._not_kept(request, "a stream")
            response = copy(response)
            response.body = body = b"".join(cast("Iterable[bytes]", body))
        if len(body) > self._max_body:
            raise self._not_kept(request, f"{len(body)} bytes")
        claim.stored = {"state": COMPLETED, **KeptResponse.data(response, _NOT_KEPT)}
        return response

    async def _complete(self, request: Request, response: Response) -> None:
        """Write a claim's outcome in the handler's transaction, unless that will be rolled back, or has ended.

        If code around the request holds the connection, and the handler has ended its transaction, commit another one.
        """
        claim, source = request[_CLAIM], self._source_in(request)
        connection = cast("TableClaims", claim.claims).connection
        if response.error is not None:
            return
        await connection.catch_up()
        is_over = connection.open_driver is None
        if connection.is_failed or (is_over and source):
            return
        try:
            await self._complete_in(request, claim, claim.outcome(response))
            if is_over:
                with suppress(Exception):  # a block around the request commits it
                    await connection.commit()
        except Exception as error:
            if not DatabaseConnection.is_of_failed_transaction(error):
                raise
            return
        claim.begun.again = []
        claim.written = self._watch_commit(request)[0] if source else True

    def _watch_commit(self, request: Request) -> tuple[Any, list[Callable[[], object]]]:
        """Return an object that knows whether the open transaction is committed, and what to call at the end if code
        around the request holds it.
        """
        if found := RequestState(request).transactions(request[self._inside]):
            return found[0].after_commit(None, must_commit=False), []
        return self._connection(request[self._inside]).watched()

    async def _complete_in(self, request: Request, claim: Claim, outcome: dict[str, Any]) -> None:
        claims = cast("TableClaims", claim.claims)
        if claims.is_new:  # the handler may have rolled back its creation
            await claims.create_table()
        if outcome["state"] != COMPLETED:
            await claims.delete(claim.entry)
            return
        data = self._data(request, claim, outcome)
        # Without its row, the handler has rolled back by itself, and begun anew.
        if not (await claims.replace(claim.entry, data) or await claims.add(claim.entry.key, data)):
            raise in_use(is_of_form=claim.is_of_form)

    def _not_kept(self, request: Request, what: str) -> RuntimeError:
        return explained(
            "too-large-to-keep",
            f"{request.route.handled_by} is idempotent, and returned {what}, but only {self._max_body} bytes are"
            " kept for retries: return a redirect or a link to it, use IdempotentWrites(store, max_body=...), or"
            " start a run with a key, runs.start(..., key=request.idempotency_key), and return its stream",
            RuntimeError,
        )

    def _end(self, request: Request) -> Generator[None, Response, Response | None]:
        """End this request's claim, if it has one, at a time when only the transfer to the client can still fail."""
        self._watch(request)
        response = yield
        return self._end_claim(request, response) if _CLAIM in request else None

    async def _end_async(self, request: Request) -> AsyncGenerator[Response | None, Response]:
        self._watch(request)
        response = yield None
        if _CLAIM not in request:
            return
        source = self._source_in(request)
        if self._blocks or (source is not None and source.blocks and not source.hook.is_async):
            instead = await Crossing().run_shielded(partial(self._end_claim, request, response))
        else:
            instead = await self._end_in_own(request, response)
        if instead is not None:
            yield instead

    def _end_claim(self, request: Request, response: Response) -> Response | None:
        return DatabaseConnection.at_once(self._end_in_own(request, response))

    async def _end_in_own(self, request: Request, response: Response) -> Response | None:
        """Write a claim's outcome outside of the handler's transaction.

        After the effect, a failure to write is logged and does not change the response. A response whose transaction
        was rolled back has had no effect, so it is only sent if it can be kept. Return the response that another
        request with the same key has got in the meantime, if any.
        """
        claim = request[_CLAIM]
        while claim.at_end:
            claim.at_end.pop()()
        outcome = claim.outcome(response)
        claim.error = None  # its frames refer to the request, which refers to the claim
        if self._inside is not None:
            is_undone = response.error is not None or getattr(claim.begun, "is_committed", None) is False
            if getattr(claim.written, "is_committed", claim.written) or (is_undone and outcome["state"] != COMPLETED):
                return None
            try:
                return await self._write_anew(request, claim, self._data(request, claim, outcome), is_undone=is_undone)
            except Exception as error:
                self._raise_outage(error, is_of_form=claim.is_of_form)
                raise
        data = self._data(request, claim, outcome)
        view = RequestState(request).framework_request
        if view is not None and response.error is None:
            view.at_end(partial(self._keep_at_end, request, claim, data))
        else:
            self._keep_outcome(request, claim, data)
        return None

    def _keep_outcome(self, request: Request, claim: Claim, data: dict[str, Any]) -> None:
        try:
            DatabaseConnection.at_once(claim.claims.replace(claim.entry, data))  # a store doesn't wait
        except Exception as error:
            RequestState(request).log_failure(
                error, fault="got its response, which can't be kept for retries, so they get a 409"
            )

    def _keep_at_end(self, request: Request, claim: Claim, data: dict[str, Any], error: BaseException | None) -> None:
        """Keep an outcome once another framework has ended a transaction around its view. After an error, only if the
        database says that nothing was committed may the write be carried out again.
        """
        if error is None or DatabaseConnection.is_rolled_back(error):
            self._keep_outcome(request, claim, data if error is None else {**claim.entry.data, "state": "released"})

    async def _write_anew(
        self, request: Request, claim: Claim, data: dict[str, Any], *, is_undone: bool
    ) -> Response | None:
        """Write the outcome of a handler whose transaction was rolled back, as after a 4xx, or that has committed it by
        itself, in another transaction. If its source doesn't commit, as the next one finds out, commit by hand.

        Raises Conflict (409) if another request with this key is being carried out, and RuntimeError if nothing that
        the handler has written is there.
        """
        source, entry, version = self._source_in(request), claim.entry, None
        if source is None:  # middleware holds the transaction
            return None
        for is_again in (False, True):
            async with reopened(source, request, self._inside) as value:
                connection = self._connection(value)
                claims = await self._table.claims_on(connection, cast("TableClaims", claim.claims).table)
                known = await claims.load(entry.key)
                if is_again and version == (known and known.version):
                    return None
                if known is not None and known.version != entry.version:
                    is_same = all(known.data.get(name) == data[name] for name in ("state", "caller", "fingerprint"))
                    return KeptResponse.of(known.data) if is_same else None
                if known is None and not is_undone:
                    self._check_released(request, source, data)
                    return None
                version = await self._write_to(claims, entry.key, known, data)
                if is_again:
                    await connection.commit()
        return None

    async def _write_to(
        self, claims: TableClaims, key: str, known: StoreEntry | None, data: dict[str, Any]
    ) -> int | None:
        """Write an outcome and return the version of its row, or None if there is to be none."""
        if data["state"] != COMPLETED:
            if known is not None:
                await claims.delete(known)
            return None
        written = await (claims.add(key, data) if known is None else claims.replace(known, data))
        return written and written.version

    def _check_released(self, request: Request, source: Any, data: dict[str, Any]) -> None:
        """Raise RuntimeError for a response that says that something is done, of which nothing was committed."""
        if data["state"] == COMPLETED:
            raise explained(
                "no-transaction",
                f"{describe(source.hook.function)} has ended without a commit, so nothing of what"
                f" {request.route.handled_by} has written is there: commit in the source after its yield, or in the"
                " handler",
                RuntimeError,
            )

    def _source_in(self, request: Request) -> Any:
        dependencies: Any = request.route.dependencies
        return None if self._inside is None else dependencies.source_of(self._inside)

    def _data(self, request: Request, claim: Claim, outcome: dict[str, Any]) -> dict[str, Any]:
        return {**claim.entry.data, **outcome, **self._fields(request, claim.entry.key)}

    # The fields that identify the caller

    def _watch_before_routing(self, request: Request) -> Generator[None, Response, None]:
        if _is_in_header(request) or is_form(request):
            self._watch(request)
        yield

    def _watch(self, request: Request) -> None:
        """Record what is read from a request, unless ``by`` identifies the caller or other code has already read it."""
        if self._by is None and not request.caller.is_seen_by_others and _CALLER not in request:
            request[_CALLER] = WatchedHead(request.head)
            request[_CALLER].put_on(request)

    def _fields(self, request: Request, key: str) -> dict[str, Any]:
        """Return the fields that may identify the caller, in the form stored in an entry."""
        if self._by is not None:
            return {}
        names = request[_CALLER].reads if _CALLER in request else {Reads.EVERYTHING}
        return {"caller_fields": fields_of_caller(key, request, names)}


class _InputOfRequest(OfRequest):
    """The template function ``idempotency_input``, for the request for which a template is rendered."""

    def __call__(self, action: str | None = None) -> Markup:
        """Return a form's hidden input with a new key; nothing for an ``action`` whose route isn't ``idempotent``."""
        request = self._request
        if action is not None and not self._is_idempotent(request, action):
            return Markup()
        request.on_response(_kept_private)
        return Markup(f'<input type="hidden" name="{KEY_FIELD}" value="{token_urlsafe(16)}">')

    @staticmethod
    def _is_idempotent(request: Request, action: str) -> bool:
        try:
            url = request.url.join(action)
        except ValueError:
            return False
        if url.origin != request.url.origin or not url.path.startswith(f"{request.root_path}/"):
            return False
        there = Request.blank(url.path[len(request.root_path) :], "POST", {"host": request.host})
        return bool(PlannedRoute.route_of(request.app, there).meta.get(RouteKeys.idempotent))


def _kept_private(request: Request, response: Response) -> Response:  # noqa: ARG001 - hooks get the request
    """Return a response with a key in its page: if a cache had it, several visitors would send this key."""
    keep_private(response := copy(response))
    return response


def _is_in_header(request: Request) -> bool:
    return request.head.field("idempotency-key") is not None


def _is_on_loop(request: Request) -> bool:
    handler = request.route.handler
    return handler is not None and is_async(handler)


_CLAIM = Dependency[Claim]("claim of an idempotent write")
_CALLER = Dependency[WatchedHead]("caller of an idempotent write")
