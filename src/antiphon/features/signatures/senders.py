"""Webhooks from well-known senders that sign in their own ways, with a class for each."""

from antiphon.features.signatures.webhooks import Delivery, Webhook, field_of, from_base64, seconds_in
from antiphon.http.errors import HTTPError
from antiphon.request.request import Request


class GitHubWebhook(Webhook):
    """Webhooks from GitHub, and from servers that sign in the same way: ``before=GitHubWebhook(secret)``.

    The signature is in ``X-Hub-Signature-256``, and covers only the body. So with a
    ``store``, equal bodies count as duplicates; without one, an intercepted webhook can be replayed at any time.
    """

    def delivery(self, request: Request) -> Delivery:
        """Return the signature. Raises ValueError if it is missing or malformed."""
        scheme, _, signature = field_of(request, "x-hub-signature-256").partition("=")
        if scheme != "sha256":
            raise ValueError("x-hub-signature-256 does not begin with sha256=")
        return Delivery([bytes.fromhex(signature)])


class ShopifyWebhook(Webhook):
    """Webhooks from Shopify: ``before=ShopifyWebhook(client_secret)``.

    The signature is in ``X-Shopify-Hmac-Sha256``, and covers only the body.
    So with a ``store``, equal bodies count as duplicates; without one, an intercepted webhook can be replayed at any
    time.
    """

    def delivery(self, request: Request) -> Delivery:
        """Return the signature. Raises ValueError if it is missing or malformed."""
        return Delivery([from_base64(field_of(request, "x-shopify-hmac-sha256"))])


class StripeWebhook(Webhook):
    """Webhooks from Stripe: ``before=StripeWebhook("whsec_...", store)``.

    The signatures ``v1`` and the time are in ``Stripe-Signature``. With a ``store``, each ``id`` of an event is carried
    out once.
    """

    def delivery(self, request: Request) -> Delivery:
        """Return the signatures and the time. Raises ValueError if they are missing or malformed."""
        pairs = [part.strip().partition("=") for part in field_of(request, "stripe-signature").split(",")]
        times = [value for name, _, value in pairs if name == "t"]
        if len(times) != 1:
            raise ValueError("stripe-signature does not have one time")
        signatures = [bytes.fromhex(value) for name, _, value in pairs if name == "v1"]
        return Delivery(signatures, f"{times[0]}.".encode("latin-1"), seconds_in(times[0]))

    def id_of(self, request: Request) -> str | None:
        """Return the ``id`` of the event."""
        return _member(request, "id")


class SlackWebhook(Webhook):
    """Requests from Slack, such as events and commands: ``before=SlackWebhook(signing_secret, store)``.

    The signature is in ``X-Slack-Signature``, and the time in ``X-Slack-Request-Timestamp``. With a ``store``, each
    ``event_id`` is carried out once, or each body if there is none.
    """

    def delivery(self, request: Request) -> Delivery:
        """Return the signature and the time. Raises ValueError if they are missing or malformed."""
        version, _, signature = field_of(request, "x-slack-signature").partition("=")
        if version != "v0":
            raise ValueError("x-slack-signature does not begin with v0=")
        sent = field_of(request, "x-slack-request-timestamp")
        return Delivery([bytes.fromhex(signature)], f"v0:{sent}:".encode("latin-1"), seconds_in(sent))

    def id_of(self, request: Request) -> str | None:
        """Return the ``event_id`` of an event."""
        return _member(request, "event_id")


def _member(request: Request, name: str) -> str | None:
    """Return a member of the JSON object in the body that is text; None if there is none."""
    try:
        data = request.json
    except HTTPError:
        return None
    value = data.get(name) if isinstance(data, dict) else None
    return f"{name} {value}" if isinstance(value, str) else None
