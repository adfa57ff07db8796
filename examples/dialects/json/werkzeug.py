import json

from antiphon.dialects.werkzeug.wrappers import Request, Response


@Request.application
def app(request):
    total = sum(item["price"] for item in request.json["items"])
    answer = {"customer": request.json["customer"], "total": total}
    return Response(json.dumps(answer), 201, mimetype="application/json")
