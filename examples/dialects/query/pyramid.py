from antiphon.dialects.pyramid.config import Configurator


def search(request):
    args = request.GET
    return {"q": args["q"], "page": int(args.get("page", 1)), "tags": args.getall("tag")}


with Configurator() as config:
    config.add_route("search", "/")
    config.add_view(search, route_name="search", request_method="GET", renderer="json")
    app = config.make_wsgi_app()
