"""What programs can name: public objects, and the public methods and properties of the classes among them."""

import functools
import importlib
import inspect

from tests.test_public_names import PUBLIC

PLACES = [place for place in PUBLIC if place != "antiphon.embedding"]
"""The places of programs. ``antiphon.embedding`` is for hosts, and provisional."""


@functools.cache
def public_objects(places=tuple(PLACES)):
    """Return each public object once, by the name that it is imported by."""
    found = {}
    for place in places:
        module = importlib.import_module(place)
        for name in sorted(PUBLIC[place]):
            found.setdefault(id(getattr(module, name)), (f"{place}.{name}", getattr(module, name)))
    return dict(found.values())


def members(cls):
    """Return the public attributes that a class and those of ours above it define, as they are defined."""
    found = {}
    for owner in reversed(cls.__mro__):
        if owner.__module__.partition(".")[0] == "antiphon":
            found |= {name: value for name, value in vars(owner).items() if not name.startswith("_")}
    return found


def public_functions(places=tuple(PLACES)):
    """Return all functions and methods by their names: ``antiphon.App.get``, and ``antiphon.App`` to make one."""
    functions = {}
    for name, value in public_objects(places).items():
        if inspect.isfunction(value):
            functions[name] = value
        elif inspect.isclass(value):
            make = value.__init__ if inspect.isfunction(value.__init__) else value.__new__
            for member, defined in {**members(value), "": make}.items():
                function = getattr(defined, "__func__", defined)
                if inspect.isfunction(function):
                    functions[f"{name}.{member}".rstrip(".")] = function
    return functions
