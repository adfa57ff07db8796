from asok import Form, Request
from bakery import CUSTOMERS


class Login(Form):
    email = Form.email("E-mail", "required|email")
    password = Form.password("Password", "required", {"required": "{field}?"})
    next = Form.hidden()


def get(request: Request):
    form = Login(request).fill({"next": request.args.get("next", "/account")})
    return request.html("page.html", form=form)


def post(request: Request):
    form = Login(request)
    if form.validate():
        name, password = CUSTOMERS.get(form.data["email"], ("", None))
        if password == form.data["password"]:
            request.session["customer"] = name
            request.flash("success", request.__("hello", name=name))
            request.redirect(form.data["next"] or "/")
        request.flash("error", request.__("wrong"))
        request.status_code(401)
    return request.html("page.html", form=form)
