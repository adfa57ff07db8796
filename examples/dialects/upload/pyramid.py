from antiphon.dialects.pyramid.config import Configurator


def picture(request):
    field = request.POST["picture"]
    size = len(field.file.read())
    return {"title": request.POST["title"], "name": field.filename, "size": size}


with Configurator() as config:
    config.add_route("picture", "/")
    config.add_view(picture, route_name="picture", request_method="POST", renderer="json")
    app = config.make_wsgi_app()
