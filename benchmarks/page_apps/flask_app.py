"""Flask: the part is a template of its own, which the handler chooses."""

from flask import Flask, render_template, request

from . import FOLDER, TABLES

wsgi = Flask(__name__, template_folder=str(FOLDER))


@wsgi.get("/<name>")
def lamps(name: str) -> str:
    template = "rows.html" if "X-Block" in request.headers else "page.html"
    return render_template(template, title="Lamps", rows=TABLES[name])
