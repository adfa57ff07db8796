"""What clients and servers send, well-formed or not, by the question that is asked about it (see `readings`)."""

_TAGS = [
    '"a"', 'W/"a"', '"a", "b"', "*", '"a,b"', "a", "", '"a" "b"', '"a","b",', 'w/"a"', '""', '"a", b', '"\\a"',
]  # fmt: skip
_TYPES = [
    "text/html", "text/html; charset=utf-8", 'text/html; charset="utf-8"', "TEXT/HTML; CHARSET=UTF-8",
    "text/html;charset=utf-8", "text/html; charset=a; charset=b", "text", "", "text/html; charset", "text/html; a=",
    "text/html;", 'a/b; c="d;e"', "text/html; charset = utf-8", "text/html; a=b c", "/html", "text/", "a/b/c",
    'a/b; c="d\\"e"', "multipart/form-data; boundary=a/b", "text/html, text/plain", "a/b; c*=UTF-8''d",
]  # fmt: skip
HEADERS = {
    "media_type": [
        "text/html", "application/json", "*/*", "text/*", "image/*;q=0.5, application/json;q=0.4", "text/html;q=0",
        "text/html;q=0, */*", "application/json, text/html", "application/json;q=0.8, text/html;q=0.9",
        "image/png;q=0.001, */*;q=0", "", "garbage", "text/html;q=2", "text/html;q=-1, application/json;q=0.5",
        "text/html;q=nan", "text/html;q=0.5;q=0, application/json;q=0.4", "text/html;level=1", "TEXT/HTML",
        "text/html;Q=0.1, image/png;q=0.2", "text/html ; q = 0.1, image/png;q=0.2", ", ,text/html,,", "*/html", "*",
        "text/html;q=1.0001", "text/html;q=.5, image/png;q=0.6", "application/*;q=0.3, application/json;q=0",
        'text/html;a="b,c", image/png;q=0.5', "text/html;q=0.5, text/html",
    ],
    "language": [
        "de", "en-GB", "de-AT, en;q=0.5", "*", "fr;q=0, *", "en;q=0", "EN", "de_AT", "es", "es, *;q=0.1",
        "en;q=0.5, de;q=0.5", "de;q=0.5, en;q=0.5", "", "de-", "de;q=x", "zh-Hant-TW, fr;q=0.1", "x-klingon", "en-*",
        "e n",
    ],
    "coding": [
        "gzip", "br", "br;q=0.5, gzip", "*", "*;q=0", "gzip;q=0, *", "identity", "", "GZIP", "x-gzip", "gzip;q=0",
        "deflate", "gzip;q=0.5, br;q=0.5", "gzip,", "gzip;q=1.5",
    ],
    "charset": ["utf-8", "UTF-8", "utf8", "iso-8859-1", "*", "iso-8859-1;q=0.9, *;q=0.1", "", "utf-8;q=0", "latin1"],
    "strong_tags": _TAGS,
    "range": [
        "bytes=0-9", "bytes=0-", "bytes=-5", "bytes=5-2", "bytes=0-0", "bytes=-0", "bytes=", "bytes", "bytes=a-b",
        "BYTES=0-9", "items=0-9", "bytes=0-4,6-9", "bytes= 0-9", "bytes =0-9", "bytes=0 - 9", "bytes=0-9,",
        "bytes=0-9, -3", "bytes=--5", "bytes=+1-2", "bytes=1_0-20", "bytes=6-9,0-4", "bytes=0-9,3-5", "bytes=-",
    ],
    "content_range": [
        "bytes 0-9/100", "bytes 0-9/*", "bytes */100", "bytes */*", "bytes 9-0/100", "bytes 0-100/100",
        "bytes 0-99/100", "items 0-9/100", "BYTES 0-9/100", "bytes=0-9/100", "bytes 0-9", "bytes 0-9/a",
        "bytes  0-9/100", "bytes -1-9/100", "",
    ],
    "cache_control": [
        "max-age=60", "no-cache", "no-store", "max-age=60, no-cache", "MAX-AGE=60", 'max-age="60"', "max-age",
        "max-age=", "max-age=-1", "max-age=a", "max-age=99999999999", "max-stale", "max-stale=5", 'no-cache="a, b"',
        "max-age=1, max-age=2", ", max-age=1,,", "max-age = 1", "no-store=1", "",
    ],
    "credentials": [
        "Basic YTpi", "basic YTpi", "Basic YTpiOmM=", "Basic Og==", "Basic YQ==", "Basic !!!", "Basic", "Basic  YTpi",
        "Bearer abc", "Bearer", "Bearer a=b", 'Digest username="a", realm="b"', "Digest username=a", "Token abc==", "",
        "Basic w6Q6YQ==", "Basic 5Dph", "Digest a=b, a=c", "Basic YTpi, x=y", 'Digest username="a\\"b"',
    ],
    "file": [
        "attachment", "attachment; filename=a.txt", 'attachment; filename="a b.txt"',
        "attachment; filename*=UTF-8''%C3%A4.txt", "attachment; filename=a.txt; filename*=UTF-8''%C3%A4.txt",
        "attachment; filename*=UTF-8''%C3%A4.txt; filename=a.txt", "INLINE", 'attachment; filename="a\\"b"',
        'attachment; filename="../a"', "attachment; FILENAME=a", "attachment;filename=a", "attachment; filename=",
        'attachment; filename=""', "", 'attachment; filename="a;b"', 'attachment; filename="a',
        "attachment; filename*=latin1''%E4", "attachment; filename*=UTF-8''%FF", "attachment; filename=a; filename=b",
        'attachment; filename*0="a"; filename*1="b"', 'form-data; name="a"; filename="b%22c"',
        "attachment; filename=a b.txt", "attachment; filename*=''a", 'attachment; filename="C:\\\\a.txt"',
    ],
    "content_type": _TYPES,
    "cookies": [
        "a=b", "a=b; c=d", "a=", "=b", "a", "a=b;c=d", 'a="b"', 'a="b\\"c"', 'a="\\303\\244"', "a=b=c", "a=b; a=c",
        ";;a=b", "a=b, c=d", 'a="b;c"', 'a="b', "a=Ã¤", "a b=c", "a=b\tc", "$Version=1; a=b", "a=%20", "__Host-a=b",
        "a=[b]",
    ],
    "date": [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 +0100", "Sun, 06 Nov 1994 08:49:37", "06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08:49:60 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "sun, 06 nov 1994 08:49:37 gmt",
        "1994-11-06T08:49:37Z", "784111777", "", "0", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 0001 00:00:00 GMT",
        "Sun, 06 Nov 1994 08:49:37 PST", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT; length=5",
        "Wednesday, 09-Nov-60 08:49:37 GMT", "Wednesday, 09-Nov-70 08:49:37 GMT",
    ],
    "retry_after": ["0", "3600", "-3600", "Fri, 31 Dec 1999 23:59:59 GMT", "1.5", "", "abc", "+3600"],
    "challenges": [
        'Basic realm="a"', "basic realm=a", 'Basic realm="a", charset="UTF-8"', "Bearer",
        'Bearer realm="a", error="invalid_token"', 'Digest realm="a,b", nonce="c"', 'Basic realm="a\\"b"',
        'Basic realm="a", Bearer realm="b"', "Negotiate abc==", "Basic", "", 'Basic REALM="a"',
    ],
    "weak_tags": _TAGS,
    "essence": _TYPES,
}  # fmt: skip
