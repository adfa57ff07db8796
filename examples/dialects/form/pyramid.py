from html import escape

from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.response import Response


def greet(request):
    colours = " and ".join(request.POST.getall("colour"))
    return Response(escape(f"{request.POST['name']} likes {colours}."))


with Configurator() as config:
    config.add_route("greet", "/")
    config.add_view(greet, route_name="greet", request_method="POST")
    app = config.make_wsgi_app()
