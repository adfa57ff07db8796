from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.httpexceptions import HTTPFound


def moved(request):
    raise HTTPFound(f"/lamps/{request.GET['number']}")


with Configurator() as config:
    config.add_route("moved", "/")
    config.add_view(moved, route_name="moved", request_method="GET")
    app = config.make_wsgi_app()
