from pathlib import Path

from antiphon.dialects.kay import Response
from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup


def prices(request):
    path = Path(__file__).with_name("prices.csv")
    response = Response(path.read_bytes(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f"attachment; filename={path.name}"
    return response


app = KayApp(view_groups=[ViewGroup(Rule("/", endpoint="prices", view=prices))])
