"""Header fields of proxies: without a declared proxy they mean nothing, and with one they may not be anything."""

import json

from tests.dialects.attacks.attack import Attack, get

FIXED = ("flask", "werkzeug")


def believes_nothing(conversation):
    """Address, scheme, host and path are those of the connection."""
    told = json.loads(conversation.first.body)
    told.pop("forwarded", None)  # Werkzeug's `access_route` is what was sent, and says so
    believed = [name for name in ("ip", "scheme", "host", "url", "root", "path") if is_spoofed(str(told.get(name, "")))]
    return f"believed: {believed} of {told}" if believed else None


def is_spoofed(value):
    """True for what only the attack has."""
    return any(each in value for each in ("9.9.9.9", "https", "evil", "javascript", "99999", "%", "<"))


def is_sound(conversation):
    """What a proxy says makes a URL of HTTP, of one host, or an error."""
    if conversation.first is None or conversation.first.status >= 300:
        return None
    told = json.loads(conversation.first.body)
    is_bad = told["scheme"] not in ("http", "https") or any(letter in told["host"] for letter in "/@<> ,")
    return f"the proxy's word made {told}" if is_bad else None


UNTRUSTED = {
    "X-Forwarded-For": [b"X-Forwarded-For: 9.9.9.9"],
    "X-Forwarded-For with underscores": [b"X_Forwarded_For: 9.9.9.9"],
    "X-Forwarded-For twice": [b"X-Forwarded-For: 9.9.9.9", b"X-Forwarded-For: 9.9.9.9"],
    "X-Forwarded-Proto": [b"X-Forwarded-Proto: https", b"X-Forwarded-Ssl: on", b"X-Forwarded-Protocol: https"],
    "X-Forwarded-Scheme": [b"X-Forwarded-Scheme: https", b"X-Scheme: https", b"Front-End-Https: on"],
    "X-Forwarded-Port": [b"X-Forwarded-Port: 99999"],
    "X-Forwarded-Prefix": [b"X-Forwarded-Prefix: /evil", b"X-Script-Name: /evil", b"SCRIPT-NAME: /evil"],
    "X-Real-IP": [b"X-Real-IP: 9.9.9.9", b"True-Client-IP: 9.9.9.9", b"CF-Connecting-IP: 9.9.9.9"],
    "Client-IP": [
        b"Client-IP: 9.9.9.9",
        b"X-Client-IP: 9.9.9.9",
        b"Remote-Addr: 9.9.9.9",
        b"X-Cluster-Client-IP: 9.9.9.9",
    ],
    "Forwarded": [b"Forwarded: for=9.9.9.9;proto=https;host=evil.example"],
    "X-Original-URL": [b"X-Original-URL: /evil", b"X-Rewrite-URL: /evil"],
    "variables of a gateway": [
        b"REMOTE_ADDR: 9.9.9.9",
        b"SERVER_NAME: evil",
        b"SCRIPT_NAME: /evil",
        b"PATH_INFO: /evil",
    ],
    "variables of WSGI": [b"wsgi.url_scheme: https", b"HTTPS: on", b"HTTP_HOST: evil.example"],
    "Proxy": [b"Proxy: http://evil.example"],
}
TRUSTED = {
    "a script as scheme": [b"X-Forwarded-Proto: javascript"],
    "markup as scheme": [b"X-Forwarded-Proto: <script>alert(1)</script>"],
    "a list of schemes": [b"X-Forwarded-Proto: javascript, https"],
    "an empty scheme": [b"X-Forwarded-Proto:"],
    "a host with a user": [b"X-Forwarded-Host: localhost@evil.example"],
    "a host with a path": [b"X-Forwarded-Host: evil.example/a"],
    "a host with markup": [b"X-Forwarded-Host: <script>alert(1)</script>"],
    "a port of letters": [b"X-Forwarded-Port: evil"],
    "a port that is too large": [b"X-Forwarded-Port: 99999"],
    "a port with a path": [b"X-Forwarded-Port: 80/evil"],
    "a prefix with markup": [b"X-Forwarded-Prefix: /<script>alert(1)</script>"],
    "a prefix of another site": [b"X-Forwarded-Prefix: //evil.example"],
    "an address of letters": [b"X-Forwarded-For: <script>alert(1)</script>"],
    "a hundred addresses": [b"X-Forwarded-For: " + b"9.9.9.9, " * 100],
    "60 KiB of addresses": [b"X-Forwarded-For: " + b"," * 60_000],
    "a scheme beyond ASCII": [b"X-Forwarded-Proto: \xff\xe9"],
    "a host in Latin-1": [b"X-Forwarded-Host: \xe9vil.example"],
    "a host in UTF-8": ["X-Forwarded-Host: \xe9vil.example".encode()],
    "a port of other digits": ["X-Forwarded-Port: \xb2\u0663".encode()],
    "a prefix beyond ASCII": [b"X-Forwarded-Prefix: /\xff\xe9"],
    "an address beyond ASCII": [b"X-Forwarded-For: \xff\xfe"],
}

ATTACKS = [
    *[
        Attack(f"untrusted: {name}", get(b"/told", *fields), {200}, check=believes_nothing)
        for name, fields in UNTRUSTED.items()
    ],
    *[
        Attack(f"trusted: {name}", get(b"/proxied", *fields), dialects=FIXED, check=is_sound, statuses=range(200, 500))
        for name, fields in TRUSTED.items()
    ],
]
