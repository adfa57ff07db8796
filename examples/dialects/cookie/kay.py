from antiphon.dialects.kay import Response
from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup


def count(request):
    visits = request.cookies.get("visits", 0, type=int) + 1
    response = Response(f"Visit {visits}", mimetype="text/html")
    response.set_cookie("visits", str(visits), max_age=3600, httponly=True)
    return response


app = KayApp(view_groups=[ViewGroup(Rule("/", endpoint="count", view=count))])
