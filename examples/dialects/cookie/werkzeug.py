from antiphon.dialects.werkzeug.wrappers import Request, Response


@Request.application
def app(request):
    visits = request.cookies.get("visits", 0, type=int) + 1
    response = Response(f"Visit {visits}", mimetype="text/html")
    response.set_cookie("visits", str(visits), max_age=3600, httponly=True, samesite="Lax")
    return response
