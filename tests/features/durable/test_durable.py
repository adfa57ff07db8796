"""Durable handlers and jobs, in this process: who may send them, what they give, what is stored and what is refused."""

import asyncio
import itertools
import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress

import psycopg
import pytest
from sqlalchemy import Engine, event

from antiphon import App, Dependency, Request, abort
from antiphon.features import (
    Bearer,
    Durable,
    Health,
    MemoryStore,
    Metrics,
    SessionLogin,
    Sessions,
    Signatures,
    Users,
    login,
    login_required,
    sign,
)  # fmt: skip
from antiphon.testing import Client
from tests.helpers.databases import KINDS, LIBRARIES
from tests.helpers.django_settings import settings_for_views
from tests.helpers.postgres import execute
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes

KEY = "k" * 32
DATABASE = Dependency("database")
EFFECTS = []
NUMBERS = itertools.count(1)


def effect(what):
    EFFECTS.append(what)
    return what


def job(what, fails=0):
    EFFECTS.append(what)
    if EFFECTS.count(what) <= fails:
        raise ValueError("not yet")


async def steps(durable_steps):
    """A job of two steps, of which the second fails at first."""
    await DURABLE[0].astep(effect, "first")
    await DURABLE[0].astep(job, "second", 1)


DURABLE = []


@pytest.fixture(autouse=True)
def no_effects():
    EFFECTS.clear()
    DURABLE.clear()


@pytest.fixture(scope="module")
def url(postgres_server):
    """The URL of a database, whose tables DBOS makes only once."""
    return postgres_server.database()


@pytest.fixture
def views():
    """Django's settings."""
    with settings_for_views():
        yield


@pytest.fixture
def made(url):
    """Make an application with a durable feature, under a name of its own."""
    name = f"app-{next(NUMBERS)}"

    def made(**options):
        app = App(secret_keys=[KEY])
        durable = Durable(url, **{"name": name, **options})
        app.use(durable)
        DURABLE.append(durable)
        return app, durable

    return made


def sent(client, path="/", key="1", **options):
    headers = {"idempotency-key": f'"{key}"', **options.pop("headers", {})}
    return client.post(path, headers=headers, **options)


@pytest.mark.axes("interface", "style")
@pytest.mark.parametrize("ending", ["returned", "raised", "failed"])
def test_a_retry_gets_the_first_response(made, interface, style, ending):
    app, durable = made()

    def end(request):
        if ending == "raised":
            abort(409, "No more.")
        if ending == "failed":
            raise ValueError("a bug")
        return {"item": request.json["item"]}, 201, {"x-number": str(len(EFFECTS))}

    if style == "def":

        @app.post("/", durable=True)
        def order(request: Request):
            durable.step(effect, "charged")
            return end(request)

    else:

        @app.post("/", durable=True)
        async def order(request: Request):
            await durable.astep(effect, "charged")
            return end(request)

    with Client(app, interface=interface, raise_errors=False) as client:
        first, again = (sent(client, json={"item": "lamp"}) for _ in range(2))
        assert first.status == again.status == {"returned": 201, "raised": 409, "failed": 500}[ending]
        assert (first.body == again.body) is (ending != "failed")  # it is carried out again, but for its steps
        assert EFFECTS == ["charged"]
        assert sent(client, json={"item": "desk"}).status == 422
        assert sent(client, json={"item": "lamp"}, headers={"x-tenant": "2"}).status == 422
        assert client.post("/", json={"item": "lamp"}).status == 400
        assert sent(client, key="2", json={"item": "lamp"}).status == first.status


def test_a_slow_response_is_followed_by_its_owner_alone(made):
    app, durable = made(wait=0.05)
    app.use(Users(Bearer({"a": "ada", "b": "bob"}.get)))
    over = threading.Event()

    @app.post("/", durable=True, before=login_required)
    def order(request: Request):
        durable.step(over.wait, 60)
        return {"user": request.user}, 201

    with Client(app) as client:
        first = sent(client, headers={"authorization": "Bearer a"})
        where = first.headers["location"]
        assert (first.status, first.headers["retry-after"]) == (202, "2")
        assert client.get(where, headers={"authorization": "Bearer a"}).status == 202
        assert sent(client, headers={"authorization": "Bearer a"}).status == 202
        over.set()

        def response():
            found = client.get(where, headers={"authorization": "Bearer a"})
            return found if found.status == 201 else None

        assert eventually(response, "no response").json == {"user": "ada"}
        assert client.get(where, headers={"authorization": "Bearer b"}).status == 404
        assert client.get(where).status == 404
        assert client.get("/durable/none").status == 404
        sent(client, headers={"authorization": "Bearer b"})

        def again():
            found = sent(client, headers={"authorization": "Bearer a"})
            return found if found.status == 201 else None

        assert eventually(again, "no response").json == {"user": "ada"}


GOES_ON = threading.Event()


def waiting_job(what):
    GOES_ON.wait(60)
    EFFECTS.append(what)


def test_accepted_work_goes_on_when_its_user_has_ended(made):
    app, durable = made(wait=0.05)
    known = {"a": "ada"}
    users = Users(Bearer(known.get), revoke=lambda user: known.clear())
    app.use(users)
    GOES_ON.clear()

    @app.post("/", durable=True, before=login_required)
    def order(request: Request):
        user = durable.step(lambda: request.user)
        durable.enqueue(waiting_job, f"mail to {user}")
        durable.step(waiting_job, f"charged {user}")
        return "", 201

    with Client(app) as client:
        assert sent(client, headers={"authorization": "Bearer a"}).status == 202
        users.end("ada")
        GOES_ON.set()
        eventually(lambda: len(EFFECTS) == 2 or None, "the work doesn't go on")
        assert sorted(EFFECTS) == ["charged ada", "mail to ada"]
        assert sent(client, headers={"authorization": "Bearer a"}).status == 401


HEADERS = {"authorization": "Bearer a", "x-tenant": "1", "cookie": "theme=dark"}


@rows(
    "shown, changed, seen",
    (HEADERS, {"user-agent": "another", "x-request-id": "2"}, True),
    (HEADERS, {"authorization": "Bearer b"}, False),
    (HEADERS, {"authorization": None}, False),
    (HEADERS, {"x-tenant": "2"}, False),
    (HEADERS, {"cookie": "theme=light"}, False),
    (HEADERS, {"cookie": None}, False),
    ({}, {}, True),
    ({}, {"authorization": "Bearer b"}, False),
)
def test_a_response_is_for_who_shows_the_same_if_only_the_handler_knows_who_that_is(made, shown, changed, seen):
    """Its address can't be made from the key either."""
    app, durable = made(wait=0.01)

    @app.post("/", durable=True)
    def order(request: Request):
        durable.sleep(0.05)
        return {"for": request.headers.get("authorization")}

    with Client(app) as client:
        key = f"order-{next(NUMBERS)}"
        where = sent(client, key=key, headers=shown).headers["location"]
        given = {name: value for name, value in (shown | changed).items() if value is not None}
        responses = []

        def look():
            responses.append(client.get(where, headers=shown))
            responses.append(client.get(where, headers=given))
            return responses[-2].status == 200 or None

        eventually(look, "no response")
        assert {response.status for response in responses[1::2]} <= ({200, 202} if seen else {404})
        guessed = durable._id_of(f"idempotent\n{key}")
        assert guessed in where
        assert client.get(f"/durable/{guessed}", headers=shown).status == 404


@pytest.mark.parametrize("who", ["of a session", "by the handler alone"])
def test_nobody_blocks_a_key_of_another_caller(made, who):
    app, _durable = made()
    store = MemoryStore()
    app.use(Sessions(store))
    if who == "of a session":
        app.use(Users(SessionLogin(str, key=str)))

    @app.post("/login/<name>")
    def log_in(request: Request, name: str):
        login(request, name)
        return ""

    app.post("/", durable=True)(lambda request: effect(f"{request.json} of {request.headers['x-name']}"))
    with Client(app) as bob, Client(app) as ann:
        for name, client in (("bob", bob), ("ann", ann)):
            if who == "of a session":
                client.post(f"/login/{name}")
        for _ in range(2):
            for name, client in (("bob", bob), ("ann", ann)):
                assert sent(client, json=name, headers={"x-name": name}).text == f"{name} of {name}"
        assert sent(ann, json="ann", headers={"x-name": "renewed"}).status == 422
    assert len(EFFECTS) == 2


def test_hooks_run_once_and_the_handler_has_its_own_dependencies(made):
    app, _durable = made()
    app.use(Sessions(MemoryStore()))
    app.provide(DATABASE, lambda request: effect("opened"))

    @app.before_request
    def hook(request):
        effect("hook")

    @app.middleware
    def around(request):
        effect("before")
        yield
        effect("after")

    @app.post("/", durable=True)
    def order(request: Request):
        effect(request[DATABASE])
        return {"visits": request.session.get("visits", 0)}

    @app.post("/visits")
    def visit(request: Request):
        request.session["visits"] = 3
        return ""

    with Client(app) as client:
        client.post("/visits")
        EFFECTS.clear()
        assert sent(client).json == {"visits": 3}
    assert EFFECTS == ["before", "hook", "opened", "opened", "after"]


def test_the_signature_is_what_was_verified_in_each_attempt(made):
    """The first process leaves the request to the second one."""
    cover = ["@method", "@authority", "@path", "idempotency-key"]
    request = Request.blank("http://shop.example/", "POST", {"idempotency-key": '"1"'})
    request = sign(request, b"s" * 32, keyid="bank", cover=cover)
    for wanted in 202, 200:
        app, _durable = made(lease=1.0, wait=0.2)
        app.use(Signatures({"bank": b"s" * 32}, cover=cover))

        @app.post("/", durable=True, signed_by="partners")
        async def order(request: Request, wanted=wanted):
            *said, headers = request.signature
            effect((*said, headers.items(), request.caller.identities))
            await asyncio.sleep(60 if wanted == 202 else 0)
            return request.signature.key

        with Client(app, base_url="http://shop.example", headers=request.headers) as client:
            eventually(lambda: client.post("/").status == wanted or None, "no response", 60)  # noqa: B023
    first, again = EFFECTS
    assert first == again
    assert first[0] == "bank"
    assert ("idempotency-key", '"1"') in first[-2]


def test_a_connection_that_commits_each_statement_keeps_no_response_and_is_no_error(made, url):
    app, _ = made(inside=DATABASE)

    def database(request):
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection

    app.provide(DATABASE, database)

    @app.post("/", durable=True)
    def pay(request: Request):
        return str(request[DATABASE].execute("select 7").fetchone()[0])

    with Client(app) as client:
        assert [(given.status, given.text) for given in (sent(client), sent(client))] == [(200, "7")] * 2


def test_an_async_connection_that_a_def_handler_does_not_use_is_no_error(made, url):
    app, _ = made(inside=DATABASE)
    app.provide(DATABASE, LIBRARIES["asyncpg"](url).source)
    app.post("/", durable=True)(lambda request: "done")
    with Client(app) as client:
        assert [sent(client).text, sent(client).text] == ["done", "done"]


def test_a_process_opens_no_more_connections_than_it_may(made, url):
    app, durable = made(max_connections=4)
    app.post("/", durable=True)(lambda request: durable.step(effect, "paid"))
    with Client(app) as client, ThreadPoolExecutor(8) as threads:
        assert {*threads.map(lambda _: sent(client).text, range(16))} == {"paid"}
        names = "('dbos_transact', 'antiphon durable')"
        of_each = "select count(*) from pg_stat_activity where datname = current_database() and application_name in"
        assert execute(url, f"{of_each} {names}")[0][0] in range(2, 5)
    with pytest.raises(ValueError, match="max_connections"):
        Durable(url, max_connections=3)


def test_an_idle_process_sends_four_statements_at_a_beat(made):
    app, _ = made(lease=1.2)
    with Client(app), listening() as statements:
        eventually(lambda: beats_in(statements)[8:] or None, "there are no beats")
    first, *_, last = beats_in(statements)[3:]  # once it has started
    idle = statements[first:last]
    assert len(idle) == 4 * len(beats_in(idle)), {*idle}


def beats_in(statements):
    return [number for number, each in enumerate(statements) if "into dbos.antiphon_executors" in each]


@contextmanager
def listening():
    """Hear the statements of this process, without those that begin and end a transaction."""
    statements = []

    def heard(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", heard)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", heard)


@pytest.mark.parametrize(("library", "kind"), [kind for kind in KINDS if kind[1] == "postgres"])
def test_a_job_is_committed_with_the_effect(made, url, views, library, kind):
    app, durable = made(inside=DATABASE)
    execute(url, "drop table if exists payments; create table payments (item text not null)")
    database = LIBRARIES[library](url)
    app.provide(DATABASE, database.source)
    if database.is_async:

        @app.post("/<item>")
        async def pay(request: Request, item: str):
            await database.execute(request[DATABASE], f"insert into payments values ('{item}')")
            durable.enqueue(job, item)
            return abort(409) if item == "coffee" else "Thank you."

    else:

        @app.post("/<item>")
        def pay(request: Request, item: str):
            database.execute(request[DATABASE], f"insert into payments values ('{item}')")
            durable.enqueue(job, item)
            return abort(409) if item == "coffee" else "Thank you."

    with Client(app) as client:
        assert [client.post(f"/{item}").status for item in ("coffee", "tea")] == [409, 200]
        eventually(lambda: "tea" in EFFECTS or None, "no job")
    assert execute(url, "select * from payments") == [("tea",)]
    assert execute(url, "select count(*) from dbos.antiphon_outbox") == [(0,)]
    assert EFFECTS == ["tea"]


@pytest.mark.parametrize(("library", "kind"), [kind for kind in KINDS if kind[1] == "postgres"])
def test_a_job_is_enqueued_inside_of_a_connection_of_ones_own(made, url, views, library, kind):
    """As in a run or a script: without a request."""
    app, durable = made()
    database = LIBRARIES[library](url)
    with Client(app):
        for item in ("coffee", "tea"):
            source = database.source(None)
            if database.is_async:
                with pytest.raises(RuntimeError, match="that doesn't wait"):
                    run_with(source, lambda connection: durable.enqueue_inside(connection, job, what="tea"))
                return
            with suppress(ZeroDivisionError), contextmanager(lambda source=source: source)() as connection:
                durable.enqueue_inside(connection, job, what=item)
                if item == "coffee":
                    raise ZeroDivisionError
        eventually(lambda: "tea" in EFFECTS or None, "no job")
    assert EFFECTS == ["tea"]
    assert execute(url, "select count(*) from dbos.antiphon_outbox") == [(0,)]


def run_with(source, function):
    async def run():
        async with asynccontextmanager(lambda: source)() as connection:
            function(connection)

    asyncio.run(run())


def failing(what):
    raise ValueError(what)


def test_an_operator_is_told_of_what_has_failed_for_good(made, caplog):
    app, durable = made(retries=0)
    app.use(Health())
    metrics = Metrics()
    app.use(metrics)
    with Client(app) as client:
        assert client.get("/readyz").json["durable"] == {"failed": 0}
        name = f"{__name__}:failing"
        id_ = durable.enqueue(failing, "no")
        line = f"the job {name} has failed for good, id {id_}: ValueError('no')"
        eventually(lambda: line in caplog.text or None, "no line")
        assert (client.get("/readyz").status, client.get("/readyz").json["durable"]) == (200, {"failed": 1})
        assert f'antiphon_durable_failures_total{{kind="job",job="{name}"}} 1' in metrics.text()

        def looked_at():
            durable._engine._clean()
            return client.get("/readyz").json["durable"] == {"failed": 1} or None

        eventually(looked_at, "no failure in the database")  # DBOS writes it after the line


def test_a_job_is_tried_again_with_the_steps_that_it_has_done(made):
    app, durable = made()
    with Client(app):
        durable.enqueue(job, "flaky", 1)
        durable.enqueue(steps, None)
        eventually(lambda: (EFFECTS.count("flaky"), EFFECTS.count("second")) == (2, 2) or None, "no second attempt")
    assert EFFECTS.count("first") == 1


def test_a_schedule_is_kept_by_one_of_all_processes(made, monkeypatch):
    app, durable = made()
    durable.every("second")(tick)
    with Client(app):
        eventually(lambda: len(EFFECTS) >= 2 or None, "no job")


def tick():
    EFFECTS.append("tick")


# What is refused


def test_what_dbos_logs_goes_where_the_program_logs(made, caplog):
    with Client(made()[0]):
        logging.getLogger("dbos").error("The table is locked.")
    assert caplog.record_tuples == [("dbos", logging.ERROR, "The table is locked.")]
    assert logging.getLogger("dbos").handlers == []


def test_other_routes_pay_nothing():
    """Their plans are those of an app without the feature, and nothing of DBOS is loaded before the start."""
    plans = []
    for features in ([], [Durable("postgresql:///none")]):
        app = App(secret_keys=[KEY])
        for feature in features:
            app.use(feature)
        app.get("/")(lambda request: "Hello")
        plan, _ = app._freeze().find(Request.blank("/"))
        plans.append((plan.surroundings, plan.runs_on, plan.opening, plan.after, plan.finishers))
    assert plans[0] == plans[1]
    code = (
        "import sys; from antiphon.features import Durable; Durable('postgresql:///none'); print('dbos' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"
