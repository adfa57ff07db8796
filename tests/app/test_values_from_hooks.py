"""Hooks before the handler that return a record, which must not be sent instead of the handler's response."""

from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

import msgspec
import pytest
from pydantic import BaseModel

from antiphon import App, Blueprint, Request, Response
from antiphon.features import Page
from antiphon.frameworks.views import view
from antiphon.handler.callables import describe
from tests.helpers.rows import rows


@dataclass
class User:
    name: str = "Ada"
    password: str = "secret-1"


class Struct(msgspec.Struct):
    password: str = "secret-1"


class Model(BaseModel):
    password: str = "secret-1"


class Attrs:
    """Stands for a class of attrs, by the mark of those."""

    __attrs_attrs__ = ()


@dataclass
class OwnHtml:
    """A record that makes its own page."""

    name: str = field(default="Ada")

    def __html__(self) -> str:
        return f"<p>{self.name}</p>"


def annotated(annotation: Any) -> Any:
    def current_user(request: Request) -> Any:
        return User()

    current_user.__annotations__["return"] = annotation
    return current_user


async def current_user_async(request: Request) -> User:
    return User()


class CurrentUser:
    def __call__(self, request: Request) -> User:
        return User()


REFUSED = [
    *map(annotated, [
        User, Struct, Model, Attrs, User | None, list[User], Annotated[User, "current"], User | Response, "User",
        "list[User] | None",
    ]),
    current_user_async, CurrentUser(), partial(annotated(User)),
]  # fmt: skip
PLACES = {
    "a route": lambda app, hook: app.get("/", before=hook),
    "several": lambda app, hook: app.get("/", before=[hook]),
    "an app": lambda app, hook: app.before_request(hook),
    "a blueprint": lambda app, hook: Blueprint("shop").before_request(only_writes=True)(hook),
    "a view": lambda app, hook: view(before=hook)(lambda request: "handler"),
}


@rows("place", PLACES.values(), ids=PLACES)
@rows("hook", REFUSED)
def test_a_hook_annotated_with_a_record_is_refused_where_it_is_registered(place: Any, hook: Any) -> None:
    with pytest.raises(TypeError, match=r"must return None or a response, not .*Dependency.*login_required") as refused:
        place(App(), hook)
    assert describe(hook) in str(refused.value)


@rows("annotation", [None, Response, str, dict, dict[str, User], tuple[User, int], list[str], OwnHtml, Page, Any, "No"])
@rows("place", PLACES.values(), ids=PLACES)
def test_other_annotations_are_accepted(place: Any, annotation: Any) -> None:
    place(App(), annotated(annotation))


SENT = [
    (lambda: None, 200, "handler"), (lambda: "early", 200, "early"), (lambda: b"early", 200, "early"),
    (lambda: {"a": 1}, 200, '{"a":1}'), (lambda: ["a"], 200, '["a"]'), (lambda: ("no", 403), 403, "no"),
    (lambda: (Struct("shown"), 200), 200, '{"password":"shown"}'), (OwnHtml, 200, "<p>Ada</p>"),
    (lambda: Response.json(Struct("shown")), 200, '{"password":"shown"}'), (list, 200, "[]"),
]  # fmt: skip
RECORDS = [User, Struct, Model, lambda: [User()], lambda: ["a", Struct()], Attrs]


def apps_with(hook: Any, style: Any) -> dict[str, App]:
    """Return applications whose path /shop has a hook, registered in different places."""
    route, whole, grouped, outer, inner = App(), App(), App(), App(), App()
    handler = style(lambda request: "handler")
    route.get("/shop", before=hook)(handler)
    whole.before_request(hook)
    whole.get("/shop")(handler)
    shop = Blueprint("shop")
    shop.before_request(hook)
    shop.get("/shop")(handler)
    grouped.register(shop)
    inner.get("/")(handler)
    outer.before_request(hook)
    outer.mount("/shop", inner)
    return {"a route": route, "an app": whole, "a blueprint": grouped, "a mount": outer}


@pytest.mark.axes("interface", "style", "other")
def test_a_record_that_a_hook_returns_is_not_sent(serving, style, other, caplog) -> None:
    for make in RECORDS:
        hook = other(lambda request, make=make: make())
        for place, app in apps_with(hook, style).items():
            caplog.clear()
            response = serving(app).get("/shop")
            assert response.status == 500, f"{make} of {place}"
            assert "secret-1" not in response.text
            assert "handler" not in response.text
            (logged,) = [each for each in caplog.records if each.name == "antiphon"]
            assert "must return None or a response, not " in str(logged.exc_info[1])


@pytest.mark.axes("other")
def test_a_record_that_a_hook_of_a_view_returns_is_not_sent(other) -> None:
    flask = pytest.importorskip("flask")
    for make in RECORDS:
        shop = flask.Flask("shop")
        hook = other(lambda request, make=make: make())
        shop.route("/")(view(before=hook, interface="wsgi")(lambda request: "handler"))
        response = shop.test_client().get("/")
        assert response.status_code == 500
        assert "secret-1" not in response.text
        assert "handler" not in response.text


@pytest.mark.axes("interface", "style", "other")
def test_other_values_are_sent(serving, style, other) -> None:
    for make, status, text in SENT:
        hook = other(lambda request, make=make: make())
        for place, app in apps_with(hook, style).items():
            response = serving(app).get("/shop")
            assert (response.status, response.text) == (status, text), f"{make} of {place}"
