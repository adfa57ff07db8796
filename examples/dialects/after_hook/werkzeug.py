from antiphon.dialects.werkzeug.wrappers import Request, Response


def hello(request):
    return Response("Hello, world!", mimetype="text/html")


@Request.application
def app(request):
    response = hello(request)
    response.headers["X-Version"] = "7"
    return response
