import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.link import Link, format_links, parse_links
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

targets = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"<>'))
relations = st.lists(
    st.sampled_from(["next", "prev", "stylesheet", "http://example.com/Rel,a;b", "x-1.2", "'"]), min_size=1, max_size=3
).map(" ".join)
names = st.text("abcXYZ019.+-!", min_size=1).filter(lambda name: name.lower() not in ("rel", "rev"))
values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[*map(chr, range(32)), "\x7f"]))
links = st.builds(Link, targets, relations, st.dictionaries(names, values, max_size=4))


@rows(
    "text, target, rel, parameters",
        ('<http://example.com/TheBook/chapter2>; rel="previous"; title="previous chapter"',
         "http://example.com/TheBook/chapter2", "previous", {"title": "previous chapter"}),
        ('</>; rel="http://example.net/foo"', "/", "http://example.net/foo", {}),
        ('</terms>; rel="copyright"; anchor="#foo"', "/terms", "copyright", {"anchor": "#foo"}),
        ("</TheBook/chapter2>; rel=\"previous\"; title*=UTF-8'de'letztes%20Kapitel", "/TheBook/chapter2", "previous",
         {"title": "letztes Kapitel"}),
        ('<http://example.org/>; rel="start http://example.net/relation/other"', "http://example.org/",
         "start http://example.net/relation/other", {}),
        ("</a>;rel=next", "/a", "next", {}),
        (" </a> ; REL = Next ; Title = b ", "/a", "next", {"title": "b"}),
        ('<>; rel="  self \t next  "', "", "self next", {}),
        ("< /a >; rel=next", "/a", "next", {}),
        ("</a>; rel=next; rel=prev; title=1; title=2", "/a", "next", {"title": "1"}),
        ("</a>; rel=preload; as=font; crossorigin", "/a", "preload", {"as": "font", "crossorigin": ""}),
        ("</a>; rel=next; title=plain; title*=UTF-8''na%C3%AFve", "/a", "next", {"title": "naïve"}),
        ("</a>; rel=next; title*=UTF-8''na%C3%AFve; title=plain", "/a", "next", {"title": "naïve"}),
        ("</a>; rel=next; title*=UTF-8''%FF; title=plain", "/a", "next", {"title": "plain"}),
        ("</a>; rel=next; title*=UTF-8''%0d%0a", "/a", "next", {}),
        ("</a>; rel=next; title=\"na\xc3\xafve\"", "/a", "next", {"title": "naïve"}),
        ("</a>; rel=next; rev=prev; rel*=UTF-8''prev; *=UTF-8''a", "/a", "next", {}),
        ('</a>; rel=next; title="\\"a\\", \\\\"', "/a", "next", {"title": '"a", \\'}),
        ('</a>; rel=next; title="not closed', "/a", "next", {"title": "not closed"}),
)  # fmt: skip
def test_reading(text, target, rel, parameters):
    link = Link.parse(text)
    assert (link.target, link.rel, dict(link.parameters)) == (target, rel, parameters)
    assert link.title == parameters.get("title")


@rows(
    "text",
    "", "/a; rel=next", "</a; rel=next", "</a> rel=next", "</a>", "</a>;", "</a>; rel", '</a>; rel=""',
    '</a>; rel="é"', "</a b>; rel=next", "</é>; rel=next", "</a\n>; rel=next", '</a"b>; rel=next', "</a>; title=next",
    "x </a>; rel=next",
)  # fmt: skip
def test_what_is_no_link_is_refused(text):
    with pytest.raises(ValueError, match=r"not a link|a link's target|a link needs relation types"):
        Link.parse(text)
    assert parse_links(text) == []
    assert parse_links(f"<1>; rel=a, {text}")[:1] == [Link("1", "a")]


@rows(
    "value, targets",
    ("</a>; rel=next, </b>; rel=prev", ["/a", "/b"]),
    ('</a,b;c>; rel=next; title="d, <e>; f", </g>; rel=prev', ["/a,b;c", "/g"]),
    (",, </a>; rel=next ,, </b>;rel=x,", ["/a", "/b"]),
    ("</a>, b, </c>; rel=next", ["/c"]),
    ("", []),
    ("</a>; rel=a, </b", ["/a"]),
)
def test_reading_a_list(value, targets):
    assert [link.target for link in parse_links(value)] == targets


def test_the_first_200_are_read():
    assert len(parse_links("</a>; rel=a," * 1000)) == 200


@rows(
    "link, printed",
    (Link("/page/3", "next"), "</page/3>; rel=next"),
    (Link("", "SELF"), "<>; rel=self"),
    (Link("/a.css", "preload stylesheet", {"as": "style"}), '</a.css>; rel="preload stylesheet"; as=style'),
    (Link("/a", "http://example.com/"), '</a>; rel="http://example.com/"'),
    (Link("/a", "next", {"Title": "b c"}), '</a>; rel=next; title="b c"'),
    (Link("/a", "next", {"title": "naïve"}), "</a>; rel=next; title*=UTF-8''na%C3%AFve"),
    (Link("/a", "preload", {"crossorigin": ""}), "</a>; rel=preload; crossorigin"),
)
def test_printing(link, printed):
    assert str(link) == printed


@rows("target", ["a b", "a\r\nb", "<a", "a>", '"', "é", "\0", "a\n", " "])
def test_targets_that_would_break_the_header_are_refused(target):
    with pytest.raises(ValueError, match="a link's target"):
        Link(target, "next")


@rows("rel", ["", " ", "a  b", " a", "a ", 'a"b', "a\\b", "é", "a\nb", "a\tb"])
def test_bad_relation_types_are_refused(rel):
    with pytest.raises(ValueError, match="relation types"):
        Link("/", rel)


@rows("name", ["", "a b", "é", "title*", "*", "rel", "Rev", "a=b", "a\n"])
def test_bad_names_of_parameters_are_refused(name):
    with pytest.raises(ValueError, match="a link's parameter can't be named"):
        Link("/", "next", {name: "x"})


@rows("value", ["a\rb", "\n", "\0", "\x7f", "\ud800"])
def test_values_that_no_header_has_are_refused(value):
    with pytest.raises(ValueError, match=r"control characters|surrogates"):
        Link("/", "next", {"title": value})


def test_relation_types_one_by_one():
    assert Link("/", "next http://example.com/A").relations == ("next", "http://example.com/a")


@given(st.lists(links, max_size=4))
def test_what_was_printed_is_read_back(listed):
    printed = format_links(listed)
    assert printed.isascii()
    assert printed.isprintable()
    assert parse_links(printed) == listed
