from antiphon.dialects.pyramid.config import Configurator


class NoSuchLamp(Exception):
    pass


def no_such_lamp(error, request):
    request.response.status = 404
    return {"error": str(error)}


def lamp(request):
    raise NoSuchLamp("There is no such lamp.")


with Configurator() as config:
    config.add_route("lamp", "/")
    config.add_view(lamp, route_name="lamp", request_method="GET")
    config.add_exception_view(no_such_lamp, context=NoSuchLamp, renderer="json")
    app = config.make_wsgi_app()
