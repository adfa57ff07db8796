import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.app.pattern import CONVERTERS, Parameter, parse_pattern


@pytest.mark.parametrize(
    ("pattern", "segments"),
    [
        ("/", [""]),
        ("/a", ["a"]),
        ("/a/", ["a", ""]),
        ("/a/b", ["a", "b"]),
        ("//", ["", ""]),
        ("/a.b-c_d~e", ["a.b-c_d~e"]),
        ("/café", ["café"]),
        ("/a b", ["a b"]),
        ("/<name>", [("name", "str")]),
        ("/<str:name>", [("name", "str")]),
        ("/<int:number>", [("number", "int")]),
        ("/users/<int:id>/posts/<slug>/", ["users", ("id", "int"), "posts", ("slug", "str"), ""]),
        ("/<_private>/<Upper9>", [("_private", "str"), ("Upper9", "str")]),
    ],
)
def test_a_path_has_literal_segments_and_parameters(pattern, segments):
    parsed = parse_pattern(pattern)
    assert [(s.name, s.converter.name) if isinstance(s, Parameter) else s for s in parsed] == segments


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("", "slash"),
        ("a", "slash"),
        ("<name>", "slash"),
        ("/<", "'<'"),
        ("/>", "'>'"),
        ("/<>", "'<>'"),
        ("/<name", "'<name'"),
        ("/name>", "'name>'"),
        ("/<int:>", "'<int:>'"),
        ("/<:name>", "'<:name>'"),
        ("/<1a>", "'<1a>'"),
        ("/<a b>", "'<a b>'"),
        ("/<é>", "'<é>'"),
        ("/<a-b>", "'<a-b>'"),
        ("/<a\n>", "neither"),
        ("/x<name>", "'x<name>'"),
        ("/<name>.html", "'<name>.html'"),
        ("/<a><b>", "'<a><b>'"),
        ("/<<a>>", "'<<a>>'"),
        ("/<float:x>", "float.*int, str"),
        ("/<Int:x>", "Int:x"),
        ("/<a>/<a>", "named a"),
        ("/<a>/<int:a>/<b>/<b>", "named a, b"),
    ],
)
def test_a_malformed_path_is_refused_with_what_is_wrong(pattern, complaint):
    with pytest.raises(ValueError, match=complaint):
        parse_pattern(pattern)


@given(st.text("</>:ab1", max_size=20))
def test_a_path_is_parsed_or_refused(text):
    try:
        segments = parse_pattern(text)
    except ValueError:
        return
    printed = [f"<{s.converter.name}:{s.name}>" if isinstance(s, Parameter) else s for s in segments]
    assert parse_pattern("/" + "/".join(printed)) == segments


class TestWholeNumbers:
    convert = staticmethod(CONVERTERS["int"].to_python)

    @given(st.integers(0, 10**19 - 1))
    def test_are_read(self, number):
        assert self.convert(str(number)) == number

    @pytest.mark.parametrize(("segment", "number"), [("0", 0), ("007", 7), ("9" * 19, 10**19 - 1)])
    def test_may_have_zeros_before_them(self, segment, number):
        assert self.convert(segment) == number

    @pytest.mark.parametrize(
        "segment", ["", "-1", "+1", "1.0", "1e3", " 1", "1_0", "²", "\u0661", "a", "1" * 20, "1" * 10_000]
    )
    def test_are_nothing_else(self, segment):
        with pytest.raises(ValueError, match="whole number"):
            self.convert(segment)


class TestText:
    convert = staticmethod(CONVERTERS["str"].to_python)

    @given(st.text(min_size=1))
    def test_is_taken_as_it_is(self, segment):
        assert self.convert(segment) == segment

    def test_is_not_empty(self):
        with pytest.raises(ValueError, match="empty"):
            self.convert("")


def test_whole_numbers_are_tried_before_text():
    assert CONVERTERS["int"].rank < CONVERTERS["str"].rank
