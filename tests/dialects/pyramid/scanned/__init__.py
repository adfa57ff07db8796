"""Programs that `scan` finds. Each is a function of a package, which returns a module with decorated functions."""

from types import ModuleType


def decorated(p):
    """A module whose functions are decorated with those of a package."""
    module = ModuleType(f"decorated_with_{p.name.replace('.', '_')}")
    module.__dict__.update(p=p)
    exec(compile(SOURCE, __file__, "exec"), module.__dict__)
    return module


SOURCE = """
from functools import partial

view_config, text = p.view.view_config, partial(p.response.Response, content_type="text/plain", charset="utf-8")
heard = []

@view_config(name="plain")
@view_config(name="other", request_method="POST")
def plain(request):
    return text("plain " + request.view_name)

@view_config(name="rendered", renderer="json")
def rendered(request):
    return {"heard": heard}

@p.view.view_defaults(renderer="string")
class Pages:
    def __init__(self, request):
        self.request = request

    @view_config(name="first")
    def first(self):
        return "first"

    @view_config(name="second", request_method="POST")
    @view_config(name="third", renderer="json")
    def second(self):
        return "second"

@view_config(name="class", attr="method")
class Called:
    def __init__(self, context, request):
        self.request = request

    def method(self):
        return text("method")

@view_config(name="fails")
def fails(request):
    raise KeyError("a")

@view_config(name="worse")
def worse(request):
    raise ValueError("b")

@view_config(name="forbids")
def forbids(request):
    raise p.httpexceptions.HTTPForbidden()

@p.view.exception_view_config(KeyError)
@p.view.exception_view_config(context=ValueError, renderer="json")
def failed(error, request):
    return text("failed " + str(error))

@p.view.notfound_view_config(append_slash=True)
def missing(request):
    request.response.status = 404
    return text("missing", status=404)

@p.view.forbidden_view_config()
def forbidden(request):
    return text("forbidden", status=403)

@p.events.subscriber(p.events.NewRequest)
def hear(event):
    heard.append(event.request.path)

class Own:
    pass

@p.response.response_adapter(Own)
def adapt(own):
    return text("adapted")

@view_config(name="own")
def own(request):
    return Own()

@view_config(name="hidden", _category="hidden")
def hidden(request):
    return text("hidden")
"""
