"""Flask: view functions and its request proxy; WSGI."""

from typing import Any

import msgspec
from flask import Flask, Response, g, request, session
from flask.json.provider import JSONProvider
from flask.typing import ResponseReturnValue

from .work import (
    FIELDS,
    LANGUAGES,
    MADE,
    NO_STORE,
    PAGES,
    SESSION_KEY,
    USER,
    PassingWsgi,
    invoice,
    listing,
    receipt,
    upload,
    within,
)


class MsgspecProvider(JSONProvider):
    """Another codec, as Flask takes it."""

    def dumps(self, obj: Any, **_options: Any) -> str:
        return encode(obj).decode()

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        return decode(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        return self._app.response_class(encode(args[0] if args else kwargs), mimetype="application/json")


encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode

wsgi = Flask(__name__, static_folder=PAGES, static_url_path="/static")
wsgi.secret_key = SESSION_KEY
wsgi_json_msgspec = Flask(__name__)
wsgi_json_msgspec.json = MsgspecProvider(wsgi_json_msgspec)
wsgi_hooks = Flask(__name__)
wsgi_middlewares = Flask(__name__)
wsgi_middlewares.wsgi_app = within(PassingWsgi, wsgi_middlewares.wsgi_app)  # type: ignore[method-assign]  # its way

TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@wsgi_middlewares.get("/hello")
@wsgi.get("/hello")
def hello() -> ResponseReturnValue:
    return "Hello, world!", TEXT


@wsgi.get("/session")
def visit() -> ResponseReturnValue:
    session["visits"] += 1
    return f"Hello, {session['user']}!", TEXT


@wsgi_hooks.before_request
def identify() -> None:
    g.user = USER


@wsgi_hooks.after_request
def protect(response: Response) -> Response:
    response.headers["X-Frame-Options"] = "DENY"
    return response


@wsgi_hooks.get("/hooks")
def hooks() -> ResponseReturnValue:
    return f"Hello, {g.user}!", TEXT


@wsgi.get("/tuple")
def made() -> ResponseReturnValue:
    return MADE, 201, {**TEXT, "Cache-Control": NO_STORE}


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


@wsgi_json_msgspec.post("/json-msgspec")
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
