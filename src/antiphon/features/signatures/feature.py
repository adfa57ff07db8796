"""Signed requests, as a feature of an app: signatures prove who sent a request, and that it is unchanged and was sent
only once (RFC 9421).

app.use(Signatures({"partner-1": public_key})), then @app.post("/orders", signed_by="partners")

A request is accepted if one of its signatures is valid and covers the required components; the first one counts. The
request's head is checked first, then its body against the covered digest, and finally whether the nonce is new.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from antiphon import App, Dependency, Request, explained
from antiphon.embedding import (
    Added,
    DigestError,
    FeatureStore,
    KeyHandling,
    Reads,
    RequestState,
    RouteKeys,
    arrivals,
    check_arguments,
    check_numbers,
    describe,
    errors_name_it,
    is_async,
    seconds_of,
    unwatched,
)
from antiphon.features import RequestSignature, Store, StoreUnavailable
from antiphon.features.signatures.components import Components, component_of, coverage, identity_of
from antiphon.features.signatures.keys import ONE_VALUE, SignatureKey
from antiphon.http import Challenge, InnerList, Item, Unauthorized, parse_structured_dictionary
from antiphon.types import BareItem, Duration, Route

if TYPE_CHECKING:
    from antiphon.features.signatures.keys import KeyMaterial

    AnyKey: TypeAlias = KeyMaterial | SignatureKey
    Keys: TypeAlias = Mapping[str, AnyKey] | Callable[[str], AnyKey | None] | Callable[[str], Awaitable[AnyKey | None]]
    """A mapping or function that returns a key for an id."""

FeatureStore.declare("signature", until="minor", unreadable="refused")
COVER = ("@method", "@authority", "@path", "@query", "content-digest")
"""The components that a signature must cover by default."""

FIVE_MINUTES = 300.0
"""The number of seconds in five minutes."""

CLOCK_SKEW = 60
"""The number of seconds by which a signer's clock may be ahead."""

MOST_SIGNATURES = 4
"""The maximum number of signatures to check per request, since each check costs as much as several minimal requests."""

_SECURITY = (
    "signature",
    {
        "type": "apiKey", "in": "header", "name": "Signature",
        "description": "An HTTP message signature (RFC 9421): Accept-Signature in a 401 lists what it must cover.",
    },
)  # fmt: skip
_LAST_MOMENT = 253402300799
"""The end of the year 9999 in Unix time: the last moment that a datetime can represent."""
_INTEGERS, _TEXTS = ("created", "expires"), ("nonce", "alg", "keyid", "tag")


class SignatureRefused(Unauthorized):
    """401: a request is not signed as its route requires. The client is told only what signatures must cover.
    ``reason`` contains the cause of the refusal, for logs; debug mode shows it. Provisional.
    """

    reason: str = ""


_SPENT = Dependency[list[tuple[Store, str]]]("nonces that a request has used")
"""The nonces of the client's request, each with its store: another application on its way may check it, too."""


class _Signature(NamedTuple):
    """A request's signature, and the components that it covers."""

    label: str
    covered: InnerList
    signature: bytes

    def text(self, name: str) -> str | None:
        """Return a parameter that is text, or None if it is absent."""
        value = self.covered.parameters.get(name)
        return None if value is None else str(value)

    def moment(self, name: str) -> int | None:
        """Return a parameter that is a Unix time in seconds, or None if it is absent."""
        value = self.covered.parameters.get(name)
        return value if isinstance(value, int) else None


@errors_name_it
class Signatures:
    """A feature that calls the handlers of routes with ``signed_by`` only if the request is signed (RFC 9421).
    Provisional.

        app.use(Signatures({"shop": key}))

    ``keys`` contains the keys of permitted signers by ``keyid``: a dict, or a function, ``def`` or ``async def``, that
    returns the key, or None. Set ``blocking`` for a ``def`` function that waits, for example for a database. Keys can
    have any form that ``SignatureKey`` accepts. No client can choose a key's algorithm.

    ``cover`` lists the components that a signature must cover: fields such as "content-type", and derived components
    such as "@path". "@query" and "content-digest" are required only if the request has a query or a body.
    """

    def __init__(
        self,
        keys: "Keys",
        *,
        name: str = "partners",
        cover: Iterable[str] = COVER,
        max_age: Duration | None = FIVE_MINUTES,
        tag: str | None = None,
        store: Store | Literal[False] | None = None,
        required: bool = True,
        everywhere: bool = False,
        blocking: bool = False,
    ) -> None:
        """If a signature covers Content-Digest, the body is compared with it before all hooks and the handler run.

        A signature is valid for ``max_age``, in seconds or a timedelta, after its creation time ``created``, but not
        after ``expires``; None allows any age. With a ``store``, each signature needs a ``nonce`` and is accepted only
        once. The default is the app's store; False means no store. With a ``tag``, a signature must have this tag.
        ``required=False`` lets unsigned requests through, with a falsy ``request.signature``.

        ``name`` is the name to use in ``signed_by``. ``everywhere=True`` requires all requests to be signed, including
        those to mounted applications, except to ``unguarded`` routes. Raises ValueError or TypeError for invalid
        options.
        """
        if isinstance(cover, str):
            raise explained("list-wanted", f"cover must be a list of components: [{cover!r}]", TypeError)
        self.name = name
        self._cover = tuple([component_of(text) for text in cover])
        self._demanded_always = coverage(self._cover)
        if wrong := [str(item) for item in self._cover if _digests_in(item) == set()]:
            raise explained(
                "bad-component",
                f"a body is compared with its sha-256 or sha-512 digest only, so {wrong[0]} proves nothing",
            )
        self._max_age = seconds_of(max_age)
        check_numbers(max_age=self._max_age)
        self._keys = {each: SignatureKey.of(key) for each, key in keys.items()} if isinstance(keys, Mapping) else keys
        if not isinstance(self._keys, dict) and not callable(self._keys):
            raise explained("bad-feature-option", f"keys must be a dict or a function, not {keys!r}", TypeError)
        if not isinstance(self._keys, dict):
            check_arguments(self._keys, "keyid")
        self._tag = tag
        self._stores = FeatureStore("Signatures", store)
        self._remember_in(self._stores.own)
        self.required = required
        self._is_everywhere = everywhere
        self._keys_block = blocking
        self._own_signer = Dependency[RequestSignature](f"signer of {name}")

    def install(self, app: App) -> None:
        """Make the app check routes whose ``signed_by`` is this feature's name, or all requests.

        Raises ValueError if signatures of any age are valid and the app has a store.
        """
        if (store := self._stores.taken_if_any(app)) is not None:
            self._remember_in(store)
        app.handle_key(RouteKeys.signed_by, KeyHandling(self.name, check=self._check_for))
        if self._is_everywhere:
            app.before_request(blocking=True)(self._hook(for_async=False))
            app.on_startup(lambda: self._check_bodies(app))

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        if self._is_everywhere or route.meta.get(RouteKeys.signed_by) == self.name:
            told = "The request is not signed by a known key."
            yield Added(401, SignatureRefused, told, headers=("accept-signature", "www-authenticate"))
            security = _SECURITY if route.meta.get(RouteKeys.signed_by) == self.name else None
            protects = "signature" if self.required else None
            yield Added(security=security, is_optional=not self.required, protects=protects)
            if self._store is not None and self._store.blocks:
                yield Added(503, StoreUnavailable)

    def _check_bodies(self, app: App) -> None:
        """Raise ValueError for a route whose body can't be checked before the handler, which all requests need."""
        for route in app.routes:
            if not route.unguarded:
                self._check_for(route)

    def _remember_in(self, store: Store | None) -> None:
        """Remember nonces in a store; None means no store. Raises ValueError if they would have to be kept forever."""
        if store is not None and self._max_age is None:
            raise explained(
                "bad-feature-option",
                "a store of nonces needs a max_age, since it can't keep them forever; store=False uses no store",
            )
        self._store = store

    @property
    def _blocks(self) -> bool:
        """True if the keys or the store wait for a disk or a network."""
        return self._keys_block or (self._store is not None and self._store.blocks)

    def verify(self, request: Request) -> RequestSignature:
        """Return a request's signer after comparing the body with its digest, which may block.

        Raises SignatureRefused (401), BadRequest (400), the same errors as reading a body, StoreUnavailable (503), and
        TypeError if the function that returns keys is ``async def``.
        """
        if _is_async(self._keys):
            raise explained(
                "bad-feature-option", "verify() can't await the function that returns keys: make it def", TypeError
            )
        if (known := self._known_signer(request)) is not None:
            return known
        sent, receiving = _sent_and_receiving(request)
        if _claims_signature(sent) and sent.content.may_be_empty:
            receiving.stream.chunk_at(0)  # shows whether it is
        signatures = self._signatures(sent)
        found = self._verified(sent, signatures, [self._key(each) for each in signatures])
        self._complete(found, sent, receiving)
        request[Request.signature] = found
        return found

    def _known_signer(self, request: Request) -> RequestSignature | None:
        """Return the signer if this feature has already verified the client's request, which spends its nonce."""
        Reads.note(request, Reads.USER)  # a cache in a mounted app watches this request, not the one that was sent
        request.limits = request.limits.within(ONE_VALUE)
        sent = arrivals(request)[-1]
        if self._own_signer not in sent:
            return None
        request[Request.signature] = found = sent[self._own_signer]
        return found

    def _check_for(self, route: Route) -> Callable[[Request], Any]:
        """Return the hook for a route. Raises ValueError for a route whose body can't be checked before the handler."""
        wrong = ""
        if route.receive == "stream":
            wrong = "streams its body, which can't be compared with its digest before the handler: use receive='lazy'"
        elif route.unguarded:
            wrong = "is unguarded, so nothing is checked: leave out one of the two"
        if wrong:
            raise explained("bad-route-option", f"{describe(route.handler)} is signed, and {wrong}")
        return self._hook(for_async=is_async(route.handler))

    def _hook(self, *, for_async: bool) -> Callable[[Request], Any]:
        """Return the hook, which is async if the handler or the function that returns keys is async."""
        return self._acheck if for_async or _is_async(self._keys) else self._check

    def _check(self, request: Request) -> None:
        self.verify(request)

    async def _acheck(self, request: Request) -> None:
        if self._known_signer(request) is not None:
            return
        sent, receiving = _sent_and_receiving(request)
        if _claims_signature(sent) and sent.content.may_be_empty:
            await receiving.stream.achunk_at(0)
        from antiphon.embedding import Crossing  # late: it imports asyncio

        signatures = self._signatures(sent)
        if self._waits_for_keys():
            keys = await Crossing().run(lambda: [self._key(each) for each in signatures])
        else:
            keys = [self._key(each) for each in signatures]
        known = [await key if isawaitable(key) else key for key in keys]
        found = self._verified(sent, signatures, known)
        takes_time = self._store is not None or _covered_digests(found) is not None
        if takes_time and sent.head.has_body:
            await receiving.aload()
        if takes_time and (self._blocks or not sent.content.in_memory):
            await Crossing().run(self._complete, found, sent, receiving)
        else:
            self._complete(found, sent, receiving)
        request[Request.signature] = found

    # The head

    def _signatures(self, request: Request) -> list[_Signature]:
        """Return the signatures that may be valid; none if the request need not be signed. Raises SignatureRefused."""
        with unwatched(request):
            given, signed = request.head.field("signature-input"), request.head.field("signature")
        if not given and not signed:
            if self.required:
                raise self._refused(request, "the request has no signature")
            return []
        try:
            found = _read(given or "", signed or "")
        except ValueError as error:
            raise self._refused(request, f"Signature-Input or Signature is malformed: {error}") from None
        if self._tag is not None:
            found = [each for each in found if each.covered.parameters.get("tag") == self._tag]
            if not found and not self.required:
                return []
        if not 0 < len(found) <= MOST_SIGNATURES:
            reason = f"there are {len(found)} signatures" + (f" with the tag {self._tag!r}" if self._tag else "")
            raise self._refused(request, reason)
        wrong = {each.label: self._wrong_in(each, request) for each in found}
        if all(wrong.values()):
            raise self._refused(request, _joined(wrong))
        return [each for each in found if not wrong[each.label]]

    def _wrong_in(self, signature: _Signature, request: Request) -> str:
        """Return what is wrong with a signature, regardless of its key; "" if nothing is."""
        parameters, now = signature.covered.parameters, time.time()
        if wrong := [name for name in _INTEGERS if name in parameters and not _is_moment(parameters[name])]:
            return f"{wrong[0]} is not a time in seconds since 1970"
        if wrong := [name for name in _TEXTS if name in parameters and type(parameters[name]) is not str]:
            return f"{wrong[0]} is not text in quotes"
        if "keyid" not in parameters:
            return "it has no keyid"
        if self._store is not None and not parameters.get("nonce"):
            return "it has no nonce"
        created, expires = signature.moment("created"), signature.moment("expires")
        if created is None and self._max_age is not None:
            return "it has no creation time"
        if created is not None and created > now + CLOCK_SKEW:
            return f"it was created {created - now:.0f} seconds in the future"
        if created is not None and self._max_age is not None and created < now - self._max_age:
            return f"it was created {now - created:.0f} seconds ago, and is valid for {self._max_age:g}"
        if expires is not None and expires <= now:
            return f"it expired {now - expires:.0f} seconds ago"
        return self._missing_in(signature.covered, request)

    def _missing_in(self, covered: InnerList, request: Request) -> str:
        try:
            known = coverage(covered.items)
        except ValueError as error:
            return str(error)
        if self._demanded_always <= known:
            return ""
        missing = [str(item) for item in self._demanded(request) if identity_of(item) not in known]
        return f"it does not cover {' '.join(missing)}" if missing else ""

    def _demanded(self, request: Request) -> list[Item]:
        """Return the components that a signature of this request must cover."""
        absent = set[str]()
        if not request.head.query_string:
            absent.add("@query")
        if request.content.is_empty:
            absent.add("content-digest")
        return [item for item in self._cover if item.value not in absent or item.parameters]

    def _key(self, signature: _Signature) -> Any:
        """Return a signature's key, None if it is unknown, or an awaitable of either."""
        keyid = str(signature.covered.parameters["keyid"])
        return self._keys.get(keyid) if isinstance(self._keys, dict) else self._keys(keyid)

    def _waits_for_keys(self) -> bool:
        return self._blocks and not isinstance(self._keys, dict) and not _is_async(self._keys)

    def _verified(self, request: Request, signatures: Sequence[_Signature], keys: Sequence[Any]) -> RequestSignature:
        """Return the signer whose signature is valid, checking only the head. Raises SignatureRefused."""
        if not signatures:
            return RequestSignature()
        with unwatched(request):  # it decides whether to refuse, not what to respond
            message = Components(request.head.fields(), request.head)
        wrong = dict[str, str]()
        for signature, given in zip(signatures, keys, strict=True):
            key = None if given is None else _key_of(given)
            reason = _fault(message, signature, key)
            if key is not None and not reason:
                return _signer(message, signature, key)
            wrong[signature.label] = reason
        raise self._refused(request, _joined(wrong))

    # The body, and the nonce

    def _complete(self, signer: RequestSignature, request: Request, receiving: Request) -> None:
        """Check the body and that the nonce is new, then remember the signer with the request that was sent."""
        if (algorithms := _covered_digests(signer)) is not None:
            try:
                DigestError.check(receiving, algorithms)
            except DigestError as error:
                raise self._refused(request, f"{signer.label}: {error}") from None
        if signer and self._store is not None:
            key = f"signature {self.name}\n{signer.key}\n{signer.nonce}"
            ttl = (self._max_age or 0) + 2 * CLOCK_SKEW
            spent = RequestState(request).values.get(_SPENT, [])
            if not any(each == key and self._store.shares_entries(store) for store, each in spent):
                if self._store.add(key, {}, ttl=ttl) is None:
                    raise self._refused(request, f"{signer.label}: its nonce was already used")
                request[_SPENT] = [*spent, (self._store, key)]
        request[self._own_signer] = signer

    def _refused(self, request: Request, reason: str) -> SignatureRefused:
        """Return an error that tells the client what a signature must cover; only the log contains the reason."""
        import logging

        logging.getLogger("antiphon.signatures").info("%s %s was refused: %s", request.method, request.path, reason)
        demanded = self._demanded(request)
        fields = {"accept-signature": f"sig1={InnerList(demanded, self._wanted_parameters())}"}
        if any(item.value == "content-digest" for item in demanded):
            fields["want-content-digest"] = DigestError.WANTED
        error = SignatureRefused(
            "The request must be signed by a known key: Accept-Signature lists what the signature has to cover.",
            challenge=Challenge("Signature"),
            headers=fields,
        )
        error.reason = reason
        return explained("signature-refused", error)

    def _wanted_parameters(self) -> dict[str, BareItem]:
        """Return the parameters of Accept-Signature (RFC 9421 §5.1)."""
        wanted: dict[str, BareItem] = {"keyid": True}
        if self._max_age is not None:
            wanted["created"] = True
        if self._store is not None:
            wanted["nonce"] = True
        if self._tag is not None:
            wanted["tag"] = self._tag
        return wanted


def _key_of(found: Any) -> SignatureKey:
    """Return the key that a function returned. Raises TypeError or ValueError for anything that is not a key."""
    try:
        return SignatureKey.of(found)
    except (TypeError, ValueError) as error:
        error.args = (f"Signatures: {error}",)
        raise


def _is_moment(value: BareItem) -> bool:
    return type(value) is int and 0 <= value <= _LAST_MOMENT


def _is_async(keys: object) -> bool:
    return callable(keys) and is_async(keys)


def _read(given: str, signed: str) -> list[_Signature]:
    """Return the signatures of a message that has both fields. Raises ValueError for malformed ones."""
    inputs, signatures = parse_structured_dictionary(given), parse_structured_dictionary(signed)
    if inputs.keys() != signatures.keys():
        raise ValueError("they do not name the same signatures")
    return [_Signature(label, *_pair(label, inputs[label], signatures[label])) for label in inputs]


def _pair(label: str, covered: Item | InnerList, signature: Item | InnerList) -> tuple[InnerList, bytes]:
    if not isinstance(covered, InnerList) or not isinstance(signature, Item) or type(signature.value) is not bytes:
        raise ValueError(f"{label} must be a list of components, and bytes")
    return covered, signature.value


def _fault(message: Components, signature: _Signature, key: SignatureKey | None) -> str:
    """Return what is wrong with a message's signature, given its key; "" if nothing is."""
    if key is None:
        return f"there is no key {signature.text('keyid')!r}"
    algorithm = signature.text("alg")
    if algorithm is not None and algorithm != key.algorithm:
        return f"it was made with {algorithm!r}, but its key is for {key.algorithm!r}"
    try:
        base = message.base(signature.covered)
    except ValueError as error:
        return str(error)
    if key.verify(base, signature.signature):
        return ""
    return f"it is not the signature by {signature.text('keyid')!r} of this request, whose signature base is {base!r}"


def _signer(message: Components, signature: _Signature, key: SignatureKey) -> RequestSignature:
    whole = {str(item.value) for item in signature.covered.items if "key" not in item.parameters}
    created, expires = signature.moment("created"), signature.moment("expires")
    return RequestSignature(
        signature.text("keyid") or "",
        key.algorithm,
        None if created is None else datetime.fromtimestamp(created, UTC),
        None if expires is None else datetime.fromtimestamp(expires, UTC),
        signature.text("nonce"),
        signature.text("tag"),
        signature.label,
        tuple([str(item) for item in signature.covered.items]),
    ).covering([line for line in message.lines if line[0] in whole])


def _sent_and_receiving(request: Request) -> tuple[Request, Request]:
    """Return the request that the client has signed, and the innermost one with its body, which is limited there."""
    arrived = arrivals(request)
    return arrived[-1], next(each for each in arrived if each.content is arrived[-1].content)


def _claims_signature(request: Request) -> bool:
    with unwatched(request):
        return bool(request.head.field("signature"))


def _covered_digests(signer: RequestSignature) -> set[str] | None:
    """Return the algorithms whose digests a signature covers; None if it does not cover Content-Digest."""
    covered = [each for each in signer.components if each.startswith('"content-digest"')]
    return {name for each in covered for name in _digests_in(Item.parse(each)) or ()} if covered else None


def _digests_in(item: Item) -> set[str] | None:
    """Return the algorithms whose digests a component contains; None if it is of another field."""
    if item.value != "content-digest":
        return None
    known = {*DigestError.ALGORITHMS}
    return known & {str(item.parameters["key"])} if "key" in item.parameters else known


def _joined(wrong: Mapping[str, str]) -> str:
    return "; ".join([f"{label}: {reason}" for label, reason in wrong.items() if reason])
