from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.response import Response


def count(request):
    visits = int(request.cookies.get("visits", 0)) + 1
    response = Response(f"Visit {visits}")
    response.set_cookie("visits", str(visits), max_age=3600, httponly=True, samesite="Lax")
    return response


with Configurator() as config:
    config.add_route("count", "/")
    config.add_view(count, route_name="count", request_method="GET")
    app = config.make_wsgi_app()
