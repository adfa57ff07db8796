"""Pages of errors and redirects have the words of the originals, whatever a client accepts, over each interface."""

from importlib import import_module

import pytest

from antiphon.adapters.foreign.environ_host import BridgedApplication
from antiphon.testing import Client
from tests.dialects.werkzeug.environs import called, environ
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface"), pytest.mark.filterwarnings("ignore:.*pkg_resources")]

ODD = "/to?a=1&b=<'\">"


def werkzeug(library):
    exceptions, utils, wrappers = (import_module(f"{library}.{name}") for name in ("exceptions", "utils", "wrappers"))

    @wrappers.Request.application
    def application(request):
        kind, _, status = request.path[1:].partition("/")
        if kind == "redirect":
            return utils.redirect(ODD, int(status))
        if kind == "json":
            return request.json
        raise exceptions.default_exceptions[int(status)](None if kind == "plain" else "more <of> it")

    return application


def flask(library):
    module = import_module(library)
    app = module.Flask(__name__)
    app.logger.disabled = True
    app.get("/redirect/<int:status>", endpoint="redirect")(lambda status: module.redirect(ODD, status))
    app.get("/plain/<int:status>", endpoint="plain")(module.abort)
    app.get("/more/<int:status>", endpoint="more")(lambda status: module.abort(status, "more <of> it"))
    app.get("/json/", endpoint="json")(lambda: module.request.json)
    app.get("/fail", endpoint="fail")(lambda: 1 / 0)
    return app


def raising(exceptions):
    def answer(path):
        kind, _, status = path[1:].partition("/")
        made = exceptions.status_map[int(status)]
        if kind == "redirect":
            return made(location=ODD, comment="why -- <so>")
        return made() if kind == "plain" else made("more <of> it", comment="why", headers=[("X-More", "1")])

    return answer


def webob(library):
    answer = raising(import_module(f"{library}.exc"))
    return import_module(f"{library}.dec").wsgify(lambda request: answer(request.path))


def pyramid(library):
    answer = raising(import_module(f"{library}.httpexceptions"))

    def view(request):
        raise answer(request.path)

    config = import_module(f"{library}.config").Configurator()
    config.add_route("all", "/*path")
    config.add_view(view, route_name="all")
    return config.make_wsgi_app()


def answer_of(application, path, accept):
    """The answer of an application of an original, over WSGI."""
    status, fields, body = called(application, environ(PATH_INFO=path, QUERY_STRING="", HTTP_ACCEPT=accept, **SERVER))
    return int(status[:3]), dict(fields)["Content-Type"], body.decode()


SERVER = {"SERVER_NAME": "testserver", "SERVER_PORT": "80", "HTTP_HOST": "testserver"}
KINDS = ["plain/404", "more/403", "more/410", "plain/500", "more/503", "redirect/301", "redirect/302", "redirect/308"]
REQUESTS = {
    werkzeug: [*KINDS, "json/"],
    flask: [*KINDS, "json", "json/", "fail", "nowhere"],
    webob: KINDS,
    pyramid: KINDS,
}


@rows("accept", ["text/html", "text/plain", "application/json", "image/png"])
@rows("program", REQUESTS)
def test_pages_are_those_of_the_original(program, accept, interface):
    original = program(program.__name__)
    dialect = program(f"antiphon.dialects.{program.__name__}")
    if program in (werkzeug, webob):
        dialect = BridgedApplication(dialect)
    with Client(dialect, interface, follow_redirects=False) as client:
        for path in REQUESTS[program]:
            answer = client.get(f"/{path}", headers={"accept": accept})
            shown = answer.status, answer.headers["content-type"], answer.text
            assert shown == answer_of(original, f"/{path}", accept), path
