"""Requests as they are stored, the responses that their handlers give later, and our tables beside those of DBOS."""

from collections.abc import Callable
from functools import partial
from typing import Any

from antiphon import Request, Response
from antiphon.embedding import KeptResponse, RequestHead, is_async
from antiphon.features import RequestSignature
from antiphon.features.durable.flow import called
from antiphon.http import Address, Headers

TABLES = (
    "create table if not exists {s}antiphon_executors (id text primary key, app text not null, seen {float} not null)",
    "create table if not exists {s}antiphon_outbox (id text primary key, app text not null, job text not null)",
)
"""The executors with their leases, and the outbox of jobs that requests commit."""
NOW = {"sqlite": "unixepoch('subsec')", "postgresql": "extract(epoch from clock_timestamp())::float8"}
BEAT = """insert into {s}antiphon_executors (id, app, seen) values (:id, :app, {now})
on conflict (id) do update set seen = excluded.seen"""
WAITING = """select 1 from {s}antiphon_outbox where app = :app union all
select 1 from {s}workflow_status where status = 'ENQUEUED' and coalesce(application_name, :app) = :app limit 1"""
AGAIN = """update {s}workflow_status set status = 'ENQUEUED', queue_name = :queue, recovery_attempts = 0,
owner_xid = null, started_at_epoch_ms = null, completed_at = null
where workflow_uuid = :id and coalesce(completed_at, 0) = :ended
and status not in ('ENQUEUED', 'DELAYED', 'PENDING') returning workflow_uuid"""
"""The statement that queues what has ended, if it has not been queued since then."""
CANCEL = "update {s}workflow_status set status = 'CANCELLED' where workflow_uuid = :id and status = 'ERROR'"
KNOWN = "select id, seen from {s}antiphon_executors where app = :app"
BURY = "delete from {s}antiphon_executors where id = :id and seen = :seen"
LEAVE = "update {s}antiphon_executors set seen = 0 where id = :id"
TAKE = """delete from {s}antiphon_outbox where id in
(select id from {s}antiphon_outbox where app = :app limit 100{skip}) returning id, job"""
POST = "insert into {s}antiphon_outbox (id, app, job) values (:id, :app, :job) on conflict (id) do nothing"

_HEAD = ("method", "path", "query_string", "headers", "scheme", "authority", "root_path", "raw_path")
_NOT_KEPT = KeptResponse.OF_ONE_VISITOR | {"date"}


async def response_to(request: Request, carry_out: Callable[[Request], Any], work: Callable[[], Any]) -> Response:
    """Call the handler as a piece of work, where it belongs, and return the response."""
    request.head.blocks = not is_async(carry_out)  # type: ignore[misc]  # of a head of our own
    return await called(partial(carry_out, request), work)  # type: ignore[no-any-return]  # as responses are


def kept_of(response: Response) -> dict[str, Any]:
    """Return a response as it is kept."""
    return KeptResponse.data(response, _NOT_KEPT)


class _Head(RequestHead):
    """A stored head, which says where its request is handled."""

    blocks: bool


def stored_of(request: Request) -> dict[str, Any]:
    """Return a request as plain values, which the serializer encrypts."""
    head = request.head
    coded = ("content-encoding", "content-length", "transfer-encoding") if request.content.is_decoded else ()
    signer = request.signature if Request.signature in request else None
    return {
        "method": head.method,
        "path": head.path,
        "query_string": head.query_string,
        "headers": [each for each in head.fields() if each[0].lower() not in coded],
        "scheme": head.scheme,
        "authority": head.authority,
        "root_path": head.root_path,
        "raw_path": head.raw_path,
        "client": None if head.client is None else tuple(head.client),
        "body": request.body,
        "signature": None if signer is None else {**signer._asdict(), "headers": signer.headers.items()},
    }


def request_of(stored: dict[str, Any]) -> Request:
    """Return a stored request."""
    head = {name: stored[name] for name in _HEAD}  # a newer version may have stored more
    client, signer = stored["client"], stored.get("signature")
    request = Request(_Head(**head, client=None if client is None else Address(*client)), stored["body"])
    if signer is not None:
        known = {name: value for name, value in signer.items() if name in RequestSignature._fields}
        request.signature = RequestSignature(**{**known, "headers": Headers()}).covering(signer["headers"])
    return request


def dialect_of(url: str) -> str:
    """Return "sqlite" or "postgresql"."""
    return "sqlite" if url.startswith("sqlite") else "postgresql"


def schema_of(url: str) -> str:
    """Return the prefix of the tables, which are where those of DBOS are."""
    return "" if dialect_of(url) == "sqlite" else "dbos."


class Tables:
    """The tables of one application, by an engine of SQLAlchemy of our own."""

    def __init__(self, url: str, pool: int = 12) -> None:
        self.engine = _engine_of(url, pool)
        self._dialect, self._schema = dialect_of(url), schema_of(url)

    def statement(self, text: str) -> Any:
        """Return a statement for this database."""
        from sqlalchemy import text as statement

        skip = "" if self._dialect == "sqlite" else " for update skip locked"
        return statement(text.format(s=self._schema, now=NOW[self._dialect].replace("::", r"\:\:"), skip=skip))

    def run(self, *texts: str, **values: Any) -> list[list[Any]]:
        """Run statements in a transaction of their own and return the rows of each."""
        with self.engine.begin() as connection:
            found = [connection.execute(self.statement(text), values) for text in texts]
            return [[*each] if each.returns_rows else [] for each in found]

    def make(self) -> None:
        """Create the tables if they are missing. Several processes may do so at once."""
        kind = "real" if self._dialect == "sqlite" else "float8"
        with self.engine.begin() as connection:
            if self._dialect == "postgresql":
                connection.execute(self.statement("select pg_advisory_xact_lock(6038116)"))
            for table in TABLES:
                connection.execute(self.statement(table.replace("{float}", kind)))


def _engine_of(url: str, pool: int) -> Any:
    from sqlalchemy import create_engine, event, make_url

    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        named = {"fallback_application_name": "antiphon durable"}
        engine = create_engine(
            parsed, pool_size=2, max_overflow=pool - 2, pool_pre_ping=True, isolation_level="READ COMMITTED",
            connect_args=named,
        )  # fmt: skip

        @event.listens_for(engine, "begin")
        def call_no_code_of_others(connection: Any) -> None:
            connection.exec_driver_sql("set local search_path = pg_catalog, pg_temp")

        return engine
    engine = create_engine(parsed, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def begin_immediately(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"

    return engine
