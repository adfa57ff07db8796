"""Signing a program's outgoing requests and an app's responses (RFC 9421 §3.1)."""

import time
from collections.abc import Iterable, Sequence
from copy import copy
from datetime import datetime
from hashlib import sha256
from secrets import token_urlsafe
from typing import TYPE_CHECKING, TypeVar

from antiphon import App, Request, Response, explained
from antiphon.embedding import Added, RequestHead, RequestState, errors_name_it, seconds_of
from antiphon.features.signatures.components import Components, Line, check_covered, component_of
from antiphon.features.signatures.keys import SignatureKey
from antiphon.http import InnerList, Item, format_structured_dictionary, parse_structured_dictionary
from antiphon.types import BareItem, Duration, Route

if TYPE_CHECKING:
    from antiphon.features.signatures.keys import KeyMaterial

M = TypeVar("M", Request, Response)

OF_RESPONSES = (
    "@status", "content-type", "content-digest", '"@method";req', '"@authority";req', '"@path";req', '"@query";req',
)  # fmt: skip
"""The components that a response's signature covers if they are present."""


def sign(
    message: M,
    key: "KeyMaterial | SignatureKey",
    *,
    keyid: str | None = None,
    cover: Iterable[str] | None = None,
    label: str = "sig1",
    created: datetime | None = None,
    max_age: Duration | None = None,
    nonce: str | bool = True,
    tag: str | None = None,
    alg: bool = False,
    request: Request | None = None,
) -> M:
    """Return a copy of a request or response with an additional signature (RFC 9421). Provisional.

    ``key`` can have any form that ``SignatureKey`` accepts for a private key or a secret. ``keyid`` identifies the key
    to the other side; the default is the key's thumbprint (RFC 7638). ``cover`` lists the components that the signature
    covers. By default, these are a request's method, authority, path, query, Content-Type and Content-Digest, if
    present; or a response's status, Content-Type and Content-Digest. If Content-Digest is covered but missing, it is
    added.

    ``created`` is the time at which the signature is made; the default is now. With ``max_age``, in seconds or a
    timedelta, the signature ``expires`` that long afterwards. ``nonce`` makes the signature unique: True means a random
    nonce, and False means none. ``tag`` states the signature's purpose, and ``alg`` determines whether the signature
    names its algorithm. If a response's signature covers components of its request, such as ``"@path";req``, pass the
    ``request``.

    Raises ValueError for a component that the message does not have, for a public key, for a label that is already in
    use, and for the digest of a stream. Errors from reading a request's body propagate.
    """
    signing = SignatureKey.of(key)
    items = [component_of(text) for text in (_usual(message) if cover is None else cover)]
    check_covered(items)
    made = int(time.time() if created is None else created.timestamp())
    parameters: dict[str, BareItem] = {"created": made}
    if max_age is not None:
        parameters["expires"] = made + round(seconds_of(max_age))
    parameters["keyid"] = signing.thumbprint if keyid is None else keyid
    if nonce is not False:
        parameters["nonce"] = token_urlsafe(16) if nonce is True else nonce
    if alg:
        parameters["alg"] = signing.algorithm
    if tag is not None:
        parameters["tag"] = tag
    return _with_lines(message, _signature_lines(message, signing, InnerList(items, parameters), label, request))


def _usual(message: Request | Response) -> list[str]:
    """Return the components that a signature covers by default."""
    if isinstance(message, Response):
        parts = ["@status", *(["content-type"] if message.headers.get("content-type") else [])]
        return [*parts, "content-digest"] if isinstance(message.body, bytes) else parts
    parts = ["@method", "@authority", "@path", *(["@query"] if message.query_string else [])]
    if not message.content.is_empty:
        parts += [*(["content-type"] if message.headers.get("content-type") else []), "content-digest"]
    return parts


def _signature_lines(
    message: Request | Response, key: SignatureKey, covered: InnerList, label: str, request: Request | None
) -> list[Line]:
    """Return a signature's header fields: the digest, if it is missing, and all signatures, including the new one."""
    lines = message.headers.items()
    added = list[Line]()
    if _wants_digest(covered.items) and "content-digest" not in dict(lines):
        added.append(("content-digest", format_structured_dictionary({"sha-256": _digest(message)})))
    if isinstance(message, Response):
        components = Components([*lines, *added], None if request is None else request.head, message.status)
    else:
        components = Components([*lines, *added], message.head)
    try:
        base = components.base(covered)
    except ValueError as error:
        raise explained("bad-component", error) from None
    inputs, signatures = _members(lines, "signature-input"), _members(lines, "signature")
    if label in inputs or label in signatures:
        raise explained("bad-component", f"the message already has a signature {label!r}: give a label=")
    inputs[label], signatures[label] = covered, Item(key.sign(base))
    return [
        *added,
        ("signature-input", format_structured_dictionary(inputs)),
        ("signature", format_structured_dictionary(signatures)),
    ]


def _wants_digest(items: Iterable[Item]) -> bool:
    return any(item.value == "content-digest" and "req" not in item.parameters for item in items)


def _digest(message: Request | Response) -> bytes:
    if isinstance(message, Response):
        if not isinstance(message.body, bytes):
            raise explained("bad-component", "a stream's digest is unknown before it is sent")
        return sha256(message.body).digest()
    digest = sha256()
    for chunk in message.stream:
        digest.update(chunk)
    return digest.digest()


def _members(lines: Iterable[Line], name: str) -> dict[str, Item | InnerList]:
    return parse_structured_dictionary(", ".join([value for known, value in lines if known == name]))


def _with_lines(message: M, added: Sequence[Line]) -> M:
    """Return a copy of a message with these header fields added."""
    if isinstance(message, Response):
        response = copy(message)
        _set(response, added)
        return response
    replaced = {name for name, _ in added}
    lines: list[Line] = [line for line in message.headers.items() if line[0] not in replaced]
    return Request(RequestHead.of(message.head, [*lines, *added]), message.content)


def _set(response: Response, lines: Iterable[Line]) -> None:
    for name, value in lines:
        response.headers[name] = value


@errors_name_it
class SignedResponses:
    """A feature that signs all responses: ``app.use(SignedResponses(private_key))``. Provisional.

    ``key`` and ``keyid`` are as in ``sign``. ``cover`` lists the covered components: by default the status,
    Content-Type and Content-Digest, and the request's method, authority, path and query, so that the response can't be
    passed off as the response to another request. Missing components are omitted. Content-Digest is added to responses
    that are not streams; a stream's signature does not cover its content. Raises the same errors as ``SignatureKey``,
    and ValueError for a public key.
    """

    def __init__(
        self,
        key: "KeyMaterial | SignatureKey",
        *,
        keyid: str | None = None,
        cover: Iterable[str] = OF_RESPONSES,
        tag: str | None = None,
    ) -> None:
        self._key = SignatureKey.of(key)
        if not self._key.is_private:
            raise explained("bad-signature-key", "a public key can't sign: give the private key")
        self._keyid = self._key.thumbprint if keyid is None else keyid
        self._cover = [component_of(text) for text in cover]
        check_covered(self._cover)
        self._tag = tag

    def install(self, app: App) -> None:
        """Sign each complete response."""
        app.before_send(self._sign)

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        yield Added(headers=("content-digest", "signature", "signature-input"))

    def _sign(self, request: Request, response: Response) -> None:
        if RequestState(request).around is not None:  # the client gets the response to its own request, which is signed
            return
        parameters: dict[str, BareItem] = {"created": int(time.time()), "keyid": self._keyid}
        if self._tag is not None:
            parameters["tag"] = self._tag
        covered = InnerList([item for item in self._cover if _has(response, item)], parameters)
        try:
            _set(response, _signature_lines(response, self._key, covered, "sig1", request))
        except ValueError as error:  # the host is malformed, or a field is not ASCII
            import logging

            logging.getLogger("antiphon.signatures").warning("A response is not signed: %s", error)


def _has(response: Response, item: Item) -> bool:
    """True if a response has a component or will get it."""
    name = str(item.value)
    if name[:1] == "@" or "req" in item.parameters or response.headers.get(name) is not None:
        return True
    return name == "content-digest" and isinstance(response.body, bytes) and response.status not in (204, 205, 304)
