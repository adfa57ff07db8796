"""A write in its request's own transaction: it begins to be noted, is checked, and may then be committed.

| the write | its transaction may be committed |
|---|---|
| a preview | never |
| one with If-Changes, a budget, or an agreement that it needs | once the ledger has checked it, and as it was checked |
| another | as ever; what was not noted is logged |
"""

import json
import logging
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from decimal import Context, Decimal
from hashlib import sha256
from operator import itemgetter
from secrets import token_bytes
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from antiphon import Dependency, HTTPError, Request, Response, RouteKey, abort
from antiphon.embedding import DatabaseConnection, RequestState, arrivals
from antiphon.features import ToolCall
from antiphon.http import Conflict, Forbidden, PreconditionFailed
from antiphon_ledger.changes import Change, Changes, question_of, shown
from antiphon_ledger.records import array_of

if TYPE_CHECKING:
    from antiphon_ledger.feature import Ledger

_logger = logging.getLogger("antiphon_ledger")
_LIMITS = """select set_config('statement_timeout', '2s', true), set_config('lock_timeout', '200ms', true),
set_config('idle_in_transaction_session_timeout', '1s', true)"""
_OPEN = """select cast(antiphon_ledger.open(:armed, :caller, :credential, :agent, :route, :token, :most,
cast(:besides as pg_catalog.text[]), :preview) as pg_catalog.text)"""
_SEEN = "select antiphon_ledger.seen(cast(:made as pg_catalog.uuid), :token)"
_PASSED = """select antiphon_ledger.passed(cast(:made as pg_catalog.uuid), :token, :rows,
cast(:digest as pg_catalog.text), :accepted)"""
_DEFERRED = """select string_agg(pg_catalog.quote_ident(nspname) || '.' || pg_catalog.quote_ident(conname), ', ')
from pg_catalog.pg_constraint join pg_catalog.pg_namespace as s on s.oid operator(pg_catalog.=) connamespace
where condeferrable and nspname operator(pg_catalog.<>) 'antiphon_ledger'"""


_BUSY = {"55P03", "57014", "25P03", "40001", "40P01", "LD004"}
_REFUSED = {
    "LD003": "This wrote something before its handler was called.",
    "LD005": "This writes more than can be shown.",
    "LD010": "This wrote something after it was checked.",
    "LD012": "This can't be committed by its handler.",
    "LD013": "The handler has ended its transaction.",
    "25006": "The handler has ended its transaction.",
}


class Ledgered(NamedTuple):
    """What the ledger does for a route: ``meta={LEDGER: Ledgered(preview=True)}``.

    With ``preview``, callers may ask what a request would change: its author says by this that it has effects only
    by the database and by functions that a rollback undoes. ``budget`` is the number of rows that a request may change.
    With ``agree``, a person must agree to exactly the changes of each request; the route must be idempotent, too. With
    ``agree="page"``, the person does so on the ledger's page, and no client of a tool is asked.
    """

    preview: bool = False
    budget: int | None = None
    agree: bool | Literal["page"] = False


LEDGER = RouteKey[Ledgered]("ledger", needs="Ledger(DATABASE, url, tables=..., keep=..., person=...)")
"""The key of routes whose writes are noted: ``@app.post("/orders", meta={LEDGER: Ledgered(preview=True)})``."""


PREVIEW = Dependency[dict[str, Any]]("preview")
"""What a preview shows, once the handler has ended."""


class PreviewEnded(Conflict):
    """The end of each preview, whose transaction is rolled back."""


class AgreementRequired(HTTPError):
    """428: a person must agree to what a write would change (RFC 6585 §3)."""

    status = 428


_OUTSIDE = re.compile(
    r"socket\.(connect|send\w+)|http\.client\.send|subprocess\.Popen|_thread\.start_\w+|open"
    r"|os\.(system|exec|posix_spawn|fork\w*|remove|rename|mkdir|rmdir)"
).fullmatch
"""Names of audit events of Python by which a handler has an effect outside of the database."""
_REFUSE: ContextVar[Callable[[str], Exception] | None] = ContextVar("refuse", default=None)
"""A function that returns the error for an effect of the handler of a preview."""


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if (refuse := _REFUSE.get()) is None or _OUTSIDE(event) is None:
        return
    if event == "open" and (isinstance(args[0], int) or not args[2] & (os.O_WRONLY | os.O_RDWR)):
        return  # a file that is open already, or is read
    if "__pycache__" not in str(args[:1]):  # which a module that is imported may write
        raise refuse(event)


sys.addaudithook(_watch)


def preview_of(request: Request) -> dict[str, Any] | None:
    """Return what the preview shows that a request is part of, or None."""
    return next((each[PREVIEW] for each in arrivals(request) if PREVIEW in each), None)


def is_guarded(request: Request) -> bool:
    """Return True if only the ledger may let the transaction of a request be committed.

    Open its connection with ``default_transaction_read_only=on`` then, and begin with ``set transaction read write``.
    """
    ledgered = request.route.meta.get(LEDGER)
    if ledgered is None:
        return False
    is_bound = ledgered.budget is not None or bool(ledgered.agree) or "if-changes" in request.headers
    return is_bound or preview_of(request) is not None


class Write:
    """One request to a route with the ledger, while its handler's transaction is open."""

    def __init__(self, ledger: "Ledger", request: Request, *, is_async: bool) -> None:
        self._ledger, self._request, self._is_async = ledger, request, is_async
        self._ledgered: Ledgered = request.route.meta[LEDGER]
        self._preview = preview_of(request)
        self._is_guarded = is_guarded(request)
        self._token = token_bytes(32)
        self._wanted = request.headers.get("if-changes")
        self._caller = ledger.person_of(request)
        self._refused: Conflict | None = None
        self._page, self._rows = "", 0
        self._route = f"{request.method} {request.route.pattern}"
        if self._preview is not None and not self._ledgered.preview:
            raise Conflict("This request can't be previewed.")
        if self._wanted is not None and not self._ledgered.preview:
            abort(400, "This request can't be previewed, so it takes no If-Changes.")

    async def open(self) -> None:
        """Begin to note what the transaction writes."""
        request, ledger = self._request, self._ledger
        self._given = request[ledger.inside]
        connection = DatabaseConnection.of(self._given)
        if connection is None or connection.dialect != "postgresql":
            raise RuntimeError(f"{ledger.inside!r} must give a connection to PostgreSQL for Ledger")
        self._connection = connection
        if connection.is_async and not self._is_async:
            raise RuntimeError(f"{request.route.handled_by} is a def handler, but {ledger.inside!r} gives an async one")
        if self._is_guarded and not connection.is_default:
            raise RuntimeError(f"models don't write by {ledger.inside!r}: give it the place of the default connection")
        if connection.commits_each:
            raise RuntimeError(f"the connection of {ledger.inside!r} commits each statement: begin a transaction in it")
        if self._preview is not None:
            await connection.run(_LIMITS)
        most = min(self._ledgered.budget or ledger.most, ledger.most) if self._is_guarded else None
        found = await connection.run(
            _OPEN, armed=self._is_guarded, caller=self._caller, credential=ledger.credential_of(request),
            agent=ledger.agent_of(request), route=self._route, token=self._token, most=most,
            besides=array_of(ledger.besides), preview=self._preview is not None,
        )  # fmt: skip
        self._made = str(found.row[0]) if found.row else ""

    @contextmanager
    def handling(self) -> Iterator[None]:
        """Refuse effects of the handler in a guarded write, and in a preview also those of Python's modules."""
        if not self._is_guarded:
            yield
            return
        around = _REFUSE.set(None if self._preview is None else self._refuse)
        try:
            with RequestState(self._request).refusing_effects(self._refuse):
                yield
        finally:
            _REFUSE.reset(around)

    def _refuse(self, effect: str) -> Conflict:
        around = _REFUSE.set(None)  # a log may have effects, too
        _logger.error("%s has an effect that can't be taken back: %s", self._route, effect)
        _REFUSE.reset(around)
        self._refused = Conflict(f"This may be rolled back, but it has an effect that can't be taken back: {effect}.")
        return self._refused

    @asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        """Turn errors of the database that end a guarded write into responses, and note who gets these."""
        try:
            yield
        except Exception as error:
            if self._is_guarded:
                await self._note()
            state, seen = None, error if self._is_guarded else None
            while seen is not None and state is None:
                state = getattr(seen, "sqlstate", None) or getattr(getattr(seen, "orig", None), "sqlstate", None)
                seen = seen.__cause__ or seen.__context__  # type: ignore[assignment]
            budget = "" if self._ledgered.budget is None or not self._ledgered.preview else f": {self._ledgered.budget}"
            if state in _BUSY:
                message = "The rows are in use, or this takes too long to be shown."
                raise Conflict(message, headers={"retry-after": "1"}) from error
            if state == "LD011":
                raise Forbidden(f"This would change more rows than it may{budget}.") from error
            if state in _REFUSED:
                raise Conflict(_REFUSED[state]) from error
            raise

    async def _note(self) -> None:
        request, ledger = self._request, self._ledger
        known = self._caller, ledger.credential_of(request), ledger.agent_of(request), self._route, self._rows
        await ledger.own(ledger.records.note, "refused" if self._preview is None else "preview", *known)

    async def close(self, response: Response) -> None:
        """Check what the transaction has written. Raises the errors that roll it back."""
        changes = await self._seen()
        if changes.unseen:
            _logger.error("%s wrote what the ledger doesn't note: %s", self._route, ", ".join(changes.unseen))
        if not self._is_guarded:
            return
        if self._refused is not None:  # the handler has caught the error
            raise self._refused
        if changes.unseen:
            raise Conflict("This writes more than can be shown.")
        if response.is_streamed:
            raise Conflict("A response that is streamed may write later.")
        self._rows = len(changes.rows)
        masked = changes.masked(self._ledger.volatile)
        digest = self._digest(masked, response)
        if self._preview is not None:
            rows = [each for each in self._shown(changes, masked) if response.status < 400]
            self._preview |= {"status": response.status, "changes": rows, "if-changes": f'"{digest}"'}
            if self._ledgered.agree and response.status < 400:
                self._preview["agreement"] = (await self._asked(rows, digest))[1]
            raise PreviewEnded("Nothing was changed.")
        if self._wanted is not None and self._wanted != f'"{digest}"':
            raise PreconditionFailed("This would now change something else. Preview it again.")
        if response.status >= 400 and self._ledgered.agree:
            raise Conflict("This request has failed, so nobody can agree to it.")
        is_accepted = self._ledgered.agree and await self._ask(changes, masked, digest)
        agreed = digest if self._ledgered.agree else None
        found = await self._connection.run(
            _PASSED, made=self._made, token=self._token, rows=len(changes.rows), digest=agreed, accepted=is_accepted
        )
        if not (found.row and found.row[0]):
            raise AgreementRequired(f"Nobody has agreed to this, or the agreement is over or was used.{self._page}")

    async def _seen(self) -> Changes:
        flush = getattr(self._given, "flush", None)  # a unit of work writes late
        if flush is not None and (flushed := flush()) is not None:
            await flushed
        if self._is_guarded:
            found = await self._connection.run(_DEFERRED)
            if found.row and found.row[0]:
                await self._connection.run(f"set constraints {found.row[0]} immediate")
        found = await self._connection.run(_SEEN, made=self._made, token=self._token)
        return Changes(json.loads(found.row[0] if found.row else "null"))

    def _digest(self, masked: list[Change], response: Response) -> str:
        """Return what binds a write to its caller, credential, arguments, status and changes."""
        request, ledger = self._request, self._ledger
        bound = [
            self._caller, ledger.credential_of(request), self._route, request.host, request.root_path + request.path,
            request.query_string.decode("latin-1"), *_arguments_of(request), response.status, masked,
        ]  # fmt: skip
        return ledger.signer.signature(json.dumps(bound))

    def _shown(self, changes: Changes, masked: list[Change]) -> list[dict[str, Any]]:
        if not self._ledger.sees_rows(self._request, changes.rows):
            raise Forbidden("This would change rows that you may not see.")
        return shown(masked, self._ledger.tables)

    async def _asked(self, rows: list[dict[str, Any]], digest: str) -> tuple[str, str]:
        """Store what a person may agree to. Return the question, and the address of its page."""
        ledger, question = self._ledger, question_of(rows, self._route, digest)
        ident = await ledger.own(ledger.records.ask, self._caller, digest, self._route, question)
        return f"{question} [{ident}]", self._request.url_for("antiphon_ledger.agreement", ident=ident)

    async def _ask(self, changes: Changes, masked: list[Change], digest: str) -> bool:
        """Return True if a person agrees in the client of a tool's call, and False for another client, which says with
        If-Changes to what a person has agreed.
        """
        if RequestState(self._request).around is None:
            if self._wanted is None:
                raise AgreementRequired("Preview this request, and let a person agree to what it would change.")
            return False
        question, page = await self._asked(self._shown(changes, masked), digest)
        if self._ledgered.agree == "page":
            self._page = f" Let a person open {page}, and send this again."
            return False
        if not ToolCall.of(self._request).confirm(question):
            raise Forbidden("The person has not agreed.")
        return True


def _arguments_of(request: Request) -> tuple[object, ...]:
    """Return the type and the values of a body: of JSON and forms not as they are written, of others the bytes."""
    kind = request.mimetype
    if kind == "application/json":
        with suppress(ValueError, ArithmeticError, RecursionError):
            return kind, repr(json.loads(request.body, object_pairs_hook=_object, parse_float=_number))
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        files = [(name, file.filename, str(file.content_type), file.digest()) for name, file in request.files.items()]
        return kind, [*request.form.items()], files
    return request.headers.get("content-type"), sha256(request.body).hexdigest()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(made := dict(sorted(pairs, key=itemgetter(0)))) < len(pairs):
        raise ValueError("a name is there twice, of which parsers choose different ones")
    return made


def _number(text: str) -> Decimal:
    return Decimal(text).normalize(Context(len(text)))  # all its digits: a handler may read more than a float has
