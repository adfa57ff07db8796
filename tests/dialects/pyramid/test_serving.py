"""Applications over each interface; the execution policy and what is current; what can't be answered."""

import subprocess
import sys
from threading import get_ident

import pytest

from antiphon.dialects.pyramid import threadlocal
from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.request import Request
from antiphon.dialects.pyramid.response import Response
from antiphon.testing import Client
from tests.dialects.pyramid import programs
from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package, answers, assert_alike
from tests.helpers.rows import rows

INTERFACES = ["wsgi", "asgi", "rsgi"]


@rows("interface", INTERFACES)
def test_every_interface_gives_the_answers_of_pyramid(interface):
    app = programs.exceptions(Package(DIALECT))
    paths = [path for path in programs.EXCEPTIONS if isinstance(path, str) and path != "/value"]
    theirs = answers(programs.exceptions, paths, PYRAMID)
    with Client(app, interface, follow_redirects=False) as client:
        for path, expected in zip(paths, theirs, strict=True):
            answer = client.get(path, headers={"Host": "localhost"})
            assert (answer.status, answer.body.decode("latin-1")) == (expected["status"], expected["body"])
            assert answer.headers.get("location") == dict(expected["fields"]).get("location")


MALFORMED = {
    "JSON": ("/", {"body": b"{", "headers": {"content-type": "application/json"}}),
    "JSON that is no text": ("/", {"body": b"\xff"}),
    "a query": ("/?a=%ff", {"body": b"{}"}),
}


def malformed_reader():
    config = Configurator()
    config.add_view(lambda request: Response(f"{request.json_body} {request.GET}"))
    return config


@rows("interface", INTERFACES)
@rows("url, sent", MALFORMED.values(), ids=MALFORMED)
def test_what_a_client_has_sent_malformed_is_a_400(interface, url, sent):
    with Client(malformed_reader().make_wsgi_app(), interface) as client:
        assert client.post(url, **sent).status == 400


@rows("interface", ["wsgi", "asgi"])
@rows("has_route", [False, True])
def test_a_path_that_is_not_utf_8_is_a_400(has_route, interface):
    config = malformed_reader()
    if has_route:
        config.add_route("any", "/{any}")
    with Client(config.make_wsgi_app(), interface) as client:
        assert client.get("/%ff").status == 400


def test_what_is_current_is_that_of_this_request():
    seen = []

    def view(request):
        seen.append((threadlocal.get_current_request() is request, get_ident()))
        assert threadlocal.get_current_registry() is request.registry
        return Response("x")

    config = Configurator()
    config.add_view(view)
    with Client(config.make_wsgi_app(), "asgi") as client:
        client.get("/")
    assert seen[0][0] is True
    assert seen[0][1] != get_ident()
    assert threadlocal.get_current_request() is None


def test_a_program_may_decide_how_requests_are_executed():
    def program(p):
        def policy(environ, router):
            with router.request_context(environ) as request:
                request.tries = 0
                while True:
                    try:
                        return router.invoke_request(request)
                    except KeyError:
                        request.tries += 1

        def view(request):
            if request.tries < 2:
                raise KeyError
            return programs.text(p, request.tries, type(request).__name__)

        class Own(p.request.Request):
            pass

        config = p.configurator(request_factory=Own)
        config.set_execution_policy(policy)
        config.add_view(view)
        return config.make_wsgi_app()

    assert_alike(program, ["/"])


def test_a_view_that_is_a_coroutine_function_is_refused_by_name():
    async def slow(request):
        return Response("never")

    config = Configurator()
    config.add_view(slow)
    config.add_view(slow, name="rendered", renderer="json")
    app = config.make_wsgi_app()
    for path in ("/", "/rendered"):
        with pytest.raises(TypeError, match=r"slow \(.*test_serving.py:\d+\) returned a coroutine: .* `def`"):
            Request.blank(path).get_response(app)


def test_a_value_that_is_no_response_is_an_error_that_names_the_view():
    def program(p):
        config = p.configurator()
        for name, value in {"none": None, "dictionary": {"a": 1}, "number": 3}.items():
            config.add_view(lambda request, value=value: value, name=name)
        return config.make_wsgi_app()

    paths = ["/none", "/dictionary", "/number"]
    ours, theirs = answers(program, paths, DIALECT), answers(program, paths, PYRAMID)
    hints = ("forgotten to return a value", "forgotten to define a renderer", "Could not convert return value")
    for our, their, hint in zip(ours, theirs, hints, strict=True):
        for each in (our, their):
            assert each["raised"].startswith("ValueError: ")
            assert hint in each["raised"]


@pytest.mark.processes
def test_it_starts_without_setuptools():
    """Its own modules, and those that it stands on, need no ``pkg_resources``."""
    program = (
        "import sys; sys.modules['pkg_resources'] = sys.modules['setuptools'] = None\n"
        "from antiphon.dialects.pyramid.config import Configurator\n"
        "from antiphon.dialects.pyramid.request import Request\n"
        "config = Configurator(); config.add_view(lambda request: {'a': 1}, renderer='json')\n"
        "assert Request.blank('/').get_response(config.make_wsgi_app()).json == {'a': 1}"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
