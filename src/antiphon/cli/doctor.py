"""`antiphon doctor`: checks what is installed, or sends a running server requests that a stranger could forge.

Installed packages are checked by their metadata, which works even if one is missing or fails to import. The command
also reports which rules for browsers the responses contain.
"""

import operator
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from itertools import takewhile
from select import select
from socket import socket
from ssl import SSLCertVerificationError
from time import monotonic
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import SplitResult, urlsplit

from antiphon.cli.errors import BadCommand, Refused
from antiphon.speedups import IS_COMPILED

SERVERS = ("granian", "uvicorn", "hypercorn", "gunicorn", "waitress", "gevent")
_REQUIREMENT = re.compile(r"([\w.-]+)\s*([^;\s]*)[^;]*;?(.*)")
_BOUND = re.compile(r"(>=|<=|==|!=|<|>)\s*([\w.]+)")
_CLAUSE = re.compile(r"(\w+)\s*(>=|<=|==|!=|<|>)\s*['\"]([^'\"]*)")
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">=": operator.ge, ">": operator.gt}
)


class Requirement(NamedTuple):
    """A distribution that Antiphon requires, always or for an extra."""

    name: str
    bounds: str
    """The accepted versions, such as ">=1.9"; empty if any version is accepted."""
    extra: str
    """The extra that needs it; empty if it is always needed."""
    installed: str | None
    """The installed version; None if it isn't installed."""

    @property
    def is_met(self) -> bool:
        """True if an accepted version is installed."""
        if self.installed is None:
            return False
        number = _number(self.installed)
        return all(_OPERATORS[sign](number, _number(bound)) for sign, bound in _BOUND.findall(self.bounds))

    def __str__(self) -> str:
        if self.installed is None:
            return self.name
        return f"{self.name} {self.installed}" + ("" if self.is_met else f" (not {self.bounds})")


def requirements(lines: list[str]) -> Iterator[Requirement]:
    """Yield the requirements in the metadata that apply to this Python and this system."""
    for line in lines:
        if found := _REQUIREMENT.match(line):
            name, bounds, marker = found.groups()
            clauses = _CLAUSE.findall(marker)
            extra = next((value for variable, _, value in clauses if variable == "extra"), "")
            if all(_holds(*clause) for clause in clauses):
                yield Requirement(name, bounds, extra, _installed(name))


def report() -> tuple[list[str], bool]:
    """Return lines that describe this installation, and True unless a dependency is missing or has an unsupported
    version.

    Raises Refused if Antiphon has no metadata.
    """
    if _installed("antiphon") is None:
        raise Refused("Antiphon was copied, not installed, so its requirements are unknown. Install it with pip.")
    required = list(requirements(requires("antiphon") or []))
    always = [each for each in required if not each.extra]
    servers = [f"{name} {found}" for name in SERVERS if (found := _installed(name)) is not None]
    told = [
        ("antiphon", version("antiphon"), _extension()),
        ("python", platform.python_version(), f"{platform.python_implementation()} on {sys.platform}"),
        *((each.name, each.installed or "missing", "" if each.is_met else f"needed: {each.bounds}") for each in always),
    ]
    told.append(("servers", ", ".join(servers) or "none", ""))
    lines = [f"{name:13} {found:8} {remark}".rstrip() for name, found, remark in told]
    lines += ["", *(f"{state:9} {extra:13} {packages}" for state, extra, packages in _extras(required))]
    return lines, all(each.is_met for each in always)


def _extras(required: list[Requirement]) -> Iterator[tuple[str, str, str]]:
    for extra in sorted({each.extra for each in required} - {""}):
        packages = [each for each in required if each.extra == extra]
        if lacking := [each for each in packages if not each.is_met]:
            yield "missing", extra, f"{', '.join(map(str, lacking))}: pip install 'antiphon[{extra}]'"
        else:
            yield "complete", extra, ", ".join(map(str, packages))


def _extension() -> str:
    if IS_COMPILED:
        return "with its extension in C"
    if find_spec("antiphon.speedups._speedups") is None:
        return "in Python alone, since its extension in C was not compiled"
    why = "since ANTIPHON_PURE is 1" if os.environ.get("ANTIPHON_PURE") == "1" else "since it can't be imported"
    return f"in Python alone: its extension in C was compiled, but is not in use, {why}"


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _holds(variable: str, sign: str, value: str) -> bool:
    """Return True if a clause of a marker (PEP 508) holds. Clauses about other variables are assumed to hold."""
    if variable == "python_version":
        return _OPERATORS[sign](sys.version_info[:2], _number(value))
    return variable != "sys_platform" or _OPERATORS[sign](sys.platform, value)


def _number(text: str) -> tuple[int, ...]:
    """Return the release number of a version without trailing zeros: 8.0 equals 8.0.0, and 3.0rc1 equals 3.0."""
    parts = [re.match(r"\d*", part)[0] for part in text.split(".")]  # type: ignore[index]  # it always matches
    release = list(map(int, takewhile(bool, parts)))
    while release and not release[-1]:
        release.pop()
    return tuple(release)


State: TypeAlias = Literal["forged", "lacking", "refused", "unseen"]
"""The outcome: strangers can forge it; browsers aren't told to refuse it; it is refused; no response shows it."""

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
"""How many MiB of an endless message are sent: more than applications need, less than lenient servers accept."""
_NO_ROUTE = (301, 302, 307, 308, 401, 404, 405, 421, 501)
"""Statuses in response to a POST that are inconclusive, since it may not have reached a handler."""


class Finding(NamedTuple):
    """Something that a stranger could try, with its outcome and the setting that prevents it."""

    trial: str
    state: State
    mend: str


class Received(NamedTuple):
    """The status, header section and body of a response, as text."""

    status: int
    fields: tuple[tuple[str, str], ...] = ()
    """The header fields by lowercase name."""
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
    """Return findings about an app at a URL. Raises `Refused` if nothing responds, `BadCommand` for a malformed URL."""
    place = urlsplit(url)
    if place.scheme not in ("http", "https") or not place.hostname:
        raise BadCommand(f"{url!r} is not a URL: write one such as http://127.0.0.1:8000/.")
    try:
        usual = _send(place)
        told = [look_at_cookies(usual, place), look_at_frames(usual), look_at_transport(usual, place)]
        tried = [_host(place), *_forwarded(place), _encoded_slash(place), _cross_site(place), _unending_message(place)]
        return [*tried, *told]
    except SSLCertVerificationError as error:
        raise Refused(
            f"This machine doesn't trust the certificate of {place.netloc}: {error.verify_message}. Name the file of"
            " its authority: --ca FILE."
        ) from None
    except (OSError, HTTPException) as error:
        raise Refused(f"{place.netloc} does not respond: {error or type(error).__name__}.") from None


def worst(findings: list[list[Finding]]) -> list[Finding]:
    """Return each trial's worst finding across several URLs. A trial refused by any of them doesn't count as unseen."""
    order: list[State] = ["forged", "lacking", "refused", "unseen"]
    return [min(each, key=lambda found: order.index(found.state)) for each in zip(*findings, strict=True)]


def _send(place: SplitResult, method: str = "GET", path: str = "", **headers: str) -> Received:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(_connection(place)) as connection:
        connection.request(method, _target(place, path), headers={"User-Agent": "antiphon doctor", **fields})
        response = connection.getresponse()
        body = b""
        end = monotonic() + _PATIENCE  # a stream may never end
        while len(body) < _MOST_READ and monotonic() < end and (chunk := response.read1(_MOST_READ)):
            body += chunk
        received = tuple([(name.lower(), value) for name, value in response.getheaders()])
        return Received(response.status, received, body.decode("latin-1"))


def _connection(place: SplitResult) -> HTTPConnection:
    kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
    return kind(str(place.hostname), place.port, timeout=_PATIENCE)


def _target(place: SplitResult, path: str = "") -> str:
    return (path or place.path or "/") + (f"?{place.query}" if place.query else "")


def _host(place: SplitResult) -> Finding:
    usual = _send(place)
    try:
        forged = _send(place, Host=HOST)
    except (OSError, HTTPException):  # some proxies refuse it by closing the connection
        forged = Received(421)
    is_nothing = bool(usual.body) and not forged.body and HOST not in forged.head  # Caddy refuses it with an empty 200
    is_refused = is_nothing or (forged.status >= 400 and forged.status != usual.status)
    mend = f"App(trusted_hosts=[{place.hostname!r}]): links, redirects and caches take the host from the request"
    return Finding("Host: the host of another site", "refused" if is_refused else "forged", mend)


def _forwarded(place: SplitResult) -> Iterator[Finding]:
    """Yield a finding for each proxy header, which is trusted if the response contains its value or is a refusal."""
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
        is_accepted = _send(place, path=hidden).status < 400
        is_all_accepted = _send(place, path=f"/antiphon-doctor%2F{last}").status < 400
        state = "unseen" if is_accepted and is_all_accepted else "forged" if is_accepted else "refused"
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
    """Return the finding about an endless WebSocket message that the server keeps in memory."""
    state: State = "unseen"
    with closing(_connection(place)) as connection:
        connection.request("GET", _target(place), headers=_HANDSHAKE)
        if connection.getresponse().status == 101 and connection.sock is not None:
            state = "lacking" if _takes(connection.sock, _UNENDING) else "refused"
    mend = (
        "`--ws-max-size` for Uvicorn, `websocket_max_message_size` for Hypercorn; Granian has no such setting, and"
        " accepts 64 MiB, so only Limits(sockets=...) bounds its memory"
    )
    return Finding(f"WebSocket: a message of more than {_UNENDING} MiB", state, mend)


def _takes(connection: socket, size: int) -> bool:
    """Send fragments of a message, 1 MiB each; return True if all are accepted and the socket stays open."""
    frame = b"\xff" + (1 << 20).to_bytes(8, "big") + bytes(4 + (1 << 20))
    with suppress(OSError):
        for number in range(size):
            connection.sendall((b"\x00" if number else b"\x02") + frame)
        return not select([connection], [], [], 1)[0]
    return False


def look_at_cookies(usual: Received, place: SplitResult) -> Finding:
    """Return the finding about cookies that scripts can read, pages on other sites can send, or http exposes."""
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


def look_at_frames(usual: Received) -> Finding:
    """Return the finding about pages that other sites can show in a frame."""
    is_told = bool(usual.values("x-frame-options")) or any(
        "frame-ancestors" in value.lower() for value in usual.values("content-security-policy")
    )
    is_page = any(value.lower().startswith("text/html") for value in usual.values("content-type"))
    state: State = "refused" if is_told else "lacking" if is_page else "unseen"
    return Finding("X-Frame-Options: a page in a frame of another site", state, "app.use(SecurityHeaders())")


def look_at_transport(usual: Received, place: SplitResult) -> Finding:
    """Return the finding about visits over http, which anyone on the network can read and change."""
    state: State = "unseen"
    if place.scheme == "https":
        state = "refused" if usual.values("strict-transport-security") else "lacking"
    mend = "app.use(SecurityHeaders()), and trusted_proxies if a proxy ends TLS, or the proxy's own setting"
    return Finding("Strict-Transport-Security: a visit over http", state, mend)
