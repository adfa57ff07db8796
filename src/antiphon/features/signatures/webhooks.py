"""Webhooks in both directions: signed with a secret that both sides know, recent, and each carried out once.

@app.post("/hooks/payments", before=StandardWebhook(env("HOOK_SECRET"), store))
"""

import hmac
import time
from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any, NamedTuple

from antiphon.app.store import RETRY_AFTER, Store, StoreEntry, check_store
from antiphon.concurrency.loop import refuse_on_loop
from antiphon.explanations import errors_name_it, explained
from antiphon.features.signatures.keys import SHORTEST_SECRET
from antiphon.handler.callables import check_no_decorator
from antiphon.http.dates import Duration, seconds_of
from antiphon.http.errors import Conflict, Forbidden
from antiphon.request.request import Request
from antiphon.response.response import Response

FIVE_MINUTES = 300.0
"""Seconds."""
DAY = 24 * 3600.0
"""Seconds."""
LONGEST_RUN = 300.0
"""Seconds after which a delivery that got no response, since its process has ended, is carried out again."""

MOST_ANSWER = 64 << 10
"""The most bytes that are read of the response to a webhook that is sent."""
MOST_SIGNATURES = 16
"""The most signatures of a delivery that are compared."""

_RUNNING, _DONE = "running", "done"


class WebhookRefused(Forbidden):
    """403: a webhook is not signed as its sender does, or is too old. ``reason`` says why, for logs."""

    reason: str = ""


class Delivery(NamedTuple):
    """The parts of a webhook's header that its signature is checked with."""

    signatures: list[bytes]
    """The signatures, HMAC-SHA256, of which one has to match."""
    prefix: bytes = b""
    """The bytes that are signed before the body."""
    sent: int | None = None
    """The time at which the webhook was sent, in seconds since 1970; None if the sender signs none."""
    id: str | None = None
    """The id that is the same in each try, if it is signed."""


@errors_name_it
class Webhook(ABC):
    """A hook for ``before=`` that lets only the webhooks of one sender pass: the base class for your own senders.

    ``secrets`` is the secret that the sender gave you, or several while it changes. A webhook is refused (403) without
    a valid signature by one of them; and, if the sender signs the time, unless that is at most ``tolerance`` from now,
    in seconds or a timedelta.

    With a ``store``, each webhook is carried out once: a repetition gets a 204, without the handler, for
    ``ttl`` after the first one, in seconds or a timedelta. While the first one is carried out, a repetition gets a 409,
    after which senders try again. After a response of 400 and above, the next try is carried out. While the store is
    unavailable, the response is a 503. Raises ValueError and TypeError for bad options.
    """

    waits_for_body = True
    """True: the body is loaded if it has not arrived on the event loop."""

    def __init__(
        self,
        secrets: str | bytes | Iterable[str | bytes],
        store: Store | None = None,
        *,
        tolerance: Duration = FIVE_MINUTES,
        ttl: Duration = DAY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        given = [secrets] if isinstance(secrets, str | bytes) or not isinstance(secrets, Iterable) else [*secrets]
        self._secrets = [self._checked(secret) for secret in given]
        self._tolerance, self._ttl = seconds_of(tolerance), seconds_of(ttl)
        if not self._secrets or not (self._tolerance > 0 and self._ttl > 0):
            raise explained(
                "bad-feature-option", ValueError("a webhook needs a secret, and a tolerance and a ttl above 0")
            )
        if store is not None:
            check_store(type(self).__name__, store)
        self._store = store
        self._clock = clock
        self.blocking = store is not None and store.blocks

    @abstractmethod
    def delivery(self, request: Request) -> Delivery:
        """Return what the header of a webhook says.

        Raises ValueError for what is malformed, and KeyError, as ``request.headers[name]`` does, for what is missing.
        """

    def secret_bytes(self, secret: str) -> bytes:
        """Return the key of a secret as the sender writes it: by default its UTF-8."""
        return secret.encode()

    def id_of(self, request: Request) -> str | None:  # noqa: ARG002 - for senders that sign an id in the body
        """Return the id of a webhook that is the same in each try, from its body; None if it has none there."""
        return None

    def __call__(self, request: Request) -> Response | None:
        """Check a webhook. Return the response to a repetition, or None.

        Raises WebhookRefused (403), Conflict (409), StoreUnavailable (503), and what reading the body raises.
        """
        check_no_decorator(type(self).__name__, request)
        try:
            delivery = self.delivery(request)
            self._check_time(delivery.sent)
        except (KeyError, ValueError) as error:
            raise self._refused(request, str(error)) from None
        known = self._matching(request, delivery)
        if known is None:
            raise self._refused(request, "no signature was made with a known secret")
        if self._store is None:
            return None
        return self._claim(request, self._store, f"webhook {_name_of(known)}\n{self._id(request, delivery)}")

    def _id(self, request: Request, delivery: Delivery) -> str:
        """Return the id of a webhook: its own if that is signed, else a valid signature, of which each body has one."""
        if delivery.id is not None:
            return delivery.id
        return self.id_of(request) or f"body {sha256(request.body).hexdigest()}"

    def _checked(self, secret: str | bytes) -> bytes:
        if not isinstance(secret, str | bytes):
            raise explained("bad-feature-option", TypeError(f"a secret must be text or bytes, not {secret!r:.40}"))
        key = self.secret_bytes(secret) if isinstance(secret, str) else secret
        if len(key) < SHORTEST_SECRET:
            raise explained(
                "bad-signature-key", ValueError(f"a secret must have at least {SHORTEST_SECRET} bytes, not {len(key)}")
            )
        return key

    def _check_time(self, sent: int | None) -> None:
        if sent is not None and abs(self._clock() - sent) > self._tolerance:
            raise ValueError(f"it was sent at {sent}, which is more than {self._tolerance:g} seconds from now")

    def _matching(self, request: Request, delivery: Delivery) -> bytes | None:
        """Return the secret by which one of the signatures was made, or None."""
        codes = [hmac.new(secret, delivery.prefix, sha256) for secret in self._secrets]
        for chunk in request.stream:
            for code in codes:
                code.update(chunk)
        for secret, code in zip(self._secrets, codes, strict=True):
            digest = code.digest()
            if any(hmac.compare_digest(digest, given) for given in delivery.signatures[:MOST_SIGNATURES]):
                return secret
        return None

    def _claim(self, request: Request, store: Store, key: str) -> Response | None:
        entry = store.add(key, {"state": _RUNNING}, ttl=LONGEST_RUN)
        if entry is None:
            known = store.load(key)
            if known is not None and known.data.get("state") == _DONE:
                return Response(None, 204)
            raise Conflict("This webhook is being carried out.", headers={"retry-after": str(RETRY_AFTER)})
        end: Any = partial(self._end, store, entry)
        end.blocking = store.blocks
        request.after_request(end)
        return None

    def _end(self, store: Store, entry: StoreEntry, _request: Request, response: Response) -> None:
        if response.status >= 400:
            store.delete(entry.key)
        else:
            store.replace(entry.key, {"state": _DONE}, version=entry.version, ttl=self._ttl)

    def _refused(self, request: Request, reason: str) -> WebhookRefused:
        import logging

        logging.getLogger("antiphon.signatures").info("%s %s was refused: %s", request.method, request.path, reason)
        error = WebhookRefused("The webhook does not have a valid signature.")
        error.reason = reason
        return explained("signature-refused", error)


def _name_of(secret: bytes) -> str:
    """Return a name for the sender with a secret, so that no sender uses up the ids of another."""
    return hmac.digest(secret, b"antiphon webhook", "sha256").hex()


def field_of(request: Request, name: str) -> str:
    """Return a header field of a webhook. Raises ValueError if it is missing."""
    value = request.head.field(name)
    if not value:
        raise ValueError(f"the field {name} is missing")
    return value


def seconds_in(text: str) -> int:
    """Return a time in seconds since 1970. Raises ValueError for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise ValueError(f"{text[:40]!r} is not a time in seconds")
    return int(text)


def from_base64(text: str) -> bytes:
    """Return the bytes of base64, without padding or with it. Raises ValueError for anything else."""
    return b64decode(text + "=" * (-len(text) % 4), validate=True)


class StandardWebhook(Webhook):
    """Webhooks by the specification Standard Webhooks, in both directions.

    A secret begins with ``whsec_``, and is base64; or it is bytes. As a hook, it checks the signature ``v1`` of the id,
    the time and the body: ``before=StandardWebhook(secret, store)``. ``send`` sends what its libraries verify. With
    several secrets, a webhook that is sent has a signature by each.
    """

    def secret_bytes(self, secret: str) -> bytes:
        """Return the bytes of a secret. Raises ValueError, which does not show it, for anything but base64."""
        try:
            return from_base64(secret.removeprefix("whsec_"))
        except ValueError:
            raise explained("bad-signature-key", ValueError("a secret must be base64, after whsec_")) from None

    def delivery(self, request: Request) -> Delivery:
        """Return what ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` say.

        Raises ValueError if one is missing or malformed.
        """
        id_, sent = field_of(request, "webhook-id"), field_of(request, "webhook-timestamp")
        if "." in id_:  # what is signed could be read in two ways
            raise ValueError("webhook-id contains a dot")
        signatures = [each.partition(",") for each in field_of(request, "webhook-signature").split(" ")]
        own = [from_base64(signature) for version, _, signature in signatures if version == "v1"]
        return Delivery(own, f"{id_}.{sent}.".encode("latin-1"), seconds_in(sent), id_)

    def sign(self, body: bytes, *, id: str | None = None) -> dict[str, str]:  # noqa: A002 - the specification's name
        """Return the header fields of a webhook with a body, for your own HTTP client.

        ``id`` is the same for each try of a webhook; by default it is a new one. Raises ValueError for one that is
        empty, or has a dot, or anything but visible ASCII.
        """
        id_ = f"msg_{token_urlsafe(18)}" if id is None else id
        if not id_ or "." in id_ or not (id_.isascii() and id_.isprintable()) or " " in id_:
            raise explained("bad-feature-option", ValueError(f"an id must be visible ASCII without a dot, not {id_!r}"))
        sent = str(int(self._clock()))
        signed = f"{id_}.{sent}.".encode() + body
        codes = [b64encode(hmac.digest(secret, signed, "sha256")).decode() for secret in self._secrets]
        return {
            "webhook-id": id_,
            "webhook-timestamp": sent,
            "webhook-signature": " ".join([f"v1,{code}" for code in codes]),
        }

    def send(
        self,
        url: str,
        data: object,
        *,
        id: str | None = None,  # noqa: A002 - the specification's name
        headers: Mapping[str, str] | None = None,
        timeout: Duration = 10.0,
    ) -> int:
        """Send a webhook to a URL that a customer has chosen, and return the status of the response.

        ``data`` is the body: bytes, or a value that is sent as JSON. Only public addresses are called, over https, and
        no redirect is followed. A status of 200 to 299 says that the webhook has arrived; after any other one, and
        after an OSError, send it again later with the same ``id``.

        This waits for at most ``timeout``, in seconds or a timedelta, so call it on a thread, or in a job. Raises
        OSError if nothing responds, ValueError for a URL that is not a public one, RuntimeError on an event loop.
        """
        refuse_on_loop("StandardWebhook.send", "await asyncio.to_thread(webhook.send, url, data)")
        from antiphon.features.signatures.public_https import public_url, request_public
        from antiphon.serialization.json import encode_json

        body = data if isinstance(data, bytes) else encode_json(data)
        kind = "application/octet-stream" if body is data else "application/json"
        fields = {"content-type": kind, "user-agent": "antiphon", **(headers or {}), **self.sign(body, id=id)}
        seconds = seconds_of(timeout)
        return request_public("POST", public_url(url), fields, body, most=MOST_ANSWER, seconds=seconds).status
