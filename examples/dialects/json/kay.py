import json

from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup
from antiphon.dialects.kay.utils import render_json_response


def order(request):
    sent = json.loads(request.data)
    total = sum(item["price"] for item in sent["items"])
    return render_json_response({"customer": sent["customer"], "total": total}, status=201)


app = KayApp(view_groups=[ViewGroup(Rule("/", endpoint="order", view=order, methods=["POST"]))])
