from antiphon.dialects.werkzeug.utils import redirect
from antiphon.dialects.werkzeug.wrappers import Request


@Request.application
def app(request):
    return redirect(f"/lamps/{request.args['number']}")
