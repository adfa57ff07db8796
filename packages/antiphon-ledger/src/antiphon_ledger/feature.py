"""The feature: functions around handlers of routes with a ledger, and its own routes for previews and agreements."""

import asyncio
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, update_wrapper
from hashlib import sha256
from html import escape
from secrets import token_urlsafe
from threading import BoundedSemaphore
from typing import Any, TypeVar
from urllib.parse import unquote

from antiphon import App, Dependency, Request, Response, embedding, http
from antiphon.features import OpenAPI, login_required
from antiphon.types import Duration, Route
from antiphon_ledger.changes import Change
from antiphon_ledger.records import BadTable, Records
from antiphon_ledger.writes import LEDGER, PREVIEW, AgreementRequired, Ledgered, PreviewEnded, Write

T = TypeVar("T")
MaySee = Callable[[Request, str, Mapping[str, str | None]], bool]

_secret = re.compile(
    r"pass(word|wd|phrase)|secret|token|hash|salt|otp|\bpin\b|_pin|credential|private|api_?key|signature|session|cookie"
    r"|cvv|cvc", re.IGNORECASE,
).search  # fmt: skip
"""Names of columns that are never shown."""

_FIELDS = ("accept", "content-type", "content-language", "if-match", "if-none-match", "if-modified-since",
           "if-unmodified-since")  # fmt: skip
"""The header fields that a previewed request may have of its own: all others are those of the caller's request."""
_NEVER_STORED = {"cache-control": "no-store", "content-security-policy": "default-src 'none'; frame-ancestors 'none'"}


@dataclass
class Asked:
    """The request that is to be previewed."""

    method: str
    target: str
    fields: dict[str, str] = field(default_factory=dict)
    body: Any = None


class Ledger:
    """A feature that shows what a write would change before it happens, and binds an agreement to exactly that.

    ``inside`` is the dependency that gives the handlers' connection to PostgreSQL: of psycopg, or a session or
    connection of SQLAlchemy, sync or async. ``url`` is that of the ledger's own connections, by the role that owns its
    schema, which is not the application's. ``tables`` are the tables that are noted, with their schema, and the columns
    that may be shown: ``{"public.orders": ["title", "amount"]}``. ``keep`` is how long notes are kept, in seconds or as
    a timedelta: ``antiphon changes prune`` deletes older ones. ``person`` returns the text that identifies the user of
    a request, or None if there is none.

    ``may_see`` gets a request, a table, and a row's key and changed columns as text, and returns True if the caller may
    read the row: it is required for tables with row-level security. ``guards`` are hooks that refuse strangers, besides
    ``login_required`` and ``scopes_required``. ``agent`` returns the name of a program that acts for a person.
    ``may_agree`` returns True for a request by which a person may agree; the default is a login by a session.
    ``besides`` are tables whose writes are left out, such as "public.antiphon_writes" of IdempotentWrites, and
    ``volatile`` columns that differ each time. At most ``most`` rows can be shown, and a process handles ``previews``
    at once.

    Raises ValueError for columns with names of secrets, and for numbers that aren't above 0.
    """

    def __init__(
        self, inside: Dependency[Any], url: str, *, tables: Mapping[str, Sequence[str]], keep: Duration,
        person: Callable[[Request], str | None], may_see: MaySee | None = None,
        guards: Collection[Callable[..., Any]] = (), agent: Callable[[Request], str | None] | None = None,
        may_agree: Callable[[Request], bool] | None = None, besides: Iterable[str] = (),
        volatile: Mapping[str, Collection[str]] | None = None, most: int = 1000, previews: int = 4,
    ) -> None:  # fmt: skip
        embedding.DatabaseConnection.check_source(inside, "Ledger")
        kept = embedding.seconds_of(keep)
        if not (kept > 0 and most > 0 and previews > 0):
            raise ValueError("keep, most and previews must be above 0")
        secret = [f"{table}.{name}" for table, columns in tables.items() for name in columns if _secret(name)]
        if secret:
            raise ValueError(f"{', '.join(secret)} must not be shown: leave out columns with names of secrets")
        self.inside, self.records, self.keep = inside, Records(url, previews), kept
        self.tables: dict[str, frozenset[str]] = {}
        self.declared = {table: [*columns] for table, columns in tables.items()}
        self.besides, self.volatile, self.most = (*besides,), dict(volatile or {}), most
        self._person, self._may_see, self._agent = person, may_see, agent
        self._may_agree = may_agree or _is_login
        self._guards, self._turns, self._is_checked = (login_required, *guards), BoundedSemaphore(previews), False

    @property
    def __reads__(self) -> tuple[object, ...]:
        return (self.inside, *[each for each in (self._person, self._may_see, self._agent) if each is not None])

    def install(self, app: App) -> None:
        """Make the app use this feature for its routes with ``LEDGER``."""
        self.signer = app.signer("antiphon-ledger")
        app.handle_key(LEDGER, embedding.KeyHandling(inner=self._surround))
        app.on_startup(partial(self._check, app))
        hidden = {OpenAPI.HIDDEN: True}
        app.post("/.preview", name="antiphon_ledger.preview", meta=hidden)(self._preview)
        agreement = app.route("/.agreements/<ident>", ["GET", "POST"], name="antiphon_ledger.agreement", meta=hidden)
        agreement(self._agreement)

    def __adds__(self, route: Route, method: str) -> Iterable[embedding.Added]:
        ledgered = route.meta.get(LEDGER)
        if ledgered is not None and ledgered.preview:
            yield embedding.Added(
                412, http.PreconditionFailed, "This would now change something else. Preview it again."
            )
            yield embedding.Added(parameter=("If-Changes", {"type": "string"}), is_optional=not ledgered.agree)
        if ledgered is not None and ledgered.agree:
            yield embedding.Added(
                428, AgreementRequired, "Preview this request, and let a person agree to what it would change."
            )

    # At start

    def _check(self, app: App) -> None:
        """Raise RuntimeError for a route that can't have a ledger, and BadTable for a table that isn't noted."""
        for each in embedding.PlannedRoute.of(app):
            if (ledgered := each.route.meta.get(LEDGER)) is not None:
                self._check_route(each, ledgered)
        for known, columns in zip(self.records.described(self.declared), self.declared.values(), strict=True):
            if known["relrowsecurity"] and self._may_see is None:
                raise BadTable(f"{known['name']} has row-level security, so Ledger needs may_see=...")
            self.tables[known["name"]] = frozenset(columns)
        self._is_checked = True

    def _check_route(self, planned: embedding.PlannedRoute, ledgered: Ledgered) -> None:
        route, meta, keys = planned.route, planned.route.meta, embedding.RouteKeys
        is_guarded = any(each in self._guards or hasattr(each, "__scopes__") for each in planned.before)
        faults = {
            "has no guard: before=login_required, or one of Ledger(guards=...)": not is_guarded,
            "can't be durable, resumable or live": any(map(meta.get, (keys.durable, keys.resumable, keys.live))),
            "must get its whole body: leave out receive=": route.receive != "load",
            "its budget must be above 0": ledgered.budget is not None and ledgered.budget < 1,
            "must not be unguarded": not planned.features,
            "must only have methods that write": bool({"GET", "HEAD", "OPTIONS", "QUERY"} & {*route.methods}),
            "has agree=True, so it must be idempotent, and have preview=True": ledgered.agree
            and not (meta.get(keys.idempotent) and ledgered.preview),
        }
        for fault, is_there in faults.items():
            if is_there:
                raise RuntimeError(f"{route.where} has a ledger, and {fault}")

    # About a request

    def person_of(self, request: Request) -> str:
        """Return the user of a request. Raises Unauthorized (401) if there is none."""
        if not self._is_checked:
            raise RuntimeError("Ledger has not checked its tables: serve the app by a server that calls on_startup")
        person = self._person(request)
        if not isinstance(person, str) or not person or "\0" in person:
            raise http.Unauthorized("Log in first.")
        return person

    def agent_of(self, request: Request) -> str:
        """Return the name of the program that acts for a person; empty if there is none."""
        return ((None if self._agent is None else self._agent(request)) or "").replace("\0", "")

    def credential_of(self, request: Request) -> str:
        """Return the kinds of a request's credentials, and a keyed hash of them."""
        known = request.caller.identities
        shown = sha256((request.headers.get("authorization") or "").encode()).hexdigest()
        kinds = "+".join(dict.fromkeys(each.kind for each in known)) or "none"
        return f"{kinds} {self.signer.signature(json.dumps([*sorted(map(str, known)), shown]))[:32]}"

    def sees_rows(self, request: Request, rows: Sequence[Change]) -> bool:
        """True if the caller may read all rows, as they were and as they will be."""
        may_see = self._may_see or (lambda *_: True)
        images = ((each, values) for each in rows for values in (each.old, each.new) if values)
        return all(may_see(request, each.table, {**each.key, **values}) for each, values in images)

    async def own(self, function: Callable[..., T], *args: Any) -> T:
        """Call a function of the ledger's own connections: on a thread, if this is an event loop."""
        return await asyncio.to_thread(function, *args) if embedding.is_on_loop() else function(*args)

    # Around handlers

    def _surround(self, route: Route, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        waits = embedding.is_async(route.handler)

        async def carry_out(request: Request) -> Response:
            if waits:
                await request.aload()
            write = Write(self, request, is_async=waits)
            async with write.refusing():
                await write.open()
                with write.handling():
                    made = embedding.to_response(
                        await handler(request) if waits else handler(request), handler, request
                    )
                    if not waits and not isinstance(made, Response):
                        raise RuntimeError(f"{route.handled_by} has a ledger, and must return a response at once")
                    response = made if isinstance(made, Response) else await made
                await write.close(response)
            return response

        at_once = embedding.DatabaseConnection.at_once
        return update_wrapper(carry_out if waits else lambda request: at_once(carry_out(request)), handler)

    # Previews

    async def _preview(self, request: Request) -> Response:
        """Respond with what another request would change, as far as its caller may see that."""
        shown: dict[str, Any] = {}
        made = _made(request, request.json_as(Asked), shown)
        if not self._turns.acquire(blocking=False):
            raise http.TooManyRequests("Too many previews at once.", retry_after=1)
        try:
            response = await made.respond()
        finally:
            self._turns.release()
        if not isinstance(response.error, PreviewEnded) or not shown:
            return response
        return Response.json(shown, headers=_NEVER_STORED)

    # Agreements

    async def _agreement(self, request: Request, ident: str) -> Response:
        """Show a person what a request would change, with a button, by which it may be carried out once."""
        person, agrees = self.person_of(request), request.method == "POST"
        if embedding.RequestState(request).around is not None or not self._may_agree(request):
            raise http.Forbidden("Only a person who is logged in can agree.")
        question = await self.own(partial(self.records.asked, agrees=agrees), person, ident)
        if question is None:
            raise http.NotFound
        if agrees:
            return Response("Agreed.", headers=_NEVER_STORED)
        page = (
            f"<!doctype html><title>Agree?</title><pre>{escape(question)}</pre>"
            f"<form method=post action={ident}><button>Agree</button></form>"
        )
        policy = {"content-security-policy": f"{_NEVER_STORED['content-security-policy']}; form-action 'self'"}
        return Response.html(page, headers={**_NEVER_STORED, **policy})


def _is_login(request: Request) -> bool:
    return any(each.kind == "login" and each.is_proven for each in request.caller.identities)


def _made(request: Request, asked: Asked, shown: dict[str, Any]) -> embedding.MadeRequest:
    """Return the request to preview. It enters where the client's request did, at the outermost application. Raises
    NotFound (404) for one whose route has no preview, before anything of that route is called.
    """
    path, _, query = asked.target.partition("?")
    if not path.startswith("/") or not asked.target.isascii() or not asked.target.isprintable() or "#" in asked.target:
        raise http.UnprocessableContent("target must be a path, percent-encoded, with or without a query.")
    fields = {name.lower(): value for name, value in asked.fields.items()}
    if any(name not in _FIELDS or not value.isprintable() or not value.isascii() for name, value in fields.items()):
        raise http.UnprocessableContent(f"fields must be some of {', '.join(_FIELDS)}.")
    given = asked.body
    body = b"" if given is None else given.encode() if isinstance(given, str) else embedding.encode_json(given)
    if body:
        fields.setdefault("content-type", "application/json")
        fields["content-length"] = str(len(body))
    fields["idempotency-key"] = str(http.Item(token_urlsafe()))  # of nobody else: a preview uses no key up
    outer = embedding.arrivals(request)[-1].head
    head = embedding.MadeRequest.Head(
        outer, asked.method.upper(), unquote(path), path.encode(), query.encode(), fields.items(),
        lambda name: name in embedding.MadeRequest.Head.OF_THE_MESSAGE or name == "if-changes",
    )  # fmt: skip
    made = embedding.MadeRequest(request, head, body)
    route = made.route
    ledgered = None if route is None else route.meta.get(LEDGER)
    if ledgered is None or not ledgered.preview:
        raise http.NotFound("There is nothing to preview here.")
    made.request[PREVIEW] = shown
    return made
