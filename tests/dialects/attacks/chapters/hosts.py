"""Hosts (RFC 9112 §3.2, RFC 9110 §7.2): one host, which is no path and no user, wherever a URL is made of it."""

from tests.dialects.attacks.attack import CLOSED, REFUSED, Attack, get

BROKEN = {*REFUSED, CLOSED}
EVIL = b"evil.example"


def told(*lines, target=b"/told", version=b"1.1"):
    return b"\r\n".join([b"GET %b HTTP/%b" % (target, version), *lines, b"Connection: close", b"", b""])


def names_no_script(conversation):
    """No URL of an answer has a user, a path or a script in place of its host."""
    body = conversation.first.body.lower() if conversation.first else b""
    return "the host is another part of a URL" if b"javascript:" in body or b"@evil" in body else None


def is_not_evil(conversation):
    """The answer knows no host but its own."""
    return "the wrong host counts" if conversation.first and EVIL in conversation.first.body else None


MALFORMED = [
    b"localhost/evil", b"user@localhost", b"localhost?evil", b"localhost#evil", b"local host", b"localhost:port",
    b"localhost:-1", b"localhost:99999", b"[::1", b"a\\b", b"<script>alert(1)</script>", b"localhost:80:80",
    b"localhost\x01", b"localhost,evil.example", b"'\"><script>alert(1)</script>", b"localhost%0d%0aX-Injected:1",
]  # fmt: skip

ATTACKS = [
    *[Attack(f"Host: {host!r}", told(b"Host: " + host), {200, *BROKEN}, check=names_no_script) for host in MALFORMED],
    Attack("two hosts", told(b"Host: localhost", b"Host: evil.example"), BROKEN),
    Attack("the same host twice", told(b"Host: localhost", b"Host: localhost"), BROKEN),
    Attack("no host", told(), BROKEN),
    Attack("an empty host", told(b"Host:"), {200, *BROKEN}),
    Attack("a host of 60 KiB", told(b"Host: " + b"a" * 60_000), {200, *BROKEN}),
    Attack("a host of many dots", told(b"Host: " + b"a." * 20_000), {200, *BROKEN}),
    Attack("a host behind a blank", told(b"Host : evil.example", b"Host: localhost"), BROKEN),
    Attack("a host on a folded line", told(b"X: 1\r\n Host: evil.example", b"Host: localhost"), BROKEN),
    Attack("a host in an absolute target", told(b"Host: localhost", target=b"http://localhost/told"), {200, 404}),
    Attack("no host in HTTP/1.0", told(version=b"1.0"), {200, *BROKEN}),
    Attack(
        "a target that begins with two slashes", told(b"Host: localhost", target=b"//evil.example/told"), [200, 404]
    ),
    Attack("a port in a target", told(b"Host: localhost", target=b"http://localhost:99999/told"), {200, 404, *BROKEN}),
    Attack("a user in a target", told(b"Host: localhost", target=b"http://u:p@localhost/told"), {200, 404, *BROKEN}),
    Attack("X-Forwarded-Host", get(b"/told", b"X-Forwarded-Host: evil.example"), {200}, check=is_not_evil),
    Attack(
        "X-Host and others",
        get(b"/told", b"X-Host: evil.example", b"X-HTTP-Host-Override: evil.example", b"X-Original-Host: evil.example"),
        {200},
        check=is_not_evil,
    ),
    Attack(
        "Forwarded", get(b"/told", b"Forwarded: host=evil.example;proto=https;for=9.9.9.9"), {200}, check=is_not_evil
    ),
    Attack(
        "a redirect for another host",
        told(b"Host: localhost", b"X-Forwarded-Host: evil.example", target=b"/slash"),
        {301, 302, 307, 308, 404},
    ),
]
