"""What values of headers have in common: they compare by what they say, stay as they are, and read as they print."""

import copy
import pickle
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import combinations
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.accept import Accept, AcceptEncoding, AcceptLanguage
from antiphon.http.authorization import Authorization, Challenge, parse_challenges
from antiphon.http.cache_control import MOST_SECONDS, CacheControl
from antiphon.http.conditional import ETag, IfMatch, IfNoneMatch, IfRange
from antiphon.http.content_disposition import ContentDisposition
from antiphon.http.cookies import SetCookie
from antiphon.http.event import Event
from antiphon.http.link import Link, format_links, parse_links
from antiphon.http.media_type import MediaType
from antiphon.http.ranges import ContentRange, Range
from antiphon.http.structured_fields import (
    InnerList,
    Item,
    Token,
    format_structured_dictionary,
    format_structured_list,
    parse_structured_dictionary,
    parse_structured_list,
)
from antiphon.http.tracing import ServerTiming, TraceParent, format_server_timing, parse_server_timing
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
LINK = {"title": "b", "type": "c"}

ALIKE = [
    [Authorization.parse("bearer abc"), Authorization.bearer("abc")], [Authorization.bearer("ABC")],
    [Authorization("DPoP", token="abc")], [Authorization("A", {"b": "c"})], [Authorization("A", {"b": "C"})],
    [Authorization("A")], [Authorization.basic("a", "b")],
    [Challenge.parse("BASIC Realm=a, x=y"), Challenge.parse('Basic x="y", realm="a"')], [Challenge("A")],
    [CacheControl.parse('a="1", Public'), CacheControl(public=True, extensions={"a": "1"}),
     CacheControl.parse("public, a=1")],
    [CacheControl(max_age=1)], [CacheControl(max_age=2)], [CacheControl(max_stale=True)],
    [CacheControl(max_stale=MOST_SECONDS)],
    [ContentDisposition("attachment", "a.txt"), ContentDisposition.parse("ATTACHMENT; filename*=UTF-8''a.txt")],
    [ContentDisposition("inline", "a.txt")], [ContentDisposition("attachment", "b.txt")],
    [ContentDisposition("form-data", name="a")], [ContentDisposition("form-data", name="b")],
    [ETag("a"), ETag.parse('"a"')], [ETag("a", weak=True)],
    [IfMatch.parse('"a","b"'), IfMatch([ETag("a"), ETag("b")])], [IfMatch.parse('"a"')], [IfMatch.parse('W/"a"')],
    [IfMatch.parse('"a", x')], [IfMatch.parse("x")], [IfMatch.parse(None)], [IfNoneMatch.parse('"a"')],
    [IfRange(ETag("a")), IfRange.parse('"a"')], [IfRange(ETag("a", weak=True))], [IfRange.parse("a")],
    [IfRange.parse(None)], [IfRange(MOMENT), IfRange(MOMENT.replace(microsecond=5)), IfRange.parse(DATE)],
    [Range.parse("bytes=0-1"), Range.parse("Bytes=00-01")], [Range.parse("items=0-1")], [Range.parse("bytes=0-")],
    [ContentRange.parse("Bytes 00-09/10"), ContentRange(0, 9, 10)], [ContentRange(0, 9, None)],
    [Link("/a", "next", LINK), Link.parse("</a>; type=c; rel=NEXT; Title=b")], [Link("/b", "next", LINK)],
    [Link("/a", "prev", LINK)], [Link("/a", "next", {"title": "b"})],
    [*map(MediaType.parse, ("text/html;charset=utf-8", 'Text/HTML;Charset="utf-8"', 'text/html; charset="UTF-8"'))],
    [*map(MediaType.parse, ("a/b;x=1;y=2", "a/b; y=2; X=1"))],
    *([MediaType.parse(each)] for each in ("a/b;x=1", "a/b;x=A", "a/b;x=a", "a/b;y=1", "a/c;x=1", "c/b;x=1")),
    [Accept.parse("a/b;q=0.5"), Accept.parse("A/B ; Q=0.50")], [Accept.parse("a/b")], [AcceptLanguage.parse("de")],
    [AcceptEncoding.parse("")], [AcceptEncoding.parse(None)],
    [ServerTiming("db", 1.5, "x")], [ServerTiming("db", 1.5)],
    [TraceParent(TRACE, PARENT, 1), TraceParent.parse(f"00-{TRACE}-{PARENT}-01")], [TraceParent(TRACE, PARENT)],
    [Item.parse("a;b=1"), Item(Token("a"), {"b": 1})], [Item("a", {"b": 1})], [Item(Token("a"), {"b": True})],
    [InnerList([Token("a")])], [InnerList([Item.parse("a;b=1"), 1], {"x": True})],
    [Event("x", id="7"), Event("x", id="7")], [Event("x")],
    [SetCookie("a", "b"), SetCookie.parse("a=b; Path=/")], [SetCookie.delete("a")],
]  # fmt: skip
"""Values that are equal, and differ from all others."""
VALUES = [value for values in ALIKE for value in values]


def test_are_equal_where_they_say_the_same():
    for values in ALIKE:
        assert all(one == other and hash(one) == hash(other) for one, other in combinations(values, 2)), values
    different = [(a, b) for one, other in combinations(ALIKE, 2) for a in one for b in other if a == b]
    assert different == []
    assert [value for value in VALUES if value == str(value)] == []


@rows("value", VALUES, ids=repr)
def test_do_not_change(value):
    for name in [*(name for name in dir(type(value)) if name[0] != "_"), "anything"]:
        with pytest.raises(AttributeError):
            setattr(value, name, "x")
    if isinstance(parameters := getattr(value, "parameters", None), Mapping):
        with pytest.raises(TypeError):
            parameters["x"] = "y"


@rows("value", VALUES, ids=repr)
@rows("again", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_can_be_copied(value, again):
    assert (again(value), type(again(value)), repr(again(value))) == (value, type(value), repr(value))


@rows(
    "value, shown",
    (ETag("a"), "ETag('a')"), (ETag("a", weak=True), "ETag('a', weak=True)"),
    (IfNoneMatch.parse('W/"a"'), "IfNoneMatch.parse('W/\"a\"')"), (IfMatch.parse(None), "IfMatch.parse(None)"),
    (Range.parse("bytes=0-1"), "Range.parse('bytes=0-1')"),
    (ContentRange(0, 9, 10), "ContentRange.parse('bytes 0-9/10')"),
    (Link("/a", "next", LINK), "Link('/a', 'next', {'title': 'b', 'type': 'c'})"),
    (Item.parse("a;b=1"), "<Item a;b=1>"), (Event("x", id="7"), "Event('x', id='7')"),
)  # fmt: skip
def test_show_what_they_are_made_of(value, shown):
    assert repr(value) == shown


@rows(
    "make",
    lambda given_parameters: Authorization("Foo", given_parameters),
    lambda given_parameters: Link("/a", "next", given_parameters),
    lambda given_parameters: MediaType("text", "html", given_parameters),
    lambda given_parameters: Item(1, given_parameters),
    lambda given_parameters: InnerList([], given_parameters),
)
def test_keep_the_parameters_that_they_were_given(make):
    given_parameters = {"title": "a"}
    value = make(given_parameters)
    given_parameters["title"] = "b"
    assert value.parameters == {"title": "a"}


class Read(NamedTuple):
    """How a kind of value is read and printed, and what leads its parser astray."""

    parse: Callable[[str], Any]
    print: Callable[[Any], str]
    pieces: str

    def of(self, text):
        try:
            return self.parse(text)
        except ValueError:
            return None


READ = {
    "authorization": Read(Authorization.parse, str, r'Basic |Digest a=b|Foo abc==|x="a, b"|realm=r|,| |"|=|\|a|a==|é'),
    "challenges": Read(
        parse_challenges,
        lambda found: ", ".join(map(str, found)),
        r'Basic |Foo a==|, b=c|realm="\|x="a, b"|,| |"|=|\|a',
    ),
    "cache-control": Read(CacheControl.parse, str, 'a="\\|max-age=1|private="a|no-store|,|=|"| |\xa0|x|, max-age=2'),
    "content-disposition": Read(ContentDisposition.parse, str, 'form-data|attachment; |; name="|"|\\|;|=|%|\'|*|a|é| '),
    "content-range": Read(ContentRange.parse, str, "bytes |0|9|-|/|*|10|items | "),
    "content-type": Read(MediaType.parse, str, 'a|b|/|;|="|\\| |,|*|+|é|='),
    "etag": Read(ETag.parse, str, 'W/|"|a|,|*| |\\'),
    "link": Read(parse_links, format_links, "<|>|;|,|=|\"|\\|rel|'|*|%| |a|</a>; rel=next; "),
    "range": Read(Range.parse, str, "bytes=|0|1|23|-|,| |items="),
    "server-timing": Read(parse_server_timing, format_server_timing, 'a|;|,|=|"|\\|dur|1|.| |desc'),
    "set-cookie": Read(SetCookie.parse, str, 'a=|"|\\303|; |Path=/|Domain=a.b|Secure|Max-Age=1|=|,|é'),
    "structured item": Read(Item.parse, str, r'a|*|1|-|.|@|?1|:|;|=|,|(|)|"|\|%| |é'),
    "structured list": Read(parse_structured_list, format_structured_list, r'a|*|1|-|.|@|?1|:|;|=|,|(|)|"|\|%| '),
    "structured dictionary": Read(
        parse_structured_dictionary, format_structured_dictionary, r'a|*|1|-|.|@|?1|:|;|=|,|(|)|"|\|%| '
    ),
    "traceparent": Read(TraceParent.parse, str, f"00|-|{TRACE}|{PARENT}|01|cc|ff|0"),
}


@pytest.mark.parametrize("read", READ.values(), ids=READ)
@given(st.data())
def test_any_text_is_refused_or_printed_as_what_reads_the_same(read, data):
    spliced = st.lists(st.sampled_from([*read.pieces.split("|"), "\0", "\n", "\r"])).map("".join)
    text = data.draw(spliced | st.text(st.characters(max_codepoint=0xFF)))
    if (value := read.of(text)) is None:
        return
    printed = read.print(value)
    printed.encode("latin-1")
    assert not {*printed} & {*"\r\n\0"}
    assert read.parse(printed) == value
