from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.response import Response


def hello(request):
    return Response("<h1>Hello, world!</h1>")


with Configurator() as config:
    config.add_route("hello", "/")
    config.add_view(hello, route_name="hello", request_method="GET")
    app = config.make_wsgi_app()
