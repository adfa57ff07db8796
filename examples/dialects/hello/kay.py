from antiphon.dialects.kay import Response
from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup


def hello(request):
    return Response("<h1>Hello, world!</h1>", mimetype="text/html")


app = KayApp(view_groups=[ViewGroup(Rule("/", endpoint="hello", view=hello))])
