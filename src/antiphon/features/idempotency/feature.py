"""Writes that are carried out only once, even if a client sends them several times, as a feature of an app.

app.use(IdempotentWrites(SQLiteStore("var/writes.db"))), then @app.post("/payments", idempotent=True)

A claim is an entry in the store, made by one request before its handler runs. The entry's version shows whose claim it
is, so no request changes another's claim.
"""

from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from copy import copy
from functools import partial, update_wrapper
from math import inf
from typing import TYPE_CHECKING, Any, cast

from antiphon.app.added import Added
from antiphon.app.callers import check_by
from antiphon.app.dispatch.hooks import MiddlewareFunction
from antiphon.app.planning.cross_site import SAFE_METHODS
from antiphon.app.route import Route
from antiphon.app.store import OF_ONE_VISITOR, FeatureStore, Store, StoreEntry, StoreUnavailable, give_again, keep
from antiphon.concurrency.crossing import Crossing
from antiphon.explanations import errors_name_it, explained
from antiphon.features.idempotency.claims import (
    COMPLETED,
    PROBLEM_TYPE,
    RUNNING,
    UNKNOWN,
    Claim,
    Write,
    broken_off,
    by_identity,
    by_name,
    different_field,
    fields_of_caller,
    fingerprint_of,
    in_use,
    is_of_another_user,
    is_retried,
    reused_with,
)
from antiphon.handler.callables import is_async_generator, is_generator
from antiphon.handler.contract import describe, is_async, log_failure
from antiphon.http.dates import Duration, seconds_of
from antiphon.http.errors import BadRequest, Conflict, UnprocessableContent
from antiphon.request.caller import is_seen_by_others
from antiphon.request.dependencies import Dependency
from antiphon.request.request import Request
from antiphon.request.watching import EVERYTHING, WatchedHead, put_on_watch
from antiphon.response.files import is_for_any_thread
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.app.application import App


DAY = 24 * 3600.0
"""The number of seconds in a day."""

LONGEST_KEY = 255
"""The maximum length of a client's key in characters."""

LONGEST_TRY = 60.0
"""The number of seconds after which clients are told that a request without a response may have been interrupted."""

_NOT_KEPT = OF_ONE_VISITOR | {"date"}
"""Fields that are specific to the first visitor, the first moment or one connection."""

_ATTEMPTS = 5
"""The number of attempts to get a claim while other requests release it or take it over."""


@errors_name_it
class IdempotentWrites:
    """A feature that carries out each request to an ``idempotent`` route only once and sends its response to all
    retries.

    Clients send a key with each write, as Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), and the same key
    with each retry. A retry receives the first response, or a 409 if there is none yet. A key that was used with a
    different method, path, query or body, or by a different caller, gets a 422. A request without a key is refused with
    400 or, if ``required`` is false, carried out each time. Responses are kept for ``ttl``, in seconds or a timedelta.

    Callers are distinguished by everything that ``request.caller`` knows, by the host, and by all header fields that
    the handler, hooks, middleware or dependencies have read, except fields that don't identify a caller, such as
    Accept. In a view and in a mounted app, all such fields and the cookies are included, because other code may have
    read them. Callers who certainly differ have separate keys. With ``by``, callers are distinguished only by the text
    that this function returns for a request, or None if the caller is unknown, and each has separate keys. It must not
    block.

    After a 5xx, 408, 425 or 429 response, a retry is carried out again. A request that was interrupted because its
    process ended or because it was cancelled may already have had an effect, so its retries are refused with 409. With
    ``takeover``, in seconds or a timedelta, a retry is carried out again after that time, which has to be longer than
    any handler takes. Streams, and responses of more than ``max_body`` bytes, can't be kept and raise a RuntimeError
    that names the handler. If the store is unavailable, the response is a 503, sent before anything is carried out. The
    default ``store`` is that of the app.

    Raises ValueError for numbers that are not above 0, and for a store whose entries are kept by clients.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        by: Callable[[Request], str | None] | None = None,
        required: bool = True,
        ttl: Duration = DAY,
        takeover: Duration | None = None,
        max_body: int = 1 << 20,
    ) -> None:
        self._stores = FeatureStore("IdempotentWrites", store)
        ttl, takeover = seconds_of(ttl), seconds_of(takeover)
        if not (ttl > 0 and max_body > 0 and (takeover is None or takeover > 0)):
            raise explained(
                "bad-feature-option",
                ValueError(f"ttl, takeover and max_body must be above 0, not {ttl!r}, {takeover!r} and {max_body!r}"),
            )
        check_by(by)
        self._by = by
        self.required = required
        self._ttl = ttl
        self._takeover = takeover
        self._max_body = max_body

    def install(self, app: "App") -> None:
        """Make the app use this feature for its idempotent routes. Raises RuntimeError if there is no store."""
        self._stores.taken_from(app)
        app._surround_idempotent(self._surround, self._watch_before_routing)

    def _adds(self, route: Route, method: str) -> Iterable[Added]:  # noqa: ARG002 - wherever it is in use
        if route.idempotent:
            wrong = "missing or malformed" if self.required else "malformed"
            yield Added(400, BadRequest, f"The Idempotency-Key header is {wrong}.")
            wait = ("retry-after",)
            yield Added(409, Conflict, "The first request with this key has no response yet.", headers=wait)
            yield Added(422, UnprocessableContent, "The key was used for another request.")
            yield Added(503, StoreUnavailable)

    def _surround(
        self, route: Route, handler: Callable[[Request], Any]
    ) -> tuple[MiddlewareFunction, Callable[[Request], Any]]:
        """Return the middleware that ends a claim, and the handler that makes one.

        Raises ValueError for a route whose response can't be kept, or whose body can't be compared.
        """
        self._store = self._stores.current  # a view has no application to get a store from
        self._check(route)
        caller = partial(by_name, self._by) if self._by else by_identity

        def once(request: Request) -> Any:
            write = self._write_of(request, caller)
            return handler(request) if write is None else self._carry_out(handler, request, write)

        async def aonce(request: Request) -> Any:
            write = self._write_of(request, caller)
            return await (handler(request) if write is None else self._acarry_out(handler, request, write))

        if is_async(route.handler):
            return self._end_async, update_wrapper(aonce, handler)
        return self._end, update_wrapper(once, handler)

    def _check(self, route: Route) -> None:
        wrong = ""
        if safe := [method for method in route.methods if method in SAFE_METHODS]:
            wrong = f"handles {safe[0]}, which writes nothing: leave out idempotent=True, or make two routes"
        elif route.receive == "stream":
            wrong = "streams its body, which can't be compared with a retry's body: use receive='lazy'"
        elif is_generator(route.handler) or is_async_generator(route.handler):
            wrong = "returns a stream, which can't be kept for a retry: return the whole response"
        elif route.unguarded:
            wrong = "is unguarded, so its callers are unknown: leave out one of the two"
        if wrong:
            raise explained("bad-route-option", ValueError(f"{describe(route.handler)} is idempotent, and {wrong}"))

    # Before the handler

    def _carry_out(self, handler: Callable[[Request], Any], request: Request, write: Write) -> Any:
        known = self._claim(request, write)
        if known is not None:
            return known
        _call_first(request, self._keep)
        return handler(request)

    async def _acarry_out(self, handler: Callable[[Request], Any], request: Request, write: Write) -> Any:
        if request.head.has_body:
            await request.aload()
        if self._store.blocks or not request.content.in_memory:
            known = await Crossing().run_shielded(partial(self._claim, request, write))
        else:
            known = self._claim(request, write)
        if known is not None:
            return known
        _call_first(request, self._akeep)
        return await handler(request)

    def _write_of(self, request: Request, caller: Callable[[Request, str], Write]) -> Write | None:
        """Return a request's key and caller, or None for a request that has no key and needs none."""
        key = request.idempotency_key
        if request.head.field("idempotency-key") is None:
            if self.required:
                raise BadRequest(
                    'This needs the Idempotency-Key header, such as "8e03978e-40d5-43dd-bc93-6894a57f9324".',
                    type=f"{PROBLEM_TYPE}missing",
                )
            return None
        if not key or len(key) > LONGEST_KEY:
            raise BadRequest(
                f'The Idempotency-Key header must be a quoted string of 1 to {LONGEST_KEY} characters: "key".',
                type=f"{PROBLEM_TYPE}malformed",
            )
        return caller(request, key)

    def _claim(self, request: Request, write: Write) -> Response | None:
        """Claim a write for this request and return None, or return the earlier response to it.

        Raises Conflict (409) if another request has claimed it, UnprocessableContent (422) if the key was used for
        another write, and StoreUnavailable (503).
        """
        fingerprint = fingerprint_of(write.key, request)
        data = {"state": RUNNING, "caller": write.caller, "fingerprint": fingerprint, "person": write.person}
        key = write.own if write.person and self._store.load(write.own) else write.key
        for _ in range(_ATTEMPTS):
            entry = self._store.add(key, data, ttl=self._ttl)
            if entry is None:
                known = self._store.load(key)
                if known is None:
                    continue
                if key != write.own and is_of_another_user(known, write):
                    key = write.own
                    continue
                known_response = self._respond(known, write, fingerprint, request)
                if known_response is not None:
                    return known_response
                entry = self._store.replace(key, data, version=known.version, ttl=self._ttl)
            if entry is not None:
                request[_CLAIM] = Claim(entry)
                return None
        raise in_use()

    def _respond(self, known: StoreEntry, write: Write, fingerprint: str, request: Request) -> Response | None:
        """Return the stored response, or None if the write may be carried out. Raises the same errors as ``_claim``."""
        data, age = known.data, self._store.clock() - known.changed
        if data["caller"] != write.caller:
            raise reused_with("other credentials")
        if data["fingerprint"] != fingerprint:
            raise reused_with("another request")
        fields = data.get("caller_fields")
        if fields is not None and (name := different_field(known.key, request, fields)) is not None:
            raise reused_with(f"a different {name.title()}")
        match data["state"]:
            case "completed":
                return give_again(data)
            case "released":
                return None
            case "unknown" if self._takeover is not None:
                return None
            case "running" if self._takeover is not None and age >= self._takeover:
                return None
            case "running" if age < LONGEST_TRY:
                raise in_use()
            case "running":
                raise broken_off(f"has had no response for {age:.0f} seconds. If it was interrupted")
        raise broken_off("was interrupted, and")

    # After the handler

    def _keep(self, request: Request, response: Response) -> Response | None:
        """Record the handler's response before anything specific to this request and visitor is added."""
        claim = request[_CLAIM]
        claim.error = response.error
        if is_retried(response):
            return None
        claim.stored = {"state": UNKNOWN}
        body = response.body
        if not isinstance(body, bytes):
            if not is_for_any_thread(body) or getattr(body, "length", inf) > self._max_body:
                raise self._not_kept(request, "a stream")
            response = copy(response)
            response.body = body = b"".join(cast("Iterable[bytes]", body))
        if len(body) > self._max_body:
            raise self._not_kept(request, f"{len(body)} bytes")
        claim.stored = {"state": COMPLETED, **keep(response, _NOT_KEPT)}
        return response

    async def _akeep(self, request: Request, response: Response) -> Response | None:
        if not response.is_streamed:
            return self._keep(request, response)
        return await Crossing().run_shielded(partial(self._keep, request, response))

    def _not_kept(self, request: Request, what: str) -> RuntimeError:
        return explained(
            "too-large-to-keep",
            RuntimeError(
                f"{request.route.handled_by} is idempotent, and returned {what}, but only {self._max_body} bytes are"
                " kept for retries: return a redirect or a link to it, or use IdempotentWrites(store, max_body=...)"
            ),
        )

    def _end(self, request: Request) -> Generator[None, Response, None]:
        """End this request's claim, if it has one, at a time when only the transfer to the client can still fail."""
        self._watch(request)
        response = yield
        if _CLAIM in request:
            self._end_claim(request, response)

    async def _end_async(self, request: Request) -> AsyncGenerator[None, Response]:
        self._watch(request)
        response = yield
        if _CLAIM not in request:
            return
        if self._store.blocks:
            await Crossing().run_shielded(partial(self._end_claim, request, response))
        else:
            self._end_claim(request, response)

    def _end_claim(self, request: Request, response: Response) -> None:
        """Write a claim's outcome. After the effect, a failure to write is logged and does not change the response."""
        claim = request[_CLAIM]
        entry = claim.entry
        try:
            data = {**entry.data, **claim.outcome(response), **self._fields(request, entry.key)}
            self._store.replace(entry.key, data, version=entry.version, ttl=self._ttl)
        except Exception as error:
            log_failure(request, error, fault="got its response, which can't be kept for retries, so they get a 409")

    # The fields that identify the caller

    def _watch_before_routing(self, request: Request) -> Generator[None, Response, None]:
        if request.head.field("idempotency-key") is not None:
            self._watch(request)
        yield

    def _watch(self, request: Request) -> None:
        """Record what is read from a request, unless ``by`` identifies the caller or other code has already read it."""
        if self._by is None and not is_seen_by_others(request) and _CALLER not in request:
            request[_CALLER] = WatchedHead(request.head)
            put_on_watch(request, request[_CALLER])

    def _fields(self, request: Request, key: str) -> dict[str, Any]:
        """Return the fields that may identify the caller, in the form stored in an entry."""
        if self._by is not None:
            return {}
        names = request[_CALLER].reads if _CALLER in request else {EVERYTHING}
        return {"caller_fields": fields_of_caller(key, request, names)}


_CLAIM = Dependency[Claim]("claim of an idempotent write")
_CALLER = Dependency[WatchedHead]("caller of an idempotent write")


def _call_first(request: Request, keep: Callable[[Request, Response], Any]) -> None:
    """Run a hook on the handler's response before other hooks, such as rate limits, add request-specific data to it."""
    request._after_hooks = (keep, *request._after_hooks)
