import json

from antiphon.dialects.werkzeug.wrappers import Request, Response


@Request.application
def app(request):
    file = request.files["picture"]
    answer = {"title": request.form["title"], "name": file.filename, "size": len(file.read())}
    return Response(json.dumps(answer), mimetype="application/json")
