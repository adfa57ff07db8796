from asok import Form, Request

sent = []


def render(request: Request):
    form = Form({"name": Form.text("Your name", "required|min:2")}, request)
    if form.validate():
        sent.append(form.name.value)
        request.flash("success", request.__("sent", name=form.name.value))
        form.reset()
    return request.html("page.html", form=form, sent=sent)
