from antiphon.dialects.webob import Response
from antiphon.dialects.webob.dec import wsgify


@wsgify
def app(request):
    visits = int(request.cookies.get("visits", 0)) + 1
    response = Response(f"Visit {visits}")
    response.set_cookie("visits", str(visits), max_age=3600, httponly=True, samesite="Lax")
    return response
