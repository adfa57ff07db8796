from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.response import Response
from antiphon.dialects.pyramid.session import SignedCookieSessionFactory


def count(request):
    session = request.session
    session["visits"] = session.get("visits", 0) + 1
    return Response(f"Visit {session['visits']}")


with Configurator() as config:
    config.set_session_factory(SignedCookieSessionFactory("nobody else knows these characters"))
    config.add_route("count", "/")
    config.add_view(count, route_name="count", request_method="GET")
    app = config.make_wsgi_app()
