from html import escape

from antiphon.dialects.webob import Response
from antiphon.dialects.webob.dec import wsgify


@wsgify
def app(request):
    colours = " and ".join(request.POST.getall("colour"))
    return Response(escape(f"{request.POST['name']} likes {colours}."))
