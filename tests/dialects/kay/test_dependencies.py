"""The language, the user and the session of a request."""

import pytest

from antiphon.dialects.kay import Request, Response
from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.conf import Settings
from antiphon.dialects.kay.dependencies import provide
from antiphon.dialects.kay.routing import Rule, ViewGroup
from antiphon.dialects.werkzeug.test import Client
from antiphon.request.dependencies import Dependency
from tests.dialects.werkzeug.environs import environ
from tests.helpers.rows import rows


class Person:
    def __init__(self, name):
        self.name = name


class Nobody:
    def is_anonymous(self):
        return True


class Backend:
    def get_user(self, request):
        name = request.headers.get("X-Name")
        return {"nobody": Nobody(), "robot": 7}.get(name, Person(name)) if name else None


def app_of(view, **settings):
    return KayApp(settings, [ViewGroup(Rule("/", endpoint="index", view=view))])


def read(app, **kwargs):
    return Client(app, use_cookies=False).get("/", **kwargs).text


@pytest.mark.feature("kay-009")
@rows(
    "headers, settings, lang",
    ({}, {}, "en"),
    ({}, {"DEFAULT_LANG": "ja"}, "ja"),
    ({"Accept-Language": "fr;q=0.5, de-AT"}, {}, "de-AT"),
    ({"Accept-Language": "*"}, {"DEFAULT_LANG": "ja"}, "ja"),
    ({"Accept-Language": "fr", "Cookie": "hl=ja"}, {}, "ja"),
    ({"Accept-Language": "fr", "Cookie": "hl=ja; language=it"}, {"LANG_COOKIE_NAME": "language"}, "it"),
    ({"Accept-Language": "fr", "Cookie": "hl=../../etc"}, {}, "fr"),
    ({"Accept-Language": "fr", "Cookie": "hl=ja"}, {"USE_I18N": False}, "None"),
)
def test_lang_is_guessed(headers, settings, lang):
    assert read(app_of(lambda request: Response(str(request.lang)), **settings), headers=headers) == lang


@pytest.mark.feature("kay-010")
def test_user_is_there_where_settings_say_who_finds_it():
    def name(request):
        assert request.user is request.user
        return Response(request.user.name)

    app = app_of(name, AUTH_USER_BACKEND=Backend, AUTH_USER_MODEL=Person)
    assert read(app, headers={"X-Name": "Ada"}) == "Ada"


@pytest.mark.feature("kay-010", "kay-012")
@rows("name", ["user", "session"])
def test_what_nothing_fills_is_absent_and_says_what_to_add(name):
    def has(request):
        assert not hasattr(request, name)
        assert getattr(Request, name) not in request
        with pytest.raises(RuntimeError, match=rf"'{name}'.*app\.provide\(Request\.{name}, source\)"):
            getattr(request, name)
        return Response("absent")

    assert read(app_of(has)) == "absent"


@pytest.mark.feature("kay-011")
@rows("name, kind", [("Ada", "Person"), ("nobody", "Nobody"), (None, "NoneType"), ("robot", TypeError)])
def test_the_model_in_the_settings_is_what_users_are(name, kind):
    app = app_of(
        lambda request: Response(type(request.user).__name__), AUTH_USER_BACKEND=Backend(), AUTH_USER_MODEL=Person
    )
    headers = {"X-Name": name} if name else {}
    if kind is TypeError:
        with pytest.raises(TypeError, match=r"int.*AUTH_USER_MODEL is Person"):
            read(app, headers=headers)
    else:
        assert read(app, headers=headers) == kind


@pytest.mark.feature("kay-011")
def test_settings_name_the_model_by_its_path():
    app = app_of(lambda request: Response(request.user), AUTH_USER_MODEL="collections.UserString")
    app.provide(Request.user, lambda request: "Ada")
    with pytest.raises(TypeError, match="AUTH_USER_MODEL is UserString"):
        read(app)


@pytest.mark.feature("kay-012")
def test_session_is_what_fills_it_gives_once_a_request():
    sessions = []

    def open_session(request):
        sessions.append({"path": request.path})
        return sessions[-1]

    def view(request):
        request.session["seen"] = True
        return Response(f"{request.session}")

    app = app_of(view)
    app.provide(Request.session, open_session)
    assert read(app) == "{'path': '/', 'seen': True}"
    assert len(sessions) == 1
    assert read(app_of(lambda request: Response("unread"))) == "unread"
    assert len(sessions) == 1


@pytest.mark.feature("kay-009", "kay-010", "kay-012")
@rows("name", ["lang", "user", "session"])
def test_dependencies_are_filled_in_an_environ_and_set(name):
    env = environ()
    dependency = getattr(Request, name)
    provide(env, dependency, lambda request: f"{name} of {request.path}")
    made = Request(env)
    assert dependency in made
    assert getattr(made, name) == made[dependency] == f"{name} of /a/b"
    setattr(made, name, "another")
    assert made[dependency] == "another"
    assert getattr(Request(environ(antiphon__dependencies={dependency: lambda request: 1})), name) == 1


def test_own_dependencies_are_filled_too():
    tenant = Dependency("tenant")
    app = app_of(lambda request: Response(request[tenant]))
    app.provide(tenant, lambda request: request.host)
    assert read(app) == "localhost"


def test_settings_are_read_of_modules_objects_and_mappings():
    class Own:
        DEFAULT_LANG = "ja"
        OWN = 1

    assert (Settings(Own).DEFAULT_LANG, Settings(Own()).OWN, Settings({"OWN": 2}).OWN) == ("ja", 1, 2)
    assert (Settings().DEFAULT_LANG, Settings("string").ascii_lowercase[:2]) == ("en", "ab")
    with pytest.raises(AttributeError, match="NOTHING"):
        Settings().NOTHING  # noqa: B018
