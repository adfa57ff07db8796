from html import escape

from antiphon.dialects.flask import Flask, request

app = Flask(__name__)


@app.post("/")
def greet():
    colours = " and ".join(request.form.getlist("colour"))
    return escape(f"{request.form['name']} likes {colours}.")
