import json

from antiphon.dialects.werkzeug.wrappers import Request, Response


@Request.application
def app(request):
    args = request.args
    found = {"q": args["q"], "page": args.get("page", 1, type=int), "tags": args.getlist("tag")}
    return Response(json.dumps(found), mimetype="application/json")
