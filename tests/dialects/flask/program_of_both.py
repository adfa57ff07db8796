"""A program that is written for Flask, and runs on it and on the dialect: on the package that it is given."""

import logging
from functools import partial, wraps

from jinja2 import DictLoader

SIGNALS = (
    "request_started", "request_finished", "request_tearing_down", "got_request_exception", "appcontext_pushed",
    "appcontext_popped", "appcontext_tearing_down", "message_flashed", "template_rendered", "before_render_template",
)  # fmt: skip
PAGE = (
    "{{ name | twice }} {{ owner }} {{ request.blueprint }} {{ 'a' is short }} {{ url_for('.numbers', number=3) }}"
    "{% for category, text in get_flashed_messages(with_categories=True) %}[{{ category }}: {{ text }}]{% endfor %}"
)


def plain(function):
    return function


def awaited(function):
    """The same function as ``async def``."""

    @wraps(function)
    async def call(*arguments, **named):
        return function(*arguments, **named)

    return call


def note(flask, log, signal, sender, **values):
    """Note a signal, and where it is sent: in Flask from 3.2 on, a context is pushed in a request, too."""
    told = ("exc", "exception", "message", "category", "template")
    shown = {name: getattr(value, "name", type(value).__name__) for name, value in values.items() if name in told}
    has_request = signal != "appcontext_pushed" and flask.has_request_context()
    log.append([signal, shown, has_request, flask.has_app_context()])


def build(flask, made=plain):
    """The program, whose views, hooks and handlers are ``made`` of plain functions."""
    app = flask.Flask(__name__, static_folder=None)
    app.secret_key = "the key"
    app.config["MAX_CONTENT_LENGTH"] = 2000
    app.logger.disabled = True
    logging.getLogger(app.name).setLevel(logging.CRITICAL)
    app.jinja_loader = DictLoader({"page.html": PAGE})
    app.template_filter("twice")(lambda text: text * 2)
    app.template_test("short")(lambda text: len(text) < 2)
    request, session, g, log = flask.request, flask.session, flask.g, []
    for name in SIGNALS:
        getattr(flask, name).connect(partial(note, flask, log, name), app, weak=False)

    @app.route("/log")
    @made
    def told():
        told, log[:] = log[:], []
        return [] if "clear" in request.args else told

    @app.before_request
    @made
    def before():
        g.setdefault("seen", []).append(request.endpoint)
        if request.args.get("stop"):
            return "stopped before", 403
        return None

    @app.after_request
    @made
    def after(response):
        response.headers["X-Seen"] = ",".join(map(str, g.seen))
        return response

    @app.errorhandler(404)
    @made
    def missing(error):
        return f"nothing at {request.path}: {error.name}", 404

    @app.errorhandler(LookupError)
    @made
    def lost(error):
        return flask.jsonify(lost=str(error)), 410

    @app.route("/text")
    @made
    def text():
        return "text with ü"

    @app.route("/none")
    @made
    def none():
        return None

    @app.route("/all")
    @made
    def everything():
        return flask.jsonify(a=1), 202, [("X-A", "1"), ("X-B", "2")]

    @app.route("/response")
    @made
    def response():
        response = flask.make_response(flask.redirect("/text"))
        response.set_cookie("user", "Zoë", max_age=60, httponly=True, samesite="Lax")
        response.delete_cookie("old")
        return response

    @app.route("/generated")
    @made
    def generated():
        return (f"{number}\n" for number in range(3))

    @app.route("/in-context")
    @made
    def in_context():
        def parts():
            yield request.path
            yield str(flask.has_request_context())

        return flask.Response(flask.stream_with_context(parts()), mimetype="text/event-stream")

    @app.route("/out-of-context")
    @made
    def out_of_context():
        def parts():
            yield str(flask.has_request_context())

        return flask.Response(parts())

    @app.route("/wsgi")
    @made
    def wsgi():
        def application(environ, start_response):
            start_response("203 WRAPPED", [("Content-Type", "text/x-own"), ("X-Path", environ["PATH_INFO"])])
            return [b"from ", b"within"]

        return application

    @app.route("/form", methods=["POST"])
    @made
    def form():
        files = {name: [file.filename, file.read().decode(), bool(file)] for name, file in request.files.items()}
        return {"form": request.form.to_dict(flat=False), "files": files, "data": request.get_data(as_text=True)}

    @app.route("/fails")
    @made
    def fails():
        raise ValueError("a secret")

    @app.route("/lost")
    @made
    def raises_lookup():
        raise KeyError("it")

    @app.route("/abort/<int:code>")
    @made
    def aborted(code):
        flask.abort(code, description="no & never")

    @app.route("/proxied")
    @made
    def aborts_with_response():
        flask.abort(flask.Response("own", 409))

    @app.route("/slash/")
    @made
    def slash():
        return flask.url_for("aborted", code=400, q="ü") + " " + flask.url_for("text", _external=True)

    @app.route("/count")
    @made
    def count():
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    @app.route("/late")
    @made
    def late():
        @flask.after_this_request
        @made
        def change(response):
            response.headers["X-Late"] = "yes"
            return response

        return "late"

    def inner(name):
        blueprint = flask.Blueprint(name, __name__, url_prefix=f"/{name}")

        @blueprint.before_request
        @made
        def before():
            g.seen.append(f"before {name}")

        @blueprint.after_request
        @made
        def after(response):
            g.seen.append(f"after {name}")
            return response

        @blueprint.errorhandler(ValueError)
        @made
        def failed(error):
            return f"{name} failed: {error}", 500

        @blueprint.url_value_preprocessor
        def pull(endpoint, values):
            g.setdefault("seen", []).append(f"pulled {sorted(values)}")

        @blueprint.url_defaults
        def push(endpoint, values):
            values.setdefault("from", name)

        @blueprint.context_processor
        def names():
            return {"owner": f"of {name}"}

        @blueprint.route("/page")
        @made
        def page():
            flask.flash("seen", "info")
            return flask.render_template("page.html", name="<x>")

        @blueprint.route("/numbers/", defaults={"number": 0})
        @blueprint.route("/numbers/<int:number>")
        @made
        def numbers(number):
            return str(number)

        @blueprint.route("/")
        @made
        def index():
            return f"{request.blueprint} {request.blueprints} {flask.url_for('.index')}"

        @blueprint.route("/fails")
        @made
        def fails():
            raise ValueError(name)

        return blueprint

    parent, child = inner("parent"), inner("child")
    parent.register_blueprint(child)
    app.register_blueprint(parent)
    app.register_blueprint(inner("child"), name="again", url_prefix="/again")
    return app


MULTIPART = (
    b'--between\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n--between\r\n'
    b'Content-Disposition: form-data; name="upload"; filename="a.txt"\r\n\r\ncontent\r\n--between\r\n'
    b'Content-Disposition: form-data; name="none"; filename=""\r\n\r\n\r\n--between--\r\n'
)
FORM = {"content-type": "application/x-www-form-urlencoded"}
PARTS = {"content-type": "multipart/form-data; boundary=between"}

PATHS = """
text none all response generated in-context out-of-context wsgi fails lost abort/404 abort/400 abort/418 proxied slash
slash/ count late nowhere parent/ parent/fails parent/child/ parent/child/fails again/ again/fails text?stop=1 form
log?clear parent/page parent/child/page again/page log parent/numbers/ parent/numbers/0 parent/numbers
parent/numbers/7 child/numbers/7 again/numbers/0?a=b fails text?stop=1 lost log
"""
REQUESTS = [
    *[("GET", f"/{path}", {}, b"") for path in PATHS.split()],
    ("HEAD", "/text", {}, b""), ("HEAD", "/generated", {}, b""), ("OPTIONS", "/text", {}, b""),
    ("OPTIONS", "/form", {}, b""), ("OPTIONS", "/nowhere", {}, b""), ("PUT", "/text", {}, b""),
    ("POST", "/form", FORM, b"a=1&a=2&b=%C3%BC+c"), ("POST", "/form", PARTS, MULTIPART),
    ("POST", "/form", {}, b"plain"), ("POST", "/form", FORM, b"a=" + b"x" * 2000),
]  # fmt: skip
