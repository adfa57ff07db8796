import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.routing.converters import CONVERTERS
from antiphon.routing.router import Prefixes, TakenError
from tests.helpers.call_counting import count_calls
from tests.helpers.rows import rows


def prefixes(*given, host=None):
    """Prefixes at which they stand themselves."""
    made = Prefixes(CONVERTERS)
    for prefix in given:
        made.add(prefix, host, prefix)
    return made


@rows(
    "path, found, params",
    ("/", "", {}),
    ("/nowhere/at/all", "", {}),
    ("/shop", "/shop", {}),
    ("/shop/", "/shop", {}),
    ("/shop/items", "/shop", {}),
    ("/shopping", "", {}),
    ("/Shop", "", {}),
    ("//shop", "", {}),
    ("/shop//admin", "/shop", {}),
    ("/shop/admin", "/shop/admin", {}),
    ("/shop/admin/x/y", "/shop/admin", {}),
    ("/shop/5", "/shop/<int:id>", {"id": 5}),
    ("/shop/5/parts/x", "/shop/<int:id>/parts", {"id": 5}),
    ("/shop/5/party/x", "/shop/<int:id>", {"id": 5}),
    ("/shop/five/parts", "/shop", {}),
    ("/a.b/x", "/<name>.<ext>", {"name": "a", "ext": "b"}),
    ("/a.b/c/d", "/<name>.<ext>/c", {"name": "a", "ext": "b"}),
    ("", "", {}),
)
def test_the_longest_prefix_of_whole_segments_is_found(path, found, params):
    made = prefixes(
        "", "/shop", "/shop/admin", "/shop/<int:id>", "/shop/<int:id>/parts", "/<name>.<ext>", "/<name>.<ext>/c"
    )  # fmt: skip
    below = made.find(path, "testserver")
    assert (below.found, below.params) == (found, params)


@rows("path", ["/", "/shopping", "/a/shop", ""])
def test_nothing_is_found_where_nothing_stands(path):
    assert prefixes("/shop", "/shop/<int:id>").find(path, "a") is None
    assert prefixes().find(path, "a") is None


@rows(
    "segments, found, params",
    (["", "shop", "a/b"], "/shop", {}),
    (["", "shop/admin"], "/<name>", {"name": "shop/admin"}),
    (["", "shop/admin", "x"], "/<name>", {"name": "shop/admin"}),
    (["", "shop", "5/parts"], "/shop", {}),
    (["", "shop", "5", "parts/x"], "/shop/<int:id>", {"id": 5}),
    (["", "a/b.c", "d/e"], "/<name>.<ext>", {"name": "a/b", "ext": "c"}),
    (["", "a.b", "c/d"], "/<name>.<ext>", {"name": "a", "ext": "b"}),
    (["", "/", "x"], "/<name>", {"name": "/"}),
)
def test_slashes_that_hide_in_a_segment_do_not_part_it(segments, found, params):
    made = prefixes("", "/shop", "/shop/admin", "/shop/<int:id>", "/shop/<int:id>/parts", "/<name>.<ext>", "/<name>")
    below = made.find("/".join(segments), "testserver", segments)
    assert (below.found, below.params) == (found, params)
    made.add("/<name>", "<host>.org", "tenant")
    assert made.find("/a/b", "x.org", ["", "a/b"]) == ("tenant", {"host": "x", "name": "a/b"})


def test_that_of_a_host_wins_over_the_same_of_all():
    made = prefixes("/shop", "")
    made.add("/shop", "<tenant>.example.com", "tenant")
    made.add("/shop/<int:id>", "api.example.com", "api")
    assert made.find("/shop/5", "other.org").found == "/shop"
    assert made.find("/shop/5", "ann.example.com") == ("tenant", {"tenant": "ann"})
    assert made.find("/shop/5", "api.example.com") == ("api", {"id": 5})
    assert made.find("/shop/x", "api.example.com") == ("tenant", {"tenant": "api"})
    assert made.find("/nowhere", "api.example.com").found == ""
    assert made.find("/shop/5", "").found == "/shop"


@rows("one, other", [("", ""), ("/a", "/a"), ("/<x>", "/<x>"), ("/<x>", "/<y>"), ("/a/<int:x>", "/a/<int:y>")])
@rows("host", [None, "a.com", "<t>.com"])
def test_there_is_one_at_each_place(one, other, host):
    made = prefixes(one, host=host)
    with pytest.raises(TakenError):
        made.add(other, host, "other")
    assert made.find(one.replace("<x>", "1").replace("<int:x>", "1"), "a.com").found == one
    made.add(other, "b.com", "elsewhere")


@rows("prefix", ["a", "/<x>/<x>", "/<nope:x>", "/a<"])
def test_a_malformed_one_is_not_taken(prefix):
    with pytest.raises(ValueError, match=r"'.*'") as error:
        prefixes(prefix)
    assert not isinstance(error.value, TakenError)


SEGMENTS = ["a", "b", "<int:{0}>", "<{0}>"]


def fits(segment, text):
    return text.isdecimal() if segment == "<int:{0}>" else bool(text) if segment == "<{0}>" else segment == text


def particular(segments):
    """What is tried first, by the order of the routes: literal segments, then numbers, then text."""
    return [(segment.startswith("<"), segment == "<{0}>") for segment in segments]


def reference(known, path):
    """The longest of all that fit, and of these the most particular."""
    texts = path.split("/")[1:]
    fitting = [
        segments
        for segments in known
        if len(segments) <= len(texts) and all(map(fits, segments, texts))  # the path may go on
    ]
    return min(fitting, key=lambda segments: (-len(segments), particular(segments)), default=None)


@given(
    st.sets(st.lists(st.sampled_from(SEGMENTS), max_size=4).map(tuple), max_size=12),
    st.lists(st.sampled_from(["a", "b", "5", "", "é", "ab"]), max_size=6),
)
def test_it_is_what_a_plain_search_finds(known, texts):
    made = Prefixes(CONVERTERS)
    for segments in known:
        prefix = "".join(f"/{segment}".replace("{0}", f"p{at}") for at, segment in enumerate(segments))
        made.add(prefix, None, segments)
    path = "/" + "/".join(texts)
    below = made.find(path, "testserver")
    expected = reference(known, path)
    assert (below and below.found) == expected
    if below:
        values = [text for text, segment in zip(path.split("/")[1:], expected, strict=False) if "<" in segment]
        assert [*map(str, below.params.values())] == values


@rows("start", ["", "/a", "/a/b/c", "/x"])
@rows("chunk", ["/", "/a", "/a/b/c/5", "%2F"])
def test_the_work_does_not_grow_with_the_path(start, chunk):
    made = prefixes("", "/a", "/a/b/<int:c>/<d>/e", "/<a>/<b>/<c>/<d>")
    short = count_calls(made.find, start + chunk * 10, "testserver")
    assert count_calls(made.find, start + chunk * 10_000, "testserver") == short
