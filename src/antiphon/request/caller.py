"""The caller: everything that tells who sent a request, what has proven it, and what the request only claims.

Two rules hold wherever callers are compared. All identities count, not the first one found. An identity replaces the
fields that it was made from, so a new signature or a renewed token is not a new caller. Where callers are counted, only
what a client can't renew by itself counts: see ``Caller.key``.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from antiphon.http.head import DerivedHead, Head
from antiphon.request.dependencies import Dependency
from antiphon.request.interfaces import AppValues
from antiphon.request.watching import Reads, note_read, unwatched

if TYPE_CHECKING:
    from antiphon.request.request import Request

_OF_MEASURING = (
    "_ga", "_gid", "_gat", "_gcl_", "__utm", "_fbp", "_fbc", "_pk_", "_hj", "_clck", "_clsk", "_uet", "_dd_s", "ajs_",
    "amp_", "mp_", "ph_", "__cf_bm", "AWSALB",
)  # fmt: skip
"""The beginnings of cookies that analytics and load balancers change while a visitor stays the same."""


class Identity(NamedTuple):
    """One sign of who sent a request.

    ``id`` is the same in all requests of one caller; for credentials it is their hash. ``replaces`` lists the header
    fields that the identity was made from, a cookie as "cookie NAME". ``is_proven`` is false for credentials that
    nothing has verified yet. ``counts_as`` is the part of ``id`` that the client can't renew, if it can renew the rest.
    """

    kind: str
    """The kind: "session", "login" (the user of a session), "user" (of other credentials), "token", "signer", "server",
    "certificate", "provided user" (of the application's own source), "framework user" or "credentials".
    """
    id: str
    replaces: tuple[str, ...] = ()
    is_proven: bool = True
    counts_as: str | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def is_shown_each_time(self) -> bool:
        """True if a client shows it with each request, so that no handler begins or ends it."""
        return self.kind in ("user", "token", "signer", "server", "certificate")

    @property
    def is_begun_by_handlers(self) -> bool:
        """True for a user whom a handler may log in or out between two attempts of a client."""
        return self.kind in ("login", "provided user", "framework user")

    @classmethod
    def of_credentials(cls, kind: str, *values: str) -> "Identity":
        """Return an identity of credentials that nothing has verified yet."""
        from hashlib import sha256

        digest = sha256()
        for value in values:
            encoded = value.encode("utf-8", "surrogatepass")
            digest.update(b"%d:%b" % (len(encoded), encoded))
        return cls("credentials", f"{kind} {digest.hexdigest()}", is_proven=False)

    @staticmethod
    def key_of(user: object, known: object = None) -> str | None:
        """Return a user's class and key: the ``known`` one, or the user, or its ``pk`` or ``id``, if that is text, a
        number or a UUID; else None. Users of two classes differ, even if they have the same key.
        """
        from uuid import UUID

        kind = user.__class__  # of a lazy object, the class of the user
        for key in (known, user, getattr(user, "pk", None), getattr(user, "id", None)):
            if isinstance(key, str | int | UUID) and not isinstance(key, bool):
                return f"{kind.__module__}.{kind.__qualname__} {type(key).__name__} {key}"
        return None


Identify: TypeAlias = "Callable[[Request], Iterable[Identity]]"
"""A function with which a feature identifies the caller of a request."""


class Around(NamedTuple):
    """The origin of a request that the application has made itself."""

    request: "Request"
    """The client's request, such as a tool call."""
    plans: set[object]
    """The plans that may handle the new request, in each application on its way."""


AROUND = Dependency[Around]("request around")
"""The client's request around the current one, if the application has made the current one."""

REFUSED_EFFECTS: Dependency[Callable[[str], Exception] | None] = Dependency("refused effects")
"""A function that returns the error for an effect, such as a message that is sent; None if a request may have some."""


def check_effect(request: "Request | None", effect: str) -> None:
    """Raise the error with which a request, or one around it, refuses effects that a rollback doesn't undo."""
    for each in arrivals(request):
        if (refuse := each._dependencies.get(REFUSED_EFFECTS)) is not None:
            raise refuse(effect)


CONFIRM: Dependency[Callable[["Request"], Awaitable[None] | None]] = Dependency("confirmation of a tool's call")
"""A function that raises an error until a person has agreed to the request, called directly before the handler."""


ARRIVAL = "antiphon.arrival"
"""The key in another framework's environ or scope for a weak reference to the request of the application around it."""


def arrivals(request: "Request | None") -> "list[Request]":
    """Return a request as each application has received it, innermost first, then the client's request around it."""
    found = []
    while request is not None:
        found.append(request)
        request = request._outer_request or _arrival_outside(request.head) or request_around(request)
    return found


def request_around(request: "Request") -> "Request | None":
    """Return the client's request for which the application has made this one, such as a tool call, or None."""
    return request[AROUND].request if AROUND in request else None


def _arrival_outside(head: Head) -> "Request | None":
    """Return the request of the application in which another framework's, which has given this head, is mounted."""
    given = _given(head)
    kept = given.get(ARRIVAL) if isinstance(given, dict) else None
    return None if kept is None else kept()


def _given(head: Head) -> Any:
    """Return what the server gave: an environ or a scope."""
    while isinstance(head, DerivedHead):
        head = head.inner
    return getattr(head, "environ", None) or getattr(head, "scope", None)


class Caller:
    """The caller of a request: all identities that are known so far.

    Each read includes what has been proven in the meantime, because middleware, hooks and the handler read it at
    different times.
    """

    OF_ONE_TRY = frozenset({
        "accept", "accept-charset", "accept-encoding", "accept-language", "b3", "baggage", "cache-control",
        "cdn-loop", "cf-connecting-ip", "cf-ipcountry", "cf-ray", "cf-visitor", "connection", "content-digest",
        "content-disposition", "content-encoding", "content-language", "content-length", "content-md5",
        "content-type", "date", "dnt", "early-data", "expect", "fly-client-ip", "fly-request-id", "forwarded", "host",
        "idempotency-key", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since",
        "keep-alive", "max-forwards", "origin", "pragma", "prefer", "priority", "proxy-connection", "range",
        "referer", "repr-digest", "save-data", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform",
        "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-user", "sec-gpc", "te", "traceparent",
        "tracestate", "trailer", "transfer-encoding", "true-client-ip", "upgrade", "upgrade-insecure-requests",
        "user-agent", "via", "want-content-digest", "want-repr-digest", "x-amz-cf-id", "x-amzn-trace-id",
        "x-b3-parentspanid", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid", "x-client-ip", "x-cloud-trace-context",
        "x-correlation-id", "x-csrf-token", "x-csrftoken", "x-datadog-parent-id", "x-datadog-sampling-priority",
        "x-datadog-trace-id", "x-envoy-attempt-count", "x-envoy-expected-rq-timeout-ms", "x-envoy-external-address",
        "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix", "x-forwarded-proto",
        "x-forwarded-scheme", "x-forwarded-server", "x-queue-start", "x-real-ip", "x-request-id", "x-request-start",
        "x-requested-with", "x-xsrf-token",
    })  # fmt: skip
    """Fields that clients and proxies may change between attempts: they describe what is being sent and how, not who is
    sending it.
    """

    __slots__ = {"request": "The request."}

    def __init__(self, request: "Request") -> None:
        self.request = request

    @property
    def identities(self) -> tuple[Identity, ...]:
        """All identities: those that the server, a feature, a framework or an outer application has proven, and
        unverified credentials.
        """
        request = self.request
        note_read(request, Reads.USER)
        with unwatched(request):
            found = [*_proven(request)]
            replaced = {name for each in found for name in each.replaces}
            shown = request.head.field("authorization")
            if shown is not None and "authorization" not in replaced:
                found.append(Identity.of_credentials("authorization", shown))
            if self.is_seen_by_others and (cookies := self.cookies(replaced)):
                found.append(Identity.of_credentials("cookies", cookies))
        return tuple(dict.fromkeys(found))

    @property
    def key(self) -> str:
        """The caller as limits count it: the proven users and signers as text, or else the client's address, or its
        network for IPv6.

        A session is left out, since a client begins as many as it likes. So a key is no owner of anything: clients with
        one address have the same, and ``identities`` differ.
        """
        unique = dict.fromkeys(self._counted() or [f"address {client_of(self.request.head)}"])
        return " ".join([f"{len(each)}:{each}" for each in unique])

    @property
    def is_proven(self) -> bool:
        """True if ``key`` is of users or signers; False if it is an address, as before ``request.user`` is read."""
        return bool(self._counted())

    def _counted(self) -> list[str]:
        proven = [each for each in self.identities if each.is_proven and each.kind != "session"]
        return [f"{each.kind} {each.counts_as or each.id}" for each in proven]

    def fields(self, names: Collection[str]) -> dict[str, str | None]:
        """Return the host and the named fields that may identify the caller, but for those in ``identities``.

        EVERYTHING stands for all fields.
        """
        for name in {*names, Reads.USER}:
            note_read(self.request, name)
        return self._fields(names)

    def _fields(self, names: Collection[str]) -> dict[str, str | None]:
        request = self.request
        with unwatched(request):
            # Authorization is always among the identities, even before anything has verified it
            replaced = {"authorization", *(name for each in _proven(request) for name in each.replaces)}
            if Reads.EVERYTHING in names:
                names = {name for name, _ in request.head.fields()} - ({"cookie"} if self.is_seen_by_others else set())
            values = {
                name: self.cookies(replaced) if name == "cookie" else Reads.value(request.head, name)
                for name in names
                if name not in self.OF_ONE_TRY
                and name.removeprefix(":") not in replaced
                and (name[0] != ":" or name.startswith(Reads.COOKIE))
            }
        return values | {"host": request.host}

    @property
    def is_seen_by_others(self) -> bool:
        """True if code outside this application has seen the request before and may recognize its caller: another
        framework around a view, or an application in which this one is mounted.
        """
        request = self.request
        return request.app is None or bool(request.app._places_above) or _arrival_outside(request.head) is not None

    def cookies(self, replaced: Collection[str] = ()) -> str:
        """Return the cookies that may identify the caller, without those that are in ``replaced``."""
        parts = [part.strip() for part in (self.request.head.field("cookie") or "").split(";")]
        kept = [
            part
            for part in parts
            if part and not part.startswith(_OF_MEASURING) and f"cookie {part.partition('=')[0]}" not in replaced
        ]
        return "; ".join(sorted(kept))

    @staticmethod
    def network_of(ip: str) -> str:
        """Return an IPv4 address, or the 64-bit network of an IPv6 address; any other text is returned unchanged."""
        if ":" not in ip:
            return ip
        from ipaddress import IPv6Address  # imported late: most clients have an IPv4 address

        try:
            address = IPv6Address(ip)
        except ValueError:
            return ip
        return str(address.ipv4_mapped or address.packed[:8].hex())

    @staticmethod
    def of_server(head: Head) -> Iterator[Identity]:
        """Yield the user that the server has authenticated, and the subject of the client's certificate."""
        given = _given(head)
        given = given if isinstance(given, dict) else {}
        if user := given.get("REMOTE_USER"):
            yield Identity("server", user)
        tls = (given.get("extensions") or {}).get("tls") or {}
        name = given.get("SSL_CLIENT_S_DN") if given.get("SSL_CLIENT_VERIFY") == "SUCCESS" else None
        if name := name or (not tls.get("client_cert_error") and tls.get("client_cert_name")):
            yield Identity("certificate", name)


network_of = Caller.network_of


def _proven(request: "Request") -> Iterator[Identity]:
    """Yield what features, the server and the framework around a view say about the caller, in each application."""
    for each in arrivals(request):
        with unwatched(each):
            found = [identity for identify in getattr(each.app, "_identifiers", ()) for identity in identify(each)]
        yield from found
        values, kinds = each._dependencies, type(each)
        is_known = any(identity.kind in ("login", "user", "token") for identity in found)
        if not is_known and (key := Identity.key_of(values.get(kinds.user))) is not None:
            yield Identity("provided user", key)
        if signer := values.get(kinds.signature):
            yield Identity("signer", signer.key, ("signature", "signature-input"))
        native = values.get(kinds.framework)
        if native is not None and not isinstance(native, AppValues):
            yield from _of_framework(native)
        yield from Caller.of_server(each.head)


def _of_framework(native: Any) -> Iterator[Identity]:
    """Yield the user of the framework around a view. A user without a key leaves the cookies to identify the caller."""
    with suppress(RuntimeError):  # Django can't load a user on an event loop
        if (key := Identity.key_of(native.user, native._user_id)) is not None:
            yield Identity("framework user", key, native._login_fields)


def client_of(head: Head) -> str:
    """Return a client's identity, based on its address; empty if the address is unknown."""
    return "" if head.client is None else network_of(head.client.host)
