from antiphon.dialects.webob import Response
from antiphon.dialects.webob.dec import wsgify


@wsgify.middleware
def add_version(request, app):
    response = request.get_response(app)
    response.headers["X-Version"] = "7"
    return response


@add_version
@wsgify
def app(request):
    return Response("Hello, world!")
