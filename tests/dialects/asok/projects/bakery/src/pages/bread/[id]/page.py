from asok import Request
from bakery import loaf_of


def render(request: Request):
    loaf = loaf_of(request.params["id"])
    if loaf is None:
        request.abort_404()
    return request.html("page.html", loaf=loaf)
