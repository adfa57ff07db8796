from antiphon.dialects.werkzeug.wrappers import Request, Response


@Request.application
def app(request):
    return Response("<h1>Hello, world!</h1>", mimetype="text/html")
