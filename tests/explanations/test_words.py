"""Words of other frameworks: each error names ours, and nothing else changes."""

import copy
import importlib
import pickle
import re

import pytest

from antiphon import App, Blueprint, HTTPError, MultiDict, Request, Response
from antiphon.explanations.words import (
    APP,
    APP_SETTINGS,
    BLUEPRINT_SETTINGS,
    CLIENT,
    CLIENT_RESPONSE,
    ERROR,
    MULTIDICT,
    PACKAGE,
    REQUEST,
    RESPONSE,
    RESPONSE_HEAD,
)
from antiphon.testing import Client

OBJECTS = {
    "Request": (Request.blank(), REQUEST),
    "Response": (Response(), RESPONSE),
    "App": (App(), APP),
    "Blueprint": (Blueprint("shop"), APP),
    "HTTPError": (HTTPError("gone"), ERROR),
    "MultiDict": (MultiDict([("a", "b")]), MULTIDICT),
    "Client": (Client(App()), CLIENT),
    "ClientResponse": (Client(App()).get("/"), {**RESPONSE_HEAD, **CLIENT_RESPONSE}),
}
WORDS = [
    (kind, word, ours)
    for kind, (_, words) in OBJECTS.items()
    for several, ours in words.items()
    for word in several.split()
]


@pytest.mark.parametrize(("kind", "word", "ours"), WORDS)
def test_reading_one_names_ours(kind, word, ours):
    thing, _ = OBJECTS[kind]
    with pytest.raises(AttributeError) as error:
        getattr(thing, word)
    assert str(error.value) == f"{kind} has no {word!r}; use {ours}"
    assert (error.value.name, error.value.obj) == (word, thing)
    assert not hasattr(type(thing), word)
    assert getattr(thing, word, None) is None


OURS = {ours for _, _, ours in WORDS}.union(*(each.values() for each in (PACKAGE, APP_SETTINGS, BLUEPRINT_SETTINGS)))


@pytest.mark.parametrize("ours", sorted(OURS))
def test_ours_is_there(ours):
    named = re.findall(r"\b(request|response|app|blueprint|Request)\.(\w+)", ours)
    classes = {"request": Request, "Request": Request, "response": Response, "app": App, "blueprint": Blueprint}
    assert all(hasattr(classes[kind], name) for kind, name in named)


@pytest.mark.parametrize("kind", OBJECTS)
def test_dir_leaves_them_out(kind):
    thing, words = OBJECTS[kind]
    others = {word for several in words for word in several.split()}
    assert [name for name in dir(thing) if name in others and not hasattr(thing, name)] == []
    assert set(vars(object)) < set(dir(thing))


def test_dir_has_one_that_an_app_or_a_subclass_was_given():
    class Shop(App):
        def add_route(self): ...

    shop = Shop()
    shop.config = {}
    assert {"add_route", "config", "get"} <= set(dir(shop))
    assert "add_middleware" not in dir(shop)


@pytest.mark.parametrize("word", [word for kind, word, _ in WORDS if kind == "Response"])
def test_setting_one_that_would_have_no_effect_names_ours(word):
    with pytest.raises(AttributeError, match="; use "):
        setattr(Response(), word, 404)


def test_an_app_may_be_given_one():
    app = App()
    app.state = 1
    assert app.state == 1


@pytest.mark.parametrize("kind", ["Request", "Response", "MultiDict"])
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_copies_are_made_as_ever(kind, copied):
    thing, _ = OBJECTS[kind]
    assert type(copied(thing)) is type(thing)


def test_a_subclass_may_have_one():
    class Own(Request):
        state = "mine"

        @property
        def query_params(self):
            return self.args

    assert Own.blank("/?a=1").query_params["a"] == "1"
    assert Own.blank().state == "mine"


ELSEWHERE = [
    ("antiphon", "Page", "antiphon.features"),
    ("antiphon", "login_required", "antiphon.features"),
    ("antiphon", "Client", "antiphon.testing"),
    ("antiphon.features", "App", "antiphon"),
    ("antiphon.testing", "Request", "antiphon"),
]


@pytest.mark.parametrize(("package", "name", "home"), ELSEWHERE)
def test_importing_a_name_from_another_place_says_where_it_is(package, name, home):
    message = f"{package} has no {name!r}; write `from {home} import {name}`"
    with pytest.raises(ImportError) as refused:
        exec(f"from {package} import {name}")
    assert str(refused.value) == message
    exec(f"from {home} import {name}")
    with pytest.raises(AttributeError) as missing:
        getattr(importlib.import_module(package), name)
    assert str(missing.value) == message


def test_an_app_takes_no_name():
    with pytest.raises(TypeError, match=r"no name.* App\(\), not App\('tests"):
        App(__name__)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: App(debug=True), "App has no argument 'debug'; use antiphon run --debug"),
        (lambda: App(secret_key="a"), "App has no argument 'secret_key'; use secret_keys="),
        (lambda: App(trusted_host="a"), "App has no argument 'trusted_host'; did you mean 'trusted_hosts'"),
        (lambda: App(title="Shop"), "App has no argument 'title'; use app.use"),
        (lambda: App(own=1), "App has no argument 'own'; it has limits, deadline, .*json_default"),
        (lambda: Blueprint("shop", __name__), "a Blueprint takes its name, .*'shop'.*, without 'tests"),
        (
            lambda: Blueprint("shop", url_prefix="/shop"),
            "Blueprint has no argument 'url_prefix'; did you mean 'prefix'",
        ),
        (
            lambda: Blueprint("shop", template_folder="a"),
            "Blueprint has no argument 'template_folder'; use blueprint.use",
        ),
    ],
)
def test_an_unknown_argument_names_ours(make, message):
    with pytest.raises(TypeError, match=message):
        make()


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("Bluprint", "did you mean `from antiphon import Blueprint`?"),
        ("AppClient", "did you mean `from antiphon.testing import Client`?"),
        ("WebSocketDisconnect", "use WebSocketClosed"),
    ],
)
def test_importing_a_name_that_is_misspelt_names_the_nearest(name, fix):
    with pytest.raises(ImportError) as refused:
        exec(f"from antiphon import {name}")
    assert str(refused.value) == f"antiphon has no {name!r}; {fix}"


def called(request):
    return request.json()


async def awaited(request):
    return (await request.json)["a"]


async def awaited_call(request):
    return await request.form()


@pytest.mark.parametrize(
    ("handler", "note"),
    [
        (called, "request.json is an attribute, not a method: leave out the () and the await"),
        (awaited, "request.json is an attribute, not a method: leave out the () and the await"),
        (awaited_call, "request.form is an attribute, not a method: leave out the () and the await"),
        (lambda request: Response("", status_code=404), "Instead of 'status_code', use response.status"),
        (
            lambda request: Response.json({}, media_type="a/b"),
            "Instead of 'media_type', use response.content_type",
        ),
        (lambda request: App(debug=True), "To read more: antiphon explain app-takes-settings"),
        (lambda request: Response(own=1), None),
        (lambda request: request.id(request.json), None),
        (lambda request: 1 + request.json, None),
    ],
)
def test_the_log_says_how_a_handler_goes_wrong(handler, note, caplog):
    app = App()
    app.post("/")(handler)
    Client(app, raise_errors=False).post("/", json={"a": 1})
    [record] = caplog.records
    error = record.exc_info[1]
    assert getattr(error, "__notes__", []) == ([note] if note else [])


def test_dialects_have_their_own_words():
    from antiphon.dialects.microdot import Request as Microdot
    from antiphon.dialects.werkzeug.wrappers import Request as Werkzeug

    for kind in (Microdot, Werkzeug):
        assert not issubclass(kind, Request)
    assert Werkzeug({"REMOTE_ADDR": "192.0.2.1"}).remote_addr == "192.0.2.1"
