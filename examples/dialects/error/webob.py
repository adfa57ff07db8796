from antiphon.dialects.webob import Response
from antiphon.dialects.webob.dec import wsgify
from antiphon.dialects.webob.exc import HTTPError, HTTPNotFound


def lamp(request):
    raise HTTPNotFound("There is no such lamp.")


@wsgify
def app(request):
    try:
        return lamp(request)
    except HTTPError as error:
        answer = {"error": error.detail}
        return Response(json_body=answer, status=error.code, content_type="application/json")
