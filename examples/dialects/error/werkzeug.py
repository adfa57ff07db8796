import json

from antiphon.dialects.werkzeug.exceptions import HTTPException, NotFound
from antiphon.dialects.werkzeug.wrappers import Request, Response


def lamp(request):
    raise NotFound("There is no such lamp.")


@Request.application
def app(request):
    try:
        return lamp(request)
    except HTTPException as error:
        answer = json.dumps({"error": error.description})
        return Response(answer, error.code, mimetype="application/json")
