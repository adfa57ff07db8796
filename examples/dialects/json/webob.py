from antiphon.dialects.webob import Response
from antiphon.dialects.webob.dec import wsgify


@wsgify
def app(request):
    sent = request.json_body
    total = sum(item["price"] for item in sent["items"])
    answer = {"customer": sent["customer"], "total": total}
    return Response(json_body=answer, status=201, content_type="application/json")
