from antiphon.dialects.webob.dec import wsgify
from antiphon.dialects.webob.exc import HTTPFound


@wsgify
def app(request):
    raise HTTPFound(location=f"/lamps/{request.GET['number']}")
