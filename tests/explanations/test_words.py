"""Words of other frameworks: each error names ours, and nothing else changes."""

import copy
import importlib
import inspect
import pickle
import pydoc
import re
import sys
import tempfile
import traceback
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, make_dataclass
from functools import cached_property

import pytest
from jinja2 import DictLoader

import antiphon
from antiphon import (
    App,
    Blueprint,
    HTTPError,
    Redirect,
    Request,
    Response,
    Session,
    WebSocket,
    WebSocketClosed,
    abort,
    features,
)
from antiphon.explanations import add_notes
from antiphon.explanations.naming import ROUTES, ROUTES_ATTRIBUTES, WORDS
from antiphon.features import Basic, Bearer, Channel, Form, MemoryStore, Page, Runs, SessionLogin, Templates
from antiphon.features.forms.bound_field import FIELD
from antiphon.features.forms.form import OTHER_WORDS
from antiphon.http import Headers, MultiDict, NotFound
from antiphon.testing import Client
from antiphon.types import ChannelMessage, Environment, FlashMessages
from tests.helpers.rows import rows

FROM_3_12 = sys.version_info >= (3, 12)


@dataclass
class Lamp:
    name: str


APP_WORDS = {word: ours for word, ours in (ROUTES | ROUTES_ATTRIBUTES).items() if word not in dir(App)}
FORM_OF_LAMP = Form(Lamp, Request.blank("/"))
OBJECTS = {
    "Request": (Request.blank(), WORDS["Request"] | WORDS["Request, when set"]),
    "Response": (Response(), WORDS["Response"]),
    "App": (App(), APP_WORDS),
    "Blueprint": (Blueprint("shop"), APP_WORDS | WORDS["Blueprint"]),
    "BoundField": (FORM_OF_LAMP["name"], FIELD),
    "HTTPError": (HTTPError("gone"), WORDS["HTTPError"]),
    "MultiDict": (MultiDict([("a", "b")]), WORDS["MultiDict"]),
    "Client": (Client(App()), WORDS["Client"]),
    "CookieJar": (Client(App()).cookies, WORDS["CookieJar"]),
    "ClientResponse": (Client(App()).get("/"), WORDS["ResponseHead"] | WORDS["ClientResponse"]),
}
READ = [(kind, word, ours) for kind, (_, words) in OBJECTS.items() for word, ours in words.items()]


@rows("kind, word, ours", READ)
def test_reading_one_names_ours(kind, word, ours):
    thing, _ = OBJECTS[kind]
    with pytest.raises(AttributeError) as error:
        getattr(thing, word)
    assert str(error.value) == f"{kind} has no {word!r}; use {ours}"
    assert (error.value.name, error.value.obj) == (word, thing)
    assert not hasattr(type(thing), word)
    assert getattr(thing, word, None) is None


OURS = {ours for _, _, ours in READ}.union(*(words.values() for words in WORDS.values()))


@rows("ours", sorted(OURS))
def test_ours_is_there(ours):
    named = re.findall(r"\b(request|response|app|blueprint|Request)\.(\w+)", ours)
    classes = {"request": Request, "Request": Request, "response": Response, "app": App, "blueprint": Blueprint}
    assert all(hasattr(classes[kind], name) for kind, name in named)


@rows("kind", OBJECTS)
def test_dir_leaves_them_out(kind):
    thing, words = OBJECTS[kind]
    others = {*words}
    assert [name for name in dir(thing) if name in others and not hasattr(thing, name)] == []
    assert set(vars(object)) < set(dir(thing))


@rows("kind", OBJECTS)
def test_a_class_lists_only_its_own_names(kind):
    thing, words = OBJECTS[kind]
    cls = type(thing)
    others = {word for word in words if not hasattr(cls, word)}
    assert others
    assert others.isdisjoint(dir(cls))
    assert others.isdisjoint(name for name, _ in inspect.getmembers(cls))
    assert others.isdisjoint(re.findall(r"^ \|  (\w+)(?=\(|$)", pydoc.plain(pydoc.render_doc(cls)), re.MULTILINE))


def test_a_subclass_may_be_abstract():
    class Shop(App, ABC):
        @abstractmethod
        def open(self): ...

    with pytest.raises(TypeError, match="abstract"):
        Shop()
    assert issubclass(Shop, App)
    assert not isinstance(App(), Shop)


def test_dir_has_one_that_an_app_or_a_subclass_was_given():
    class Shop(App):
        config: dict | None = None

        def add_route(self): ...

    shop = Shop()
    shop.config = {}
    assert {"add_route", "config", "get"} <= set(dir(shop))
    assert "add_middleware" not in dir(shop)


@rows("word", [word for kind, word, _ in READ if kind == "Response"])
def test_setting_one_that_would_have_no_effect_names_ours(word):
    with pytest.raises(AttributeError, match="; use "):
        setattr(Response(), word, 404)


def test_an_app_may_be_given_one(app):
    app.state = app.settings = 1
    assert (app.state, app.settings) == (1, 1)


@rows("kind", ["Request", "Response", "MultiDict"])
@rows("copied", [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_copies_are_made_as_ever(kind, copied):
    thing, _ = OBJECTS[kind]
    assert type(copied(thing)) is type(thing)


def test_a_subclass_may_have_one():
    class Own(Request):
        state = has = "mine"

        @property
        def query_params(self):
            return self.args

    assert Own.blank("/?a=1").query_params["a"] == "1"
    assert (Own.blank().state, Own.blank().has) == ("mine", "mine")


HINTING = {type(thing): words for thing, words in OBJECTS.values()} | {
    each: WORDS[each.__name__] for each in (Environment, FlashMessages, Headers, Session, WebSocket)
}
HINTS = [(base, word) for base, words in HINTING.items() for word in words]


def subclass(*bases, **namespace):
    cls = type("Own", bases, namespace)
    cls.__abstractmethods__ = frozenset()
    return cls


@rows("base, word", HINTS)
def test_an_object_of_a_subclass_may_have_any_of_them(base, word):
    thing = object.__new__(subclass(base)) if base is not HTTPError else subclass(base)()
    with pytest.raises(AttributeError, match="; use "):
        getattr(thing, word)
    setattr(thing, word, 1)
    assert (getattr(thing, word), word in object.__dir__(thing)) == (1, True)
    delattr(thing, word)
    with pytest.raises(AttributeError, match="; use "):
        getattr(thing, word)


@rows("base, word", [each for each in HINTS if each[0] in (App, Blueprint, Response, MultiDict)])
def test_its_init_may_set_them_before_and_after_ours(base, word):
    def init(self):
        setattr(self, word, "before")
        base.__init__(self, *["shop"] * (base is Blueprint))
        assert getattr(self, word) == "before"
        setattr(self, word, "after")

    assert getattr(subclass(base, __init__=init)(), word) == "after"


@rows("made", [property, cached_property, classmethod, lambda function: None, lambda function: {}])
@rows("base, word", {base: word for base, word in HINTS if base is not HTTPError}.items())
@rows("place", ["in the class", "in a mixin before", "in a mixin behind"])
def test_what_a_subclass_or_its_mixin_defines_is_read(made, base, word, place):
    mixin = type("Mixin", (), {word: made(lambda self: None)})
    if place == "in the class":
        cls = subclass(base, **{word: made(lambda self: None)})
    else:
        cls = subclass(*((base, mixin) if place == "in a mixin behind" else (mixin, base)))
    value = getattr(object.__new__(cls), word)
    assert not (value() if callable(value) else value)


@rows("kind, word", [("App", "debug"), ("App", "config"), ("Blueprint", "url_prefix"), ("Request", "max_body_length")])
def test_on_our_own_class_setting_one_without_an_effect_is_an_error(kind, word):
    with pytest.raises(AttributeError, match=r"\buse "):
        setattr(OBJECTS[kind][0], word, 1)


ELSEWHERE = [
    ("antiphon", "Page", "antiphon.features"), ("antiphon", "login_required", "antiphon.features"),
    ("antiphon", "Client", "antiphon.testing"), ("antiphon.features", "App", "antiphon"),
    ("antiphon.testing", "Request", "antiphon"), ("antiphon.embedding", "current_request", "antiphon"),
    ("antiphon.types", "current_request", "antiphon"), ("antiphon.logs", "Page", "antiphon.features"),
    ("antiphon.cli", "JSONFormatter", "antiphon.logs"), ("antiphon", "load_app", "antiphon.cli"),
    ("antiphon.features", "Lifetime", "antiphon.types"), ("antiphon", "Framework", "antiphon.embedding"),
]  # fmt: skip


@rows("package, name, home", ELSEWHERE)
def test_importing_a_name_from_another_place_says_where_it_is(package, name, home):
    message = f"{package} has no {name!r}; write `from {home} import {name}`"
    with pytest.raises(ImportError) as refused:
        exec(f"from {package} import {name}")
    assert str(refused.value) == message
    exec(f"from {home} import {name}")
    with pytest.raises(AttributeError) as missing:
        getattr(importlib.import_module(package), name)
    assert str(missing.value) == message


def text_alone(request):
    raise HTTPError("There is no such lamp.")


async def awaited_read(request):
    return await request.files["x"].read()


async def awaited_upload(request):
    upload = request.files["x"]
    return await upload.read()


async def awaited_save(request):
    upload = request.files["x"]
    await upload.save(f"{tempfile.mkdtemp()}/x")


async def awaited_part(request):
    return (await request.files["x"]).read()


def called_form(request):
    form = Form(make_dataclass("Order", [("name", str)]), request, method="get")
    return str(form.is_valid())


@rows(
    "handler, note",
    (called_form, "form.is_valid is an attribute, not a method: leave out the () and the await"),
    (lambda request: App(debug=True), "To read more: antiphon explain app-takes-settings"),
    (
        lambda request: Response.file("/a", download_name="a"),
        "Instead of 'download_name', use Response.file(path, filename=name)",
    ),
    (lambda request: Response.json({}, code=404), "Instead of 'code', use response.status"),
    (lambda request: App().register(Blueprint("a"), url_prefix="/a"), "Instead of 'url_prefix', use prefix="),
    (
        lambda request: App().register(Blueprint("a"), dependencies=[]),
        "Instead of 'dependencies', use blueprint.before_request(hook)",
    ),
    (lambda request: abort(status_code=404), "The status comes first, without a name: abort(404)"),
    (text_alone, "This is a 500, because no status is given: HTTPError(404, 'There is no such lamp.')"),
    (lambda request: App().register(Blueprint("a"), own=1), None),
    (lambda request: Response(own=1), None),
    (
        lambda request: request.id(request.json),
        "request.id is an attribute, not a method: leave out the () and the await",
    ),
    (lambda request: 1 + request.json, None),
)
def test_the_log_says_how_a_handler_goes_wrong(handler, note, caplog):
    app = App()
    app.post("/")(handler)
    Client(app, raise_errors=False).post("/", json={"a": 1})
    [record] = caplog.records
    error = record.exc_info[1]
    assert getattr(error, "__notes__", []) == ([note] if note else [])


@rows(
    "handler, status, said",
    (lambda request: HTTPError(404), 500, "returned a HTTPError; an error is raised: `raise HTTPError(...)`"),
    (lambda request: NotFound("None."), 500, "returned a NotFound; an error is raised: `raise NotFound(...)`"),
    (lambda request: request.form["a"], 400, "'a' is missing: the body must be a form, not JSON"),
    (lambda request: request.form.get("a", "none"), 200, "none"),
)
def test_a_habit_that_is_wrong_here_says_what_to_do(handler, status, said, caplog):
    app = App()
    app.post("/")(handler)
    response = Client(app, raise_errors=False).post("/", json={"a": 1})
    assert response.status == status
    assert said in (str(caplog.records[0].exc_info[1]) if status == 500 else response.text)


def test_an_error_handler_that_returns_its_error_is_told_to_raise_it(caplog, app):
    app.errorhandler(HTTPError)(lambda request, error: error)
    assert Client(app, raise_errors=False).get("/none").status == 500
    assert str(caplog.records[0].exc_info[1]).endswith("returned a NotFound; an error is raised: `raise error`")


@rows(
    "text, note",
    ("{{ current_user }}", "Instead of 'current_user', use request.user"),
    ("{{ csrf_token() }}", f"Instead of 'csrf_token', use {WORDS['a template']['csrf_token']}"),
    ("{{ other }}", None),
    ("{{ field(class_='wide') }}", 'A field is shown with attributes by field.showing(attributes={"class": "wide"})'),
)
def test_the_log_says_what_a_template_has_instead(text, note, caplog):
    app = App()
    app.use(Templates(DictLoader({"a.html": text})))
    app.get("/")(lambda request: Page("a.html", field=FORM_OF_LAMP["name"]))
    assert Client(app, raise_errors=False).get("/").status == 500
    found = caplog.records[0].exc_info[1].__notes__
    assert note in found if note else not any("nstead of" in each for each in found)


@rows(
    "name, message",
    ("name", "Form has no 'name'; use form['name']"),
    ("validate_on_submit", f"Form has no 'validate_on_submit'; use {OTHER_WORDS['validate_on_submit']}"),
    ("other", "Form has no 'other'"),
)
def test_an_attribute_that_a_form_lacks_names_ours(name, message):
    with pytest.raises(AttributeError) as error:
        getattr(FORM_OF_LAMP, name)
    assert str(error.value) == message


def test_a_method_that_a_form_would_not_call_is_an_error():
    @dataclass
    class Order:
        lamp: str

        def validate_lamp(self, field): ...

    with pytest.raises(TypeError, match=r"forms don't call the method validate_lamp: .* form.validate\(check\)"):
        Form(Order, Request.blank("/"))


@rows(
    "before, message",
    ("5/minute", "must be a function or a RateLimit, not '5/minute': before=RateLimit('5/minute')"),
    (5, "must be a function or a RateLimit, not 5"),
    (["5/minute"], "'5/minute' is not a function, but is called with (request)"),
)
def test_a_hook_that_is_no_function_is_named_as_it_is_written(before, message):
    with pytest.raises(TypeError) as refused:
        App().get("/", before=before)(lambda request: "a")
    assert str(refused.value).endswith(message)


@rows("source", [SessionLogin, Bearer, Basic])
def test_a_loader_that_takes_the_request_is_told_where_it_is(source):
    with pytest.raises(TypeError) as refused:
        source(lambda request, one, two: None)
    assert refused.value.__notes__[-1] == "For the request, call current_request() from antiphon"


@rows("method, now", [(Channel("news", MemoryStore()).asend, "send"), (Runs[int](store=MemoryStore()).astart, "start")])
def test_pythons_warning_that_nothing_is_awaited_names_the_method_for_def_handlers(method, now):
    with pytest.warns(RuntimeWarning, match=rf"\(in a def handler: {now}\)' was never awaited"):
        method([1])


@rows(
    "location, sent",
    ("home", None), ("shop.item", None), ("edit", "edit"), ("other", "other"), ("./home", "./home"), ("/home", "/home"),
    ("home?a=1", "home?a=1"),
)  # fmt: skip
@pytest.mark.parametrize("make", [Response.redirect, Redirect])
def test_a_redirect_to_the_name_of_a_route_is_an_error_unless_it_is_a_path(make, location, sent):
    app, shop = App(), Blueprint("shop")
    shop.get("/item", name="item")(lambda request: "item")
    app.register(shop)
    app.get("/welcome", name="home")(lambda request: "home")
    app.get("/lamps/edit", name="edit")(lambda request: "edit")

    @app.get("/lamps/")
    def index(request):
        made = make(location)
        return {"location": made.headers["location"] if isinstance(made, Response) else made.location}

    response = Client(app, raise_errors=False).get("/lamps/")
    assert (response.json["location"] if response.status == 200 else None) == sent
    assert make("home")  # no request is handled here


def test_cookies_of_a_client_become_a_dict():
    client = Client(App(), cookies={"a": "1", "b": "2"})
    client.cookies.set("a", "3", path="/shop")
    assert dict(client.cookies) == {"a": "3", "b": "2"}
    assert [*client.cookies.keys()] == ["a", "b"]


@rows(
    "handler, note",
    (awaited_read, "request.files['x'].read() is not awaited: leave out the await, or write .aread()"),
    (awaited_upload, "upload.read() is not awaited: leave out the await, or write .aread()"),
    (awaited_save, "upload.save() is not awaited: leave out the await, or write .asave()"),
    (awaited_part, "request.files is an attribute, not a method: leave out the () and the await"),
)
def test_the_log_says_which_method_of_an_upload_is_awaited(handler, note, caplog):
    app = App()
    app.post("/")(handler)
    Client(app, raise_errors=False).post("/", files={"x": ("x.txt", b"a")})
    assert caplog.records[0].exc_info[1].__notes__ == [note]


def test_dialects_have_their_own_words():
    from antiphon.dialects.microdot import Request as Microdot
    from antiphon.dialects.werkzeug.wrappers import Request as Werkzeug

    for kind in (Microdot, Werkzeug):
        assert not issubclass(kind, Request)
    assert Werkzeug({"REMOTE_ADDR": "192.0.2.1"}).remote_addr == "192.0.2.1"


@rows("make", [App, lambda: Blueprint("shop")])
@rows(
    "name, ours",
    ("secret_key", "App(secret_keys=[key])"),
    ("debug", "antiphon run --debug"),
    ("config", "a module of your own, or a lifespan: app[pool]"),
    ("max_content_length", "App(limits=Limits(body=...))"),
    ("testing", "Client(app) from antiphon.testing"),
    ("permanent_session_lifetime", "app.use(Sessions(lifetime=...))"),
    ("session_interface", "app.use(Sessions(store))"),
    ("url_prefix", "Blueprint(name, prefix=...), or app.register(blueprint, prefix=...)"),
)
def test_setting_an_attribute_that_nobody_reads_is_an_error(make, name, ours):
    with pytest.raises(AttributeError, match=re.escape(f"has no {name!r}; use {ours}")):
        setattr(make(), name, "x")


@rows(
    "thing, name, ours",
    (Request.blank(), "max_content_length", "request.limits"),
    (Request.blank(), "browser", "request.user_agent.browser"),
    (Response(), "status_code", "response.status"),
    (Response(), "mimetype", "response.content_type"),
)
def test_so_is_one_of_a_request_or_response(thing, name, ours):
    with pytest.raises(AttributeError, match=f"has no .*{name!r}.* use {ours}"):
        setattr(thing, name, 5)


DOCUMENTED = {
    Request: (
        "POST GET COOKIES FILES accept_language accept_mimetypes access_route application application_url back "
        "base_url block blueprints body_file browser client_addr cookies_dict copy_get csrf_input csrf_token_value "
        "data dict_storage_class environ form_data_parser_class from_values full_path get_data get_json get_response "
        "host_url html is_multiprocess is_multithread is_run_once is_xhr json_body lang list_storage_class "
        "make_form_data_parser matchdict matched_route max_body_length max_content_length max_readline mimetype_params "
        "parameter_storage_class params path_qs path_url redirect registry relative_url remote_addr remote_user root "
        "script_root send_file shallow status_code str_GET str_POST str_cookies str_params subpath tmpl_context "
        "traversed url_charset url_root url_rule urlargs urlvars values view_args view_name virtual_root "
        "virtual_root_path want_form_data_parsed __"
    ),
    Response: (
        "app_iter body_file cache_expires call_on_close charset close conditional_response content_type_params data "
        "default_content_type direct_passthrough exception force_type from_app get_app_iter get_etag get_wsgi_headers "
        "get_wsgi_response headerlist implicit_sequence_conversion is_sequence iter_encoded "
        "make_sequence mimetype mimetype_params response set_etag status_code status_int unicode_body"
    ),
}
"""The names of requests and responses in the documents of Asok, Kay, Microdot, Flask and Pyramid that ours lack."""


@rows("cls, name", [(cls, name) for cls, names in DOCUMENTED.items() for name in names.split()])
def test_a_name_of_the_five_documents_is_never_a_bare_error(cls, name):
    thing = Request.blank() if cls is Request else Response()
    with pytest.raises(AttributeError, match=f"^{cls.__name__} has no {name!r}; use .+"):
        getattr(thing, name)


def test_an_argument_that_is_nearly_right_names_the_near_one(caplog, app):
    app.get("/")(lambda request: Response.json({}, defaults=str))
    Client(app, raise_errors=False).get("/")
    error = caplog.records[0].exc_info[1]
    assert "Did you mean 'default'?" in "\n".join([str(error), *getattr(error, "__notes__", [])])


FLASHES = "app.use(Sessions(MemoryStore()))\napp.use(Flash())\ndef h(c): "
SINGLE_WORDS = {
    "app.{}": (
        "addHook add_error_handler add_handlers add_sink add_static_route after any before bind decorate helpers "
        "inject match namespace onError redirect req_options rescue_from resource settings skip_before_action view "
        "add_background_task add_router basePath cleanup_ctx create_response enable error ext hook include_router "
        "install merge on on_cleanup openapi register_blueprint register_listener request router set urls "
        "while_serving"
    ),
    "app.get('/', {}=1)": "apply cache middleware to media_type opt sync_to_thread",
    "app.use(Sessions(MemoryStore()))\ndef h(c): return c.session.{}": (
        "destroy flush forget modified pull put regenerate set_expiry"
    ),
    f"{FLASHES}c.flash.{{}}": "now success",
    "def h(c): return c.{}": (
        "all arguments bearerToken body_arguments bounded_stream client_accepts cookie csrf_token current_user "
        "expects_json filled finish format forwarded_host fullUrl full_url getParameter get_arguments "
        "get_body_argument get_cookie_values get_media get_param_as_int get_secure_cookie has hasFile input isMethod "
        "media_type netloc old only path_info protocol query_arguments relative_uri request reset_session script_name "
        "secure send_error set_header set_status ssl throw uri uri_template validate wantsJson write xsrf_token "
        "accepts conn_info executionCtx forms get_cookie get_signed_cookie load_json match_info multipart "
        "resolver_match transport urlparts var"
    ),
    "from antiphon import {}": (
        "Auth Config DB HTTPServer Log Mail RedirectHandler RequestHandler Route Server StaticFileHandler Storage "
        "Validator WebSocketHandler abort_if asset auth authenticated back before dispatch erb halt helpers not_found "
        "old params url Bottle HttpError NinjaAPI PermissionDeniedException SanicException Schema State StreamResponse "
        "Template admin models render_template static_file template"
    ),
    "from antiphon.testing import {}": "AsyncHTTPTestCase LiveServerTestCase TestCase",
    "App({}=1)": "autoreload cookie_secret cors_enable default_handler_class login_url template_path xsrf_cookies",
    "Client(App()).{}": "actingAs getJson post_json simulate_get simulate_request",
    "Client(App()).get('/').{}": "assertStatus assert_json assert_see mustcontain status_int",
    "def h(c): return Response.{}": "append_link downloadable_as noContent set_secure_cookie view with_headers",
    "async def h(request, socket): await socket.{}": "readyState write_message",
    "env.{}": "load_dotenv read_env",
    "Sessions(MemoryStore(), {}=1)": "driver expires name permanent secret secure ttl",
    "Templates('a', {}=1)": "env extensions",
}
REFLEXES = [
    # Express and Hono
    ("async def h(c): return c.json({'a': 1})", "to respond, return the value itself, or a Response"),
    ("def h(c): return c.text('Hello')", "to respond, return the value itself"),
    ("def h(c): c.header('X-A', 'b')", "or response.headers[name] = value"),
    ("def h(c): return c.html('<b>')", "use Page(template, name=value)"),
    ("async def h(c): return await c.req.json()", "request.args, request.json"),
    ("def h(req, res): return res.send('x')", "which has none; use return Response(body, status, headers)"),
    ("def h(req): return req.query['a']", "use request.args"),
    ("def h(req): return req.params['id']", "use request.path_params"),
    ("def h(req): return req.get('host')", "use request.headers.get(name)"),
    ("def h(req): return req.body['name']", "use it itself, request.json, request.form"),
    ("def h(request):\n  r = Response('')\n  return r.status(404)", "r.status is an attribute, not a method"),
    ("def h(request): return Response.sendFile('/a')", "use Response.file(path, filename=name)"),
    ("app.get('/', lambda req, res: res)", "Write @app.get('/') above the handler"),
    ("app.use(lambda req, res, next: next())", "a function is registered by @app.middleware"),
    ("app.use('/shop', Blueprint('shop'))", "app.register(blueprint, prefix='/shop')"),
    ("app.listen(3000)", "antiphon run module:app, or app.run()"), ("app.get('/users/:id')", "written <id>, not :id"),
    ("app.get('/files/*')", "write <path:name> for the rest of a path"),
    (r"app.get('/users/(\\d+)')", "write <int:id>, or <re(...):id>"),
    ("app.get('/a?')", "an optional part is a second route"), ("from antiphon import express", "use App"),
    ("def h(req): return req.cookies.theme", "Write req.cookies['theme'], or req.cookies.get('theme')"),
    ("def h(req): return Response.redirect(301, '/a')", "as in Response.redirect(location, 303)"),
    ("def h(req):\n  r = Response('')\n  return r.json({'a': 1})", "to respond with JSON, return the value itself"),
    ("def h(req): return req.session.user", "app.use(Sessions(store))"),
    ("app.post('/a', lambda req, res: res)", "Write @app.post('/') above the handler"),
    # Hono
    ("def h(c):\n  c.status(201)\n  return 'x'", "or return body, status"),
    ("app.route('/api', App())", "app.mount(prefix, application) an application"),
    # aiohttp
    ("async def h(request): return (await request.json)['a']", "request.json is an attribute, not a method"),
    ("async def h(it): return await it.form()", "it.form is an attribute, not a method"),
    ("async def h(request): return await request.post()", "use request.form"),
    ("async def h(request): return await request.read()", "use request.body"),
    ("def h(request): request['user'] = 'ada'", "or set an attribute of request.g"),
    ("def h(request): return Response(text='x')", "the body as the first argument: Response(text)"),
    ("app['db'] = 1", "a module of your own, or a lifespan: app[pool]"),
    ("app.middlewares.append(print)", "@app.middleware, or app.use(feature)"),
    ("from antiphon import web", "use App, Request and Response"),
    ("async def h(request, socket): await socket.send_str('x')", "use await socket.send(value)"),
    ("async def h(request, socket): await socket.receive_json()", "use await socket.receive_as(Order)"),
    ("async def h(request, socket):\n  async for m in socket: m.data", "A message is str or bytes: use it itself"),
    ("from antiphon import HTTPNotFound", "from antiphon.http import NotFound"),
    ("from antiphon import HTTPFound", "Response.redirect(url)"),
    ("app.on_startup.append(print)", "write @app.on_startup above a function"),
    ("async def h(request): return await request.content.read()", "Use request.body, or request.stream"),
    ("def h(request): return Response('x', status=404, reason='No')", "Instead of 'reason', use response.status"),
    ("def h(request): raise 404", "abort(404), or raise HTTPError or Redirect"),
    # Litestar, Starlette and FastAPI
    ("app.get(['/a', '/b'])", "several paths are a line each"),
    ("def h(request): return Response('x', 'text/plain')", "not 'text/plain': use content_type="),
    ("async def h(request, socket): return socket.query_params", "use the request, the first argument"),
    ("def h(request, db): return 'x'", "request[db], a Dependency"),
    ("from antiphon import Controller", "a Blueprint(name, prefix=...)"),
    ("from antiphon import Provide", "app.provide(dependency, source)"),
    ("from antiphon import get", "@app.get(pattern), after app = App()"), ("App(plugins=[])", "use app.use(feature)"),
    ("async def h(request): return await request.body()", "request.body is an attribute, not a method"),
    ("async def h(request):\n  async for c in request.stream(): pass", "request.stream is an attribute"),
    ("def h(request): return request.scope['path']", "request.method, request.path"),
    ("def h(request): return Response.events(['data: x\\n\\n'])", "yield the data alone"),
    ("def h(request): return Response.events([{'event': 'a', 'data': 'b'}])", "yield Event(data, event=name)"),
    ("@app.middleware\nasync def m(request, call_next): return await call_next(request)", "write `response = yield`"),
    ("@app.on_startup\nasync def s(app): pass", "takes (app), but is called with ()"),
    ("def h(data: dict): return data", "the first argument is the request; use request.json_as(Order)"),
    ("app.get('/', guards=[print])", "use before=hook"), ("app.get('/{id:int}')", "written <int:id>"),
    ("from antiphon import NotFoundException", "from antiphon.http import NotFound"),
    ("App(on_startup=[print])", "use @app.on_startup"),
    ("def h(request): return Response({'a': 1}, status_code=201)", "Instead of 'status_code', use response.status"),
    ("from antiphon.responses import JSONResponse", "Import names from antiphon, antiphon.features"),
    ("@app.get('/')\nasync def k(): return {'a': 1}", "takes (), but is called with (request)"),
    ("async def h(request, websocket): await websocket.receive_text()", "use @app.websocket(pattern)"),
    # Django Ninja
    ("app.get('/', response=dict)", "the handler's annotation"), ("app.get('/', auth=print)", "use before=hook"),
    ("def h(request): return 400, {'message': 'x'}", "the body comes first, write `return body, status`"),
    # Sanic
    ("from antiphon.response import json", "Response.json(value), or return the dict"),
    ("from antiphon.request import Request", "write `from antiphon import Request`"),
    ("def h(request): request.ctx.user = 'ada'", "use request.g"),
    ("from antiphon import json", "Response.json(value), or return the dict"),
    ("app.blueprint(Blueprint('shop'))", "app.register(blueprint)"), ("app.ctx.db = 1", "a lifespan: app[pool]"),
    ("app.add_task(print)", "request.after_response(function)"),
    ("async def h(request, ws): await ws.recv()", "use @app.websocket(pattern), on a handler(request, socket)"),
    ("@app.get('/s', stream=True)\ndef k(request): pass", "use receive='stream'"),
    ("@app.middleware('request')\ndef k(request): pass", "write `@app.middleware` above it"),
    # Quart
    ("async def h(request): return await Page('x.html')", "Page(...) is not awaited"),
    ("def h(request): return 404", "or `abort(404)`"),
    # Python 3.11 doesn't say where in a statement `async for` has failed.
    *([("async def h(request):\n  async for d in request.body: pass", "request.form or request.stream")] * FROM_3_12),
    ("async def h(request): return (await request.form)['a']", "request.form is an attribute, not a method"),
    ("@app.errorhandler(404)\nasync def k(error): return 'x', 404", "is called with (request, error)"),
    # Django
    ("def h(request): return request.build_absolute_uri('/')", "request.url_for(name, _absolute=True)"),
    ("def h(request):\n  r = Response('')\n  r['X-A'] = 'b'", "Write response.headers[name] = value"),
    ("def h(request): return request.headers.getlist('a')", "use getall(name)"),
    ("env.int('PORT')", "of the default's type, or cast="), ("env.get('PORT')", "use env(name, default)"),
    ("class V:\n  def get(self, request): return 'x'\napp.get('/')(V)", "a function for each method"),
    # Bottle
    ("from antiphon import response\ndef h(request):\n  response.status = 404\n  return 'x'", "returns its response"),
    ("def h(request): return 'x', '201 CREATED'", "from 200 to 599, not '201 CREATED': write 201"),
    ("def h(request): return FILE", "for a file: Response.file(path)"),
    ("def h(request):\n  r = Response('x')\n  r.set_cookie('a', 'b', secret='x')", "use Signer(app.secret_keys)"),
    # Rails and Spring
    ("from antiphon import ApplicationController", "with a handler for each method"),
    ("def h(request): return request.permit('a')", "request.form_as(Order)"),
    ("app.before_action(print)", "@app.before_request"), ("app.resources('lamps')", "one handler for each method"),
    ("from antiphon import PathVariable", "id: int for the path /users/<int:id>"),
    ("def h(id: int): return 'x'", "the first argument is the request"),
    # Laravel, Sinatra, Tornado, Falcon and Koa
    ("app.get('/').name('home')", "takes options by name: app.get(path, name='home')"),
    ("def h(ctx): ctx.body = {'a': 1}", "To respond, return the value itself"),
    ("def h(r):\n  a = Response('x')\n  a.text = 'y'", "To respond, return the value itself"),
    ("def h(r): return 'x', 404, 'text/plain'", "headers are a dict, such as {'content-type': 'text/plain'}"),
    ("def h(r): return Response.redirect(name='home')", "Response.redirect(request.url_for(name))"),
    ("env('PORT', '80', int)", "env(name, default, cast=int)"), ("from antiphon import HTTP_200", "the number, 200"),
    ("CORS([], supports_credentials=True)", "credentials=True"), ("Cache(ttl=5)", "response.cache_for(seconds)"),
    ("Languages('a', locale='de')", "default=tag"), ("OpenAPI('a', tags=['b'])", "meta={OpenAPI.TAGS: [tag]}"),
    (f"{FLASHES}c.flash('notice', 'It is saved')", "the message comes first, and then its category"),
    (f"{FLASHES}c.flash['notice'] = 'x'", "request.flash(text, category)"),
    # Others, and typing errors
    ("CORS(allow_origins=['a'])", "Instead of 'allow_origins', use CORS([origin])"),
    ("Templates(directory='a')", "Instead of 'directory', use Templates(folder)"),
    ("Templates('a', autoescape=True)", "which escapes all values"),
    ("Sessions(secret_key='a')", "use Sessions(store)"), ("Health(path='/up')", "live=path and ready=path"),
    ("OpenAPI('Shop', openapi_url='/o')", "use path=path"), ("OpenAPI('Shop', docs_url='/d')", "use docs=path"),
    ("Users(login_view='login')", "use login=name"), ("SessionLogin(user_loader=str)", "use SessionLogin(loader)"),
    ("Channel('news', history=9)", "use max_messages=1000"), ("Field(max_length=9)", "msgspec.Meta(max_length=9)"),
    ("RateLimit('1/s', key_func=str)", "use by=function"),
    ("App('shop')", "App(), not App('shop"), ("App(debug=True)", "App has no argument 'debug'; use antiphon run"),
    ("App(secret_key='a')", "App has no argument 'secret_key'; use secret_keys="),
    ("App(trusted_host='a')", "did you mean 'trusted_hosts'"),
    ("App(title='Shop')", "App has no argument 'title'; use app.use"),
    ("App(own=1)", "App has no argument 'own'; it has limits, deadline,"),
    ("Blueprint('shop', 'app')", "a Blueprint takes its name"),
    ("Blueprint('shop', url_prefix='/shop')", "did you mean 'prefix'"),
    ("Client(App(), raise_server_exceptions=False)", "did you mean 'raise_errors'"),
    ("Client(App(), base_uri='http://a')", "did you mean 'base_url'"),
    ("Blueprint('shop', template_folder='a')", "'template_folder'; use blueprint.use"),
    ("Blueprint('shop', tags=['a'])", "use Blueprint(name, meta={OpenAPI.TAGS: [tag]})"),
    ("App(lifespan=print)", "use @app.lifespan, on a function without param"),
    ("from antiphon import Bluprint", "did you mean `from antiphon import Blueprint`?"),
    ("from antiphon import AppClient", "did you mean `from antiphon.testing import Client`?"),
    ("from antiphon import WebSocketDisconnect", "use WebSocketClosed"),
    ("from antiphon.features import Session", "antiphon.features has no 'Session'; use Sessions"),
    ("from antiphon import HTTP_404_NOT_FOUND", "use the number, 404"),
    ("from antiphon import render", "use Page(template, name=value) from antiphon.features"),
    ("from antiphon.features import WebSocket", "write `from antiphon import WebSocket`"),
    *((written.format(word), "use ") for written, several in SINGLE_WORDS.items() for word in several.split()),
]  # fmt: skip
WORKS = [
    ("def h(r): return r.headers.get('x').upper()", "'NoneType' object has no attribute 'upper'\n"),
    (f"{FLASHES}c.flash('Saved', 'alert alert-success')", "a forgotten return?"),
    ("def h(request): return {'a': 1}, 201", "a"),
    ("def h(request): return Response.file(FILE, filename='a.txt').headers['content-disposition']", "attachment"),
    ("def h(request): return request.args.get('page', '1')", "1"),
    (
        "async def h(request, socket): await socket.send(ChannelMessage('1-1', {'a': 1}))",
        '{"id":"1-1","value":{"a":1}}',
    ),
]
"""What is written by habit, and a part of its error, or of its response; each names the line to write instead."""


def tried(written, file):
    """Return the text of the response, and each error with its notes, of a program that somebody writes by habit."""
    file.write_text(f"{written}\n")
    names = {name: getattr(package, name) for package in (antiphon, features) for name in package.__all__}
    names |= {"app": App(), "ChannelMessage": ChannelMessage, "Client": Client, "FILE": file}
    client = Client(names["app"], raise_errors=False)
    said = []
    try:
        exec(compile(written, file, "exec"), names)
        if (handler := names.get("h")) is None:
            client.get("/")
        elif "socket" in inspect.signature(handler).parameters:
            names["app"].websocket("/")(handler)
            with client.websocket("/") as socket:
                with suppress(WebSocketClosed):
                    socket.send("x")
                said.append(socket.receive())
        else:
            names["app"].route("/", ["GET", "POST"])(handler)
            said += [client.get("/").text, client.post("/", json={"name": "Ada"}).text]
    except Exception as error:  # as the command that loads the program shows it
        failed = error.__cause__ or error  # a test's WebSocket is closed by the handler's error
        add_notes(failed)
        said += traceback.format_exception_only(failed)
    return said


@rows("written, part", [*REFLEXES, *WORKS])
def test_a_habit_of_another_framework_works_or_names_the_line_to_write(written, part, tmp_path, caplog):
    said = tried(written, tmp_path / "habit.py")
    logged = [
        "".join(traceback.format_exception_only(record.exc_info[1])) for record in caplog.records if record.exc_info
    ]
    caplog.clear()
    assert part in "".join([*said, *logged])
