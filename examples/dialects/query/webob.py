from antiphon.dialects.webob import Response
from antiphon.dialects.webob.dec import wsgify


@wsgify
def app(request):
    args = request.GET
    found = {"q": args["q"], "page": int(args.get("page", 1)), "tags": args.getall("tag")}
    return Response(json_body=found, content_type="application/json")
