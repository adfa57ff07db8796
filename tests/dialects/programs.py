"""One small program in each dialect: a page, and views that read a body in every way that has to end well."""

from antiphon.adapters.foreign.environ_host import BridgedApplication


def flask():
    from antiphon.dialects.flask import Flask, abort, request

    app = Flask(__name__)
    app.logger.disabled = True
    app.get("/hello")(lambda: "hello")
    app.post("/read", endpoint="read")(lambda: str(len(request.get_data())))
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

    def fail(request):
        kept.append([*request.POST.values()])
        raise ZeroDivisionError

    def refuse(request):
        kept.append([*request.POST.values()])
        raise HTTPNotFound

    views = {
        "hello": lambda request: Response("hello"),
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


kept = []
"""Values of forms that programs keep for longer than their requests last."""
