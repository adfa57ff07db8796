"""Tests of headers of proxies that servers believe by themselves, and of users that only a proxy may name."""

import json

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.contract.wire import SentRequest

pytestmark = [pytest.mark.processes, pytest.mark.once]

BY_HTTP = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Ssl", "on"), ("X-Forwarded-Protocol", "ssl")]


def served(name, *options):
    with ServerProcess((*server(name).command, *options)) as process:
        yield process


@pytest.fixture(scope="module")
def gunicorn():
    yield from served("Gunicorn, gthread")


@pytest.fixture(scope="module")
def gunicorn_alone():
    yield from served("Gunicorn, gthread", "--forwarded-allow-ips", "")


@pytest.fixture(scope="module")
def uvicorn():
    yield from served("Uvicorn, h11")


@pytest.fixture(scope="module")
def uvicorn_alone():
    yield from served("Uvicorn, h11", "--no-proxy-headers")


def about(process, *fields, path="/def/about"):
    response = process.respond(SentRequest("GET", path, fields))
    seen = json.loads(response.body) if response.status == 200 else {}
    return response.status, seen.get("scheme"), seen.get("root_path")


@pytest.mark.parametrize("field", BY_HTTP, ids=lambda field: field[0])
def test_gunicorn_believes_who_says_the_scheme_until_told_otherwise(gunicorn, gunicorn_alone, field):
    assert about(gunicorn, field) == (200, "https", "")
    assert about(gunicorn_alone, field) == (200, "http", "")


def test_gunicorn_refuses_those_that_disagree(gunicorn, gunicorn_alone):
    fields = (("X-Forwarded-Ssl", "on"), ("X-Forwarded-Proto", "http"))
    assert about(gunicorn, *fields)[0] == 400
    assert about(gunicorn_alone, *fields) == (200, "http", "")


def test_gunicorn_believes_who_says_the_root_path_until_told_otherwise(gunicorn, gunicorn_alone):
    inside, within = ("SCRIPT_NAME", "/public"), "/public/def/about"
    assert about(gunicorn, inside, path=within) == (200, "http", "/public")
    assert about(gunicorn, inside)[0] in (400, 500)  # as the kind of its workers has it
    assert about(gunicorn_alone, inside, path=within)[0] == 404
    assert about(gunicorn_alone, inside) == (200, "http", "")


def test_uvicorn_believes_who_says_scheme_and_client_until_told_otherwise(uvicorn, uvicorn_alone):
    fields = (("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "192.0.2.1"))

    def client(process):
        return json.loads(process.respond(SentRequest("GET", "/def/client", fields)).body)["ip"]

    assert (about(uvicorn, *fields)[1], client(uvicorn)) == ("https", "192.0.2.1")
    assert (about(uvicorn_alone, *fields)[1], client(uvicorn_alone)) == ("http", "127.0.0.1")


@pytest.mark.parametrize("name", ["Granian, ASGI", "Hypercorn", "Waitress"])
def test_others_believe_nobody(name):
    for process in served(name):
        for field in (*BY_HTTP, ("SCRIPT_NAME", "/def")):
            assert about(process, field) == (200, "http", "")


NAMED, TWIN = ("X-Remote-User", "ada"), ("x_remote_user", "admin")
GRANIAN = "-m", "granian", "--interface", "wsgi", "--port", "{port}", "{app}"
KNOWING = [(server(name).command, "ada") for name in ("Granian, ASGI", "Gunicorn, gthread", "Waitress")]
CONFUSING = [(GRANIAN, None), (server("Granian, WSGI").command, None)]


@pytest.mark.parametrize(
    ("command", "user"), KNOWING + CONFUSING, ids=lambda command: command and " ".join(command[1:])
)
def test_a_client_cannot_name_a_user_beside_the_proxy_that_does(command, user):
    """Where a server takes both names for one, nobody is believed."""
    with ServerProcess(command, "tests.helpers.served.named_by_proxy:app") as process:
        for fields in ((NAMED,), (NAMED, TWIN), (TWIN, NAMED), (TWIN,)):
            seen = json.loads(process.respond(SentRequest("GET", "/", fields)).body)
            assert seen == {"user": user if NAMED in fields else None}, fields
        assert ("The headers of trusted proxies are ignored" in process.stderr) is (user is None)


@pytest.mark.parametrize("name", ["Granian, ASGI", "Gunicorn, gthread"])
def test_another_peer_than_the_proxy_cannot_name_a_user(name):
    with ServerProcess(server(name).command, "tests.helpers.served.named_by_proxy:behind_another") as process:
        for fields in ((NAMED,), (NAMED, ("X-Forwarded-For", "192.0.2.7")), (TWIN,)):
            assert json.loads(process.respond(SentRequest("GET", "/", fields)).body) == {"user": None}
