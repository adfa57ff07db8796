from antiphon.dialects.webob import Response
from antiphon.dialects.webob.dec import wsgify


@wsgify
def app(request):
    field = request.POST["picture"]
    size = len(field.file.read())
    answer = {"title": request.POST["title"], "name": field.filename, "size": size}
    return Response(json_body=answer, content_type="application/json")
