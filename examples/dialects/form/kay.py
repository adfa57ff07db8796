from html import escape

from antiphon.dialects.kay import Response
from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup


def greet(request):
    colours = " and ".join(request.form.getlist("colour"))
    return Response(escape(f"{request.form['name']} likes {colours}."), mimetype="text/html")


app = KayApp(view_groups=[ViewGroup(Rule("/", endpoint="greet", view=greet, methods=["POST"]))])
