"""Our tables beside those of DBOS: executors with their leases, and the outbox of jobs that requests commit."""

from typing import Any

TABLES = (
    "create table if not exists {s}antiphon_executors (id text primary key, app text not null, seen {float} not null)",
    "create table if not exists {s}antiphon_outbox (id text primary key, app text not null, job text not null)",
)
NOW = {"sqlite": "unixepoch('subsec')", "postgresql": "extract(epoch from clock_timestamp())::float8"}
BEAT = """insert into {s}antiphon_executors (id, app, seen) values (:id, :app, {now})
on conflict (id) do update set seen = excluded.seen"""
DEAD = "select id from {s}antiphon_executors where app = :app and seen <= {now} - :patience"
KNOWN = "select id from {s}antiphon_executors where app = :app"
BURY = "delete from {s}antiphon_executors where id = :id and seen <= {now} - :patience"
LEAVE = "update {s}antiphon_executors set seen = 0 where id = :id"
TAKE = """delete from {s}antiphon_outbox where id in
(select id from {s}antiphon_outbox where app = :app limit 100{skip}) returning id, job"""
POST = "insert into {s}antiphon_outbox (id, app, job) values (:id, :app, :job) on conflict (id) do nothing"


def dialect_of(url: str) -> str:
    """Return "sqlite" or "postgresql"."""
    return "sqlite" if url.startswith("sqlite") else "postgresql"


def schema_of(url: str) -> str:
    """Return the prefix of the tables, which are where those of DBOS are."""
    return "" if dialect_of(url) == "sqlite" else "dbos."


class Tables:
    """The tables of one application, by an engine of SQLAlchemy of our own."""

    def __init__(self, url: str) -> None:
        self.engine = _engine_of(url)
        self._dialect, self._schema = dialect_of(url), schema_of(url)

    def statement(self, text: str) -> Any:
        """Return a statement for this database."""
        from sqlalchemy import text as statement

        skip = "" if self._dialect == "sqlite" else " for update skip locked"
        return statement(text.format(s=self._schema, now=NOW[self._dialect].replace("::", r"\:\:"), skip=skip))

    def run(self, text: str, **values: Any) -> list[Any]:
        """Run a statement in a transaction of its own and return its rows."""
        with self.engine.begin() as connection:
            found = connection.execute(self.statement(text), values)
            return [*found] if found.returns_rows else []

    def make(self) -> None:
        """Create the tables if they are missing. Several processes may do so at once."""
        kind = "real" if self._dialect == "sqlite" else "float8"
        with self.engine.begin() as connection:
            if self._dialect == "postgresql":
                connection.execute(self.statement("select pg_advisory_xact_lock(6038116)"))
            for table in TABLES:
                connection.execute(self.statement(table.replace("{float}", kind)))


def _engine_of(url: str) -> Any:
    from sqlalchemy import create_engine, event, make_url

    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_size=2, pool_pre_ping=True)
    engine = create_engine(parsed, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def begin_immediately(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"

    return engine
