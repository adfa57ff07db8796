from antiphon.dialects.webob import Response
from antiphon.dialects.webob.dec import wsgify


@wsgify
def app(request):
    return Response("<h1>Hello, world!</h1>")
