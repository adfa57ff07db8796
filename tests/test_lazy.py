import pytest

from antiphon.lazy import attribute_docs, lazy


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
