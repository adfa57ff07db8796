from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup
from antiphon.dialects.kay.utils import redirect


def moved(request):
    return redirect(f"/lamps/{request.args['number']}")


app = KayApp(view_groups=[ViewGroup(Rule("/", endpoint="moved", view=moved))])
