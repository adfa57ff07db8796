import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.routing.pattern import CONVERTERS, Mixed, Parameter, parse_host_pattern, parse_pattern
from tests.helpers.rows import rows


@rows(
    "pattern, segments",
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
)
def test_a_path_has_literal_segments_and_parameters(pattern, segments):
    parsed = parse_pattern(pattern)
    assert [(s.name, s.converter.name) if isinstance(s, Parameter) else s for s in parsed] == segments


@rows(
    "pattern, complaint",
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
    ("/<a\n>", "must be literal"),
    ("/x<name", "'x<name'"),
    ("/<name>.<html", "'<name>.<html'"),
    ("/<a><b>", "'<a><b>'"),
    ("/x<a><b>y", "'x<a><b>y'"),
    ("/<<a>>", "'<<a>>'"),
    ("/<double:x>", r"'/<double:x>': no converter 'double'.*float, int,.*str, uuid.*app\.converter"),
    ("/<Int:x>", "Int:x"),
    ("/<x:int>", r"no converter 'x'.*write <int:x>"),
    ("/notes/{x}", r"'/notes/{x}': a parameter must be written <x>, or <int:x> for an int, not {x}"),
    ("/x/:id", r"'/x/:id': a parameter must be written <id>, not :id"),
    ("/:x", r"'/:x': a parameter must be written <x>, not :x"),
    ("/<a>/:b/c", r"'/<a>/:b/c': a parameter must be written <b>, not :b"),
    ("/<a>/{x:int}.{y}", r"a parameter must be written <int:x>, not {x:int}"),
    ("/c/{int:number}", r"a parameter must be written <int:number>, not {int:number}"),
    ("/c/{id:str}", r"a parameter must be written <str:id>, not {id:str}"),
    ("/<a>/<a>", "named a"),
    ("/<a>/<int:a>/<b>/<b>", "named a, b"),
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
    again = parse_pattern("/" + "/".join(map(str, segments)))
    assert [(type(each), str(each)) for each in again] == [(type(each), str(each)) for each in segments]


class TestWholeNumbers:
    convert = staticmethod(CONVERTERS["int"].to_python)

    @given(st.integers(0, 2**63 - 1))
    def test_are_read(self, number):
        assert self.convert(str(number)) == number

    @rows("segment, number", [("0", 0), ("007", 7), (str(2**63 - 1), 2**63 - 1)])
    def test_may_have_zeros_before_them(self, segment, number):
        assert self.convert(segment) == number

    @rows(
        "segment",
        ["", "-1", "+1", "1.0", "1e3", " 1", "1_0", "²", "\u0661", "a", str(2**63), "9" * 19, "1" * 20, "1" * 10_000],
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


@rows(
    "pattern, segments",
    ("/<float:x>/<uuid:y>", ["<float:x>", "<uuid:y>"]),
    ("/files/<path:p>/edit", ["files", "<path:p>", "edit"]),
    ("/<int(max=9,min=1):n>", ["<int(min=1, max=9):n>"]),
    ("/<any(a, b):x>", ["<any(a,b):x>"]),
    (r"/<re([^/:,>]+(?:a|b)):x>/y", [r"<re([^/:,>]+(?:a|b)):x>", "y"]),
    ("/@<user>", ["@<str:user>"]),
    ("/<name>.<ext>/x<int:n>y", ["<str:name>.<str:ext>", "x<int:n>y"]),
)
def test_parameters_may_have_arguments_and_text_beside_them(pattern, segments):
    assert list(map(str, parse_pattern(pattern))) == segments


@rows(
    "segment, text, values",
    ("<name>.<ext>", "a.tar.gz", ("a.tar", "gz")),
    ("<a>-<b>-<c>", "1-2-3-4", ("1-2", "3", "4")),
    ("<a>--<b>", "1--2--x-y", ("1--2", "x-y")),
    ("<int:id>-<slug>", "12-hello-world", (12, "hello-world")),
    ("<slug>-<int:id>", "hello-world-12", ("hello-world", 12)),
    ("v<float:x>.<ext>", "v1.5.txt", (1.5, "txt")),
    ("<any(a,ab):x>b", "abb", ("ab",)),
    ("@<user>", "@ann", ("ann",)),
    ("(<a>)", "(.*)", (".*",)),
)
def test_a_segment_of_several_parts_is_split_by_its_text(segment, text, values):
    (mixed,) = parse_pattern(f"/{segment}")
    assert isinstance(mixed, Mixed)
    assert mixed.to_python(text) == values


@rows(
    "segment, texts",
    ("<name>.<ext>", ["", ".", "a.", ".a", "ab"]),
    ("<int:id>-<slug>", ["x-y", "1", "1-", "12345678901234567890-x"]),
    ("@<user>", ["@", "ann", "x@ann"]),
    ("(<a>)", ["()", "x"]),
)
def test_a_segment_that_lacks_the_text_or_a_value_does_not_fit(segment, texts):
    (mixed,) = parse_pattern(f"/{segment}")
    for text in texts:
        with pytest.raises(ValueError):  # noqa: PT011 - the words are for debuggers
            mixed.to_python(text)


@rows("pattern", ["/x<path:p>", "/<path:p>.txt"])
def test_no_text_stands_beside_a_path(pattern):
    with pytest.raises(ValueError, match="needs whole segments"):
        parse_pattern(pattern)


@rows(
    "host, labels",
    ("API.example.com", ["api", "example", "com"]),
    ("<Tenant>.example.com", ["<str:Tenant>", "example", "com"]),
    ("api-<int:n>.localhost", ["api-<int:n>", "localhost"]),
    ("API-<re([A-Z]+):Name>-X.localhost", ["api-<re([A-Z]+):Name>-x", "localhost"]),
    ("127.0.0.1", ["127", "0", "0", "1"]),
)
def test_a_host_has_labels(host, labels):
    assert list(map(str, parse_host_pattern(host))) == labels


def test_a_label_of_several_parts_is_split_in_lower_case():
    label, _ = parse_host_pattern("API-<int:n>-Of-<Tenant>.localhost")
    assert isinstance(label, Mixed)
    assert label.to_python("api-5-of-ann") == (5, "ann")


@rows("host", [
    "", ".", "a..b", "a.", "a:80", "<t>:80", "http://a", "a/b", "a b", "é.com", "<path:p>.a", "<a", "<a>.<a>", "[::1]",
])  # fmt: skip
def test_a_malformed_host_is_refused(host):
    with pytest.raises(ValueError):  # noqa: PT011 - the words differ
        parse_host_pattern(host)
