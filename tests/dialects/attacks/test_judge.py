"""The judge of attacks: what it finds in answers, so that silence means something."""

from tests.dialects.attacks.attack import unsafe
from tests.dialects.attacks.wire import Conversation, host_of, parsed
from tests.helpers.rows import rows

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(body=b"", *lines, status=b"200 OK"):
    return b"\r\n".join([b"HTTP/1.1 " + status, *lines, b"Content-Length: %d" % len(body), b"", body])


UNSAFE = {
    "a secret": (answer(b"it is SECRET", b"Content-Type: text/plain"), "has"),
    "a traceback": (answer(b"Traceback (most recent call last)"), "has"),
    "a script": (answer(b"<p><script>alert(1)</script>", b"Content-Type: text/html"), "a script in"),
    "a script of no type": (answer(b"<SCRIPT>alert(1)</SCRIPT>"), "a script in"),
    "an injected field": (answer(b"", b"X-Injected: 1"), "an injected field"),
    "an injected cookie": (answer(b"", b"Set-Cookie: injected=1"), "an injected cookie"),
    "a redirect elsewhere": (answer(b"", b"Location: /\\evil.example", status=b"302 Found"), "another site"),
    "a field with a bare line feed": (answer(b"", b"X-A: a\nX-B: b"), "malformed"),
    "a cut-off answer": (OK[:-1], "malformed"),
    "bytes behind an answer": (OK + b"evil", "malformed"),
}


@rows("data, finding", UNSAFE.values(), ids=UNSAFE)
def test_what_is_unsafe_is_found(data, finding):
    assert finding in unsafe(Conversation(*parsed(data, ["GET"]), is_hanging=False))


@rows(
    "data",
    OK,
    OK + OK,
    answer(b"<script>alert(1)</script>", b"Content-Type: text/plain"),
    answer(b"&lt;script>alert(1)", b"Content-Type: text/html"),
    b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
)
def test_what_is_safe_is_not(data):
    assert unsafe(Conversation(*parsed(data, ["GET"]), is_hanging=False)) is None


@rows(
    "location, host",
    ("/a", "localhost"), ("a//b", "localhost"), ("?//evil", "localhost"), ("//evil/a", "evil"), ("/\\evil", "evil"),
    ("\\\\evil", "evil"), ("///evil", "evil"), ("/\t/evil", "evil"), (" //evil", "evil"), ("\x01//evil", "evil"),
    ("https:evil", "evil"), ("HTTPS:\\evil", "evil"), ("http://localhost@evil/", "evil"),
    ("javascript:alert(1)", "javascript:"), ("data:text/html,x", "data:"),
)  # fmt: skip
def test_a_location_leads_where_browsers_go(location, host):
    assert host_of(location) == host
