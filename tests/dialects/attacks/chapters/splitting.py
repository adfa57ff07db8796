"""Response splitting (RFC 9110 §5.5, CWE-113): no text of a client ends a field, begins another or forges a name."""

from urllib.parse import quote_from_bytes

from tests.dialects.attacks.attack import Attack, get

WITH_DOWNLOADS = ("asok", "flask", "pyramid", "webob", "werkzeug")
WITH_COOKIES = ("flask", "kay", "microdot", "pyramid", "webob", "werkzeug")
ANSWERED_OR_FAILED = {*range(200, 501)}
"""The site gave away what no field may have: its mistake is an error, as with the originals."""

ENDS = {
    "CRLF": b"a\r\nX-Injected: 1", "LF": b"a\nX-Injected: 1", "CR": b"a\rX-Injected: 1",
    "a second CRLF": b"a\r\n\r\n<script>alert(1)</script>",
    "NUL": b"a\0X-Injected: 1", "a vertical tab": b"a\x0bX-Injected: 1", "NEL": "a\x85X-Injected: 1".encode(),
    "a line separator": "a\u2028X-Injected: 1".encode(),
    "letters that end in CR and LF": "a\u560d\u560aX-Injected: 1".encode(),
    "bytes that are not UTF-8": b"a\xff\xfeX-Injected: 1",
    "a lone surrogate": b"a\xed\xa0\x80X-Injected: 1",
    "CRLF and a blank": b"a\r\n X-Injected: 1",
    "CRLF and a cookie": b"a\r\nSet-Cookie: injected=1",
}  # fmt: skip
NAMES = {
    "a colon": b"X-A: 1\r\nX-Injected",
    "LF": b"X-A\nX-Injected",
    "a blank": b"X A",
    "nothing": b"",
    "NUL": b"X-A\0",
    "letters beyond ASCII": "X-\xe9".encode(),
}


def query(path, /, **values):
    return get(path + b"?" + "&".join(f"{name}={quote_from_bytes(value)}" for name, value in values.items()).encode())


def attributes(conversation):
    """A cookie that a client named has no attributes of the client's."""
    for answer in conversation.answers:
        for cookie in answer.all("set-cookie"):
            attributes = [part.strip().lower() for part in cookie.split(";")[1:]]
            if "domain=evil.example" in attributes or any(each.startswith("injected") for each in attributes):
                return f"the client added an attribute: {cookie}"
    return None


def parameters(conversation):
    """A name of a file ends where its quotes end."""
    for answer in conversation.answers:
        disposition = answer.get("content-disposition")
        unquoted = ""
        is_quoted = is_escaped = False
        for letter in disposition:
            if is_escaped:
                is_escaped = False
            elif is_quoted and letter == "\\":
                is_escaped = True
            elif letter == '"':
                is_quoted = not is_quoted
            elif not is_quoted:
                unquoted += letter
        if "evil" in unquoted.replace("%22", "") and "evil=" in unquoted:
            return f"the client added a parameter: {disposition}"
    return None


BEYOND_ASCII = {
    "Latin-1": b"/\xe9", "UTF-8": "/\xe9?q=\xfc#\xf1".encode(), "an emoji": "/\U0001f600".encode(),
    "its host": "http://localhost:80/\xe9".encode(), "no UTF-8": b"/\xff\xfe\x80", "a surrogate": b"/\xed\xa0\x80",
}  # fmt: skip
REDIRECTED_OR_REFUSED = {301, 302, 303, 307, 308, 400}


def is_ascii(conversation):
    """A Location is a URL, which has no letters beyond ASCII (RFC 3986)."""
    locations = [each for answer in conversation.answers for each in answer.all("location")]
    return None if all(map(str.isascii, locations)) else f"letters beyond ASCII: {locations}"


ATTACKS = [
    *[
        Attack(f"a location beyond ASCII: {name}", query(b"/redirect", to=text), REDIRECTED_OR_REFUSED, check=is_ascii)
        for name, text in BEYOND_ASCII.items()
    ],
    *[
        Attack(
            f"a way back beyond ASCII: {name}",
            get(b"/back", b"Referer: " + text),
            REDIRECTED_OR_REFUSED,
            check=is_ascii,
        )
        for name, text in BEYOND_ASCII.items()
    ],
    *[
        Attack(f"a location: {name}", query(b"/redirect", to=b"/" + text), ANSWERED_OR_FAILED, may_leave=True)
        for name, text in ENDS.items()
    ],
    *[
        Attack(f"a value: {name}", query(b"/field", name=b"X-A", value=text), ANSWERED_OR_FAILED)
        for name, text in ENDS.items()
    ],
    *[
        Attack(f"a name: {name}", query(b"/field", name=text, value=b"1"), ANSWERED_OR_FAILED)
        for name, text in NAMES.items()
    ],
    *[
        Attack(f"a cookie: {name}", query(b"/cookie", name=b"a", value=text), ANSWERED_OR_FAILED, dialects=WITH_COOKIES)
        for name, text in ENDS.items()
    ],
    *[
        Attack(
            f"a download's name: {name}", query(b"/download", name=text), ANSWERED_OR_FAILED, dialects=WITH_DOWNLOADS
        )
        for name, text in ENDS.items()
    ],
    *[
        Attack(
            f"a cookie's {part}: {name}",
            query(b"/cookie", **({"name": b"a", "value": b"b"} | {part: text})),
            ANSWERED_OR_FAILED,
            dialects=WITH_COOKIES,
            check=attributes,
        )
        for part, text, name in [
            ("value", b"b; Domain=evil.example", "an attribute"),
            ("value", b'b"; Domain=evil.example; injected="', "an attribute behind quotes"),
            ("value", b"b, injected=1", "a comma"),
            ("name", b"a=b; Domain=evil.example; c", "an attribute"),
            ("name", b"a b", "a blank"),
            ("name", b"", "nothing"),
            ("name", b"a\r\nSet-Cookie: injected", "CRLF"),
            ("name", "\xe9".encode(), "letters beyond ASCII"),
            ("path", b"/; Domain=evil.example", "an attribute"),
            ("path", b"/\r\nX-Injected: 1", "CRLF"),
        ]
    ],
    *[
        Attack(
            f"a download's name: {name}",
            query(b"/download", name=text),
            ANSWERED_OR_FAILED,
            dialects=("asok", "flask", "werkzeug"),
            check=parameters,
        )
        for name, text in {
            "quotes": b'a"; evil="b',
            "a backslash before quotes": b'a\\"; evil="b',
            "a semicolon": b"a; evil=b",
            "a second name": b'a"; filename="evil=b.html',
            "letters beyond ASCII and quotes": '\xe9"; evil="b'.encode(),
            "a path": b"../../evil",
            "a very long one": b"a" * 6000,
        }.items()
    ],
]
