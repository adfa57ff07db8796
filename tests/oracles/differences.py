"""Where others read otherwise, and why Antiphon is right, or may be: the section of the standard that says so."""

from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple


class Difference(NamedTuple):
    """What others answer to a question about a header, by library, where Antiphon does not; those not named agree."""

    question: str
    header: str
    answers: dict[str, Any]


def moment(text, hours=0):
    return datetime.fromisoformat(text).replace(tzinfo=timezone(timedelta(hours=hours)))


DIFFERENCES = {
    "RFC 9110 §12.5.1: an element that breaks the grammar is passed over; where none is left, nothing is refused": [
        Difference("media_type", "", {"werkzeug": None, "webob": None}),
        Difference("media_type", "garbage", {"werkzeug": None}),
        Difference("media_type", "text/html;q=2", {"werkzeug": None}),
        Difference("media_type", "text/html;q=nan", {"werkzeug": None}),
        Difference("media_type", "*/html", {"werkzeug": None, "webob": None}),
        Difference("media_type", "*", {"werkzeug": None}),
        Difference("media_type", "text/html;q=1.0001", {"werkzeug": None}),
    ],
    "RFC 9110 §12.5.1: the other elements stay what they are beside a broken one": [
        Difference("media_type", "text/html;q=-1, application/json;q=0.5", {"webob": "text/html"}),
    ],
    "RFC 9110 §12.4.2: there is one weight, the first": [
        Difference("media_type", "text/html;q=0.5;q=0, application/json;q=0.4", {"werkzeug": "application/json"}),
    ],
    "RFC 9110 §2.4: what is meant is clear: space around an equals sign": [
        Difference(
            "media_type", "text/html ; q = 0.1, image/png;q=0.2", {"werkzeug": "text/html", "webob": "text/html"},
        ),
        Difference("content_type", "text/html; charset = utf-8", {"werkzeug": ("text/html", {})}),
        Difference("cache_control", "max-age = 1", {"webob": (-1, False, False, None)}),
    ],
    "RFC 9110 §2.4: what is meant is clear: a weight without its zero": [
        Difference("media_type", "text/html;q=.5, image/png;q=0.6", {"webob": "text/html"}),
    ],
    "RFC 4647 §3.4: lookup falls back from a range to what it begins with": [
        Difference("language", "de-AT, en;q=0.5", {"werkzeug": "en"}),
    ],
    "RFC 4647 §3.3.1: a star is any language": [
        Difference("language", "*", {"webob": None}), Difference("language", "fr;q=0, *", {"webob": None}),
        Difference("language", "es, *;q=0.1", {"webob": None}),
    ],
    "RFC 9110 §2.4: what is meant is clear: an underscore for a hyphen": [
        Difference("language", "de_AT", {"webob": None}),
    ],
    "RFC 9110 §12.5.4: the order of languages of one weight tells nothing: the server chooses": [
        Difference("language", "de;q=0.5, en;q=0.5", {"webob": "de"}),
    ],
    "RFC 9110 §12.5.4: an element that breaks the grammar is passed over; where none is left, nothing is refused": [
        Difference("language", "", {"werkzeug": None, "webob": None}),
        Difference("language", "de-", {"werkzeug": "de", "webob": None}),
        Difference("language", "de;q=x", {"werkzeug": None, "webob": None}),
        Difference("language", "en-*", {"webob": None}),
        Difference("language", "e n", {"werkzeug": None, "webob": None}),
    ],
    "RFC 9110 §8.4.1.3: x-gzip is gzip": [Difference("coding", "x-gzip", {"werkzeug": None, "webob": None})],
    "RFC 9110 §12.5.3: a header that names no coding wants none": [Difference("coding", "gzip;q=1.5", {"webob": "br"})],
    "RFC 9110 §2.4: what is meant is clear: a charset without its hyphen": [
        Difference("charset", "utf8", {"webob": None}),
    ],
    "RFC 9110 §12.5.2: an element that breaks the grammar is passed over; where none is left, nothing is refused": [
        Difference("charset", "", {"werkzeug": None}),
    ],
    "RFC 9110 §8.3.2: a charset goes by its name, and not by those that it had elsewhere": [
        Difference("charset", "latin1", {"werkzeug": "iso-8859-1"}),
    ],
    "RFC 9110 §8.8.3: a tag stands in quotes": [
        Difference("strong_tags", "a", {"werkzeug": ["a"], "webob": ["a"]}),
        Difference("strong_tags", '"a", b', {"werkzeug": ["a", "b"]}),
        Difference("weak_tags", "a", {"werkzeug": ["a"], "webob": ["a"]}),
        Difference("weak_tags", '"a", b', {"werkzeug": ["a", "b"]}),
    ],
    "RFC 9110 §5.6.1: commas separate the elements of a list": [
        Difference("strong_tags", '"a" "b"', {"webob": ["a", "b"]}),
        Difference("weak_tags", '"a" "b"', {"webob": ["a", "b"]}),
    ],
    "RFC 9110 §5.6.1: no space has to follow a comma, and elements may be empty": [
        Difference("strong_tags", '"a","b",', {"webob": ["a"]}), Difference("weak_tags", '"a","b",', {"webob": ["a"]}),
    ],
    "RFC 9110 §8.8.3: a tag may be empty": [
        Difference("strong_tags", '""', {"werkzeug": []}), Difference("weak_tags", '""', {"werkzeug": []}),
    ],
    "RFC 9110 §8.8.3: the mark of a weak tag is a capital": [Difference("weak_tags", 'w/"a"', {"werkzeug": ["a"]})],
    "RFC 9110 §14.1.2: a suffix of no length is a range that nothing satisfies": [
        Difference("range", "bytes=-0", {"werkzeug": None, "webob": ("bytes", [(0, None)])}),
    ],
    "RFC 9110 §14.1: there may be other units than bytes": [
        Difference("range", "items=0-9", {"webob": None}),
        Difference("content_range", "items 0-9/100", {"webob": None}),
    ],
    "RFC 9110 §14.1.2: there may be several ranges": [
        Difference("range", "bytes=0-4,6-9", {"webob": ("bytes", [(0, 4)])}),
        Difference("range", "bytes=0-9, -3", {"webob": ("bytes", [(0, 9)])}),
    ],
    "RFC 9110 §14.1.1: there is no space in a range": [
        Difference("range", "bytes =0-9", {"werkzeug": ("bytes", [(0, 9)]), "webob": ("bytes", [(0, 9)])}),
        Difference("range", "bytes=0 - 9", {"werkzeug": ("bytes", [(0, 9)]), "webob": ("bytes", [(0, 9)])}),
    ],
    "RFC 9110 §5.6.1: an element of a list may be empty": [Difference("range", "bytes=0-9,", {"werkzeug": None})],
    "RFC 9110 §14.1.1: what is no range makes the header invalid": [
        Difference("range", "bytes=--5", {"webob": ValueError}), Difference("range", "bytes=-", {"webob": ValueError}),
    ],
    "RFC 9110 §14.2: ranges may come in any order, and overlap": [
        Difference("range", "bytes=6-9,0-4", {"werkzeug": None, "webob": ("bytes", [(6, 9)])}),
        Difference("range", "bytes=0-9,3-5", {"werkzeug": None, "webob": ("bytes", [(0, 9)])}),
    ],
    "RFC 9110 §14.4: without a part there is a length": [
        Difference(
            "content_range", "bytes */*",
            {"werkzeug": ("bytes", None, None, None), "webob": ("bytes", None, None, None)},
        ),
    ],
    "RFC 9110 §14.4: a part ends before the whole does": [
        Difference("content_range", "bytes 0-100/100", {"werkzeug": ("bytes", 0, 100, 100)}),
    ],
    "RFC 9110 §14.1: the names of units have no case": [
        Difference("content_range", "BYTES 0-9/100", {"werkzeug": ("BYTES", 0, 9, 100), "webob": None}),
    ],
    "RFC 9110 §14.4: there is one space": [
        Difference("content_range", "bytes  0-9/100", {"werkzeug": ("bytes", 0, 9, 100)}),
    ],
    "RFC 9111 §5.2: the names of directives have no case": [
        Difference(
            "cache_control", "MAX-AGE=60",
            {"werkzeug": (None, False, False, None), "webob": (None, False, False, None)},
        ),
    ],
    "RFC 9111 §4.2.1: an age that is no number is none": [
        Difference(
            "cache_control", "max-age", {"werkzeug": (None, False, False, None), "webob": (-1, False, False, None)},
        ),
        Difference(
            "cache_control", "max-age=", {"werkzeug": (None, False, False, None), "webob": (-1, False, False, None)},
        ),
        Difference(
            "cache_control", "max-age=-1", {"werkzeug": (-1, False, False, None), "webob": (-1, False, False, None)},
        ),
        Difference(
            "cache_control", "max-age=a", {"werkzeug": (None, False, False, None), "webob": ("a", False, False, None)},
        ),
    ],
    "RFC 9111 §1.2.2: more seconds than there can be are 2**31": [
        Difference(
            "cache_control", "max-age=99999999999",
            {"werkzeug": (99999999999, False, False, None), "webob": (99999999999, False, False, None)},
        ),
    ],
    "RFC 9111 §5.2.1.2: without a number it is any time": [
        Difference(
            "cache_control", "max-stale", {"werkzeug": (None, False, False, True), "webob": (None, False, False, "*")},
        ),
    ],
    "RFC 9111 §4.2.1: of a directive that comes twice the first counts": [
        Difference(
            "cache_control", "max-age=1, max-age=2",
            {"werkzeug": (2, False, False, None), "webob": (2, False, False, None)},
        ),
    ],
    "RFC 7617 §2: a colon stands between name and password": [
        Difference("credentials", "Basic YQ==", {"werkzeug": ("basic", "a", "", None, {})}),
        Difference("credentials", "Basic", {"werkzeug": ("basic", "", "", None, {})}),
    ],
    "RFC 6750 §2.1: a bearer has a token": [
        Difference("credentials", "Bearer", {"werkzeug": ("bearer", None, None, "", {})}),
        Difference("credentials", "Bearer a=b", {"werkzeug": ("bearer", None, None, None, {"a": "b"})}),
    ],
    "RFC 7617 §2: which charset it is was never said: what is no UTF-8 is Latin-1": [
        Difference("credentials", "Basic 5Dph", {"werkzeug": None}),
    ],
    "RFC 9110 §11.2: a parameter comes once": [
        Difference("credentials", "Digest a=b, a=c", {"werkzeug": ("digest", None, None, None, {"a": "c"})}),
    ],
    "RFC 9110 §11.2: a value need not stand in quotes": [
        Difference("challenges", "basic realm=a", {"webob": [("basic", "realm=a")]}),
    ],
    "RFC 9110 §11.3: a challenge may have no parameters, or a token instead": [
        Difference("challenges", "Bearer", {"webob": [("bearer", "")]}),
        Difference("challenges", "Negotiate abc==", {"webob": [("negotiate", "abc==")]}),
        Difference("challenges", "Basic", {"webob": [("basic", "")]}),
        Difference("challenges", "", {"webob": [("", "")]}),
    ],
    "RFC 9110 §11.3: every scheme may have parameters": [
        Difference(
            "challenges", 'Bearer realm="a", error="invalid_token"',
            {"webob": [("bearer", 'realm="a", error="invalid_token"')]},
        ),
    ],
    "RFC 9110 §5.6.4: a backslash is an escape in quotes": [
        Difference("challenges", 'Basic realm="a\\"b"', {"webob": [("basic", {"realm": 'a\\"b'})]}),
    ],
    "RFC 9110 §11.6.1: there may be several challenges": [
        Difference(
            "challenges", 'Basic realm="a", Bearer realm="b"',
            {"werkzeug": [("basic", {"realm": "a", "Bearer realm": "b"})], "webob": [("basic", {"realm": "b"})]},
        ),
    ],
    "RFC 9110 §11.2: the names of parameters have no case": [
        Difference(
            "challenges", 'Basic REALM="a"', {"werkzeug": [("basic", {"REALM": "a"})], "webob": [("basic", {})]},
        ),
    ],
    "RFC 6266 §4.3: filename* goes before filename, wherever it stands": [
        Difference(
            "file", "attachment; filename*=UTF-8''%C3%A4.txt; filename=a.txt", {"werkzeug": ("attachment", "a.txt")},
        ),
    ],
    "RFC 6266 §4.2: types have no case": [Difference("file", "INLINE", {"werkzeug": ("INLINE", None)})],
    "RFC 6266 §4.3: of a path only its last part is taken, and what is none is no name": [
        Difference("file", 'attachment; filename="../a"', {"werkzeug": ("attachment", "../a")}),
        Difference("file", 'attachment; filename=""', {"werkzeug": ("attachment", "")}),
        Difference("file", 'attachment; filename="C:\\\\a.txt"', {"werkzeug": ("attachment", "C:\\a.txt")}),
    ],
    "RFC 9110 §2.4: what is meant is clear: a quote that is not closed": [
        Difference("file", 'attachment; filename="a', {"werkzeug": ("attachment", None)}),
    ],
    "RFC 8187 §3.2: a value that can't be decoded is passed over": [
        Difference("file", "attachment; filename*=latin1''%E4", {"werkzeug": ("attachment", "%E4")}),
        Difference("file", "attachment; filename*=UTF-8''%FF", {"werkzeug": ("attachment", "�")}),
        Difference("file", "attachment; filename*=''a", {"werkzeug": ("attachment", "a")}),
    ],
    "RFC 6266 §4.1: a parameter comes once: the first counts": [
        Difference("file", "attachment; filename=a; filename=b", {"werkzeug": ("attachment", "b")}),
    ],
    "RFC 8187 §3.1: parameters are not continued in HTTP": [
        Difference("file", 'attachment; filename*0="a"; filename*1="b"', {"werkzeug": ("attachment", "ab")}),
    ],
    "RFC 9110 §2.4: what is meant is clear: a name with a space and without quotes": [
        Difference("file", "attachment; filename=a b.txt", {"werkzeug": ("attachment", "a")}),
    ],
    "RFC 9110 §8.3.1: types have no case": [
        Difference("content_type", "TEXT/HTML; CHARSET=UTF-8", {"werkzeug": ("TEXT/HTML", {"charset": "UTF-8"})}),
        Difference("essence", "TEXT/HTML; CHARSET=UTF-8", {"webob": "TEXT/HTML"}),
    ],
    "RFC 9110 §8.3.1: a type has two parts, both tokens": [
        Difference("content_type", "text", {"werkzeug": ("text", {})}),
        Difference("content_type", "/html", {"werkzeug": ("/html", {})}),
        Difference("content_type", "text/", {"werkzeug": ("text/", {})}),
        Difference("content_type", "a/b/c", {"werkzeug": ("a/b/c", {})}),
        Difference("content_type", "text/html, text/plain", {"werkzeug": ("text/html, text/plain", {})}),
        Difference("essence", "text", {"werkzeug": "text", "webob": "text"}),
        Difference("essence", "/html", {"werkzeug": "/html", "webob": "/html"}),
        Difference("essence", "text/", {"werkzeug": "text/", "webob": "text/"}),
        Difference("essence", "a/b/c", {"werkzeug": "a/b/c", "webob": "a/b/c"}),
        Difference(
            "essence", "text/html, text/plain", {"werkzeug": "text/html, text/plain", "webob": "text/html, text/plain"},
        ),
    ],
    "MIME Sniffing §4.4: of a parameter that comes twice the first counts": [
        Difference("content_type", "text/html; charset=a; charset=b", {"werkzeug": ("text/html", {"charset": "b"})}),
    ],
    "MIME Sniffing §4.4: without quotes a value reaches to the next semicolon": [
        Difference("content_type", "text/html; a=b c", {"werkzeug": ("text/html", {"a": "b"})}),
        Difference(
            "content_type", "multipart/form-data; boundary=a/b",
            {"werkzeug": ("multipart/form-data", {"boundary": "a"})},
        ),
    ],
    "RFC 8187 §4: only headers that say so have extended values": [
        Difference("content_type", "a/b; c*=UTF-8''d", {"werkzeug": ("a/b", {"c": "d"})}),
    ],
    "RFC 6265bis §5.6: a cookie may have no name": [
        Difference("cookies", "=b", {"werkzeug": {}, "webob": {}}),
        Difference("cookies", "a", {"werkzeug": {"a": ""}, "webob": {}}),
    ],
    "RFC 6265bis §5.8.3: of several with one name the first is the most specific": [
        Difference("cookies", "a=b; a=c", {"webob": {"a": "c"}}),
    ],
    "RFC 6265bis §4.1.1: a value may have brackets": [Difference("cookies", "a=[b]", {"webob": {"a": ""}})],
    "RFC 6265bis §4.2.1: semicolons separate cookies, and nothing else does": [
        Difference("cookies", "a=b, c=d", {"werkzeug": {}, "webob": {"a": "b", "c": "d"}}),
        Difference("cookies", 'a="b;c"', {"werkzeug": {"a": "b;c"}, "webob": {"a": "b;c"}}),
    ],
    "RFC 6265bis §5.6: user agents send what they were given, whatever it is": [
        Difference("cookies", 'a="b', {"werkzeug": {}, "webob": {"a": ""}}),
        Difference("cookies", "a=Ã¤", {"webob": {"a": ""}}),
        Difference("cookies", "a b=c", {"werkzeug": {}, "webob": {"b": "c"}}),
        Difference("cookies", "a=b\tc", {"werkzeug": {}, "webob": {"a": "b"}}),
    ],
    "RFC 6265bis §4.1.1: a name is a token, and may have a dollar": [
        Difference("cookies", "$Version=1; a=b", {"webob": {"a": "b"}}),
    ],
    "RFC 9110 §5.6.7: a date is in GMT, and says so": [
        Difference(
            "date", "Sun, 06 Nov 1994 08:49:37 +0100",
            {"werkzeug": moment("1994-11-06T08:49:37", 1), "webob": moment("1994-11-06T07:49:37")},
        ),
        Difference(
            "date", "Sun, 06 Nov 1994 08:49:37",
            {"werkzeug": moment("1994-11-06T08:49:37"), "webob": moment("1994-11-06T08:49:37")},
        ),
        Difference(
            "date", "Sun, 06 Nov 1994 08:49:37 PST",
            {"werkzeug": moment("1994-11-06T08:49:37", -8), "webob": moment("1994-11-06T16:49:37")},
        ),
    ],
    "RFC 9110 §5.6.7: a date has all its parts, each with its digits, and nothing more": [
        Difference(
            "date", "06 Nov 1994 08:49:37 GMT",
            {"werkzeug": moment("1994-11-06T08:49:37"), "webob": moment("1994-11-06T08:49:37")},
        ),
        Difference(
            "date", "Sun, 6 Nov 1994 08:49:37 GMT",
            {"werkzeug": moment("1994-11-06T08:49:37"), "webob": moment("1994-11-06T08:49:37")},
        ),
        Difference(
            "date", "Sun, 06 Nov 1994 08:49 GMT",
            {"werkzeug": moment("1994-11-06T08:49:00"), "webob": moment("1994-11-06T08:49:00")},
        ),
        Difference(
            "date", "Sun, 06 Nov 94 08:49:37 GMT",
            {"werkzeug": moment("1994-11-06T08:49:37"), "webob": moment("1994-11-06T08:49:37")},
        ),
        Difference(
            "date", "Sun, 06 Nov 1994 08:49:37 GMT; length=5",
            {"werkzeug": moment("1994-11-06T08:49:37"), "webob": moment("1994-11-06T08:49:37")},
        ),
    ],
    "RFC 9110 §5.6.7: a minute may have a leap second, which is taken for the one before": [
        Difference("date", "Sun, 06 Nov 1994 08:49:60 GMT", {"werkzeug": None, "webob": moment("1994-11-06T08:50:00")}),
    ],
    "RFC 9110 §5.6.7: there is no such day, and no such hour": [
        Difference("date", "Sun, 31 Feb 1994 08:49:37 GMT", {"webob": moment("1994-03-03T08:49:37")}),
        Difference("date", "Sun, 06 Nov 1994 24:00:00 GMT", {"webob": moment("1994-11-07T00:00:00")}),
    ],
    "RFC 9110 §5.6.7: dates have case": [
        Difference(
            "date", "sun, 06 nov 1994 08:49:37 gmt",
            {"werkzeug": moment("1994-11-06T08:49:37"), "webob": moment("1994-11-06T08:49:37")},
        ),
    ],
    "RFC 9110 §5.6.7: a year of four digits is that year": [
        Difference(
            "date", "Sun, 06 Nov 0001 00:00:00 GMT",
            {"werkzeug": moment("2001-11-06T00:00:00"), "webob": moment("2001-11-06T00:00:00")},
        ),
    ],
    "RFC 9110 §10.2.3: seconds are digits": [
        Difference("retry_after", "-3600", {"werkzeug": -3600, "webob": -3600}),
        Difference("retry_after", "+3600", {"werkzeug": 3600, "webob": 3600}),
    ],
}  # fmt: skip
