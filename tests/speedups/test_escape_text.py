"""The text of a value in a template is MarkupSafe's, character by character, with and without the extension."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup

from tests.helpers.twins import NOT_BUILT, compiled, extension, pure

TWINS = [pure, pytest.param(compiled, marks=pytest.mark.skipif(extension is None, reason=NOT_BUILT))]

texts = st.text(st.sampled_from("<>&'\"a ;=?!\0\x7f\x80äÿ\u0100\u20ac\ud800\udfff\uffff\U0001f600")) | st.text(
    st.characters(exclude_categories=())
)


class Shown:
    """An object with a text, and with HTML unless that is None."""

    def __init__(self, text, html):
        self.text, self.html = text, html

    def __str__(self):
        return self.text

    def __getattr__(self, name):
        if name == "__html__" and self.html is not None:
            return lambda: self.html
        raise AttributeError(name)


strings = texts | texts.map(Markup) | st.builds(type("Text", (str,), {}), texts)
simple = strings | st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.decimals() | st.binary()
values = simple | st.lists(simple, max_size=3) | st.builds(Shown, strings, simple)


@pytest.mark.parametrize("twin", TWINS)
@given(value=values)
@example(value="&" * 256)
@example(value="&" * 257)
@example(value="\U0001f600" * 255 + "&")
@example(value="\U0001f600&" * 256)
@example(value="\ud800<" * 128)
@example(value="&" * (1 << 20))
def test_a_value_reads_as_markupsafe_writes_it(twin, value):
    text = twin("escape_text")(Markup, value)
    assert type(text) in (str, Markup)
    assert str(text) == str(Markup.escape(value))


@pytest.mark.parametrize("twin", TWINS)
@given(text=texts)
def test_nothing_of_a_text_is_markup(twin, text):
    assert not set("<>\"'") & set(twin("escape_text")(Markup, text))
