"""An application of Pyramid: routes, views that return responses or are rendered, and the tween that comes with it."""

from importlib import import_module
from typing import Any

from benchmarks.apps.work import FIELDS, LANGUAGES, listing, receipt


def build(package: str) -> Any:
    """The application, made with the modules of a package: `pyramid`, or the dialect."""
    make_response = import_module(f"{package}.response").Response

    def text(body: str) -> Any:
        return make_response(text=body, content_type="text/plain", charset="utf-8")

    def hello(_request: Any) -> Any:
        return text("Hello, world!")

    def read(request: Any) -> Any:
        args = request.GET
        language = request.accept_language.lookup(LANGUAGES, default="en")
        name, session = request.matchdict["name"], request.cookies["session"]
        response = text(listing(name, args["page"], int(args["size"]), args["sort"], session, language))
        response.vary = ("Accept-Language",)
        return response

    def create(request: Any) -> Any:
        account = request.json_body
        return {"created": account["name"], "tags": len(account["tags"])}

    def form(request: Any) -> Any:
        values = request.POST
        return text(receipt([values[name] for name in FIELDS]))

    with import_module(f"{package}.config").Configurator() as config:
        config.add_route("hello", "/hello")
        config.add_route("read", "/read/{name}")
        config.add_route("json", "/json")
        config.add_route("form", "/form")
        config.add_view(hello, route_name="hello")
        config.add_view(read, route_name="read", request_method="GET")
        config.add_view(create, route_name="json", request_method="POST", renderer="json")
        config.add_view(form, route_name="form", request_method="POST")
        return config.make_wsgi_app()
