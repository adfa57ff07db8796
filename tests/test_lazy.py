import inspect
import re
import sys
from functools import partial
from importlib import import_module
from types import ModuleType

import pytest

from antiphon.app.dispatch.open_resources import atomic_blocks
from antiphon.concurrency.process import call_at_exit
from antiphon.features.metrics import folder
from antiphon.features.recorder import queries
from antiphon.features.signatures import keys
from antiphon.lazy import attribute_docs, compiled_late, lazy
from tests.helpers.rows import rows


class Circle:
    def __init__(self, radius):
        self.radius = radius
        self.computed = []

    @lazy
    def area(self):
        """Three times the square of the radius, roughly."""
        self.computed.append("area")
        return 3 * self.radius**2

    @lazy
    def nothing(self):
        self.computed.append("nothing")

    @lazy
    def broken(self):
        self.computed.append("broken")
        raise ValueError("no such circle")


def test_is_computed_on_first_read_only():
    circle = Circle(2)
    assert circle.computed == []
    assert [circle.area, circle.area] == [12, 12]
    assert circle.computed == ["area"]


def test_keeps_none_as_any_other_value():
    circle = Circle(2)
    assert [circle.nothing, circle.nothing] == [None, None]
    assert circle.computed == ["nothing"]


def test_gives_the_very_same_object_each_time():
    circle = Circle(1.5)
    assert circle.area is circle.area


def test_an_unread_value_takes_no_room_on_the_instance():
    circle = Circle(2)
    assert "area" not in vars(circle)
    assert circle.area == vars(circle)["area"] == 12


def test_is_computed_for_each_instance_by_itself():
    small, large = Circle(1), Circle(10)
    assert (small.area, large.area) == (3, 300)


def test_a_failure_is_not_kept():
    circle = Circle(2)
    for _ in range(2):
        with pytest.raises(ValueError, match="no such circle"):
            _ = circle.broken
    assert circle.computed == ["broken", "broken"]


def test_may_be_set_before_it_is_computed():
    circle = Circle(2)
    circle.area = 5
    assert circle.area == 5
    assert circle.computed == []


def test_is_computed_anew_after_it_was_deleted():
    circle = Circle(2)
    assert circle.area == 12
    circle.radius = 1
    assert circle.area == 12
    del circle.area
    assert circle.area == 3


def test_read_on_the_class_it_is_the_descriptor_with_the_documentation():
    assert isinstance(Circle.area, lazy)
    assert Circle.area.__doc__ == "Three times the square of the radius, roughly."


def test_a_subclass_may_compute_otherwise():
    class Exact(Circle):
        @lazy
        def area(self):
            return 3.14159 * self.radius**2

    assert Exact(1).area == 3.14159
    assert Circle(1).area == 3


def test_a_subclass_may_build_on_what_it_overrides():
    class Doubled(Circle):
        @lazy
        def area(self):
            return 2 * super().area

    doubled = Doubled(1)
    assert [doubled.area, doubled.area] == [6, 6]


class Square:
    side = lazy(lambda square: 4)
    """The length of a side,
    in metres.
    """
    name: str = "square"
    """A word."""
    colour = lazy(lambda square: "red")


def test_the_docstring_is_the_method_s_or_the_text_below_the_declaration():
    assert Circle.area.__doc__ == "Three times the square of the radius, roughly."
    assert Square.side.__doc__ == "The length of a side,\nin metres."
    assert (Square.colour.__doc__, Circle.nothing.__doc__) == (None, None)
    assert lazy.__doc__.startswith("Turn a method without arguments into an attribute")
    assert attribute_docs(Square) == {"side": "The length of a side,\nin metres.", "name": "A word."}


def test_a_class_without_source_code_has_no_docstrings_of_attributes():
    made = type("Made", (), {"side": lazy(lambda made: 4)})
    assert (attribute_docs(made), made.side.__doc__) == ({}, None)


MODULE = """
from antiphon.embedding import absent

__getattr__ = absent(__name__, {"lute": "the oud"})

__all__ = ["oud"]
oud = 4
"""


@pytest.fixture(params=["instruments.py", "instruments/__init__.py"], ids=["module", "package"])
def instruments(request, tmp_path, monkeypatch):
    file = tmp_path / request.param
    file.parent.mkdir(exist_ok=True)
    file.write_text(MODULE)
    (file.parent / "flute.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("instruments")
    for name in [name for name in sys.modules if name.partition(".")[0] == "instruments"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("from instruments import lute", ImportError),
        ("from instruments import oud, lute", ImportError),
        ("import instruments; instruments.lute", AttributeError),
        ("import instruments; getattr(instruments, 'lute')", AttributeError),
    ],
)
def test_a_name_that_is_not_offered_says_why(instruments, statement, error):
    with pytest.raises((ImportError, AttributeError), match="instruments does not offer lute: use the oud") as raised:
        exec(statement, {})
    assert raised.type is error
    assert raised.value.name == "lute"


def test_a_module_with_such_a_name_can_be_examined(instruments):
    assert not hasattr(instruments, "lute")
    assert getattr(instruments, "lute", None) is None
    assert inspect.getmembers(instruments, lambda value: value == 4) == [("oud", 4)]
    names = {}
    exec("from instruments import *", names)
    assert names["oud"] == 4
    if hasattr(instruments, "__path__"):
        exec("from instruments import flute", names)


def test_names_of_asok_that_are_not_offered_are_looked_for_without_an_error():
    from antiphon.dialects import asok

    assert not hasattr(asok, "Model")
    with pytest.raises(AttributeError, match="does not offer Model: use what docs"):
        asok.Model  # noqa: B018 - it is the attribute that is read


def test_an_expression_is_compiled_when_it_is_first_used():
    word = compiled_late("[a-z]+", re.IGNORECASE)
    assert (word.pattern, "fullmatch" in vars(word)) == ("[a-z]+", False)
    assert word.fullmatch("Ab")[0] == "Ab"
    assert "fullmatch" in vars(word)


def test_a_package_of_others_imports_its_names_on_first_use(tmp_path, monkeypatch):
    written = '__all__, __getattr__, __dir__ = import_on_use(__name__, {"feature": "Flags"}, "others_flags")'
    (tmp_path / "others_flags").mkdir()
    (tmp_path / "others_flags/__init__.py").write_text(f"from antiphon.embedding import import_on_use\n{written}\n")
    (tmp_path / "others_flags/feature.py").write_text("class Flags: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    package = import_module("others_flags")
    assert (package.__all__, "Flags" in dir(package), "others_flags.feature" in sys.modules) == (["Flags"], True, False)
    assert package.Flags.__module__ == "others_flags.feature"
    with pytest.raises(AttributeError, match="module 'others_flags' has no attribute 'Nonesuch'"):
        package.Nonesuch  # noqa: B018 - reading it is the test


class Once:
    def __init__(self):
        self.calls = 0

    @lazy
    def value(self):
        self.calls += 1
        return 1


def test_a_subclass_may_hide_what_is_computed_once_and_ask_for_it():
    class Hiding(Once):
        @property
        def value(self):
            return super().value + 1

    class Setting(Once):
        value = property(lambda self: super().value + 1, lambda self, value: 1 / 0)

    class Guarding(Once):
        def __setattr__(self, name, value):
            if name != "calls":
                raise AttributeError(name)
            super().__setattr__(name, value)

    for kind, value in (Once, 1), (Hiding, 2), (Setting, 2), (Guarding, 1):
        made = kind()
        assert [made.value, made.value, made.calls] == [value, value, 1]


@rows(
    "module, look",
    ("multiprocessing", partial(call_at_exit, int)),
    ("multiprocessing", folder._parent),
    ("multiprocessing.process", folder._parent),
    ("django.db", atomic_blocks),
    ("greenlet", lambda: next(queries._frames(sys._getframe()))),
    ("cryptography.hazmat.primitives.asymmetric.rsa", keys._kinds),
)
def test_a_module_that_another_thread_is_importing_is_passed_over(module, look, monkeypatch):
    monkeypatch.setitem(sys.modules, module, ModuleType(module))
    look()
