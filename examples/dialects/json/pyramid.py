from antiphon.dialects.pyramid.config import Configurator


def order(request):
    request.response.status = 201
    sent = request.json_body
    total = sum(item["price"] for item in sent["items"])
    return {"customer": sent["customer"], "total": total}


with Configurator() as config:
    config.add_route("order", "/")
    config.add_view(order, route_name="order", request_method="POST", renderer="json")
    app = config.make_wsgi_app()
