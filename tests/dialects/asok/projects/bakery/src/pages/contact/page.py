from asok import Form, Request


def render(request: Request):
    form = Form(
        {
            "name": Form.text(request.__("name"), "required|min:2", placeholder="Ada"),
            "email": Form.email(request.__("email"), "required|email"),
            "topic": Form.select(
                request.__("topic"), [("bread", "Bread"), ("other", "Something else")], "in:bread,other"
            ),
            "message": Form.textarea(request.__("message"), "required|min:10|max:200", rows=5),
            "copy": Form.checkbox(request.__("copy")),
        },
        request,
    )
    if form.validate():
        request.flash("success", request.__("sent", name=form.name.value))
        form.reset()
    return request.html("page.html", form=form)
