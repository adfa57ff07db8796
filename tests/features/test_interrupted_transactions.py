"""What a client, a deadline, a lost reply and a kill do to a transaction, and to all that hangs on it: functions and
messages that wait for the commit, jobs, live writes, and a retry, with each library.

A commit of which nobody heard is unknown: nothing is sent, and nothing is written twice. The job is a row beside it.
"""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, nullcontext, suppress
from inspect import isawaitable
from subprocess import PIPE
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest

from antiphon.features import Channel, Durable, IdempotentWrites, MemoryStore, live_writes
from antiphon.features.live.statements import tell_of_writes
from antiphon.testing import Client
from tests.helpers.databases import DATABASE, KINDS, PAY, rows_of
from tests.helpers.django_settings import settings_for_views
from tests.helpers.lossy_proxy import LossyProxy
from tests.helpers.rows import rows
from tests.helpers.transactions import Shop as AnyShop
from tests.helpers.transactions import send
from tests.helpers.waiting import DEADLINE

pytestmark = [pytest.mark.once, pytest.mark.processes]

UNKNOWN = []
"""The mails after a commit of which nobody knows."""
ENDS = {  # what happens when; the status, the payments and the mails of the first request, and after a retry
    "the client leaves a def handler": ("source", "def", "leave", "open", 201, (1, [1]), 201, (1, [1])),
    "it leaves an async def handler": ("source", "async def", "leave", "open", 499, (0, []), 201, (1, [1])),
    "it leaves at the commit": ("source", "async def", "leave", "commit", 201, (1, [1]), 201, (1, [1])),
    "the deadline passes": ("source", "async def", "deadline", "open", 504, (0, []), 201, (1, [1])),
    "it passes at the commit": ("source", "async def", "deadline", "commit", 201, (1, [1]), 201, (1, [1])),
    "the server cancels": ("source", "async def", "cancel", "open", None, (0, []), 201, (1, [1])),
    "it cancels at the commit": ("source", "async def", "cancel", "commit", None, (1, UNKNOWN), 201, (1, UNKNOWN)),
    "it cancels at the commit of a thread": ("source", "def", "cancel", "commit", None, (1, [1]), 201, (1, [1])),
    "the commit is lost": ("source", "both", "lose question", "commit", 500, (0, []), 201, (1, [1])),
    "its reply is lost": ("source", "both", "lose reply", "commit", 500, (1, []), 201, (1, [])),
    "the client leaves after a commit": ("closing", "async def", "leave", "open", 499, (1, [1]), 409, (1, [1])),
    "the deadline passes after one": ("closing", "async def", "deadline", "open", 504, (1, [1]), 409, (1, [1])),
    "it passes at one": ("closing", "async def", "deadline", "commit", 504, (1, UNKNOWN), 409, (1, UNKNOWN)),
    "the handler's commit is lost": ("closing", "both", "lose question", "commit", 500, (0, []), 201, (1, [1])),
    "the reply to it is lost": ("closing", "both", "lose reply", "commit", 500, (1, []), 409, (1, [])),
    "it is lost after a rollback": ("undone", "both", "lose question", "commit", 500, (0, []), 201, (1, [2])),
    "the reply is lost after a rollback": ("undone", "both", "lose reply", "commit", 500, (1, []), 409, (1, [])),
    "the deadline passes after both": ("undone", "async def", "deadline", "open", 504, (1, [2]), 409, (1, [2])),
}  # fmt: skip
DEADLINES = 0.3, 1.0, 4.0
SOURCES = {"undone": "closing", "by statements": "source"}
"""The sources of handlers that roll back, and commit then."""
FINISHING = {("async psycopg", "source"), ("async psycopg", "closing"), ("aiosqlite", "closing")}
"""The libraries that finish a commit before they pass a cancellation on, so that it is known."""


class Shop(AnyShop):
    """A shop where everything hangs on a payment, and the first request of each row is interrupted."""

    def __init__(self, library, url, via):
        self.told, self.is_on_postgres, self.via = [], "://" in url, via
        has_jobs = self.is_on_postgres or sqlite3.sqlite_version_info >= (3, 42)
        self.outbox = f"{'dbos.' * self.is_on_postgres}antiphon_outbox" if has_jobs else ""
        durable = [Durable(url if self.is_on_postgres else f"sqlite:///{url}", inside=DATABASE)] if has_jobs else []
        for each in durable:
            each._engine._watches = list  # so that jobs stay in the outbox
        super().__init__(library, via, "source", *durable, IdempotentWrites(inside=DATABASE), idempotent=True)
        self.url, self.library, self.tells_itself = url, library, "SQLAlchemy" in library
        self.app.post("/leave", idempotent=True, cancel_on_disconnect=True)(self.handle)
        for seconds in DEADLINES if self.database.is_async else ():
            self.app.post(f"/deadline {seconds}", idempotent=True, deadline=seconds)(self.handle)
        self.teller = lambda tables: self.told.extend({*tables} & {"payments"})
        tell_of_writes(self.teller)

    @contextmanager
    def anew(self, source):
        """Begin a row, with another source."""
        self.key, self.news, self.is_first = uuid4().hex, Channel("news", MemoryStore()), True
        self.reached, self.released = threading.Event(), threading.Event()
        self.clear()
        self.told.clear()
        if self.outbox:
            rows_of(self.url, f"delete from {self.outbox}")
        with self.app.override(DATABASE, source=getattr(self.database, SOURCES.get(source, source))):
            yield

    def order(self, request, connection):
        """Pay, with everything that waits for the commit."""
        self.lifetime = request.lifetime
        paying = self.pay(request, connection)
        self.after(request, connection)
        request.after_commit(self.news.send, self.paid)
        if not self.tells_itself:
            request.after_commit(live_writes, "payments")
        enqueuing = self.feature.enqueue(send, self.paid) if self.outbox else None

        async def wait():
            await paying
            await (enqueuing or asyncio.sleep(0))

        return wait() if isawaitable(paying) else None

    def wait(self, request, connection):
        if not self.is_first:
            return None
        self.reached.set()
        return asyncio.sleep(60) if self.database.is_async else self.released.wait(DEADLINE)

    def die(self, request, connection):
        if self.is_first:
            os.kill(os.getpid(), signal.SIGKILL)

    def doom(self, request, connection):
        """Have the process die once the transaction is committed, before anything else is done."""
        request.after_commit(self.die, request, connection)

    def hold(self):
        self.reached.set()
        assert self.released.wait(DEADLINE)

    @contextmanager
    def holding_commits(self):
        """Hold up a commit to a file, for which a reader has to end."""

        def hold():
            with closing(sqlite3.connect(self.url, isolation_level=None)) as reader:
                reader.execute("begin")
                reader.execute("select * from payments").fetchall()
                is_held.set()
                while not is_refused(self.url) and not self.released.is_set():
                    time.sleep(0.005)
                if not self.released.is_set():
                    self.hold()

        is_held, thread = threading.Event(), threading.Thread(target=hold)
        thread.start()
        assert is_held.wait(DEADLINE)
        try:
            yield
        finally:
            self.released.set()
            thread.join()

    @property
    def jobs(self):
        if not self.outbox:
            return len(self.payments)
        return rows_of(self.url, f"select count(*) from {self.outbox}")[0][0]


def is_refused(url):
    """Return True if a commit waits, so that no other reader may begin."""
    with closing(sqlite3.connect(url, timeout=0)) as connection:
        try:
            return connection.execute("select * from payments").fetchall() is None
        except sqlite3.OperationalError:
            return True


async def status_of(shop, how, words):
    """Send a request, interrupt it where it waits, and return its status, or None if it was cancelled."""
    left, statuses, body = asyncio.Event(), [], [{"type": "http.request", "body": words.encode()}]
    path = f"/{how}" if how[:5] in ("leave", "deadl") else "/async" if shop.database.is_async else "/"

    async def receive():
        if not body:
            await left.wait()
        return body.pop() if body else {"type": "http.disconnect"}

    async def keep(message):
        statuses.extend([message["status"]] if "status" in message else [])

    fields = {"host": "localhost", "idempotency-key": shop.key, "content-length": str(len(words))}
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": path,
             "raw_path": quote(path).encode(), "query_string": b"", "root_path": "", "scheme": "http", "server": None,
             "headers": [(name.encode(), value.encode()) for name, value in fields.items()]}  # fmt: skip
    task = asyncio.ensure_future(shop.app(scope, receive, keep))
    while shop.is_first and not (shop.reached.is_set() or task.done()):
        await asyncio.sleep(0.005)
    if shop.is_first and not task.done():
        left.set() if how == "leave" else task.cancel() if how == "cancel" else None
        while how.startswith("deadline") and shop.lifetime.remaining:
            await asyncio.sleep(0.01)
        for _ in range(20):  # until everybody has noticed
            await asyncio.sleep(0.005)
        shop.released.set()
    with suppress(asyncio.CancelledError):
        await task
        return statuses[0]


def outcome_of(shop, how, when, words, proxy):
    """Return what is there after a request that was interrupted, and after a retry."""
    holding = nullcontext()
    if how.startswith("lose"):
        proxy.at_next_commit(int, is_heard=how == "lose reply")
    elif when == "commit" and shop.is_on_postgres:
        proxy.at_next_commit(shop.hold, is_lost=False)
    elif when == "commit":
        holding = shop.holding_commits()
    with holding:
        first = asyncio.run(status_of(shop, how, words)), seen(shop, is_unknown=how == "lose question")
    shop.is_first = False
    if proxy is not None:
        proxy.lose_nothing()
    return [*first, asyncio.run(status_of(shop, how, words)), seen(shop)]


def seen(shop, *, is_unknown=False):
    """Return the number of payments, and the mails. All else is there for each of the one, or of the other."""
    payments, mails = len(shop.payments), [*shop.called]
    assert shop.jobs == payments
    assert [each.value for each in shop.news.messages()] == mails
    assert bool(shop.told) == bool(mails or (shop.tells_itself and (payments or is_unknown)))
    return payments, mails


def rows_for(shop, table):
    """Return the rows of a table that a shop's library and database have."""
    style = "async def" if shop.database.is_async else "def"
    for name, (source, whose, how, *rest) in table.items():
        # IdempotentWrites(inside=...) refuses those:
        is_refused = SOURCES.get(source, source) == "closing" and shop.library in ("asyncpg", "Django")
        can_lose = shop.is_on_postgres or not how.startswith("lose")
        if whose in ("both", style, shop.library) and can_lose and not is_refused:
            yield name, source, how, *rest


KINDS_HERE = [*KINDS, ("async SQLAlchemy Core", "sqlite"), ("async SQLAlchemy Core", "postgres")]


@pytest.fixture
def proxy(url, tmp_path, request):
    """A proxy before the server, if the database has one, and the URL of the database behind it."""
    if "://" not in url:
        yield None
        return
    folders = [str(request.getfixturevalue("postgres_server").folder), str(tmp_path)]
    with LossyProxy(*[f"{folder}/.s.PGSQL.5432" for folder in reversed(folders)]) as proxy:
        proxy.database = url.replace(*folders)
        yield proxy


of_each = pytest.mark.parametrize(("library", "url"), KINDS_HERE, indirect=["url"], ids=[*map(" on ".join, KINDS_HERE)])


@of_each
def test_what_hangs_on_a_transaction_that_is_interrupted(library, url, proxy):
    expected, found = {}, {}
    shop = Shop(library, url, proxy.database if proxy else url)
    with Client(shop.app):
        for name, source, how, when, status, once, again, twice in rows_for(shop, ENDS):
            ends = {"closing": ["commit"], "undone": ["rollback", "order", "commit"]}
            words = " ".join(["order", *ends.get(source, []), *["wait"] * (when == "open")])
            for seconds in DEADLINES:  # which may pass before that moment, or again
                with shop.anew(source):
                    found[name] = outcome_of(
                        shop, f"deadline {seconds}" if how == "deadline" else how, when, words, proxy
                    )
                if how != "deadline" or (shop.reached.is_set() and found[name][2] != 504):
                    break
            is_known = (library, source) in FINISHING and once[1] is UNKNOWN
            expected[name] = [status, (1, [1]) if is_known else once, again, (1, [1]) if is_known else twice]
    assert found == expected


DURABLE = {  # how it is interrupted, the payments after its retry, and the mails
    "the client leaves": ("leave", 1, [1]),
    "the server cancels": ("cancel", 1, [1]),
    "the commit is lost": ("lose question", 1, [1]),
    "its reply is lost": ("lose reply", 1, []),
}


@of_each
def test_a_durable_request_goes_on_without_its_client_and_without_a_commit(library, url, proxy):
    """With SQLite, where that is new enough for ``Durable``."""
    if "://" not in url and sqlite3.sqlite_version_info < (3, 42):
        return  # see the last test
    durable = Durable(url if "://" in url else f"sqlite:///{url}", inside=DATABASE, wait=20)
    shop = AnyShop(library, proxy.database if proxy else url, "source", durable, durable=True)
    expected, found = {}, {}
    shop.app.post("/leave", durable=True)(shop.handle)

    def wait(request, connection):
        async def look():
            while not shop.released.is_set():
                await asyncio.sleep(0.005)

        shop.reached.set()
        if shop.is_lost:  # the next commit, which is that of the handler
            proxy.at_next_commit(int, is_heard=shop.is_lost == "lose reply")
            shop.is_lost = ""
        return look() if shop.database.is_async else shop.released.wait(DEADLINE)

    shop.wait = wait
    with Client(shop.app):
        for name, (how, payments, mails) in DURABLE.items():
            if how.startswith("lose") and (proxy is None or library == "Django"):
                continue
            shop.clear()
            shop.key, shop.is_first = uuid4().hex, not how.startswith("lose")
            shop.is_lost = "" if shop.is_first else how
            shop.reached, shop.released = threading.Event(), threading.Event()
            if shop.is_lost:
                shop.released.set()
            asyncio.run(status_of(shop, how if shop.is_first else "", "pay after wait"))
            shop.is_first = False
            status = asyncio.run(status_of(shop, "leave" if how == "leave" else "", "pay after wait"))
            found[name], expected[name] = (status, len(shop.payments), shop.called[:]), (201, payments, mails)
    assert found == expected


@pytest.fixture(scope="module")
def killing():
    """A process that forks for each request of which it is told, in which it kills itself."""
    newer = "from tests.helpers import newer_sqlite; " * ("tests.helpers.newer_sqlite" in sys.modules)
    code = f"{newer}from {__name__} import be_killed; be_killed()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE, text=True, bufsize=1) as process:

        def kill(*what):
            print(json.dumps(what), file=process.stdin)
            assert process.stdout.readline() == "killed\n"

        yield kill
        process.stdin.close()


def be_killed():
    for line in sys.stdin:
        library, url, source, key, words = json.loads(line)
        if (pid := os.fork()) == 0:
            with settings_for_views():
                shop = Shop(library, url, url)
                with shop.anew(source):  # nothing of it has to be started
                    shop.key = key
                    asyncio.run(status_of(shop, "", words))
            os._exit(1)
        status = os.waitpid(pid, 0)[1]
        sys.stdout.write("killed\n" if os.WIFSIGNALED(status) else f"{status}\n")
        sys.stdout.flush()


KILLED = {  # the payments and mails that are there, and the status of a retry in another process, and those then
    "before the commit": ("source", "both", "order die", (0, []), 201, (1, [1])),
    "after it": ("source", "both", "doom order", (1, []), 201, (1, [])),
    "after the handler's": ("closing", "both", "order commit die", (1, []), 409, (1, [])),
    "after its rollback": ("undone", "both", "order rollback order die commit", (0, []), 201, (1, [2])),
    "after both": ("undone", "both", "order rollback order commit die", (1, []), 409, (1, [])),
    "after both, in a block": ("by statements", "asyncpg", "order rollback order commit die", (1, []), 409, (1, [])),
    "after both, in one": ("by statements", "Django", "order rollback order commit die", (1, []), 409, (1, [])),
}


@of_each
def test_what_hangs_on_a_transaction_of_a_process_that_is_killed(library, url, killing):
    """A job is a row beside the payment. Mails, messages and live writes after the commit are lost with the process."""
    shop, expected, found = Shop(library, url, url), {}, {}
    shop.tells_itself = False
    with Client(shop.app):
        for name, source, words, *outcome in rows_for(shop, KILLED):
            with shop.anew(source):
                shop.is_first = False
                killing(library, url, source, shop.key, words)
                found[name] = [seen(shop), asyncio.run(status_of(shop, "", words)), seen(shop)]
            expected[name] = outcome
    assert found == expected


def test_jobs_and_durable_requests_in_a_newer_sqlite():
    """The same, as far as they need SQLite, if that of Python is too old for ``Durable``."""
    if sqlite3.sqlite_version_info >= (3, 42):
        return
    pytest.importorskip("pysqlite3")
    options = ["-q", "-p", "tests.helpers.newer_sqlite", "-p", "no:cacheprovider", "-k", "sqlite"]
    run = subprocess.run([sys.executable, "-m", "pytest", *options, __file__], stdout=PIPE, text=True, check=False)
    assert run.returncode == 0, run.stdout[-5000:]


def come_back(request, error):
    return "The database is away.", 503


OF_ONE = {  # what keeps responses, who commits, what is lost; the statuses of three requests, and the payments
    "a store, of a reply": (MemoryStore, "source", "pay", True, [500, 409, 409], 1),
    "a store, of a commit": (MemoryStore, "source", "pay", False, [500, 409, 409], 0),
    "a store, and the commit is refused": (MemoryStore, "source", "pay pay", None, [500, 500, 500], 0),
    "the transaction, of a reply that a handler of errors responds to": (
        None,
        "closing",
        "pay commit",
        True,
        [503, 409, 409],
        1,
    ),
    "the transaction, of a commit": (None, "closing", "pay commit", False, [503, 201, 201], 1),
}


@pytest.mark.parametrize(("url"), ["postgres"], indirect=True)
@rows("kept, source, words, is_heard, statuses, payments", OF_ONE.values())
def test_a_write_whose_commit_is_lost_is_not_repeated(url, proxy, kept, source, words, is_heard, statuses, payments):
    rows_of(url, "drop table payments; create table payments (item text not null)")
    rows_of(url, "alter table payments add unique (item) deferrable initially deferred")
    feature = IdempotentWrites(kept()) if kept else IdempotentWrites(inside=DATABASE)
    shop = AnyShop("psycopg", proxy.database, source, feature, idempotent=True)
    if kept is None:
        shop.app.errorhandler(psycopg.OperationalError)(come_back)
    if words == "pay pay":
        shop.pay = lambda request, connection: shop.database.execute(connection, PAY.format(item="same"))
    if is_heard is not None:
        proxy.at_next_commit(int, is_heard=is_heard)
    with Client(shop.app) as client:
        key = {"idempotency-key": uuid4().hex}
        assert [shop.send(client, words, headers=key) for _ in range(3)] == statuses
    assert len(rows_of(url, "select * from payments")) == payments
