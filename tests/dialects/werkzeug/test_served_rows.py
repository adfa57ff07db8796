"""What a client sees of Kay's document, with today's Werkzeug: over each interface, as on Werkzeug itself."""

import re

import pytest

from antiphon.adapters.foreign.environ_host import BridgedApplication
from tests.dialects.exchanges import INTERFACES, JSON, ORIGINAL, Exchange, ask, check, each, serving
from tests.dialects.werkzeug.served_requests import REQUESTS, answered, package
from tests.dialects.werkzeug.served_responses import DROPPED, RESPONSES, closed
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

OWN = [
    Exchange("", "POST /json", lambda w, r: r.get_json(), "{'a': [1, 2]}", sent=JSON, body=b'{"a": [1, 2]}'),
    Exchange("", "POST /json", None, re.compile("Unsupported"), 415, body=b"{}"),
    Exchange("", "POST /json", None, re.compile("Bad Request"), 400, sent=JSON, body=b"{"),
]
"""What Kay's document does not have."""


def program(name):
    w = package(name)
    views = {exchange.path: exchange.view for exchange in (*REQUESTS, *RESPONSES, *DROPPED, *OWN) if exchange.view}

    @w.wrappers.Request.application
    def application(request):
        return answered(w, views[request.path](w, request))

    return application


@pytest.fixture(scope="module")
def servers():
    def dialect():
        return BridgedApplication(program("antiphon.dialects.werkzeug"))

    with serving(dialect, lambda: program("werkzeug")) as addresses:
        yield addresses


@each([*REQUESTS, *RESPONSES, *OWN])
def test_a_client_sees_the_answer_of_werkzeug(servers, exchange):
    check(servers, exchange)


@each(DROPPED)
def test_a_client_sees_what_werkzeug_had(servers, exchange):
    check({name: address for name, address in servers.items() if name != ORIGINAL}, exchange)


@pytest.mark.feature("kay-109", "kay-110")
@pytest.mark.served("kay-109", "kay-110")
@rows("server", [*INTERFACES, ORIGINAL])
def test_a_response_is_closed_when_it_was_sent(servers, server):
    ask(servers[server], Exchange("", f"GET /closes?who={server}", None))
    eventually(lambda: closed.count(server) or None, "the response was not closed")
    assert closed.count(server) == 1
