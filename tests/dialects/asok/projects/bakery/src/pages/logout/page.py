from asok import Request


def render(request: Request):
    request.session.pop("customer", None)
    request.flash("info", "Bye.")
    request.redirect("/")
