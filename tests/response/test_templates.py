"""Template strings of Python 3.14, played on every version; real ones are in the tests of return values."""

from antiphon.response.made import is_template, render_template
from tests.helpers.markup import Markup, Widget
from tests.helpers.rows import rows


class Interpolation:
    def __init__(self, value, conversion=None, format_spec=""):
        self.value = value
        self.conversion = conversion
        self.format_spec = format_spec


def template(*parts):
    """A template string, as far as it is looked at."""
    return type("Template", (tuple,), {"__module__": "string.templatelib"})(parts)


@rows(
    "parts, text",
    ([], ""),
    (["<b>"], "<b>"),
    (["<b>", Interpolation("<i>"), "</b>"], "<b>&lt;i&gt;</b>"),
    ([Interpolation("\"'&")], "&quot;&#x27;&amp;"),
    ([Interpolation(Widget())], "<b>é</b>"),
    ([Interpolation(Markup("<b>"))], "<b>"),
    ([Interpolation(5)], "5"),
    ([Interpolation(3.14159, None, ".2f")], "3.14"),
    ([Interpolation("<", "r")], "&#x27;&lt;&#x27;"),
    ([Interpolation("é", "a")], "&#x27;\\xe9&#x27;"),
    ([Interpolation("x", "s", ">3")], "  x"),
    (["<p>", Interpolation(template("<b>", Interpolation("<i>"))), "</p>"], "<p><b>&lt;i&gt;</p>"),
)
def test_a_template_strings_values_are_escaped(parts, text):
    assert render_template(parts) == text


@rows("value", ["text", b"bytes", ["<b>"], None, Widget()], ids=lambda value: type(value).__name__)
def test_nothing_else_is_taken_for_one(value):
    assert not is_template(value)
