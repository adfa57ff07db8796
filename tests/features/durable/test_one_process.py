"""A durable feature in one process that goes on: the first response, who may see it, jobs, and what is refused.

Many requests share one application, since its start costs more than all of them.
"""

import itertools
import threading

import pytest

from antiphon import App, Request, abort
from antiphon.features import Bearer, Durable, OpenAPI, Tools, Users, login_required
from antiphon.features.durable.stored import Tables
from antiphon.testing import Client
from tests.helpers.postgres import execute
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = [pytest.mark.once, pytest.mark.processes]

KEYS = map("key-{}".format, itertools.count())
DONE = []
GOES_ON = threading.Event()


def done(what):
    DONE.append(what)
    return what


@pytest.fixture(scope="module")
def url(postgres_server):
    return postgres_server.database()


@pytest.fixture(scope="module")
def client(url):
    app = App(secret_keys=["k" * 32])
    durable = Durable(url, name="one-process", wait=0.5)
    app.use(durable)
    app.use(Users(Bearer({"a": "ada", "b": "bob"}.get)))
    api = OpenAPI("Shop")
    app.use(api)
    app.use(Tools(api))

    def end(request):
        if request.path == "/raised":
            abort(409, "No more.")
        if request.path == "/failed":
            raise ValueError("a bug")
        return {"item": request.json["item"]}, 201, {"x-done": str(DONE.count(request.json["item"]))}

    def order(request: Request):
        durable.step(done, request.json["item"])
        return end(request)

    async def aorder(request: Request):
        await durable.astep(done, request.json["item"])
        return end(request)

    for path in "/returned", "/raised", "/failed":
        app.post(path, durable=True)(order)
        app.put(path, durable=True)(aorder)

    @app.post("/slow", durable=True, before=login_required)
    def slow(request: Request):
        durable.step(GOES_ON.wait, DEADLINE)
        return {"user": request.user}

    @app.post("/paid", durable=True)
    def paid(request: Request):
        durable.enqueue(done, request.json["mail"])
        return {"card": durable.step(str, request.json["card"])}

    @app.post("/nested", durable=True)
    def nested(request: Request):
        return durable.step(durable.step, done, "inner")

    @app.post("/loop", durable=True)
    async def on_loop(request: Request):
        durable.step(done, "blocks")

    @app.post("/pay", durable=True, tool=True)
    def pay(request: Request) -> dict[str, int]:
        done("pay")
        return {"paid": 5}

    with Client(app, raise_errors=False, timeout=DEADLINE) as client:
        yield client


def sent(client, path, key, *, method="post", headers=(), **options):
    headers = {"idempotency-key": f'"{key}"', **dict(headers)}
    return client.request(method.upper(), path, headers=headers, **options)


def response_of(client, path, key, **options):
    """Return the response of a request, which is sent again while it is carried out."""

    def look():
        found = sent(client, path, key, **options)
        return None if found.status == 202 else found

    return eventually(look, "no response")


@rows("path, status", ("/returned", 201), ("/raised", 409), ("/failed", 500))
@rows("method", ["post", "put"])
def test_a_retry_gets_the_first_response_and_repeats_no_step(client, method, path, status):
    key = next(KEYS)
    first, again = (response_of(client, path, key, method=method, json={"item": key}) for _ in range(2))
    assert (first.status, again.status, DONE.count(key)) == (status, status, 1)
    assert first.body == again.body or status == 500  # what failed is carried out again, but for its steps
    assert first.headers.get("x-done") == again.headers.get("x-done")


@rows(
    "changes, status",
    ({}, 201),
    ({"json": {"item": "desk"}}, 422),
    ({"headers": {"x-tenant": "2"}}, 422),
    ({"headers": {"authorization": "Bearer b"}}, 422),  # the handler asks for no user, so nobody has checked it
    ({"headers": {"idempotency-key": "not quoted"}}, 400),
    ({"headers": {"idempotency-key": ""}}, 400),
    ({"path": "/raised"}, 422),
)
def test_a_key_is_for_one_request_of_one_caller(client, changes, status):
    ada = {"authorization": "Bearer a"}
    first = {"path": "/returned", "key": next(KEYS), "json": {"item": "lamp"}, "headers": ada}
    assert response_of(client, **first).status == 201
    changed = {**first, **changes, "headers": ada | changes.get("headers", {})}
    assert response_of(client, **changed).status == status


def test_a_request_without_a_key_is_refused(client):
    assert client.post("/returned", json={"item": "lamp"}).status == 400


def test_a_slow_response_is_followed_by_its_owner_alone(client):
    GOES_ON.clear()
    ada, bob = ({"authorization": f"Bearer {token}"} for token in "ab")
    first = sent(client, "/slow", key := next(KEYS), headers=ada)
    where = first.headers["location"]
    assert (first.status, first.headers["retry-after"]) == (202, "2")
    assert client.get(where, headers=ada).status == 202
    GOES_ON.set()

    def look():
        found = client.get(where, headers=ada)
        return None if found.status == 202 else found

    assert eventually(look, "no response").json == {"user": "ada"}
    assert response_of(client, "/slow", key, headers=ada).json == {"user": "ada"}
    made_up = f"{where[:-4]}AAAA"
    for address, who in ((where, bob), (where, {}), (made_up, ada), ("/durable/none", ada)):
        assert client.get(address, headers=who).status == 404
    assert sent(client, "/slow", next(KEYS)).status == 401


def test_a_job_is_carried_out_once_and_what_is_stored_is_encrypted(client, url):
    content = {"card": "4111111111111111", "mail": (key := next(KEYS))}
    for _ in range(2):
        found = response_of(client, "/paid", key, json=content, headers={"cookie": "session=secret-cookie"})
        assert found.json == {"card": "4111111111111111"}
    eventually(lambda: key in DONE or None, "no job")
    assert DONE.count(key) == 1
    dump = repr(execute(url, "select s::text, o::text from dbos.workflow_status s, dbos.operation_outputs o"))
    assert "antiphon.request" in dump
    assert [each for each in ("4111111111111111", "secret-cookie", key) if each in dump] == []


@rows("path, message", ("/nested", "inside of the step"), ("/loop", "await durable.astep"))
def test_steps_inside_of_steps_and_on_the_loop_are_refused(client, caplog, path, message):
    assert response_of(client, path, next(KEYS)).status == 500
    assert message in caplog.text
    assert {"inner", "blocks"} & {*DONE} == set()


def test_a_tool_of_a_durable_route_pays_once_for_each_message(client):
    def call(number):
        message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": "pay", "arguments": {}}}
        return client.post("/mcp", json=message, headers={"accept": "application/json"})

    assert call(next(KEYS)).json["result"]["structuredContent"] == {"paid": 5}
    assert DONE.count("pay") == 1


def test_the_document_says_202_and_the_key(client):
    made = client.get("/openapi.json").json["paths"]["/returned"]["post"]
    assert {"201", "202", "400", "422", "503"} <= {*made["responses"]}
    assert {"Location", "Retry-After"} <= {name.title() for name in made["responses"]["202"]["headers"]}
    [key] = [each for each in made["parameters"] if each["in"] == "header" and each["required"]]
    assert key["name"] == "Idempotency-Key"


def test_statements_call_no_code_of_another_role_and_need_no_isolation(url):
    tables = Tables(url)
    [[settings]] = tables.run("select current_setting('search_path'), current_setting('transaction_isolation')")
    tables.engine.dispose()
    assert settings == ("pg_catalog, pg_temp", "read committed")
