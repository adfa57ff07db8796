"""Positions at which routes and hooks can be registered: in an app, in blueprints, in mounted apps."""

from collections.abc import Callable
from typing import NamedTuple

from antiphon import App, Blueprint
from antiphon.app.blueprint import Routes


class Position(NamedTuple):
    """A position below a prefix. ``enter`` makes it in an app, and returns the object to register with.

    A position that ``is_apart`` has requests of its own, unknown to the outer app.
    """

    prefix: str
    enter: Callable[[App], Routes]
    is_apart: bool = False


def blueprint(outer):
    inner = Blueprint("inner", prefix="/blueprint")
    outer.register(inner)
    return inner


def mounted_app(outer):
    inner = App(trusted_origins=["https://shop.example.com"])  # a mounted app checks writes by itself
    outer.mount("/mounted", inner)
    return inner


POSITIONS = {
    "in the app": Position("", lambda app: app),
    "in a blueprint": Position("/blueprint", blueprint),
    "in a blueprint in a blueprint": Position("/blueprint/blueprint", lambda app: blueprint(blueprint(app))),
    "in a mounted app": Position("/mounted", mounted_app, is_apart=True),
    "in a blueprint of a mounted app": Position(
        "/mounted/blueprint", lambda app: blueprint(mounted_app(app)), is_apart=True
    ),
}
