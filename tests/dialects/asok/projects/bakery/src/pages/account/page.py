from asok import Request


def render(request: Request):
    if not request.session.get("customer"):
        request.redirect("/login?next=/account")
    return request.html("page.html", visits=request.session.get("visits", 0))
