"""The language, the user and the session of a request."""

import pytest

from antiphon.dialects.kay import Request, Response
from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.conf import Settings
from antiphon.dialects.kay.routing import Rule, ViewGroup
from antiphon.dialects.werkzeug.test import Client
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


def test_settings_are_read_of_modules_objects_and_mappings():
    class Own:
        DEFAULT_LANG = "ja"
        OWN = 1

    assert (Settings(Own).DEFAULT_LANG, Settings(Own()).OWN, Settings({"OWN": 2}).OWN) == ("ja", 1, 2)
    assert (Settings().DEFAULT_LANG, Settings("string").ascii_lowercase[:2]) == ("en", "ab")
    with pytest.raises(AttributeError, match="NOTHING"):
        Settings().NOTHING  # noqa: B018
