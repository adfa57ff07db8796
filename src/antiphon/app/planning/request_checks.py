"""The checks that an application makes on requests: hosts and proxies, the sites that writes come from, and digests.

Links, redirects and caches use the request's host, so a client that can send any host could make them point to a host
of its own.
"""

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

from antiphon.adapters.heads import HeadChecks
from antiphon.app.dispatch.hooks import Hook
from antiphon.app.planning.cross_site import OWN_PAGES, TrustedOrigins, check_site, declarable_origin
from antiphon.explanations import Advice, explained
from antiphon.http.errors import (
    BadRequest,
    HTTPError,
    MisdirectedRequest,
    NotImplementedByServer,
    UnsupportedMediaType,
    UpgradeRequired,
    without_traceback,
)
from antiphon.http.head import Head
from antiphon.http.limits import Limits
from antiphon.http.urls.path import malformed_host
from antiphon.http.urls.url import DEFAULT_PORTS, parse_host
from antiphon.request.caller import AROUND
from antiphon.request.proxies import TrustedProxies, behind
from antiphon.request.request import Request

PROBLEM_TYPE = "urn:antiphon:problem:untrusted-host"
"""The ``type`` of the problem details for a host that is not declared (RFC 9457 §3.1.1)."""

_MOST_KNOWN = 1024
"""The maximum number of authorities that are remembered as checked."""


class TrustedHosts:
    """The hosts that an application serves. Immutable.

    "example.com" is one host, ".example.org" is that host with all its subdomains, and "[::1]" is an IPv6 address, each
    on every port, or only on a given port ("example.com:8443"). "*" is every well-formed host. Names are compared
    without regard to case or a trailing dot, and must be written as browsers send them (München is "xn--mnchen-3ya").
    Raises ValueError for anything else.
    """

    __slots__ = ("_declared", "_known", "_trusted")

    def __init__(self, hosts: Iterable[str]) -> None:
        if isinstance(hosts, str):
            raise explained("list-wanted", f"trusted hosts must be a list: [{hosts!r}]")
        self._declared = tuple(hosts)
        self._trusted = frozenset(map(_entry, self._declared))
        self._known = lru_cache(_MOST_KNOWN)(self._look_up)

    def __bool__(self) -> bool:
        return bool(self._declared)

    def __repr__(self) -> str:
        return f"TrustedHosts({list(self._declared)!r})"

    @property
    def are_few(self) -> bool:
        """True if requests for some hosts are refused."""
        return bool(self._declared) and ("*", None) not in self._trusted

    @property
    def first(self) -> str:
        """A host for requests that the application makes itself."""
        return next((host.removeprefix(".") for host in self._declared if host != "*"), "localhost")

    def check(self, head: Head) -> None:
        """Check a request's host, which a proxy may have reported.

        Raises BadRequest (400) for a malformed host, and MisdirectedRequest (421) for an undeclared host (RFC 9110
        §7.4).
        """
        authority = head.authority
        try:
            trusted = self._known(authority, head.scheme)
        except ValueError:
            raise malformed_host() from None
        if not trusted:
            detail = f"This application does not serve {authority}."
            raise MisdirectedRequest(detail, type=PROBLEM_TYPE)

    def _look_up(self, authority: str, scheme: str) -> bool:
        host, port = _parse(authority)
        # A host that is declared with a port is also the one without it, on the scheme's default port.
        if port is None:
            port = DEFAULT_PORTS.get(scheme)
        names = [host, f".{host}", *_above(host), "*"]
        return any((name, each) in self._trusted for name in names for each in (None, port))


def _above(host: str) -> list[str]:
    """Return the domains above a host, each with the dot before it."""
    if ":" in host:
        return []
    labels = host.split(".")
    return ["." + ".".join(labels[at:]) for at in range(1, len(labels))]


def _parse(authority: str) -> tuple[str, int | None]:
    """Return the host, in lower case and without a trailing dot, and the port. Raises ValueError if malformed."""
    # The DNS allows 253 characters, and a port is short.
    if len(authority) > 300:
        raise ValueError("the name of the host is too long")
    host, port = parse_host(authority)
    name = host.removesuffix(".")
    if not name or name[0] == "." or ".." in host:
        raise ValueError(f"a part of this name is empty: {authority!r}")
    return name, port


def _entry(text: str) -> tuple[str, int | None]:
    if text == "*":
        return text, None
    below = text.startswith(".")
    try:
        host, port = _parse(text.removeprefix("."))
        if below and ":" in host:
            raise explained("bad-host", "an IPv6 address has no subdomains")
    except ValueError as error:
        raise explained(
            "bad-host",
            'a trusted host must be written as in a URL, such as "example.com", "localhost:8000" or "[::1]";'
            ' ".example.com" '
            f'includes all subdomains, and "xn--mnchen-3ya.example" is a non-ASCII name; not {text!r} ({error})',
        ) from None
    return f".{host}" if below else host, port


class RequestChecks(HeadChecks):
    """The settings that decide which requests are handled.

    ``looks_at_heads`` is True if anything in a request head other than Host is checked: trusted proxies and hosts with
    ``has_rules``, otherwise only the head's size. Most servers limit the header section themselves.
    """

    def __init__(
        self,
        limits: Limits,
        proxies: TrustedProxies | Iterable[str],
        hosts: Iterable[str],
        origins: Iterable[str],
        cross_site_writes: bool,
    ) -> None:
        super().__init__(limits)
        self.proxies = proxies if isinstance(proxies, TrustedProxies) else TrustedProxies(proxies)
        self.hosts = TrustedHosts(hosts)
        self.origins = TrustedOrigins(origins)
        self.has_rules = bool(self.proxies or self.hosts)
        if self.has_rules:
            self.look_at_heads()
        self.allows_all_writes = cross_site_writes
        self._advice = Advice()
        self._origins_of: dict[str | None, TrustedOrigins] = {}

    def trust(self, blueprint: str, above: str | None, origins: TrustedOrigins) -> None:
        """Trust origins for the routes of a blueprint, along with those of ``above``, the blueprint around it."""
        self._origins_of[blueprint] = origins.within(self._origins_of.get(above, self.origins))

    def trusted_by(self, blueprint: str | None) -> TrustedOrigins:
        """Return the origins of other sites that may send writes to the routes of a blueprint, or of the
        application.
        """
        return self._origins_of.get(blueprint, self.origins)

    def look_at_head(self, request: Request, *, for_any_host: bool = False) -> HTTPError | None:
        """Restore what trusted proxies changed in a request. Return the error if its head is too large or its host
        isn't trusted.
        """
        # First, because the other checks read what may be too large.
        if error := self.size_error(request.head):
            return error
        if self.proxies:
            # Before the host is checked: a proxy may have reported the client's own.
            request.head = behind(request.head, self.proxies)
        if self.hosts and not for_any_host:
            try:
                self.hosts.check(request.head)
            except HTTPError as error:
                if isinstance(error, MisdirectedRequest):
                    host = request.head.authority.lower()
                    self._advice.give(f"A request for {host}", f'App(trusted_hosts=["{host}"])')
                return without_traceback(error)
            request._host_is_declared = True
        return None

    def refused_write(self, request: Request) -> HTTPError | None:
        """Return the error for a write by a page on another site, or None for any other request."""
        if self.allows_all_writes:
            return None
        head = request.head
        site = head.field("sec-fetch-site")
        if site in OWN_PAGES:  # most are: this saves a call
            return None
        try:
            check_site(head, site, self.trusted_by(request.blueprint) if self._origins_of else self.origins)
        except HTTPError as error:
            self._advise(request, "A write")
            return without_traceback(error)
        return None

    def check_handshake(self, request: Request) -> None:
        """Check that no page on another site opened a WebSocket. Raises Forbidden (403)."""
        if self.allows_all_writes or getattr(request.head, "channel", None) is None:
            return
        try:
            origins = self.trusted_by(request.blueprint) if self._origins_of else self.origins
            check_site(request.head, request.head.field("sec-fetch-site"), origins, is_handshake=True)
        except HTTPError:
            self._advise(request, "A WebSocket")
            raise

    def _advise(self, request: Request, refused: str) -> None:
        """Log, once, how to allow the refused request for pages of an origin."""
        if origin := declarable_origin(request.head.field("origin")):
            self._advice.give(f"{refused} by a page at {origin}", f'App(trusted_origins=["{origin}"])')


_HASHES = {"sha-256": "sha256", "sha-512": "sha512"}
"""The algorithms of RFC 9530 §5 that are still secure."""


class DigestError(ValueError):
    """A body that does not match its Content-Digest, or that has no digest that can be checked."""

    ALGORITHMS = frozenset(_HASHES)
    """The names of the algorithms by which a body is compared with its digest."""
    WANTED = "sha-256=10, sha-512=5"
    """The Want-Content-Digest field that clients get if their digest is missing or wrong."""

    @classmethod
    def check(cls, request: Request, algorithms: Collection[str] = frozenset(_HASHES)) -> None:
        """Read the body, where that may block, and compare it with each known digest by one of the algorithms.

        Raises DigestError if one differs or if there is none, and the same errors as reading the body. Raises
        UnsupportedMediaType (415) for a body with a content coding, because its digest covers the coded bytes, which
        aren't kept.
        """
        from hashlib import new  # imported late: few digests are checked
        from hmac import compare_digest

        known = {*_HASHES}.intersection(algorithms)
        given = {name: digest for name, digest in request.content_digest.items() if name in known}
        if not given:
            that_counts = "" if {*algorithms} >= cls.ALGORITHMS else " that is signed"
            raise cls(f"Content-Digest has neither sha-256 nor sha-512{that_counts}")
        # The digest is that of the coded bytes, of which only the decoded ones are kept.
        if (request.head.field("content-encoding") or "identity").strip().lower() != "identity":
            raise UnsupportedMediaType(
                "A body whose Content-Digest is checked must not have a content coding.",
                headers={"accept-encoding": "identity"},
            )
        hashes = {name: new(_HASHES[name]) for name in given}
        for chunk in request.stream if request.content.data is None else (request.content.data,):
            for each in hashes.values():
                each.update(chunk)
        if wrong := [name for name, each in hashes.items() if not compare_digest(each.digest(), given[name])]:
            raise cls(f"the body does not have its {wrong[0]} digest")


def require_digest(request: Request) -> None:
    """Check the body of a route with ``check_digest``. Raises BadRequest (400), with Want-Content-Digest."""
    if request.head.field("content-digest") is None:
        if AROUND in request:  # made by the application, of what was checked before
            return
        if request.content.may_be_empty:
            request.stream.chunk_at(0)  # only receiving it shows whether it is
        if request.content.is_empty:
            return
    try:
        DigestError.check(request)
    except DigestError as error:
        raise BadRequest(
            f"The body is refused: {error}.", headers={"want-content-digest": DigestError.WANTED}
        ) from None


async def arequire_digest(request: Request) -> None:
    """Check the body, on a thread if it is in a file."""
    if request.head.has_body:
        await request.aload()
    if request.content.in_memory:
        require_digest(request)
    else:
        from antiphon.concurrency.crossing import Crossing

        await Crossing().run(require_digest, request)


SERVERS = "`antiphon run` with --interface asgi, Uvicorn, Hypercorn, Granian, or Gunicorn with threads"


def check_handshake(request: Request) -> None:
    """Check that a request is a handshake on a server that supports WebSockets.

    Raises UpgradeRequired (426), and NotImplementedByServer (501) with a list of suitable servers. Over WSGI, also
    raises BadRequest (400) for a malformed handshake, and ServiceUnavailable (503) if the server has no thread for it.
    """
    if getattr(request.head, "channel", None) is None:
        from antiphon.websockets.channel import is_handshake, refusal_of  # late: few applications have WebSockets

        if refusal := refusal_of(request.head):
            raise refusal
        if is_handshake(request.head.method, request.head.field("upgrade")):
            raise NotImplementedByServer(
                f"This server doesn't support WebSockets: serve the application with {SERVERS}."
            )
        raise UpgradeRequired("This URL is for WebSockets.", upgrade="websocket")


def checking_handshakes(checks: RequestChecks, hook: Hook) -> Hook:
    """Return a hook for a mounted application's handshakes that refuses those from other sites' pages."""
    hand_on = hook.function

    def check(request: Request) -> Any:
        checks.check_handshake(request)
        return hand_on(request)

    return hook._replace(function=check)
