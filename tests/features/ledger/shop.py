"""An app with a ledger, on a database of the test's own, by a role that can't write the journal."""

from contextlib import closing

import psycopg

from antiphon import App, Dependency
from antiphon.features import Bearer, IdempotentWrites, MemoryStore, OpenAPI, Tools, Users, login_required
from antiphon_ledger import LEDGER, Ledger, Ledgered, is_guarded
from tests.helpers.postgres import execute

DATABASE = Dependency("database")
USERS = {"of-ann": "ann", "of-ann-too": "ann", "of-bob": "bob"}
BEGIN = """create table t (id serial primary key, n int default 0, title text, secret text default 'S3CRET',
    at timestamptz default now(), link int references t); insert into t (n, title) values (0, 'tea'), (0, 'cake');
create table u (x int); insert into u values (1);"""
ROLE = """do $$ begin create role shop login; exception when duplicate_object then null; end $$;
grant usage, create on schema public to shop; grant all on all tables in schema public to shop;
grant all on all sequences in schema public to shop"""
EMPTY = "drop schema if exists antiphon_ledger cascade; drop schema public cascade; create schema public"
PREVIEWED = Ledgered(preview=True)
TABLES = {"public.t": ["id", "n", "title", "link"]}


class Shop:
    """An app with a ledger. Its handlers connect as the role "shop"."""

    def __init__(self, url, *, begin=BEGIN, tables=TABLES, source=None, **options):
        self.url, self.of_shop = url, url.replace("antiphon@", "shop@")
        execute(
            url,
            f"drop schema if exists antiphon_ledger cascade; drop schema public cascade; create schema public; {begin}",
        )
        execute(url, ROLE)
        self.ledger = Ledger(
            DATABASE, url, tables=tables, keep=3600, person=lambda request: request.user,
            besides=("public.antiphon_writes",), may_agree=lambda request: "x-person" in request.headers, **options,
        )  # fmt: skip
        self.ledger.records.create(self.ledger.declared, "shop")
        self.app = App(secret_keys=["of a test, and not secret"], store=MemoryStore())
        self.app.use(Users(Bearer(USERS.get)))
        self.app.provide(DATABASE, source or self.source)
        self.app.use(self.ledger)
        self.app.use(IdempotentWrites(required=False))
        api = OpenAPI("Shop")
        self.app.use(api)
        self.app.use(Tools(api))
        self.sent = []

    def source(self, request):
        guarded = is_guarded(request)
        options = "-c default_transaction_read_only=on" if guarded else ""
        with closing(psycopg.connect(self.of_shop, options=options)) as connection, connection:
            if guarded:
                connection.execute("set transaction read write")
            yield connection

    def write(self, function, path="/w", *, method="post", ledgered=PREVIEWED, before=login_required, **options):
        options.setdefault("name", function.__name__ if function.__name__ != "<lambda>" else "w")
        meta = {LEDGER: ledgered}
        return getattr(self.app, method)(path, before=before, meta=meta, **options)(function)

    def does(self, statement, **options):
        """A route that carries out a statement."""

        def w(request):
            request[DATABASE].execute(statement)
            return {"done": True}

        return self.write(w, **options)

    def look(self, statement="select id, n, title from t order by id"):
        return execute(self.url, statement)


def preview(client, target="/w", method="POST", **options):
    return client.post("/.preview", json={"method": method, "target": target, **options})
