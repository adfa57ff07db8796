from asok import Request


def render(request: Request):
    return request.html("page.html")


def post(request: Request):
    request.flash("success", f"Thank you, {request.form['name']}!")
    request.redirect("/contact")
