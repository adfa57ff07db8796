"""Flask: view functions, and functions after the request; WSGI. The limit of a form's bytes is raised."""

from typing import Any

from flask import Flask, Response, request

from . import CHUNK, MANY, literal, told

INTERFACES = ("wsgi",)


def query() -> Response:
    return text(told(request.args.values()))


def cookies() -> Response:
    return text(told(request.cookies.values()))


def form() -> Response:
    return text(told(request.form.values()))


def page(**_values: Any) -> Response:
    return text("page")


def headed() -> Response:
    response = text("headed")
    for number in range(int(request.args["count"])):
        response.headers[f"x-{number}"] = "value"
    return response


def streamed() -> Response:
    count = int(request.args["count"])
    return Response((CHUNK for _ in range(count)), content_type="text/plain; charset=utf-8")


def text(answer: str) -> Response:
    return Response(answer, content_type="text/plain; charset=utf-8")


def after(response: Response) -> Response:
    return response


def make(_interface: str, *, routes: int = 0, after_hooks: int = 0) -> Any:
    app = Flask(__name__)
    app.config["MAX_FORM_MEMORY_SIZE"] = MANY
    app.config["MAX_FORM_PARTS"] = MANY
    for view in (query, cookies, headed, streamed, page):
        app.add_url_rule(f"/{view.__name__}", view_func=view)
    app.add_url_rule("/form", view_func=form, methods=["POST"])
    for number in range(routes // 2):
        app.add_url_rule(literal(number), view_func=page)
        app.add_url_rule(f"/items/<int:id>/a{number:05}", view_func=page)
    for _ in range(after_hooks):
        app.after_request(after)
    return app
