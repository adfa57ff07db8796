from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.events import NewResponse
from antiphon.dialects.pyramid.response import Response


def add_version(event):
    event.response.headers["X-Version"] = "7"


def hello(request):
    return Response("Hello, world!")


with Configurator() as config:
    config.add_subscriber(add_version, NewResponse)
    config.add_route("hello", "/")
    config.add_view(hello, route_name="hello", request_method="GET")
    app = config.make_wsgi_app()
