"""A shop as Flask's documentation would write it: settings, sessions, JSON, views, signals and blueprints.

``build`` makes it of Flask or of the dialect, and ``VISIT`` is what one browser asks.
"""

import asyncio
import dataclasses
import decimal
import functools
import uuid
from datetime import UTC, date, datetime, timedelta
from importlib import import_module

from jinja2 import DictLoader

TEMPLATES = {
    "base.html": "<title>{{ title }}</title>{% block body %}{% endblock %}<p>{{ config.SHOP_NAME }} {{ currency }}</p>",
    "item.html": (
        '{% extends "base.html" %}{% block body %}{{ item.name }} {{ item.price | money }}'
        "{% if item.price is cheap %}!{% endif %} {{ shout('x') }} {{ url_for('api.items', number=3) }}{% endblock %}"
    ),
    "messages.html": (
        "{% for category, text in get_flashed_messages(with_categories=True) %}[{{ category }}: {{ text }}]{% endfor %}"
        "{{ session.user }} {{ g.user }} {{ request.path }}"
    ),
    "admin/page.html": "admin {{ admin_name }} {{ request.blueprint }} {{ url_for('.page', lang='de') }}",
}


class Settings:
    SHOP_NAME = "Corner & Co"
    SHOP_OPENS = "9"
    PERMANENT_SESSION_LIFETIME = timedelta(hours=2)
    SESSION_COOKIE_SAMESITE = "Lax"
    SECRET_KEY = "of the class"
    ignored = 1

    @property
    def SHOP_CURRENCY(self):
        return "EUR"


class Weight:
    def __init__(self, grams):
        self.grams = grams


@dataclasses.dataclass
class Item:
    name: str
    price: decimal.Decimal
    added: date = date(2026, 1, 2)


ITEMS = {1: Item("Tea <green>", decimal.Decimal("4.50")), 2: Item("Käse", decimal.Decimal("12.00"))}


class OutOfStockError(Exception):
    pass


def build(flask):
    app = flask.Flask("shop", static_folder=None)
    configure(flask, app)
    log = watch(flask, app)
    hooks(flask, app)
    sessions(flask, app)
    json_views(flask, app)
    class_views(flask, app)
    app.register_blueprint(api(flask))
    app.register_blueprint(admin(flask))
    app.register_blueprint(page(flask), url_prefix="/first", name="first")
    app.register_blueprint(page(flask), url_prefix="/second", name="second", url_defaults={"mood": "bad"})
    templates(flask, app)

    @app.get("/log")
    def told():
        told, log[:] = log[:], []
        return told

    return app


def configure(flask, app):
    app.config.from_object(Settings())
    app.config.from_mapping({"SHOP_OPENS": 8, "lower": 1}, TRAP_HTTP_EXCEPTIONS=False)
    app.config.from_prefixed_env("SHOP")
    app.config.update(JSON_UNUSED=True)
    app.secret_key = "set later"
    app.config["SECRET_KEY_FALLBACKS"] = ["older"]

    @app.get("/config")
    def config():
        settings = flask.current_app.config
        return {
            "namespace": settings.get_namespace("SHOP_"),
            "raw": settings.get_namespace("SHOP_", lowercase=False, trim_namespace=False),
            "lifetime": str(app.permanent_session_lifetime), "key": app.secret_key, "testing": app.testing,
            "debug": app.debug, "names": sorted(settings), "has": "lower" in settings, "name": app.name,
            "types": {name: type(value).__name__ for name, value in settings.items()},
        }  # fmt: skip


def watch(flask, app):
    """Note each signal. Returns the notes."""
    log = []

    def note(name, **values):
        shown = {key: getattr(value, "name", str(value)) for key, value in values.items() if key in SHOWN}
        has_request = name != "appcontext_pushed" and flask.has_request_context()  # in Flask from 3.2 on, there too
        log.append([name, shown, has_request, flask.has_app_context()])

    for name in SIGNALS:
        signal = getattr(flask, name)
        signal.connect(
            functools.partial(lambda sender, name, **values: note(name, **values), name=name), app, weak=False
        )
    return log


SIGNALS = (
    "request_started", "request_finished", "request_tearing_down", "got_request_exception", "appcontext_pushed",
    "appcontext_popped", "appcontext_tearing_down", "message_flashed", "template_rendered", "before_render_template",
)  # fmt: skip
SHOWN = {"exc", "exception", "message", "category", "template"}


def hooks(flask, app):
    g, request, session = flask.g, flask.request, flask.session
    app.logger.disabled = True

    @app.before_request
    def find_user():
        g.user = session.get("user") if request.endpoint != "config" else None

    @app.before_request
    async def stop():
        await asyncio.sleep(0)
        return ("stopped", 403) if "stop" in request.args else None

    @app.after_request
    def mark(response):
        response.headers["X-Endpoint"] = str(request.endpoint)
        response.headers["X-Blueprints"] = " ".join(request.blueprints)
        return response

    @app.errorhandler(OutOfStockError)
    def out_of_stock(error):
        return {"error": str(error), "is": flask.get_flashed_messages()}, 409

    @app.errorhandler(404)
    async def missing(error):
        return f"missing {request.path} {error.code}", 404

    @app.errorhandler(500)
    def failed(error):
        return f"failed: {type(error.original_exception).__name__}", 500

    @app.get("/fail")
    def fail():
        raise LookupError("nothing there")

    @app.get("/abort/<int:code>")
    def stop_with(code):
        flask.abort(code)

    @app.get("/after")
    def after():
        @flask.after_this_request
        def add(response):
            response.set_cookie("seen", "yes", max_age=5, httponly=True)
            return response

        return "after"


def sessions(flask, app):
    session = flask.session

    @app.post("/login")
    def login():
        session.permanent = flask.request.form.get("stay") == "yes"
        session["user"] = flask.request.form["user"]
        session["since"] = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        session["ids"] = (uuid.UUID(int=1), b"\0")
        flask.flash("Hello.")
        flask.flash("You have <1> message.", "info")
        return flask.redirect(flask.url_for("whoami"))

    @app.get("/whoami")
    def whoami():
        return {name: repr(value) for name, value in session.items()}

    @app.get("/cart")
    def cart():
        return flask.jsonify(len(session), "cart" in session, session.get("cart", []))

    @app.post("/cart/<int:number>")
    def add(number):
        session.setdefault("cart", []).append(number)
        session.modified = "forget" not in flask.request.args
        return str(session["cart"])

    @app.get("/messages")
    def messages():
        return flask.render_template("messages.html")

    @app.post("/logout")
    def logout():
        session.clear()
        return "", 204


def json_views(flask, app):
    class Provider(app.json_provider_class):
        sort_keys = False

        @staticmethod
        def default(value):
            if isinstance(value, Weight):
                return f"{value.grams} g"
            return app.json_provider_class.default(value)

    app.json = Provider(app)

    @app.get("/json")
    def everything():
        return {"z": ITEMS[1], "a": [uuid.UUID(int=7), Weight(5), date(2026, 1, 2)], "ü": (1, None)}

    @app.post("/echo")
    def echo():
        return flask.jsonify(flask.request.get_json(silent="silent" in flask.request.args))

    @app.get("/dumps")
    def dumps():
        return flask.json.dumps({"b": 1, "a": Weight(1)}, indent=1), {"Content-Type": "text/plain"}

    @app.get("/bad-json")
    def bad():
        return {"set": {1}}


def class_views(flask, app):
    views = import_module(f"{flask.__name__}.views")

    def owned(view):
        @functools.wraps(view)
        def check(*arguments, **values):
            if flask.session.get("user") is None:
                flask.abort(401)
            return flask.current_app.ensure_sync(view)(*arguments, **values)

        return check

    class Orders(views.MethodView):
        init_every_request = False
        decorators = [owned]  # noqa: RUF012 - as Flask declares it

        def get(self, number=None):
            return {"order": number, "user": flask.g.user}

        async def post(self):
            await asyncio.sleep(0)
            return {"new": flask.request.form.to_dict(flat=False)}, 201, {"Location": flask.url_for("orders", number=5)}

    class Show(views.View):
        methods = ("GET", "POST")

        def __init__(self, template):
            self.template = template

        def dispatch_request(self, number):
            item = ITEMS.get(number)
            if item is None:
                raise OutOfStockError(f"no item {number}")
            return flask.render_template(self.template, item=item, title="Item")

    orders = Orders.as_view("orders")
    app.add_url_rule("/orders", view_func=orders)
    app.add_url_rule("/orders/<int:number>", view_func=orders, methods=["GET"])
    app.add_url_rule("/items/<int:number>", view_func=Show.as_view("show", "item.html"))


def api(flask):
    blueprint = flask.Blueprint("api", __name__, url_prefix="/api")
    inner = flask.Blueprint("inner", __name__, url_prefix="/inner")

    @blueprint.get("/items/", defaults={"number": 0})
    @blueprint.get("/items/<int:number>")
    def items(number):
        return flask.jsonify(number=number, names=[flask.request.endpoint, flask.request.blueprint])

    @blueprint.errorhandler(OutOfStockError)
    def out(error):
        return f"api: {error}", 410

    @blueprint.get("/out")
    def raise_out():
        raise OutOfStockError("all")

    @blueprint.before_request
    def only_json():
        if flask.request.args.get("format") == "xml":
            flask.abort(406)

    @blueprint.teardown_request
    def closed(error):
        flask.g.closed = error

    @inner.get("/deep")
    def deep():
        return f"{flask.request.blueprints} {flask.url_for('.deep')} {flask.url_for('api.items', number=1, q='a b')}"

    @inner.after_request
    def mark(response):
        response.headers.add("X-Inner", "yes")
        return response

    blueprint.register_blueprint(inner)
    return blueprint


def admin(flask):
    blueprint = flask.Blueprint("admin", __name__, url_prefix="/<lang>/admin")

    @blueprint.url_value_preprocessor
    def take_language(endpoint, values):
        flask.g.lang = values.pop("lang", None)

    @blueprint.url_defaults
    def add_language(endpoint, values):
        values.setdefault("lang", flask.g.get("lang", "en"))

    @blueprint.context_processor
    def names():
        return {"admin_name": f"Root of {flask.g.lang}"}

    @blueprint.get("/")
    def page():
        return flask.render_template("admin/page.html")

    @blueprint.get("/there")
    def there():
        return flask.redirect(flask.url_for("admin.page"), 303)

    @blueprint.app_errorhandler(401)
    def unauthorized(error):
        return f"who are you? {error.name}", 401, {"WWW-Authenticate": "Basic"}

    return blueprint


def page(flask):
    blueprint = flask.Blueprint("page", __name__)

    @blueprint.record
    def note(state):
        assert state.app.config["SHOP_NAME"]

    @blueprint.get("/")
    @blueprint.get("/<mood>")
    def show(mood="good"):
        return f"{flask.request.blueprint} {flask.request.endpoint} {mood} {flask.url_for('.show', mood='x')}"

    return blueprint


def templates(flask, app):
    app.jinja_loader = DictLoader(TEMPLATES)

    @app.template_filter("money")
    def money(value):
        return f"{value} {flask.current_app.config['SHOP_CURRENCY']}"

    @app.template_test()
    def cheap(value):
        return value < 5

    @app.template_global()
    def shout(text):
        return text.upper()

    @app.context_processor
    def currency():
        return {"currency": "€"}

    @app.get("/stream")
    def stream():
        def lines():
            yield f"{flask.request.path} "
            yield f"{flask.session.get('user')}"

        return app.response_class(flask.stream_with_context(lines()), mimetype="text/plain")

    @app.get("/string")
    def string():
        return flask.render_template_string("{{ '<' }} {{ currency }} {{ request.args.a }}", a=1)


FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
REQUESTS = [
    ("GET", "/config"), ("GET", "/whoami"), ("GET", "/cart"), ("GET", "/orders"), ("GET", "/orders/4"),
    ("POST", "/login", FORM, b"name=Zoe"), ("POST", "/login", FORM, b"user=Zo%C3%AB&stay=no"), ("GET", "/whoami"),
    ("GET", "/messages"), ("GET", "/messages"), ("POST", "/cart/5"), ("POST", "/cart/6?forget=1"), ("GET", "/cart"),
    ("POST", "/cart/7"), ("GET", "/cart"), ("GET", "/orders/4"), ("POST", "/orders", FORM, b"a=1&a=2&b="),
    ("PUT", "/orders"), ("OPTIONS", "/orders"), ("HEAD", "/orders/4"), ("POST", "/orders/4"), ("GET", "/items/1"),
    ("GET", "/items/2"), ("POST", "/items/1"), ("GET", "/items/3"), ("DELETE", "/items/3"), ("GET", "/log"),
    ("GET", "/json"), ("GET", "/dumps"), ("GET", "/bad-json"), ("POST", "/echo", JSON, b'{"a": [1.5, "\xc3\xbc"]}'),
    ("POST", "/echo", JSON, b"{"), ("POST", "/echo?silent", JSON, b"{"), ("POST", "/echo", FORM, b"{}"),
    ("POST", "/echo", JSON, b"\xff"), ("POST", "/echo?silent", JSON, b"NaN"), ("GET", "/api/items/"),
    ("GET", "/api/items/0"), ("GET", "/api/items"), ("GET", "/api/items/12"), ("GET", "/api/items/x"),
    ("GET", "/api/out"),
    ("GET", "/api/items/12?format=xml"), ("GET", "/api/inner/deep"), ("HEAD", "/api/inner/deep"), ("GET", "/en/admin/"),
    ("GET", "/fr/admin/there"), ("GET", "/fr/admin"), ("GET", "/first/"), ("GET", "/first/fine"), ("GET", "/second/"),
    ("GET", "/second/fine"), ("GET", "/string?a=%3Cb%3E"), ("GET", "/after"), ("GET", "/fail"),
    ("GET", "/nowhere"), ("GET", "/abort/404"), ("GET", "/abort/418"), ("GET", "/abort/500"), ("GET", "/cart?stop"),
    ("GET", "/log"), ("POST", "/login", FORM, b"user=Ann&stay=yes"), ("GET", "/string"), ("GET", "/messages"),
    ("POST", "/logout"), ("GET", "/whoami"), ("GET", "/log"),
    ("GET", "/stream"),
]  # fmt: skip
"""The requests of one browser: method, path, headers and body."""
VISIT = [
    (path, {"method": method, **dict(zip(("headers", "body"), rest, strict=False))}) for method, path, *rest in REQUESTS
]
