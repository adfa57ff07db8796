"""Flask: the part is a template of its own, which the handler chooses."""

from flask import Flask, render_template, request

from . import FOLDER, ROWS

wsgi = Flask(__name__, template_folder=str(FOLDER))


@wsgi.get("/lamps")
def lamps() -> str:
    return render_template("rows.html" if "X-Block" in request.headers else "page.html", title="Lamps", rows=ROWS)
