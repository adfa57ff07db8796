from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.response import Response


def rows():
    yield b"lamp,price\n"
    for number in range(3):
        yield f"lamp {number},{20 + number}\n".encode()


def prices(request):
    return Response(app_iter=rows(), content_type="text/csv", charset="utf-8")


with Configurator() as config:
    config.add_route("prices", "/")
    config.add_view(prices, route_name="prices", request_method="GET")
    app = config.make_wsgi_app()
