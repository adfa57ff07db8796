from antiphon.dialects.kay import Response
from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup


def rows():
    yield "lamp,price\n"
    for number in range(3):
        yield f"lamp {number},{20 + number}\n"


def prices(request):
    return Response(rows(), mimetype="text/csv")


app = KayApp(view_groups=[ViewGroup(Rule("/", endpoint="prices", view=prices))])
