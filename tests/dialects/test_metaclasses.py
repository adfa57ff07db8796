"""Metaclasses: a dialect's class has that of its original, so programs can give subclasses one of their own."""

from importlib import import_module
from pkgutil import walk_packages

import pytest

from antiphon.dialects.flask import Flask
from antiphon.dialects.pyramid.router import Router
from antiphon.dialects.webob import Request
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

ORIGINALS = ("asok", "flask", "microdot", "pyramid", "webob", "werkzeug")


class Singleton(type):
    """Makes one object of each class."""

    made = None

    def __call__(cls, *args, **options):
        cls.made = cls.made or super().__call__(*args, **options)
        return cls.made


class Registered(type):
    """Lists the classes that it has made, by an argument of their statements."""

    def __new__(mcls, name, bases, namespace, *, key):
        cls = NAMES[key] = super().__new__(mcls, name, bases, namespace)
        return cls

    def __init__(cls, name, bases, namespace, *, key):
        super().__init__(name, bases, namespace)


NAMES = {}


class Listed(type):
    """Remembers what a class defines, and in which order."""

    @classmethod
    def __prepare__(mcls, name, bases):
        return {"first": 1}

    def __iter__(cls):
        return iter(name for name in vars(cls) if name[:2] != "__")


CLASSES = {"Flask": (Flask, "shop"), "Router": (Router, None), "Request": (Request, {})}


@rows("name", CLASSES)
def test_a_subclass_can_have_a_metaclass_of_the_program(name):
    base, argument = CLASSES[name]
    arguments = [] if argument is None else [argument]

    class One(base, metaclass=Singleton):
        def __init__(self, *args):
            if args:
                super().__init__(*args)

    class Kept(base, metaclass=Registered, key=name):
        pass

    class Told(base, metaclass=Listed):
        second = 2

    assert One(*arguments) is One(*arguments)
    assert NAMES[name] is Kept
    assert list(Told)[:2] == ["first", "second"]


@rows("name", CLASSES)
def test_an_attribute_that_calls_itself_abstract_does_not_make_a_class_abstract(name):
    base, _ = CLASSES[name]
    anything = type("Anything", (), {"__getattr__": lambda self, name: self})()
    cls = type("Own", (base,), {"option": anything, "__init__": lambda self: None})
    assert isinstance(cls(), base)


def classes_of(top):
    """Each public class of an original that its dialect has, too, by the name of its module and its own."""
    package = import_module(f"antiphon.dialects.{top}")
    modules = [each.name for each in walk_packages(package.__path__, f"{package.__name__}.")]
    for name in (package.__name__, *modules):
        if name.endswith("__main__"):
            continue
        try:
            original = import_module(name.removeprefix("antiphon.dialects."))
        except ImportError:  # one of the dialect's own modules
            continue
        dialect = import_module(name)
        for each, theirs in vars(original).items():
            if isinstance(theirs, type) and theirs.__module__.partition(".")[0] == top:
                ours = getattr(dialect, each, None)
                if isinstance(ours, type):
                    yield f"{name}.{each}", theirs, ours


@pytest.mark.filterwarnings("ignore")
@rows("top", ORIGINALS)
def test_a_class_has_the_metaclass_of_its_original(top):
    pytest.importorskip(top)
    found = {name: (theirs, ours) for name, theirs, ours in classes_of(top)}
    assert found
    differ = {
        name: type(ours).__name__
        for name, (theirs, ours) in found.items()
        if type(theirs) is type and type(ours) is not type
    }
    assert differ == {}
