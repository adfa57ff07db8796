from pathlib import Path

from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.response import FileResponse


def prices(request):
    path = Path(__file__).with_name("prices.csv")
    response = FileResponse(path, request, content_type="text/csv")
    response.charset = "utf-8"
    response.content_disposition = f"attachment; filename={path.name}"
    return response


with Configurator() as config:
    config.add_route("prices", "/")
    config.add_view(prices, route_name="prices", request_method="GET")
    app = config.make_wsgi_app()
