from html import escape

from antiphon.dialects.werkzeug.wrappers import Request, Response


@Request.application
def app(request):
    colours = " and ".join(request.form.getlist("colour"))
    return Response(escape(f"{request.form['name']} likes {colours}."), mimetype="text/html")
