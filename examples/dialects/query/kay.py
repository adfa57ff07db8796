from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup
from antiphon.dialects.kay.utils import render_json_response


def search(request):
    args = request.args
    return render_json_response({"q": args["q"], "page": args.get("page", 1, type=int), "tags": args.getlist("tag")})


app = KayApp(view_groups=[ViewGroup(Rule("/", endpoint="search", view=search))])
