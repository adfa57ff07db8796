"""What a client sees of Kay's document: over each interface, with requests and responses of Werkzeug 0.8."""

import re

import pytest

from antiphon.adapters.foreign.environ_host import BridgedApplication
from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup
from antiphon.dialects.kay.utils import redirect
from antiphon.dialects.kay.werkzeug.wrappers import Request, Response
from antiphon.features import MemoryStore
from tests.dialects.exchanges import FORM, Exchange, check, each, serving
from tests.dialects.werkzeug.served_requests import REQUESTS, answered, package
from tests.dialects.werkzeug.served_responses import DROPPED, RESPONSES

KAY = package("antiphon.dialects.kay.werkzeug")


class Person:
    def __init__(self, name):
        self.name = name


class Backend:
    def get_user(self, request):
        return Person(request.headers["X-Name"])


class LatinRequest(Request):
    charset = "latin-1"


class LatinResponse(Response):
    charset = "latin-1"


def program(exchanges):
    app = KayApp(
        {
            "DEFAULT_LANG": "ja",
            "AUTH_USER_BACKEND": Backend,
            "AUTH_USER_MODEL": Person,
            "MIDDLEWARE_CLASSES": ["antiphon.dialects.kay.sessions.middleware.SessionMiddleware"],
            "SESSION_STORE": MemoryStore,
        },
        [
            ViewGroup(
                *(
                    Rule(exchange.path, endpoint=exchange.path, view=answering(exchange.view))
                    for exchange in exchanges
                    if exchange.view
                )
            )
        ],
    )
    return BridgedApplication(app)


def answering(view):
    return lambda request, **values: answered(KAY, view(KAY, request, **values))


def in_session(k, request):
    request.session["seen"] = True
    seen = dict(request.session)
    request.session.clear()  # no cookie, whose random key would differ by interface
    return seen


OF_OLD = {
    "GET /challenged": {"fields": {"www-authenticate": 'Basic realm="here"'}},
    "POST /headers": {"sees": "('http://a/', 3, 'text/html; charset=utf-8', False, 7, 'text/html', 'utf-8', True)"},
    "GET /conditions": {"sees": "(True, True, False, False, 'c', None, True)"},
}
"""Dates have no time zone, and a realm is in quotes."""
OF_WERKZEUG = [exchange._replace(**OF_OLD.get(exchange.request, {})) for exchange in (*REQUESTS, *RESPONSES, *DROPPED)]

OWN = [
    Exchange(
        "kay-001 kay-180", "GET /views/7", lambda k, request, number: f"{request.method} {number + 1}", "GET 8",
        rule="/views/<int:number>",
    ),
    Exchange(
        "kay-009", "GET /lang", lambda k, request: request.lang, "de-AT", sent={"Accept-Language": "fr;q=0.5, de-AT"},
    ),
    Exchange(
        "kay-009", "GET /lang-of-cookie", lambda k, request: request.lang, "it",
        sent={"Accept-Language": "fr", "Cookie": "hl=it"},
    ),
    Exchange("kay-009", "GET /lang-of-nobody", lambda k, request: request.lang, "ja"),
    Exchange(
        "kay-010 kay-011", "GET /user", lambda k, request: (request.user.name, type(request.user).__name__),
        "('Ada', 'Person')", sent={"X-Name": "Ada"},
    ),
    Exchange(
        "kay-012", "GET /session", in_session, "{'seen': True}", fields={"vary": "Cookie", "cache-control": "private"},
    ),
    Exchange(
        "kay-035 kay-036", "GET /cookie-class", lambda k, request: type(request.cookies).__name__,
        "ImmutableTypeConversionDict", sent={"Cookie": "a=1"},
    ),
    Exchange(
        "kay-065", "GET /is-xhr", lambda k, request: request.is_xhr, "True",
        sent={"X-Requested-With": "xmlhttprequest"},
    ),
    Exchange(
        "kay-089 kay-040", "PATCH /wanted", lambda k, request: (request.want_form_data_parsed, request.form["a"]),
        "(True, '1')", sent=FORM, body=b"a=1",
    ),
    Exchange(
        "kay-089 kay-040", "DELETE /unwanted",
        lambda k, request: (request.want_form_data_parsed, len(request.form), request.data), "(False, 0, b'a=1')",
        sent=FORM, body=b"a=1",
    ),
    Exchange(
        "kay-084 kay-181", "POST /latin?q=%FC",
        lambda k, request: (
            request.charset,
            LatinRequest(request.environ).url_charset,
            LatinRequest(request.environ).args["q"],
            LatinRequest(request.environ).form["n"],
        ),
        "('utf-8', 'latin-1', 'ü', 'ü')", sent=FORM, body=b"n=%FC",
    ),
    Exchange(
        "kay-182 kay-139", "GET /latin-answer",
        lambda k, request: (
            LatinResponse("ü").data,
            [*LatinResponse("ü").iter_encoded(None)],
            LatinResponse("ü").content_type,
        ),
        "(b'\\xfc', [b'\\xfc'], 'text/plain; charset=latin-1')",
    ),
    Exchange("kay-106", "GET /age", lambda k, request: repr(Response(headers={"Age": "90"}).age), "90"),
    Exchange(
        "kay-134", "GET /redirected", lambda k, request: redirect("/ü?a=b"), re.compile("Redirecting"), 302,
        {"location": "http://localhost/%C3%BC?a=b"},
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def servers():
    with serving(lambda: program([*OF_WERKZEUG, *OWN])) as addresses:
        yield addresses


@each([*OF_WERKZEUG, *OWN])
def test_a_client_sees_the_answer_of_the_document(servers, exchange):
    check(servers, exchange)
