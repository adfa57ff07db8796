"""What a client sees of Pyramid's document: over each interface, as on Pyramid itself."""

import re
import warnings
from importlib import import_module
from types import SimpleNamespace

import pytest

from tests.dialects.exchanges import ORIGINAL, Exchange, check, each, serving
from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package
from tests.dialects.webob.served_requests import DROPPED, REQUESTS, answered
from tests.dialects.webob.served_responses import RESPONSES

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning")]  # of WebOb


class Folder(dict):
    def __init__(self, name, parent, **children):
        super().__init__({key: type(self)(key, self, **inner) for key, inner in children.items()})
        self.__name__ = name
        self.__parent__ = parent


def library(p):
    return SimpleNamespace(
        Request=p.request.Request,
        Response=p.response.Response,
        exc=p.httpexceptions,
        multidict=import_module(p.name.replace("pyramid", "webob") + ".multidict"),
    )


def program(name):
    p = Package(name)
    w = library(p)
    root = Folder("", None, a={"b": {}})
    config = p.configurator(
        settings={"own": "1"},
        root_factory=lambda request: root,
        session_factory=p.session.SignedCookieSessionFactory("a secret of tests"),
    )
    for number, exchange in enumerate((*REQUESTS, *RESPONSES, *DROPPED, *OWN)):
        if exchange.view is not None:
            config.add_route(f"route{number}", exchange.path)
            config.add_view(answering(w, exchange.view), route_name=f"route{number}")
    config.add_view(answering(w, traversed), name="edit")
    config.add_view(lambda request: {"a": [1, "ü"]}, name="rendered", renderer="json")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return config.make_wsgi_app()


def answering(w, view):
    return lambda request: answered(w, view(w, request))


def traversed(w, r):
    return (
        r.context.__name__, r.root.__name__, r.subpath, r.traversed, r.view_name, r.virtual_root.__name__,
        r.virtual_root_path,
    )  # fmt: skip


def counted(w, r):
    r.session["seen"] = r.session.get("seen", 0) + 1
    return repr(r.session["seen"])


def in_template_context(w, r):
    r.tmpl_context.name = "value"
    return r.tmpl_context.name


OWN = [
    Exchange(
        "pyramid-001 pyramid-099",
        "GET /kind",
        lambda w, r: (isinstance(r, w.Request), type(r).__module__.rpartition(".")[2]),
        "(True, 'request')",
    ),
    Exchange("pyramid-002 pyramid-052", "GET /kind-of-response", lambda w, r: r.ResponseClass is w.Response, "True"),
    Exchange(
        "pyramid-002", "GET /rendered", None, '{"a": [1, "\\u00fc"]}', fields={"content-type": "application/json"}
    ),
    Exchange(
        "pyramid-020 pyramid-022 pyramid-023 pyramid-024 pyramid-025 pyramid-026 pyramid-027",
        "GET /a/edit/x/%C3%BC",
        None,
        "('a', '', ('x', 'ü'), ('a',), 'edit', '', ())",
    ),
    Exchange(
        "pyramid-026 pyramid-027",
        "GET /b/edit",
        None,
        "('b', '', (), ('a', 'b'), 'edit', 'a', ('a',))",
        sent={"X-Vhm-Root": "/a"},
    ),
    Exchange("pyramid-021", "GET /registry", lambda w, r: r.registry.settings["own"], "1"),
    Exchange("pyramid-028", "GET /session", counted, "1", fields={"set-cookie": "session=?; Path=/; SameSite=Lax"}),
    Exchange("pyramid-029", "GET /template-context", in_template_context, "value"),
    Exchange(
        "pyramid-013 pyramid-030 pyramid-031",
        "GET /users/7%20a",
        lambda w, r: (r.matchdict, r.matched_route.pattern),
        "({'id': '7 a'}, '/users/{id}')",
        rule="/users/{id}",
    ),
    Exchange(
        "pyramid-081",
        "GET /exceptions",
        lambda w, r: (
            issubclass(w.exc.HTTPNotFound, w.exc.HTTPClientError)
            and issubclass(w.exc.HTTPNotFound, w.exc.HTTPException)
        ),
        "True",
    ),
    Exchange("pyramid-086", "GET /nowhere", None, re.compile("/nowhere"), 404),
]


@pytest.fixture(scope="module")
def servers():
    with serving(lambda: program(DIALECT), lambda: program(PYRAMID)) as addresses:
        yield addresses


@each([*REQUESTS, *RESPONSES, *OWN])
def test_a_client_sees_the_answer_of_pyramid(servers, exchange):
    check(servers, exchange)


@each(DROPPED)
def test_a_client_sees_what_webob_had(servers, exchange):
    check({name: address for name, address in servers.items() if name != ORIGINAL}, exchange)
