"""Flask: view functions and its request proxy; WSGI."""

from typing import Any

from flask import Flask, request
from flask.typing import ResponseReturnValue

from .work import FIELDS, LANGUAGES, invoice, listing, receipt, upload

wsgi = Flask(__name__)

TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@wsgi.get("/hello")
def hello() -> ResponseReturnValue:
    return "Hello, world!", TEXT


@wsgi.get("/read/<name>")
def read(name: str) -> ResponseReturnValue:
    args = request.args
    answer = listing(
        name,
        args["page"],
        args.get("size", 0, type=int),
        args["sort"],
        request.cookies["session"],
        request.accept_languages.best_match(LANGUAGES),
    )
    return answer, {**TEXT, "Vary": "Accept-Language"}


@wsgi.post("/json")
def order() -> dict[str, Any]:
    return invoice(request.get_json())


@wsgi.post("/form")
def form() -> ResponseReturnValue:
    values = request.form
    return receipt([values[name] for name in FIELDS]), TEXT


@wsgi.post("/multipart")
def multipart() -> ResponseReturnValue:
    file = request.files["file"]
    return upload(request.form["title"], file.filename, file.read()), TEXT
