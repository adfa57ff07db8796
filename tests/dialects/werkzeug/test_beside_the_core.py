"""The list of what header values mean to Werkzeug and not to `antiphon.http`: there the dialect parses by itself.

All other values are read alike, so that a difference that the list lacks fails here, and so does one that has gone.
"""

from typing import NamedTuple

from werkzeug import http as original

from antiphon.dialects.werkzeug import http
from antiphon.http import AcceptLanguage, cookies, dates, grammar, ranges
from antiphon.http import conditional as core_etag
from antiphon.http.cache_control import CacheControl
from tests.dialects.werkzeug.test_http import CASES
from tests.helpers.rows import rows


class Difference(NamedTuple):
    value: str
    dialect: object
    core: object


def or_none(parse, value):
    try:
        return parse(value)
    except ValueError:
        return None


def tags(listed):
    return sorted(listed.as_set()), sorted(listed.as_set(include_weak=True) - listed.as_set()), listed.star_tag


def core_tags(value):
    listed = core_etag.ETags.parse(value)
    return [tag.tag for tag in listed if not tag.weak], [tag.tag for tag in listed if tag.weak], listed.star


def core_options(value):
    main, _, parameters = value.partition(";")
    return main.strip(" \t"), grammar.parse_parameters(parameters)


def parts(asked):
    return asked and (asked.units, list(asked.ranges))


def core_parts(value):
    """The parts with their stops, as slices have them."""
    asked = or_none(ranges.Range.parse, value)
    if asked is None:
        return None
    listed = [(first, last if last is None else last + 1) for first, last in asked.ranges if first is not None]
    return asked.unit, listed + [(-last, None) for first, last in asked.ranges if first is None]


READERS = {
    "options": (lambda lib: lib.parse_options_header, core_options, CASES["parse_options_header"]),
    "lists": (
        lambda lib: lib.parse_list_header,
        lambda value: [grammar.unquote_string(element) for element in grammar.split_list(value)],
        CASES["parse_list_header"],
    ),
    "directives": (
        lambda lib: lib.parse_dict_header,
        lambda value: dict(CacheControl.parse(value).directives),
        CASES["parse_dict_header"] + CASES["parse_cache_control_header"],
    ),
    "weights": (
        lambda lib: lambda value: list(lib.parse_accept_header(value)),
        lambda value: AcceptLanguage.parse(value).items(),
        [value for value in CASES["parse_accept_header"] if value and "/" not in value] + ["a;q=0, *;q=0.5"],
    ),
    "cookies": (
        lambda lib: lambda value: list(lib.parse_cookie(value).items(multi=True)),
        cookies.parse_cookies,
        [value for value in CASES["parse_cookie"] if isinstance(value, str) and value.isascii()],
    ),
    "entity tags": (lambda lib: lambda value: tags(lib.parse_etags(value)), core_tags, CASES["parse_etags"]),
    "ranges": (lambda lib: lambda value: parts(lib.parse_range_header(value)), core_parts, CASES["parse_range_header"]),
    "dates": (lambda lib: lib.parse_date, lambda value: or_none(dates.parse_http_date, value), CASES["parse_date"]),
    "quotes": (
        lambda lib: lib.quote_header_value,
        lambda value: or_none(grammar.quote_if_needed, str(value)),
        CASES["quote_header_value"] + ["a\tb", "a\x01b"],
    ),
    "no quotes": (
        lambda lib: lib.unquote_header_value, grammar.unquote_string, CASES["unquote_header_value"] + ['"a"b', '"a']
    ),
}  # fmt: skip
"""How either library reads a kind of value, how the core does, and values of all sorts."""

DIFFERENCES = {
    "options": [  # RFC 8187 and RFC 2231 are read in any header; values without quotes are tokens; the last one counts
        Difference("; a=b", ("", {}), ("", {"a": "b"})),
        Difference('a; b="c', ("a", {}), ("a", {"b": "c"})),
        Difference("a; b=c d; e=f", ("a", {"b": "c", "e": "f"}), ("a", {"b": "c d", "e": "f"})),
        Difference("a;b = c", ("a", {}), ("a", {"b": "c"})),
        Difference("x; a=1; a=2", ("x", {"a": "2"}), ("x", {"a": "1"})),
        Difference('x; a="%22"', ("x", {"a": '"'}), ("x", {"a": "%22"})),
        Difference("x; a=\u00fc; b=c", ("x", {"b": "c"}), ("x", {"a": "\u00fc", "b": "c"})),
        Difference(
            "x; filename*=UTF-8''%e2%82%ac.txt", ("x", {"filename": "\u20ac.txt"}),
            ("x", {"filename*": "UTF-8''%e2%82%ac.txt"}),
        ),
        Difference("x; f*=koi8-r''%c1", ("x", {"f": "%c1"}), ("x", {"f*": "koi8-r''%c1"})),
        Difference("x; f*0=a; f*1=b", ("x", {"f": "ab"}), ("x", {"f*0": "a", "f*1": "b"})),
        Difference(
            "x; f*0*=utf-8''%c3; f*1*=%a4; f*2=\"%\"", ("x", {"f": "\ufffd\ufffd%"}),
            ("x", {"f*0*": "utf-8''%c3", "f*1*": "%a4", "f*2": "%"}),
        ),
        Difference("x; f=a; f*0=b", ("x", {"f": "b"}), ("x", {"f": "a", "f*0": "b"})),
        Difference("x; f*0=b; f=a", ("x", {"f": "a"}), ("x", {"f*0": "b", "f": "a"})),
    ],
    "lists": [  # a quote that is not closed breaks the list; quotes are those around a whole element
        Difference('a, "b', [], ["a", "b"]),
        Difference('"a"b"c"', ['a"b"c'], ["a"]),
    ],
    "directives": [  # as lists; extended values are decoded; the last one counts
        Difference("a*=utf-8''%e2%82%ac", {"a": "\u20ac"}, {"a*": "utf-8''%e2%82%ac"}),
        Difference("a=b, a=c", {"a": "c"}, {"a": "b"}),
        Difference('a="b', {}, {"a": ""}),
    ],
    "weights": [  # the star goes last; every element may have parameters
        Difference("a;q=0, *;q=0.5", [("a", 0.0), ("*", 0.5)], [("*", 0.5), ("a", 0.0)]),
        Difference("gzip;q=0, *;q=0.5", [("gzip", 0.0), ("*", 0.5)], [("*", 0.5), ("gzip", 0.0)]),
        Difference("a;level=1;q=0.3, b", [("b", 1.0), ("a; level=1", 0.3)], [("b", 1.0)]),
        Difference("a;q=0.5;level=1", [("a; level=1", 0.5)], []),
    ],
    "cookies": [  # text without an equals sign is a name, and a cookie without a name is none
        Difference("a", [("a", "")], [("", "a")]),
        Difference("a; b=c", [("a", ""), ("b", "c")], [("", "a"), ("b", "c")]),
        Difference("b=ab; a", [("b", "ab"), ("a", "")], [("b", "ab"), ("", "a")]),
        Difference("=a", [], [("", "a")]),
        Difference("a; =a", [("a", "")], [("", "a"), ("", "a")]),
        Difference("=a; a", [("a", "")], [("", "a"), ("", "a")]),
        Difference("=a; b=a; =b", [("b", "a")], [("", "a"), ("b", "a"), ("", "b")]),
        Difference("a; ;=", [("a", "")], [("", "a"), ("", "")]),
        Difference('b; ="b"', [("b", "")], [("", "b"), ("", "b")]),
    ],
    "entity tags": [  # tags without quotes count, and the mark of weak ones has no case
        Difference("a, b", (["a", "b"], [], False), ([], [], False)),
        Difference('w/"a"', ([], ["a"], False), ([], [], False)),
        Difference("W/a", ([], ["a"], False), ([], [], False)),
    ],
    "ranges": [  # parts must come in order and not overlap; spaces may stand around signs
        Difference("bytes=0-5,3-4", None, ("bytes", [(0, 6), (3, 5)])),
        Difference("bytes=-0", None, ("bytes", [(0, None)])),
        Difference("bytes=0-,5-", None, ("bytes", [(0, None), (5, None)])),
        Difference("bytes=-5,0-1", None, ("bytes", [(0, 2), (-5, None)])),
        Difference("bytes =0-1", ("bytes", [(0, 2)]), None),
        Difference("bytes = 1 - 100", ("bytes", [(1, 101)]), None),
        Difference("bytes=1\t- 5, 7 -", ("bytes", [(1, 6), (7, None)]), None),
        Difference("bytes=1 -", ("bytes", [(1, None)]), None),
    ],
    "dates": [  # dates of mail are read, and the years of two digits are those up to 2068
        Difference(value, original.parse_date(value), None)
        for value in ("Sun, 06 Nov 1994 08:49:37 +0200", "06 Nov 1994 08:49")
    ] + [
        Difference(
            "Sunday, 06-Nov-69 08:49:37 GMT", dates.parse_http_date("Thu, 06 Nov 1969 08:49:37 GMT"),
            dates.parse_http_date("Wed, 06 Nov 2069 08:49:37 GMT"),
        )
    ],
    "quotes": [Difference("a\x01b", '"a\x01b"', None)],  # control characters may be printed
    "no quotes": [  # only quotes around the whole are taken away
        Difference('"', '"', ""),
        Difference('"a"b', '"a"b', "a"),
        Difference('"a', '"a', "a"),
    ],
}  # fmt: skip


@rows(
    "kind, row", [(kind, row) for kind, rows in DIFFERENCES.items() for row in rows], ids=str
)  # fmt: skip
def test_the_dialect_reads_what_werkzeug_reads_and_the_core_does_not(kind, row):
    of, core, _ = READERS[kind]
    assert (of(original)(row.value), of(http)(row.value), core(row.value)) == (row.dialect, row.dialect, row.core)


@rows("kind", READERS)
def test_all_other_values_are_read_alike(kind):
    of, core, values = READERS[kind]
    listed = {row.value for row in DIFFERENCES[kind]}
    others = [value for value in values if value and value not in listed]
    assert {value: of(http)(value) for value in others} == {value: core(value) for value in others}
    assert len(others) > 1
