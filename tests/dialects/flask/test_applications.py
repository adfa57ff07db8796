"""Applications and blueprints: each case has the same outcome on Flask and on the dialect."""

import os
from datetime import timedelta

import flask as original
import pytest

from antiphon.dialects import flask as dialect
from tests.dialects.exchanges import error_of
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

CASES = []


def case(function):
    CASES.append(function)
    return function


def texts(app, *paths, **options):
    client = app.test_client()
    return [(response.status_code, response.text) for response in [client.get(path, **options) for path in paths]]


@case
def defaults_of_an_application(flask):
    app = flask.Flask(__name__)
    config = {name: value for name, value in app.config.items() if name != "DEBUG"}
    own = app.name, app.import_name, app.debug, app.testing, app.secret_key, app.permanent_session_lifetime
    folders = app.static_folder, app.static_url_path, app.template_folder, app.instance_path, app.root_path
    (rule,) = app.url_map.iter_rules()
    return config, own, folders, rule.rule, app.extensions, app.blueprints, repr(app)


@case
def attributes_that_are_settings(flask):
    app = flask.Flask(__name__)
    app.testing, app.secret_key, app.debug = True, "key", True
    app.config["PERMANENT_SESSION_LIFETIME"] = 60
    app.permanent_session_lifetime, before = timedelta(1), app.permanent_session_lifetime
    names = "TESTING", "SECRET_KEY", "DEBUG", "PERMANENT_SESSION_LIFETIME"
    return [app.config[name] for name in names], before


@case
def paths(flask):
    root = os.path.dirname(__file__)
    app = flask.Flask(__name__, "/st/", "files/", template_folder=None, instance_path="/var/own", root_path=root)
    outcomes = [app.static_folder, app.static_url_path, app.jinja_loader, app.instance_path, app.has_static_folder]
    with app.open_resource("imported_names.csv") as file:
        outcomes.append(file.readline())
    with app.open_resource("imported_names.csv", "rt", encoding="utf-8") as file:
        outcomes.append(file.readline())
    outcomes += [
        error_of(app.open_resource, "imported_names.csv", "w"),
        error_of(flask.Flask, "x", instance_path="relative"),
    ]
    return [*outcomes, flask.Flask("x", static_folder=None).has_static_folder]


@case
def names_of_programs(flask):
    return flask.Flask("json").root_path, flask.Flask("no.such.module").root_path, flask.Flask("os.path").name


@case
def methods_of_rules(flask):
    app = flask.Flask(__name__, static_folder=None)

    def view():
        return ""

    view.methods, view.required_methods = ["post"], ["PUT"]
    app.add_url_rule("/own", view_func=view)
    app.add_url_rule("/given", "given", view, methods=["PATCH"])
    app.add_url_rule("/without", "without", lambda: "", provide_automatic_options=False)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.add_url_rule("/none", "none", lambda: "")
    rules = sorted(
        (rule.rule, sorted(rule.methods), rule.provide_automatic_options) for rule in app.url_map.iter_rules()
    )
    client = app.test_client()
    statuses = [client.options(path).status_code for path in ("/own", "/without", "/none")]
    return rules, statuses


@case
def mistakes_in_rules(flask):
    app = flask.Flask(__name__)
    app.add_url_rule("/a", "a", lambda: "")
    return [
        error_of(app.add_url_rule, "/b", "a", lambda: ""),
        error_of(app.add_url_rule, "/c"),
        error_of(app.add_url_rule, "c", "c"),
        error_of(app.add_url_rule, "/d", "d", methods="GET"),
        error_of(app.get, "/e", methods=["POST"]),
        error_of(app.register_error_handler, 999, print),
        error_of(app.register_error_handler, KeyError(), print),
        error_of(app.register_error_handler, list, print),
    ]


@case
def setup_after_the_first_request(flask):
    app = flask.Flask(__name__)
    blueprint = flask.Blueprint("b", __name__)
    app.register_blueprint(blueprint)
    outcomes = [error_of(blueprint.before_request, print)]
    app.test_client().get("/")
    names = "before_request after_request teardown_request teardown_appcontext errorhandler route endpoint get"
    names += " context_processor url_defaults url_value_preprocessor shell_context_processor register_blueprint"
    return outcomes + [error_of(getattr(app, name), print) for name in names.split()]


@case
def verbs(flask):
    app = flask.Flask(__name__)
    for method in ("get", "post", "put", "delete", "patch"):
        getattr(app, method)("/", endpoint=method)(lambda method=method: method)
    client = app.test_client()
    return [client.open("/", method=method).text for method in ("GET", "POST", "PUT", "DELETE", "PATCH")]


@case
def endpoints_without_views(flask):
    app = flask.Flask(__name__)
    app.add_url_rule("/", endpoint="index")
    app.endpoint("index")(lambda: "found")
    return texts(app, "/")


@case
def names_and_prefixes_of_blueprints(flask):
    app = flask.Flask(__name__, static_folder=None)
    outer = flask.Blueprint("outer", __name__, url_prefix="/outer/", static_folder="static", url_defaults={"a": 1})
    inner = flask.Blueprint("inner", __name__)
    outer.add_url_rule("/x", "x", lambda **values: str(values))
    inner.add_url_rule("/", "index", lambda **values: flask.url_for(".index"), defaults={"b": 2})
    inner.add_url_rule("", "bare", lambda **values: flask.request.path)
    outer.register_blueprint(inner, url_prefix="in")
    outer.register_blueprint(inner, name="second", url_prefix="/second/")
    app.register_blueprint(outer)
    app.register_blueprint(outer, name="again", url_prefix="/again", url_defaults={"a": 2})
    rules = sorted((rule.rule, rule.endpoint, str(rule.defaults)) for rule in app.url_map.iter_rules())
    outcomes = [error_of(app.register_blueprint, outer), error_of(outer.register_blueprint, outer)]
    asked = texts(app, "/outer/x", "/again/x", "/outer/in/", "/outer/second/", "/again/second/", "/again/in")
    return rules, outcomes, sorted(app.blueprints), asked, [each.name for each in app.iter_blueprints()]


@case
def mistakes_in_blueprints(flask):
    blueprint = flask.Blueprint("b", __name__)
    return [
        error_of(flask.Blueprint, "", __name__),
        error_of(flask.Blueprint, "a.b", __name__),
        error_of(blueprint.add_url_rule, "/", "a.b"),
        blueprint.root_path,
        repr(blueprint),
    ]


@case
def records_of_blueprints(flask):
    app, blueprint, told = flask.Flask(__name__), flask.Blueprint("b", __name__, url_prefix="/b"), []
    blueprint.record(lambda state: told.append((state.first_registration, state.url_prefix, state.options)))
    blueprint.record_once(lambda state: told.append("once"))
    app.register_blueprint(blueprint, own=1)
    app.register_blueprint(blueprint, name="second", url_prefix="/c")
    return told


@case
def hooks_of_the_whole_application(flask):
    app, blueprint, told = flask.Flask(__name__), flask.Blueprint("b", __name__), []
    blueprint.before_app_request(lambda: told.append("before"))
    blueprint.after_app_request(lambda response: told.append("after") or response)
    blueprint.teardown_app_request(lambda error: told.append("teardown"))
    blueprint.app_errorhandler(404)(lambda error: ("none", 404))
    blueprint.app_url_defaults(lambda endpoint, values: values.setdefault("lang", "de"))
    blueprint.app_url_value_preprocessor(lambda endpoint, values: told.append((endpoint, values)))
    app.register_blueprint(blueprint)
    app.add_url_rule("/<lang>/", "index", lambda lang: flask.url_for("index"))
    return texts(app, "/en/", "/nowhere/at/all"), told


@case
def the_order_of_hooks(flask):
    app, told = flask.Flask(__name__), []

    def hook(scaffold, name):
        for number in (1, 2):
            scaffold.before_request(lambda number=number: told.append(f"before {name} {number}"))
            scaffold.after_request(lambda response, number=number: told.append(f"after {name} {number}") or response)
            scaffold.teardown_request(lambda error, number=number: told.append(f"teardown {name} {number}"))

    outer, inner = flask.Blueprint("outer", __name__), flask.Blueprint("inner", __name__)
    for scaffold, name in ((app, "app"), (outer, "outer"), (inner, "inner")):
        hook(scaffold, name)
    app.teardown_appcontext(lambda error: told.append("teardown of the context"))
    inner.add_url_rule("/", "index", lambda: flask.after_this_request(lambda r: told.append("this") or r) and "")
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    return texts(app, "/", "/nowhere"), told


@case
def handlers_for_errors(flask):
    app, blueprint = flask.Flask(__name__), flask.Blueprint("b", __name__, url_prefix="/b")
    app.logger.disabled = True
    for scaffold, name in ((app, "app"), (blueprint, "blueprint")):
        scaffold.register_error_handler(404, lambda e, name=name: (f"{name} 404 {e.code}", 404))
        scaffold.register_error_handler(LookupError, lambda e, name=name: f"{name} LookupError {type(e).__name__}")
        scaffold.register_error_handler(
            500, lambda e, name=name: (f"{name} 500 {type(e.original_exception).__name__}", 500)
        )

        @scaffold.route("/<kind>", endpoint="fail")
        def fail(kind):
            if kind.isdigit():
                flask.abort(int(kind))
            raise {"key": KeyError, "index": IndexError, "value": ValueError, "own": BaseException}[kind]

    app.register_blueprint(blueprint)
    kinds = ("key", "index", "value", "404", "500", "403")
    return texts(app, *[f"/{kind}" for kind in kinds], *[f"/b/{kind}" for kind in kinds], "/b/no/such")


@case
def errors_are_propagated(flask):
    outcomes = []
    for setting, value in (("TESTING", True), ("DEBUG", True), ("PROPAGATE_EXCEPTIONS", True), ("TESTING", False)):
        app = flask.Flask(__name__)
        app.logger.disabled = True
        app.config[setting] = value
        app.add_url_rule("/", "index", lambda: 1 / 0)
        app.add_url_rule("/form", "form", lambda: flask.request.args["none"])
        outcomes += [error_of(texts, app, "/")]
        app.config["TRAP_BAD_REQUEST_ERRORS"] = True
        outcomes += [error_of(texts, app, "/form")]
        app.config["TRAP_HTTP_EXCEPTIONS"] = True
        outcomes += [error_of(texts, app, "/nowhere")]
    return [each if isinstance(each, str) else each[0][0] for each in outcomes]


@case
def trusted_hosts(flask):
    app = flask.Flask(__name__)
    app.config["TRUSTED_HOSTS"] = [".example.test", "own.test"]
    app.add_url_rule("/", "index", lambda: flask.request.host)
    hosts = ("own.test", "a.example.test", "example.test", "other.test", "own.test.evil")
    return [app.test_client().get("/", headers={"Host": host}).status_code for host in hosts]


@case
def subdomains_and_hosts(flask):
    app = flask.Flask(__name__, subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.test"
    app.add_url_rule("/", "index", lambda: "root")
    app.add_url_rule("/", "user", lambda user: user, subdomain="<user>")
    blueprint = flask.Blueprint("b", __name__, subdomain="api")
    blueprint.add_url_rule("/b", "b", lambda: flask.url_for("user", user="x", _external=True))
    app.register_blueprint(blueprint)
    asked = [("example.test", "/"), ("ada.example.test", "/"), ("api.example.test", "/b"), ("example.test", "/b")]
    found = [texts(app, path, base_url=f"http://{host}/")[0] for host, path in asked]
    hosted = flask.Flask(__name__, host_matching=True, static_host="static.test")
    hosted.add_url_rule("/", "a", lambda: "a", host="a.test")
    hosted.add_url_rule("/", "b", lambda: "b", host="b.test")
    found += [texts(hosted, "/", base_url=f"http://{host}/")[0] for host in ("a.test", "b.test", "c.test")]
    return [found[0][:], *[each[0] for each in found], error_of(flask.Flask, __name__, host_matching=True)]


@case
def urls(flask):
    app = flask.Flask(__name__)
    app.add_url_rule("/a/<int:n>", "a", lambda n: "", methods=["GET", "POST"])
    app.config["APPLICATION_ROOT"], app.config["PREFERRED_URL_SCHEME"] = "/root", "https"
    outcomes = [error_of(app.url_for, "a", n=1)]
    with app.test_request_context("/a/2", base_url="http://host.test/below/"):
        outcomes += [
            app.url_for("a", n=1, q=["x", "y"], _anchor="an chor'"),
            app.url_for("a", n=1, _external=True),
            app.url_for("a", n=1, _scheme="ftp"),
            app.url_for(".a", n=1, _method="POST"),
            error_of(app.url_for, "a", n=1, _scheme="ftp", _external=False),
            error_of(app.url_for, "none"),
        ]
    app.url_build_error_handlers.append(lambda error, endpoint, values: f"handled {endpoint} {sorted(values)}")
    app.config["SERVER_NAME"] = "named.test"
    with app.app_context():
        outcomes += [app.url_for("a", n=1), app.url_for("a", n=1, _external=False), app.url_for("none", v=1)]
    return [*outcomes, app.url_for("a", n=3)]


@case
def redirects_of_routing(flask):
    app = flask.Flask(__name__)
    app.add_url_rule("/slash/", "slash", lambda: "", methods=["GET", "POST"])
    client = app.test_client()
    found = [client.get("/slash?a=b"), client.post("/slash"), client.get("//slash//")]
    app.debug = True
    return [(each.status_code, each.location) for each in found], client.post("/slash").status_code


@case
def contexts_that_are_made(flask):
    app = flask.Flask(__name__)
    app.add_url_rule("/<name>", "index", lambda name: name)
    app.shell_context_processor(lambda: {"own": 1})
    with app.test_request_context("/ada?x=1", method="POST", data={"a": "b"}) as ctx:
        request = ctx.request
        seen = request.path, request.method, request.form["a"], request.endpoint, request.view_args, ctx.app is app
        names = sorted(app.make_shell_context())
        proxies = flask.current_app._get_current_object() is app, bool(flask.g), "x" in flask.g, flask.g.get("x", 3)
        flask.g.x = 1
        changed = flask.g.pop("x"), flask.g.pop("x", None), flask.g.setdefault("y", 2), list(flask.g), repr(flask.g)
    return seen, names, proxies, changed, error_of(getattr, flask.g, "x")


@case
def replaced_classes(flask):
    class Globals(flask.ctx._AppCtxGlobals):
        own = "own"

    class Own(flask.Flask):
        app_ctx_globals_class = Globals

    app = Own(__name__)
    app.add_url_rule("/", "index", lambda: flask.g.own)
    return texts(app, "/")


@case
def aborts_and_redirects(flask):
    app = flask.Flask(__name__)

    class Own(app.aborter_class):
        def __call__(self, code, *arguments, **named):
            super().__call__(418 if code == 400 else code, *arguments, **named)

    app.aborter_class = Own
    app.aborter = app.make_aborter()
    app.add_url_rule("/abort", "abort", lambda: flask.abort(400))
    app.add_url_rule("/redirect", "redirect", lambda: flask.redirect("/a", 307))
    return [status for status, _ in texts(app, "/abort", "/redirect")], app.redirect("/b").status_code


@case
def made_responses(flask):
    app = flask.Flask(__name__)
    with app.test_request_context():
        given = (), ("text",), ("text", 201), (("text", 202),), ({"a": 1},), (flask.redirect("/x"),)
        made = [flask.make_response(*each) for each in given]
    return [(response.status, [*response.headers], response.get_data(as_text=True)) for response in made]


@case
def cookies_that_are_too_large(flask):
    app = flask.Flask(__name__)
    app.config["MAX_COOKIE_SIZE"] = 50
    with app.app_context(), pytest.warns(UserWarning, match="50"):
        flask.Response().set_cookie("a", "b" * 60)
    return flask.Response().max_cookie_size


@rows("check", CASES, ids=lambda function: function.__name__)
def test_has_the_outcome_that_it_has_on_flask(check, monkeypatch):
    monkeypatch.chdir(os.path.dirname(__file__))
    assert check(dialect) == check(original)
