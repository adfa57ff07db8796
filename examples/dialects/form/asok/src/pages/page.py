from html import escape
from urllib.parse import parse_qsl


def post(request):
    sent = parse_qsl(request.body.decode())  # request.form has the last value of a name
    colours = " and ".join(value for name, value in sent if name == "colour")
    return escape(f"{request.form['name']} likes {colours}.")
