"""`antiphon doctor`: forged requests, as a stranger could send them, to a running application, and their effects.

It also reports which rules the answers set for browsers.
"""

from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from select import select
from socket import socket
from time import monotonic
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import SplitResult, urlsplit

from antiphon.cli.errors import BadCommand, Refused

State: TypeAlias = Literal["forged", "lacking", "refused", "unseen"]
"""A stranger can do it; browsers are not told to refuse it; it is refused; or the answers don't show it."""

HOST = "forged.invalid"
ADDRESS = "203.0.113.66"  # RFC 5737
_PATIENCE = 5.0
_MOST_READ = 1 << 20
_HANDSHAKE = {
    "User-Agent": "antiphon doctor",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "YW50aXBob24gZG9jdG9yLg==",
}
_UNENDING = 8
"""MiB of a message that does not end: more than applications need, and less than servers take by themselves."""
_NO_ROUTE = (301, 302, 307, 308, 401, 404, 405, 421, 501)
"""Statuses of a POST that show nothing, since it may not have reached a handler."""


class Finding(NamedTuple):
    """An attempt that a stranger could make, its outcome, and the setting that refuses it."""

    trial: str
    state: State
    mend: str


class Answer(NamedTuple):
    """A status, and the header section and the body as text."""

    status: int
    fields: tuple[tuple[str, str], ...] = ()
    """The header fields, with names in lower case."""
    body: str = ""

    @property
    def head(self) -> str:
        return "\n".join([f"{name}: {value}" for name, value in self.fields])

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    @property
    def text(self) -> str:
        return f"{self.head}\n{self.body}"


def examine(url: str) -> list[Finding]:
    """Return findings about an app at a URL. Raises `Refused` if nothing answers, `BadCommand` for a malformed URL."""
    place = urlsplit(url)
    if place.scheme not in ("http", "https") or not place.hostname:
        raise BadCommand(f"{url!r} is not a URL: write one such as http://127.0.0.1:8000/.")
    try:
        usual = _send(place)
        told = [look_at_cookies(usual, place), look_at_frames(usual), look_at_transport(usual, place)]
        tried = [_host(place), *_forwarded(place), _encoded_slash(place), _cross_site(place), _unending_message(place)]
        return [*tried, *told]
    except (OSError, HTTPException) as error:
        raise Refused(f"{place.netloc} does not answer: {error or type(error).__name__}.") from None


def worst(findings: list[list[Finding]]) -> list[Finding]:
    """Return the worst finding of each trial at several URLs. A trial that was refused at any of them is not unseen."""
    order: list[State] = ["forged", "lacking", "refused", "unseen"]
    return [min(each, key=lambda found: order.index(found.state)) for each in zip(*findings, strict=True)]


def _send(place: SplitResult, method: str = "GET", path: str = "", **headers: str) -> Answer:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(_connection(place)) as connection:
        connection.request(method, _target(place, path), headers={"User-Agent": "antiphon doctor", **fields})
        response = connection.getresponse()
        body = b""
        end = monotonic() + _PATIENCE  # a stream may never end
        while len(body) < _MOST_READ and monotonic() < end and (chunk := response.read1(_MOST_READ)):
            body += chunk
        received = tuple([(name.lower(), value) for name, value in response.getheaders()])
        return Answer(response.status, received, body.decode("latin-1"))


def _connection(place: SplitResult) -> HTTPConnection:
    kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
    return kind(str(place.hostname), place.port, timeout=_PATIENCE)


def _target(place: SplitResult, path: str = "") -> str:
    return (path or place.path or "/") + (f"?{place.query}" if place.query else "")


def _host(place: SplitResult) -> Finding:
    usual = _send(place)
    try:
        forged = _send(place, Host=HOST)
    except (OSError, HTTPException):  # some proxies refuse it like this
        forged = Answer(421)
    is_nothing = bool(usual.body) and not forged.body and HOST not in forged.head  # as Caddy refuses it, with a 200
    is_refused = is_nothing or (forged.status >= 400 and forged.status != usual.status)
    mend = f"App(trusted_hosts=[{place.hostname!r}]): links, redirects and caches take the host from the request"
    return Finding("Host: the host of another site", "refused" if is_refused else "forged", mend)


def _forwarded(place: SplitResult) -> Iterator[Finding]:
    """Yield a finding for each proxy header. It is believed if the answer then has its value, or is a refusal."""
    other = "http" if place.scheme == "https" else "https"
    trials = {
        "X-Forwarded-For": (ADDRESS, [ADDRESS]),
        "X-Forwarded-Host": (HOST, [HOST]),
        "X-Forwarded-Port": ("6566", [f"{place.hostname}:6566"]),
        "X-Forwarded-Prefix": ("/forged-prefix", ["/forged-prefix"]),
        "X-Forwarded-Proto": (other, [f"{other}://{place.hostname}"]),
        "Forwarded": (f"for={ADDRESS};host={HOST};proto={other}", [ADDRESS, HOST]),
    }
    for name, (value, marks) in trials.items():
        usual = _send(place, X_Antiphon_Doctor=value)  # a page may show all headers that it receives
        forged = _send(place, **{name: value})
        is_believed = any(forged.text.count(mark) > usual.text.count(mark) for mark in marks)
        is_misdirected = forged.status in (400, 421) and forged.status != usual.status
        mend = f"remove strangers' addresses from App(trusted_proxies=...), or {name.lower()} from its headers"
        yield Finding(f"{name}: {value}", "forged" if is_believed or is_misdirected else "unseen", mend)


def _encoded_slash(place: SplitResult) -> Finding:
    folder, _, last = place.path.rpartition("/")
    hidden = f"{folder}%2F{last}"
    state: State = "unseen"
    if folder and _send(place).status < 400:
        is_answered = _send(place, path=hidden).status < 400
        is_all_answered = _send(place, path=f"/antiphon-doctor%2F{last}").status < 400
        state = "unseen" if is_answered and is_all_answered else "forged" if is_answered else "refused"
    mend = "App(encoded_slashes=True), on a server that passes on the path as sent: a rule for the path may not match"
    return Finding(f"{hidden}: an encoded slash in place of a slash", state, mend)


def _cross_site(place: SplitResult) -> Finding:
    status = _send(place, "POST", Origin=f"https://{HOST}", Sec_Fetch_Site="cross-site").status
    state: State = "refused" if status == 403 else "unseen" if status in _NO_ROUTE else "forged"
    return Finding(
        "POST: a write by a page on another site",
        state,
        "App(cross_site_writes=False), and only trusted_origins that you know",
    )


def _unending_message(place: SplitResult) -> Finding:
    """Return the finding about a message on a WebSocket that never ends, which the server keeps in memory."""
    state: State = "unseen"
    with closing(_connection(place)) as connection:
        connection.request("GET", _target(place), headers=_HANDSHAKE)
        if connection.getresponse().status == 101 and connection.sock is not None:
            state = "lacking" if _takes(connection.sock, _UNENDING) else "refused"
    mend = (
        "`--ws-max-size` for Uvicorn, `websocket_max_message_size` for Hypercorn; Granian has no such setting, and"
        " takes 64 MiB, so there Limits(sockets=...) is all that bounds its memory"
    )
    return Finding(f"WebSocket: a message of more than {_UNENDING} MiB", state, mend)


def _takes(connection: socket, size: int) -> bool:
    """Send fragments of a message, 1 MiB each; return True if all are taken, and the socket is not closed for them."""
    frame = b"\xff" + (1 << 20).to_bytes(8, "big") + bytes(4 + (1 << 20))
    with suppress(OSError):
        for number in range(size):
            connection.sendall((b"\x00" if number else b"\x02") + frame)
        return not select([connection], [], [], 1)[0]
    return False


def look_at_cookies(usual: Answer, place: SplitResult) -> Finding:
    """Return the finding about cookies that scripts can read, other sites' pages can send, or http transmits."""
    wanted = ["httponly", "samesite", *(["secure"] if place.scheme == "https" else [])]
    weak = [name for name, flags in map(_flags, usual.values("set-cookie")) if not flags.issuperset(wanted)]
    state: State = "lacking" if weak else "refused" if usual.values("set-cookie") else "unseen"
    mend = (
        f"response.set_cookie({weak[0] if weak else 'name'!r}, ..., httponly=True, samesite='Lax', secure=True):"
        " leave HttpOnly out only for cookies that scripts have to read"
    )
    return Finding("Set-Cookie: a cookie that scripts read, other sites send, or http carries", state, mend)


def _flags(line: str) -> tuple[str, set[str]]:
    name, *attributes = line.split(";")
    return name.partition("=")[0].strip(), {each.partition("=")[0].strip().lower() for each in attributes}


def look_at_frames(usual: Answer) -> Finding:
    """Return the finding about pages that other sites can show in a frame."""
    is_told = bool(usual.values("x-frame-options")) or any(
        "frame-ancestors" in value.lower() for value in usual.values("content-security-policy")
    )
    is_page = any(value.lower().startswith("text/html") for value in usual.values("content-type"))
    state: State = "refused" if is_told else "lacking" if is_page else "unseen"
    return Finding("X-Frame-Options: a page in a frame of another site", state, "app.use(SecurityHeaders())")


def look_at_transport(usual: Answer, place: SplitResult) -> Finding:
    """Return the finding about visits over http, which others on the network can read and change."""
    state: State = "unseen"
    if place.scheme == "https":
        state = "refused" if usual.values("strict-transport-security") else "lacking"
    mend = "app.use(SecurityHeaders()), and trusted_proxies if a proxy ends TLS, or the proxy's own setting"
    return Finding("Strict-Transport-Security: a visit over http", state, mend)
