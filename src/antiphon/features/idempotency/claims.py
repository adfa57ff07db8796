"""Claims to writes that are carried out only once, with their caller, their request and their state.

Only hashes of keys, credentials and requests are stored, and each hash includes the key, so that nobody who reads the
store can test passwords against them.
"""

from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args

from antiphon import Dependency, Request, Response, RouteKey, explained
from antiphon.embedding import SAFE_METHODS, DatabaseConnection, FeatureStore, KeptResponse, Reads, describe, unwatched
from antiphon.features import StoreEntry
from antiphon.http import BadRequest, Conflict, UnprocessableContent
from antiphon.types import Route

if TYPE_CHECKING:
    from antiphon.features.idempotency.table import Claims

PROBLEM_TYPE = "urn:antiphon:problem:idempotency-key-"
"""The prefix of the problem types that distinguish this feature's refusals from those of a handler."""
IN_USE = f"{PROBLEM_TYPE}in-use"

_of = FeatureStore.declare("idempotent", until="minor", unreadable="refused")
_by = FeatureStore.declare("idempotent by", until="minor", unreadable="refused")
KEY = (
    "Idempotency-Key",
    {"type": "string", "pattern": r"""^(?:"[ !#-\[\]-~]{1,255}"|[A-Za-z0-9!#$%&'*+.^_`|~-]{1,255})$"""},
)
"""The header of the key: a quoted string or a token; many clients send a token (RFC 9651 §3.3.3, RFC 9110 §5.6.2)."""
KEY_FIELD = "idempotency_key"
"""The field of a form that has its key."""
_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
LONGEST_KEY = 255
"""The maximum length of a client's key in characters."""

ClaimState: TypeAlias = Literal["running", "completed", "released", "unknown"]
RUNNING, COMPLETED, RELEASED, UNKNOWN = get_args(ClaimState)
"""The states of a claim. After "released", the next request may carry out the write; after "unknown", none may."""

IS_REPEATABLE = Dependency[bool]("repeatable stream")
"""Set for a request that may be carried out again, since its stream is found by the same key."""


class Write(NamedTuple):
    """A claim's key in the store, and the caller.

    ``person`` is the user to whom the caller's session belongs. If someone else's session has used the key, the claim
    gets the key ``own``. If the key was in a form, ``nobody`` is the ``caller`` without credentials.
    """

    key: str
    caller: str
    person: str = ""
    own: str = ""
    nobody: str = ""

    @property
    def is_of_form(self) -> bool:
        """True if the key was in a form, so that a person is waiting."""
        return bool(self.nobody)


class Claim:
    """A request's claim: its entry among ``claims``, the handler's response if it can be sent again, and its error.

    ``begun`` and ``written`` tell whether the transactions are committed in which the claim was made, and its outcome
    was written, if there was one. Functions of ``at_end`` are called once nobody asks that any more.
    """

    __slots__ = ("at_end", "begun", "claims", "entry", "error", "is_of_form", "stored", "written")

    def __init__(self, entry: StoreEntry, claims: "Claims", *, is_of_form: bool) -> None:
        self.entry = entry
        self.claims = claims
        self.is_of_form = is_of_form
        self.at_end: list[Callable[[], object]] = []
        self.begun: Any = None
        self.written: Any = None
        self.stored: dict[str, Any] | None = None
        self.error: BaseException | None = None

    def outcome(self, response: Response) -> dict[str, Any]:
        """Return the new state, based on the response that was sent, since a commit may have failed after the
        handler.
        """
        result = self.stored or {"state": RELEASED}
        if _is_broken_off(response) or result["state"] == UNKNOWN:
            return {"state": UNKNOWN}
        since = None if response.error is self.error else response.error
        if since and DatabaseConnection.is_outage(since) and not DatabaseConnection.is_rolled_back(since):
            return {"state": UNKNOWN}  # as when the reply to a commit is lost
        return {"state": RELEASED} if since or KeptResponse.is_retried(response.status) else result


def key_of(request: Request) -> str:
    """Return the key in a request's header. Raises BadRequest (400) if it is missing or malformed."""
    if request.head.field("idempotency-key") is None:
        raise BadRequest(
            'This needs the Idempotency-Key header, such as "8e03978e-40d5-43dd-bc93-6894a57f9324".',
            type=f"{PROBLEM_TYPE}missing",
        )
    if not _is_key(key := request.idempotency_key or ""):
        raise BadRequest(
            f'The Idempotency-Key header must be a quoted string of 1 to {LONGEST_KEY} characters: "key".',
            type=f"{PROBLEM_TYPE}malformed",
        )
    return key


def _is_key(text: str) -> bool:
    """True for text that a quoted string can have (RFC 9651 §3.3.3) and that isn't too long."""
    return 0 < len(text) <= LONGEST_KEY and text.isascii() and text.isprintable()


def is_form(request: Request) -> bool:
    """True if a request sends a form, which may have its key in a hidden field."""
    return request.mimetype in (_FORM, _MULTIPART)


def write_in_form(request: Request, caller: Callable[[Request, str], Write], *, required: bool) -> Write | None:
    """Return the write of a form that has its key in a hidden field. On a loop, the body must have arrived.

    Returns None if there is no key and none is ``required``. Raises BadRequest (400) like ``key_of``.
    """
    key = request.form.get(KEY_FIELD)
    if key is None and not required:
        return None
    if key is None or not _is_key(key):
        detail = "This form was sent without a valid key, idempotency_key. Reload the page, and send the form again."
        raise BadRequest(detail, type=PROBLEM_TYPE + ("missing" if key is None else "malformed"))
    return caller(request, key)._replace(nobody=_hash(key, ""))


def check_same(data: Mapping[str, Any], key: str, write: Write, fingerprint: str, request: Request) -> None:
    """Check that a request is another attempt at the write that a claim has the data of, under this key in its store.

    The first attempt of a form may have begun a session, or set a cookie, and one that has failed may be corrected.
    Raises UnprocessableContent (422).
    """
    fields = data.get("caller_fields", {})
    if write.is_of_form:
        none = {_hash(key, name, *text) for name in fields if "cookie" in name for text in ((), ("",))}
        fields = {name: known for name, known in fields.items() if known not in none}
    if data["caller"] not in (write.caller, write.nobody):
        what = "other credentials"
    elif data["fingerprint"] != fingerprint and not (write.is_of_form and data["state"] == RELEASED):
        what = "another request"
    elif "caller_fields" in data and (name := different_field(key, request, fields)) is not None:
        what = f"a different {name.lstrip(':').title()}"
    else:
        return
    raise _sent_before() if write.is_of_form else reused_with(what)


def by_name(by: Callable[[Request], str | None], request: Request, key: str) -> Write:
    """Return a write whose caller is identified by ``by`` and has separate keys."""
    return Write(_by(by(request) or "", key), "")


def by_identity(request: Request, key: str) -> Write:
    """Return a write whose caller is identified by everything that is known about it.

    All of it is compared, but for the user of a session, whom the handler may log in or out between two attempts. Only
    users who are certainly different, or something that a client shows with each request, give separate keys, since a
    retry with another key would be carried out again.
    """
    with unwatched(request):
        found = request.caller.identities
    caller = _hash(key, *([str(each) for each in found if each.kind != "login"] or [""]))
    if shown := [str(each) for each in found if each.is_proven and each.is_shown_each_time]:
        return Write(_own_key(key, shown), caller)
    users = [str(each) for each in found if each.is_begun_by_handlers]
    write = Write(f"idempotent\n{key}", caller)
    return write._replace(person=_hash(key, *users), own=_own_key(key, users)) if users else write


def is_of_another_user(known: StoreEntry, write: Write) -> bool:
    """Return True if a claim was made in the session of another user, so that it can't be an attempt of this one."""
    return bool(write.person) and known.data.get("person", "") not in ("", write.person)


def _own_key(key: str, identities: list[str]) -> str:
    return _of(_hash(key, *identities), key)


def fields_of_caller(key: str, request: Request, names: Collection[str]) -> dict[str, str]:
    """Return hashes of the named header fields that may identify the caller, and of the host.

    The host is without its port, since a client may repeat its request to a process on another port. EVERYTHING means
    all header fields. Other data, such as the client's address, is omitted, since it may have changed when the same
    caller retries.
    """
    kept = {Reads.EVERYTHING: ""} if Reads.EVERYTHING in names else {}
    values = request.caller._fields(names)
    return kept | {name: _hash(key, name, *(() if value is None else (value,))) for name, value in values.items()}


def different_field(key: str, request: Request, fields: Mapping[str, str]) -> str | None:
    """Return the name of a field in which a request differs from the caller's fields, or None."""
    own = fields_of_caller(key, request, fields)
    return next((name for name in {**fields, **own} if own.get(name) != fields.get(name)), None)


def fingerprint_of(key: str, request: Request, *, is_of_form: bool = False) -> str:
    """Return a hash of the request's method, path, query and body, with the key as salt.

    With ``is_of_form``, it is a hash of the fields and files: each time, a browser separates these differently.
    """
    digest = sha256(_joined(key, request.method, request.root_path + request.path))
    digest.update(_joined(request.query_string.decode("latin-1")))
    if is_of_form and request.mimetype == _MULTIPART:
        digest.update(_joined(*chain.from_iterable(request.form.items())))
        for name, file in request.files.items():
            digest.update(_joined(name, file.filename, file.digest("sha256")))
        return digest.hexdigest()
    for chunk in request.stream:
        digest.update(chunk)
    return digest.hexdigest()


def _hash(*texts: str) -> str:
    return sha256(_joined(*texts)).hexdigest()


def _joined(*texts: str) -> bytes:
    """Return strings as unambiguous bytes, each string after its length."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    return b"".join([b"%d:%b" % (len(each), each) for each in encoded])


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


def _sent_before() -> UnprocessableContent:
    """Return the error for a form that a person has sent before, and then changed."""
    detail = "This form was sent before, with other values or another login. Reload its page to send it again."
    return UnprocessableContent(detail, type=f"{PROBLEM_TYPE}reused")


def broken_off(why: str, *, is_of_form: bool) -> Conflict:
    """Return the error for a write whose outcome is unknown."""
    return Conflict(
        "This form was sent before, and its outcome is unknown. Find out what it did before you reload its page to send"
        " it again."
        if is_of_form
        else f"The first request with this Idempotency-Key {why} its outcome is unknown. Find out what it did before"
        " you send it again, with a new key.",
        type=f"{PROBLEM_TYPE}broken-off",
    )


def in_use(*, is_of_form: bool = False) -> Conflict:
    """Return the error for a write that another request is carrying out."""
    return Conflict(
        "This form was sent before, and is still being handled. Send it again in a moment."
        if is_of_form
        else "The first request with this Idempotency-Key is still being carried out. Send it again in a moment.",
        headers={"retry-after": str(FeatureStore.RETRY_AFTER)},
        type=IN_USE,
    )


def check_kept(route: Route, option: str, refused: Mapping[RouteKey[bool], str] = {}) -> None:
    """Raise ValueError for a route whose responses can't be kept for retries, as its option requires.

    ``refused`` has what is wrong with other options that the route may have.
    """
    wrong = next((reason for other, reason in refused.items() if route.meta.get(other)), "")
    if safe := [method for method in route.methods if method in SAFE_METHODS]:
        wrong = f"handles {safe[0]}, which writes nothing: leave out {option}=True, or make two routes"
    elif route.receive == "stream":
        wrong = "streams its body, which can't be compared with a retry's body: use receive='lazy'"
    elif route.yields:
        wrong = "returns a stream, which can't be kept for a retry: return the whole response"
    elif route.unguarded:
        wrong = "is unguarded, so its callers are unknown: leave out one of the two"
    if wrong:
        raise explained("bad-route-option", f"{describe(route.handler)} is {option}, and {wrong}")
