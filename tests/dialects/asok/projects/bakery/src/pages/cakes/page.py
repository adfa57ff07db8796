from enum import Enum

from asok import Form, Request


class Size(Enum):
    SMALL = "s"
    VERY_LARGE = "xl"


class Cake(Form):
    text = Form.text("Text", "required|max:20|regex:^[A-Z]")
    size = Form.enum("Size", Size, "required")
    kind = Form.radio("Kind", [("c", "Chocolate"), ("f", "Fruit")], "required|in:c,f")
    day = Form.date("Day", "required|date")
    candles = Form.number("Candles", "integer|between:0,99", min=0)
    secret = Form.password("Code", "confirmed")
    secret_confirmation = Form.password("Code again")
    gift = Form.toggle("A gift")
    notes = Form.json("Notes")
    photo = Form.file("Photo", "image|size:1k", {"size": "Too large: {size}"}, accept="image/*")
    token = Form.hidden("in:a,b")


def render(request: Request):
    form = request.validate(Cake, raise_error=False) if request.method == "POST" else Cake(request)
    form.fill({"token": "a", "day": "2030-12-31T10:00", "size": Size.VERY_LARGE, "candles": 3})
    photo = request.file("photo")
    if request.method == "POST" and not form.has_errors:
        return request.json({"data": form.data, "photo": photo and [photo.filename, photo.size]})
    if request.args.get("plain"):
        return request.text(", ".join(form.errors) or "nothing")
    return request.html("page.html", form=form, photo=photo)
