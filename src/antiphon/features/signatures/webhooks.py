"""Webhooks in both directions: they are signed with a shared secret, they must be recent, and each is processed only
once.

@app.post("/hooks/payments", before=StandardWebhook(env("HOOK_SECRET")))
"""

import hmac
import time
from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any, Literal, NamedTuple, TypeAlias, assert_never, get_args

from antiphon import Request, Response, explained
from antiphon.embedding import (
    FeatureStore,
    NotLoadedError,
    check_no_decorator,
    check_numbers,
    describe,
    encode_json,
    errors_name_it,
    refuse_on_loop,
    seconds_of,
)
from antiphon.features import Store, StoreEntry
from antiphon.features.signatures.keys import ONE_VALUE, SHORTEST_SECRET
from antiphon.http import Conflict, Forbidden, HTTPError
from antiphon.types import Duration, Mount, Route

FeatureStore.declare("webhook", until="minor", unreadable="refused")
FIVE_MINUTES = 300.0
"""Seconds."""
DAY = 24 * 3600.0
"""Seconds."""
LONGEST_RUN = 300.0
"""The number of seconds after which a delivery whose process ended without a response is processed again."""

MOST_SIGNATURES = 16
"""The maximum number of a delivery's signatures to compare."""

_State: TypeAlias = Literal["running", "done"]
_RUNNING, _DONE = get_args(_State)


class WebhookRefused(Forbidden):
    """403: a webhook is not signed in the way that its sender signs, or is too old. ``reason`` contains the cause, for
    logs.
    """

    reason: str = ""


class WebhookSignature(NamedTuple):
    """The values in a webhook's header that are needed to check its signature."""

    signatures: list[bytes]
    """The HMAC-SHA256 signatures, one of which must be valid."""
    prefix: bytes = b""
    """The bytes that precede the body in the signed data."""
    sent: int | None = None
    """The Unix time at which the webhook was sent, in seconds; None if the sender doesn't sign the time."""
    id: str | Callable[[Request], str] | None = None
    """The webhook's id, if it is signed, the same in each attempt; None stands for the body. A function returns an id
    in the body, and is called once a signature is valid, so that only the sender's body is parsed.
    """


@errors_name_it
class Webhook(ABC):
    """A hook for ``before=`` that accepts only webhooks from one sender: the base class for other senders.

    ``secrets`` is the secret that the sender gave you, or several secrets while you replace one. A webhook is refused
    with 403 unless it has a valid signature made with one of them. If the sender signs the time, it must also have been
    sent within five minutes of now.

    With a ``store``, each route processes a webhook once: for ``ttl`` after the first delivery, in seconds or a
    timedelta, and at least for as long as the signature is recent, a duplicate gets a 204, and the handler isn't
    called.
    """

    waits_for_body = True
    """True: on an event loop, a body that has not arrived is loaded first."""

    def __init__(
        self,
        secrets: str | bytes | Iterable[str | bytes],
        store: Store | Literal[False] | None = None,
        *,
        ttl: Duration = DAY,
    ) -> None:
        """While the first delivery is being processed, a duplicate gets a 409, after which senders try again. After a
        response of 400 or above, the next attempt is processed. While the store is unavailable, the response is a 503.
        The default is the app's store; ``store=False`` means no store. If there is none, a warning is logged once,
        since anyone who has captured a webhook can then send it again. Raises ValueError or TypeError for invalid
        options.
        """
        given = [secrets] if isinstance(secrets, str | bytes) or not isinstance(secrets, Iterable) else [*secrets]
        self._secrets = [self._checked(secret) for secret in given]
        self._ttl = seconds_of(ttl)
        check_numbers(ttl=self._ttl)
        if not self._secrets:
            raise explained("bad-feature-option", "a webhook needs a secret")
        self._store = None if store is False else store
        if self._store is not None:
            FeatureStore.check(type(self).__name__, self._store)
        self._takes_that_of_app = store is None
        self._has_warned = False
        self.blocking = self._store is not None and self._store.blocks

    @abstractmethod
    def signature(self, request: Request) -> WebhookSignature:
        """Return the values in a webhook's header.

        Nothing is verified yet. An error, such as the KeyError of ``request.headers[name]``, refuses the webhook; an
        HTTPError becomes the response.
        """

    def secret_bytes(self, secret: str) -> bytes:
        """Return the key for a secret as the sender writes it: by default the secret in UTF-8."""
        return secret.encode()

    def __call__(self, request: Request) -> Response | None:
        """Check a webhook. Return the response for a duplicate, or None.

        Raises WebhookRefused (403), Conflict (409), StoreUnavailable (503), and the same errors as reading the body.
        """
        check_no_decorator(type(self).__name__, request)
        try:
            delivery = self.signature(request)
            self._check_time(delivery.sent)
        except Exception as error:  # by whatever a stranger has sent
            if isinstance(error, NotLoadedError) or (isinstance(error, HTTPError) and not isinstance(error, KeyError)):
                raise
            is_told = isinstance(error, KeyError | ValueError)  # as by headers and parsers
            raise self._refused(request, str(error) if is_told else f"{type(error).__name__}: {error}") from None
        if not self._is_signed(request, delivery):
            raise self._refused(request, "no signature was made with a known secret")
        request.limits = request.limits.within(ONE_VALUE)
        store = self._store_for(request.app, request.route.handler)
        if store is None:
            return None
        # It does not name the secret: a delivery may have a signature for each, of which anyone can leave out some.
        key = f"webhook {type(self).__name__}\n{_place(request)}\n{self._id(request, delivery)}"
        return self._claim(request, store, key)

    def blocking_at(self, route: Route) -> bool:
        """True if checking a webhook at this route blocks on a store. Called when the route is planned.

        Raises ValueError if the entries in the application's store are kept by clients.
        """
        store = self._store_for(route.app, route.handler)
        return store is not None and store.blocks

    def _store_for(self, app: Any, handler: Callable[..., object] | None) -> Store | None:
        """Return this webhook's own store, or else the application's. If there is none, log that once."""
        has_store = self._takes_that_of_app and isinstance(getattr(app, "store", None), Store)
        if hasattr(app, "store_for") and (has_store or self._store is not None):
            found: Store = app.store_for(type(self).__name__, self._store)
            return found
        if self._takes_that_of_app and not self._has_warned:
            import logging

            self._has_warned = True
            logging.getLogger("antiphon").warning(
                "%s checks webhooks with %s, which has no store: a captured webhook can be sent again. Give"
                " it one, as in App(store=SQLiteStore(path)), or store=False if the handler recognizes repetitions",
                describe(handler or self), type(self).__name__,
            )  # fmt: skip
        return self._store

    def _id(self, request: Request, delivery: WebhookSignature) -> str:
        """Return a webhook's id, or else the body's digest."""
        if delivery.id is not None:
            return delivery.id if isinstance(delivery.id, str) else delivery.id(request)
        code = sha256()
        for chunk in request.stream:
            code.update(chunk)
        return f"body {code.hexdigest()}"

    def _checked(self, secret: str | bytes) -> bytes:
        if not isinstance(secret, str | bytes):
            raise explained("bad-feature-option", f"a secret must be text or bytes, not {secret!r:.40}", TypeError)
        key = self.secret_bytes(secret) if isinstance(secret, str) else secret
        if len(key) < SHORTEST_SECRET:
            raise explained("bad-signature-key", f"a secret must have at least {SHORTEST_SECRET} bytes, not {len(key)}")
        return key

    def _check_time(self, sent: int | None) -> None:
        if sent is not None and abs(time.time() - sent) > FIVE_MINUTES:
            raise ValueError(f"it was sent at {sent}, which is more than {FIVE_MINUTES:g} seconds from now")

    def _is_signed(self, request: Request, delivery: WebhookSignature) -> bool:
        """Return True if one of the signatures was made with one of the secrets."""
        codes = [hmac.new(secret, delivery.prefix, sha256) for secret in self._secrets]
        for chunk in request.stream:
            for code in codes:
                code.update(chunk)
        given = delivery.signatures[:MOST_SIGNATURES]
        return any(hmac.compare_digest(code.digest(), each) for code in codes for each in given)

    def _claim(self, request: Request, store: Store, key: str) -> Response | None:
        entry = store.add(key, {"state": _RUNNING}, ttl=LONGEST_RUN)
        if entry is None:
            known = store.load(key)
            state: _State = _RUNNING if known is None else known.data["state"]  # another delivery has just failed
            match state:
                case "done":
                    return Response(None, 204)
                case "running":
                    pass
                case _:
                    assert_never(state)
            raise Conflict("This webhook is being carried out.", headers={"retry-after": str(FeatureStore.RETRY_AFTER)})
        end: Any = partial(self._end, store, entry)
        end.blocking = store.blocks
        request.on_response(end)
        return None

    def _end(self, store: Store, entry: StoreEntry, _request: Request, response: Response) -> None:
        if response.status >= 400:
            store.delete(entry.key)
        else:
            ttl = max(self._ttl, 2 * FIVE_MINUTES)  # it is recent for so long, if the sender's clock is ahead
            store.replace(entry.key, {**entry.data, "state": _DONE}, version=entry.version, ttl=ttl)

    def _refused(self, request: Request, reason: str) -> WebhookRefused:
        import logging

        logging.getLogger("antiphon.signatures").info("%s %s was refused: %s", request.method, request.path, reason)
        error = WebhookRefused("The webhook does not have a valid signature.")
        error.reason = reason
        return explained("signature-refused", error)


def _place(request: Request) -> str:
    """Return a name for the route or view, so that a webhook for several of them is processed by each of them once.

    The signature does not cover the URL, so the name contains no part of the URL that a client can choose.
    """
    route = request.route
    if route.pattern:  # without the handler's name: a deploy may change that between two attempts
        return f"{Mount.first_place_of(route.app)}{route.host or ''}{route.pattern}"
    handler: object = route.handler
    return f"{getattr(handler, '__module__', '')}.{getattr(handler, '__qualname__', '')}"


def field_of(request: Request, name: str) -> str:
    """Return a header field of a webhook. Raises ValueError if it is missing."""
    value = request.head.field(name)
    if not value:
        raise ValueError(f"the field {name} is missing")
    return value


def seconds_in(text: str) -> int:
    """Return a Unix time in seconds. Raises ValueError for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise ValueError(f"{text[:40]!r} is not a time in seconds")
    return int(text)


def from_base64(text: str) -> bytes:
    """Decode base64, with or without padding. Raises ValueError for anything else."""
    return b64decode(text + "=" * (-len(text) % 4), validate=True)


class StandardWebhook(Webhook):
    """Webhooks as defined by Standard Webhooks, in both directions.

    A secret is bytes, or begins with ``whsec_`` and continues in base64. As a hook, it checks the ``v1`` signature of
    the id, the time and the body: ``before=StandardWebhook(secret, store)``. ``send`` sends webhooks that the
    specification's libraries can verify. With several secrets, a sent webhook has one signature for each.
    """

    def secret_bytes(self, secret: str) -> bytes:
        """Return a secret's bytes. Raises ValueError, without revealing the secret, if it is not base64."""
        try:
            return from_base64(secret.removeprefix("whsec_"))
        except ValueError:
            raise explained("bad-signature-key", "a secret must be base64, after whsec_") from None

    def signature(self, request: Request) -> WebhookSignature:
        """Return the values of ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``.

        Raises ValueError if one is missing or malformed.
        """
        id_, sent = field_of(request, "webhook-id"), field_of(request, "webhook-timestamp")
        if "." in id_:  # the signed text would be ambiguous
            raise ValueError("webhook-id contains a dot")
        signatures = [each.partition(",") for each in field_of(request, "webhook-signature").split(" ")]
        own = [from_base64(signature) for version, _, signature in signatures if version == "v1"]
        return WebhookSignature(own, f"{id_}.{sent}.".encode("latin-1"), seconds_in(sent), id_)

    def sign(self, body: bytes, *, id: str | None = None) -> dict[str, str]:  # noqa: A002 - the specification's name
        """Return the webhook header fields for a body, for use with your own HTTP client.

        Pass the same ``id`` for each attempt; the default is a new id. Raises ValueError for an id that is empty, or
        that contains a dot or anything but visible ASCII.
        """
        id_ = f"msg_{token_urlsafe(18)}" if id is None else id
        if not id_ or "." in id_ or not (id_.isascii() and id_.isprintable()) or " " in id_:
            raise explained("bad-feature-option", f"an id must be visible ASCII without a dot, not {id_!r}")
        sent = str(int(time.time()))
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
        """Send a webhook to a URL chosen by a customer and return the response's status.

        ``data`` is the body: bytes, or a value that is sent as JSON. Only public addresses are called, over https, and
        redirects are not followed. A status of 200 to 299 means that the webhook has arrived. After any other status or
        an OSError, send it again later with the same ``id``. This blocks for up to ``timeout``, in seconds or a
        timedelta, so call it on a thread or in a job. Raises OSError if nothing responds, ValueError for a URL that is
        not public, and RuntimeError on an event loop.
        """
        refuse_on_loop("StandardWebhook.send()", "asyncio.to_thread(webhook.send, url, data)")
        from antiphon.features.signatures.public_requests import post_public, public_url

        body = data if isinstance(data, bytes) else encode_json(data)
        kind = "application/octet-stream" if body is data else "application/json"
        fields = {"content-type": kind, "user-agent": "antiphon", **(headers or {}), **self.sign(body, id=id)}
        return post_public(public_url(url), fields, body, seconds=seconds_of(timeout))
