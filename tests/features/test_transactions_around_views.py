"""Views inside another framework's transaction: what fails is rolled back, and writes are recorded once committed."""

import threading

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from antiphon import Dependency, Response, abort, view
from antiphon.features import IdempotentWrites, MemoryStore
from tests.frameworks.apps import urls_of_django
from tests.frameworks.exchanges import ask
from tests.helpers.databases import PAY, rows_of
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.processes, pytest.mark.usefixtures("silent")]

KEY = {"idempotency-key": '"1"', "content-type": "text/plain"}
DATABASE = Dependency("database")
OWED = "create table if not exists owed (payment text references paid (item) deferrable initially deferred)"
OWE = "insert into owed values ('nobody')"
"""A statement whose error the database tells at the commit."""


@pytest.fixture
def silent(caplog):
    caplog.set_level(100)


class Shop:
    """A view that pays and then does what a test says, in an application whose transactions surround it."""

    def __init__(self, url, **options):
        self.url = url
        self.then = lambda request: ("Paid.", 201)
        self.committed = []
        rows_of(url, "create table if not exists paid (item text primary key)")
        rows_of(url, OWED)

        @view(methods=["POST"], **options)
        def pay(request):
            self.execute(request, PAY.format(item="tea"))
            return self.then(request)

        self.view = pay

    @property
    def paid(self):
        return rows_of(self.url, "select count(*) from payments")[0][0]


class InDjango(Shop):
    """Django's, with ``ATOMIC_REQUESTS``."""

    def execute(self, request, query):
        from django.db import connection, transaction

        with connection.cursor() as cursor:
            cursor.execute(query)
        transaction.on_commit(lambda: self.committed.append("committed"))

    @staticmethod
    def take(request):
        from django.db import connection

        request[DATABASE] = connection

    def own_error(self, request):
        from django.core.exceptions import PermissionDenied

        raise PermissionDenied

    def send(self):
        from django.core.handlers.wsgi import WSGIHandler
        from django.db import connections
        from django.urls import path
        from psycopg.conninfo import conninfo_to_dict

        own = {"ENGINE": "django.db.backends.sqlite3", "NAME": self.url}
        if "://" in self.url:
            given = conninfo_to_dict(self.url)
            own = {"ENGINE": "django.db.backends.postgresql", "NAME": given["dbname"], "USER": given["user"]}
            own["HOST"] = given["host"]
        connections.settings = connections.configure_settings({"default": {**own, "ATOMIC_REQUESTS": True}})
        try:
            with urls_of_django([path("pay", self.view)]):
                return ask(WSGIHandler(), "wsgi", "POST", "/pay", KEY, b"tea")[0]
        finally:
            connections.close_all()
            del connections["default"]


class InFastAPI(Shop):
    """FastAPI's, with a session of SQLAlchemy that a dependency commits."""

    def __init__(self, url, **options):
        from fastapi import Depends, FastAPI
        from fastapi import Request as FastAPIRequest

        driver = url.replace("postgresql:", "postgresql+psycopg:") if "://" in url else f"sqlite:///{url}"
        engine = create_engine(driver, poolclass=NullPool)
        self.before_commit = lambda: None

        def session(request: FastAPIRequest):
            with Session(engine) as session:
                if "://" not in url:
                    session.execute(text("pragma foreign_keys = on"))
                request.state.session = session
                yield session
                self.before_commit()
                session.commit()
                self.committed.append("committed")

        self.app = FastAPI()
        super().__init__(url, **options)
        scope = {"scope": "function"}
        self.app.post("/pay", dependencies=[Depends(session, **scope)])(self.view)

    def execute(self, request, query):
        request.framework.request.state.session.execute(text(query))

    @staticmethod
    def take(request):
        request[DATABASE] = request.framework.request.state.session

    def own_error(self, request):
        from fastapi import HTTPException

        raise HTTPException(403)

    def send(self):
        return ask(self.app, "asgi", "POST", "/pay", KEY, b"tea")[0]


in_each = pytest.mark.parametrize(
    ("kind", "url"),
    [(kind, url) for kind in (InDjango, InFastAPI) for url in ("sqlite", "postgres")],
    indirect=["url"],
    ids=lambda value: getattr(value, "__name__", value),
)


def bug(request):
    raise LookupError("a bug")


def unavailable(request):
    abort(503)


@in_each
def test_only_the_work_of_a_view_that_returns_is_committed(kind, url):
    shop = kind(url)

    @rows("then, status, paid", [
        (lambda request: ("Paid.", 201), 201, 1), (lambda request: Response("taken", 409), 409, 1), (bug, 500, 0),
        (lambda request: abort(409), 409, 0), (shop.own_error, 403, 0),
        (lambda request: shop.execute(request, OWE), 500, 0),
    ])  # fmt: skip
    def is_ended(then, status, paid):
        rows_of(url, "delete from payments")
        shop.committed.clear()
        shop.then = then
        assert (shop.send(), shop.paid, len(shop.committed)) == (status, paid, paid)

    is_ended()


def options_of(kind, url, place):
    if place == "store":
        return kind(url, idempotent=IdempotentWrites(MemoryStore()))
    return kind(url, idempotent=IdempotentWrites(inside=DATABASE), before=kind.take)


@in_each
@pytest.mark.parametrize("place", ["store", "inside"])
def test_a_write_is_recorded_when_its_transaction_is_committed(kind, url, place):
    shop = options_of(kind, url, place)
    succeeded = shop.then

    @rows("then, statuses, paid", [
        (succeeded, [201, 201, 201], 1), (bug, [500, 201, 201], 1), (unavailable, [503, 201, 201], 1),
        (lambda request: shop.execute(request, OWE) or succeeded(request), [500, 201, 201], 1),
    ])  # fmt: skip
    def is_recorded(then, statuses, paid):
        rows_of(url, "delete from payments")
        KEY["idempotency-key"] = f'"{id(then)}"'
        found = []
        for attempt in (then, succeeded, succeeded):
            shop.then = attempt
            found.append(shop.send())
        assert (found, shop.paid) == (statuses, paid)

    is_recorded()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@rows("error, statuses", [(None, [201, 409, 201]), (OSError("the reply is lost"), [500, 409, 409])])
def test_until_the_commit_is_known_a_retry_is_refused(url, error, statuses):
    shop, found = InFastAPI(url, idempotent=IdempotentWrites(MemoryStore())), []

    def retry():
        shop.before_commit = lambda: None
        thread = threading.Thread(target=lambda: found.append(shop.send()))
        thread.start()
        thread.join()
        if error is not None:
            raise error

    shop.before_commit = retry
    first = shop.send()
    assert [first, *found, shop.send()] == statuses


def test_a_view_whose_transaction_is_not_given_is_refused():
    with pytest.raises(ValueError, match=r"no app gives .*pay.* needs: set .*view\(before=...\)"):

        @view(idempotent=IdempotentWrites(inside=DATABASE))
        def pay(request):
            return "Paid."
