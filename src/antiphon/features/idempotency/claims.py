"""Claims to writes that are carried out only once, with their caller, their request and their state.

Only hashes of keys, credentials and requests are stored, and each hash includes the key, so that nobody who reads the
store can test passwords against them.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from antiphon.app.callers import caller_of
from antiphon.app.store import RETRY_AFTER, StoreEntry
from antiphon.features.logins import SessionLogin
from antiphon.features.users import USERS, Basic, Bearer, Users
from antiphon.http.errors import Conflict, UnprocessableContent
from antiphon.request.request import Request
from antiphon.request.watching import EVERYTHING
from antiphon.response.response import Response

PROBLEM_TYPE = "urn:antiphon:problem:idempotency-key-"
"""The prefix of the problem types that distinguish this feature's refusals from those of a handler."""

RUNNING, ANSWERED, RELEASED, UNKNOWN = "running", "answered", "released", "unknown"
"""The states of a claim. After "released", the next request may carry out the write; after "unknown", none may."""

_COME_BACK = (408, 425, 429)
"""Client error statuses that tell the client to send the request again."""


_OF_ONE_TRY = frozenset({
    "accept", "accept-charset", "accept-encoding", "accept-language", "b3", "baggage", "cache-control", "cdn-loop",
    "cf-connecting-ip", "cf-ipcountry", "cf-ray", "cf-visitor", "connection", "content-digest", "content-disposition",
    "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date", "dnt",
    "early-data", "expect", "fly-client-ip", "fly-request-id", "forwarded", "host", "idempotency-key", "if-match",
    "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "keep-alive", "max-forwards", "origin",
    "pragma", "prefer", "priority", "proxy-connection", "range", "referer", "repr-digest", "save-data", "sec-ch-ua",
    "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-user",
    "sec-gpc", "te", "traceparent", "tracestate", "trailer", "transfer-encoding", "true-client-ip", "upgrade",
    "upgrade-insecure-requests", "user-agent", "via", "want-content-digest", "want-repr-digest", "x-amz-cf-id",
    "x-amzn-trace-id", "x-b3-parentspanid", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid", "x-client-ip",
    "x-cloud-trace-context", "x-correlation-id", "x-datadog-parent-id", "x-datadog-sampling-priority",
    "x-datadog-trace-id", "x-envoy-attempt-count", "x-envoy-expected-rq-timeout-ms", "x-envoy-external-address",
    "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix", "x-forwarded-proto",
    "x-forwarded-scheme", "x-forwarded-server", "x-queue-start", "x-real-ip", "x-request-id", "x-request-start",
    "x-requested-with",
})  # fmt: skip
"""Fields that clients and proxies may change between attempts: they describe what is being sent and how, not who is
sending it.
"""


class Write(NamedTuple):
    """A claim's key in the store, and the caller."""

    key: str
    caller: str


class Claim:
    """A request's claim: its entry, the handler's response if it can be sent again, and its error."""

    __slots__ = ("answer", "entry", "error")

    def __init__(self, entry: StoreEntry) -> None:
        self.entry = entry
        self.answer: dict[str, Any] | None = None
        self.error: BaseException | None = None

    def outcome(self, response: Response) -> dict[str, Any]:
        """Return the new state, based on the response that was sent, since a commit may have failed after the
        handler.
        """
        answer = self.answer or {"state": RELEASED}
        if _is_broken_off(response) or answer["state"] == UNKNOWN:
            return {"state": UNKNOWN}
        has_failed_since = response.error is not None and response.error is not self.error
        return {"state": RELEASED} if has_failed_since or is_retried(response) else answer


def by_name(by: Callable[[Request], str | None], request: Request, key: str) -> Write:
    """Return a write whose caller is identified by ``by`` and has separate keys."""
    return Write(f"idempotent by {caller_of(by, request, 'IdempotentWrites') or ''}\n{key}", "")


def by_credentials(has_session: bool, has_users: bool, request: Request, key: str) -> Write:
    """Return a write whose caller is identified by credentials, or has none.

    A session is recognized by the time at which it began, which stays the same when a login changes the session's key.
    Other credentials are those that one of the application's sources of users finds in the request. If code outside
    this application may recognize the caller, the cookies are included, since one of them may identify that code's
    session.
    """
    shown = [*_own_credentials(request[USERS], request)] if has_users else []
    if (authorization := request.head.field("authorization")) is not None:
        shown.append(f"authorization {authorization}")
    elif not shown and has_session and (begun := request.session.created) is not None:
        shown.append(f"session {begun!r}")
    elif not shown and is_seen_by_others(request) and (cookies := request.head.field("cookie")) is not None:
        shown.append(f"cookies {cookies}")
    return Write(f"idempotent\n{key}", _hash(key, *(shown or [""])))


def _own_credentials(users: Users[Any], request: Request) -> Iterator[str]:
    """Yield the credentials found neither in the Authorization header nor in the session."""
    for number, source in enumerate(users.sources):
        is_known = type(source) in (Basic, Bearer) or isinstance(source, SessionLogin)
        if not is_known and (given := source.credentials(request)) is not None:
            yield f"source {number} {given!r}"


def is_seen_by_others(request: Request) -> bool:
    """Return True if code outside this application has seen the request before and may recognize its caller: another
    framework around a view, or an application in which this one is mounted.
    """
    return request.app is None or bool(request.app._places_above)


def fields_of_caller(key: str, request: Request, names: Collection[str]) -> dict[str, str]:
    """Return hashes of the named header fields that may identify the caller, and of the host.

    The host is without its port, since a client may repeat its request to a process on another port. EVERYTHING means
    all header fields. Other data, such as the client's address, is omitted, since it may have changed when the same
    caller retries.
    """
    head = request.head
    if EVERYTHING in names:
        kept = {EVERYTHING: ""}
        names = {name for name, _ in head.fields()} - ({"cookie"} if is_seen_by_others(request) else set())
    else:
        kept = {}
    values = {name: head.field(name) for name in names if name not in _OF_ONE_TRY and name[0] != ":"}
    values["host"] = request.host
    return kept | {name: _hash(key, name, *(() if value is None else (value,))) for name, value in values.items()}


def different_field(key: str, request: Request, fields: Mapping[str, str]) -> str | None:
    """Return the name of a field in which a request differs from the caller's fields, or None."""
    own = fields_of_caller(key, request, fields)
    return next((name for name in {**fields, **own} if own.get(name) != fields.get(name)), None)


def fingerprint_of(key: str, request: Request) -> str:
    """Return a hash of the request's method, path, query and body, with the key as salt."""
    digest = sha256(_joined(key, request.method, request.root_path + request.path))
    digest.update(_joined(request.query_string.decode("latin-1")))
    for chunk in request.stream:
        digest.update(chunk)
    return digest.hexdigest()


def _hash(*texts: str) -> str:
    return sha256(_joined(*texts)).hexdigest()


def _joined(*texts: str) -> bytes:
    """Return strings as unambiguous bytes, each string after its length."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    return b"".join([b"%d:%b" % (len(each), each) for each in encoded])


def is_retried(response: Response) -> bool:
    """Return True for a response after which a retry is carried out."""
    return response.status >= 500 or response.status in _COME_BACK


def _is_broken_off(response: Response) -> bool:
    """Return True for the response to a cancellation, or to an error that a cancellation caused, such as a deadline."""
    error = response.error
    causes = () if error is None else (error, error.__cause__)
    return any(cause is not None and not isinstance(cause, Exception) for cause in causes)


def reused_with(what: str) -> UnprocessableContent:
    """Return the error for a key that was sent with other credentials or another request."""
    return UnprocessableContent(
        f"This Idempotency-Key was sent with {what} before: a new write needs a new key.", type=f"{PROBLEM_TYPE}reused"
    )


def broken_off(why: str) -> Conflict:
    """Return the error for a write whose outcome is unknown."""
    return Conflict(
        f"The first request with this Idempotency-Key {why} its outcome is unknown. Find out what it did before you"
        " send it again, with a new key.",
        type=f"{PROBLEM_TYPE}broken-off",
    )


def in_use() -> Conflict:
    """Return the error for a write that another request is carrying out."""
    return Conflict(
        "The first request with this Idempotency-Key is still being carried out. Send it again in a moment.",
        headers={"retry-after": str(RETRY_AFTER)},
        type=f"{PROBLEM_TYPE}in-use",
    )
