"""One small program in each dialect: a page, and views that read a body in every way that has to end well."""

import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Semaphore

from antiphon.adapters.foreign.environ_host import BridgedApplication
from antiphon.adapters.servers.embedded import ThreadServer
from tests.helpers.waiting import DEADLINE


@contextmanager
def served(program, interface, threads=4):
    """The address at which a program is served, over WSGI without a bridge."""
    app = program()
    if interface == "wsgi" and isinstance(app, BridgedApplication):
        app = app.application
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    server = ThreadServer(app, interface, listener, threads=threads)
    server.start()
    try:
        yield address
    finally:
        server.stop(DEADLINE)


def flask():
    from antiphon.dialects.flask import Flask, abort, request

    app = Flask(__name__)
    app.logger.disabled = True
    app.get("/hello")(lambda: "hello")
    app.get("/wait", endpoint="wait")(lambda: waited(lambda: request.args["name"]))

    async def aread():
        return str(len(request.get_data()))

    app.post("/read", endpoint="read")(lambda: str(len(request.get_data())))
    app.post("/aread", endpoint="aread")(aread)
    app.post("/form", endpoint="form")(lambda: repr([*request.form.items(), *request.files]))

    @app.post("/fail")
    def fail():
        kept.append([*request.files.values()])
        raise ZeroDivisionError

    @app.post("/refuse")
    def refuse():
        kept.append([*request.files.values()])
        abort(404)

    return app


def pyramid():
    from antiphon.dialects.pyramid.config import Configurator
    from antiphon.dialects.pyramid.httpexceptions import HTTPNotFound
    from antiphon.dialects.pyramid.response import Response
    from antiphon.dialects.pyramid.threadlocal import get_current_request

    def fail(request):
        kept.append([*request.POST.values()])
        raise ZeroDivisionError

    def refuse(request):
        kept.append([*request.POST.values()])
        raise HTTPNotFound

    views = {
        "hello": lambda request: Response("hello"),
        "wait": lambda request: Response(waited(lambda: get_current_request().GET["name"])),
        "read": lambda request: Response(str(len(request.body))),
        "form": lambda request: Response(repr([*request.POST])),
        "fail": fail,
        "refuse": refuse,
    }
    config = Configurator()
    for name, view in views.items():
        config.add_route(name, f"/{name}")
        config.add_view(view, route_name=name)
    return config.make_wsgi_app()


def werkzeug():
    from antiphon.dialects.werkzeug.exceptions import NotFound
    from antiphon.dialects.werkzeug.wrappers import Request, Response

    @Request.application
    def application(request):
        if request.path == "/hello":
            return Response("hello")
        if request.path == "/read":
            return Response(str(len(request.get_data())))
        kept.append([*request.files.values()])
        if request.path == "/fail":
            raise ZeroDivisionError
        if request.path == "/refuse":
            raise NotFound
        return Response(repr([*request.form.items(), *request.files]))

    return BridgedApplication(application)


def webob():
    from antiphon.dialects.webob import Response
    from antiphon.dialects.webob.dec import wsgify
    from antiphon.dialects.webob.exc import HTTPNotFound

    @wsgify
    def application(request):
        if request.path == "/hello":
            return Response("hello")
        if request.path == "/read":
            return Response(str(len(request.body)))
        kept.append([*request.POST.values()])
        if request.path == "/fail":
            raise ZeroDivisionError
        if request.path == "/refuse":
            raise HTTPNotFound
        return Response(repr([*request.POST]))

    return BridgedApplication(application)


def kay():
    from antiphon.dialects.kay.app import KayApp
    from antiphon.dialects.kay.routing import Rule, ViewGroup
    from antiphon.dialects.kay.werkzeug.wrappers import Response
    from antiphon.dialects.werkzeug.exceptions import NotFound

    def fail(request):
        kept.append([*request.files.values()])
        raise ZeroDivisionError

    def refuse(request):
        kept.append([*request.files.values()])
        raise NotFound

    views = {
        "hello": lambda request: Response("hello"),
        "read": lambda request: Response(str(len(request.data))),
        "form": lambda request: Response(repr([*request.form.items(), *request.files])),
        "fail": fail,
        "refuse": refuse,
    }
    rules = [Rule(f"/{name}", endpoint=name, view=view) for name, view in views.items()]
    return BridgedApplication(KayApp({}, [ViewGroup(*rules)]))


def microdot():
    from antiphon.dialects.microdot import Microdot, abort
    from antiphon.dialects.microdot.multipart import with_form_data

    app = Microdot()
    app.get("/hello")(lambda request: "hello")
    app.post("/read")(lambda request: str(len(request.body)))

    @app.post("/form")
    @with_form_data
    def form(request):
        return repr([*request.form.items(), *request.files])

    @app.post("/fail")
    @with_form_data
    def fail(request):
        kept.append([*request.files.values()])
        raise ZeroDivisionError

    @app.post("/refuse")
    @with_form_data
    def refuse(request):
        kept.append([*request.files.values()])
        abort(404)

    return app


IMPORTS = "from antiphon.dialects.asok import current_request\nfrom tests.dialects.programs import kept, waited"
PAGES = {
    "hello": "def render(request):\n    return 'hello'\n",
    "wait": "def render(request):\n    return waited(lambda: current_request.args['name'])\n",
    "read": "def render(request):\n    return str(len(request.body))\n",
    "form": "def render(request):\n    return repr([*request.form.items(), *request.files])\n",
    "fail": "def render(request):\n    kept.append(request.files)\n    raise ZeroDivisionError\n",
    "refuse": "def render(request):\n    kept.append(request.files)\n    request.abort(404)\n",
}


def asok():
    from antiphon.dialects.asok import Asok

    with TemporaryDirectory() as folder:
        for name, text in PAGES.items():
            page = Path(folder, "src", "pages", name, "page.py")
            page.parent.mkdir(parents=True)
            page.write_text(f"{IMPORTS}\n\n\n{text}")
        app = Asok(folder)
        app.config.update(CSRF=False, SECRET_KEY="a key for tests, of more than 32 characters")
        app.freeze()
        sys.path.remove(str(Path(folder, "src")))
        return app


def waited(read):
    """Wait until all requests that a test sends are here, and then until it lets them go; return what ``read`` does."""
    arrived.release()
    assert released.wait(DEADLINE)
    return read()


arrived = Semaphore(0)
released = Event()
kept = []
"""The files of forms that programs keep beyond their requests."""

ALL = [asok, flask, kay, microdot, pyramid, webob, werkzeug]
