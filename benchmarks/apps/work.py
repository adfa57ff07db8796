"""What the handlers do once a request is read, and what frameworks leave to them: the same for all."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from itsdangerous import URLSafeTimedSerializer

LANGUAGES = ("de", "en")
FIELDS = ("name", "email", "phone", "street", "city", "postcode", "country", "company", "delivery", "note")
MADE = "Made."
NO_STORE = "no-store"
USER = "zoe"
"""The name that a hook before the handler finds."""
PAGES = Path(__file__).parents[1] / "page_templates"
"""The folder of the files that are served as they are."""
SESSION_KEY = "a key of sixteen bytes or more, as Flask takes it"
_SIGNER = URLSafeTimedSerializer(SESSION_KEY, "cookie-session", signer_kwargs={"key_derivation": "hmac"})
VISITOR = f"session={_SIGNER.dumps({'user': USER, 'visits': 7})}"
"""The cookie of a session, as Flask and Antiphon sign and read it."""
MIDDLEWARES = 5
"""How many there are that do nothing."""


def listing(name: str, page: str, size: int, sort: str, session: str, language: str | None) -> str:
    """The text that answers `/read/<name>`."""
    return f"{name}: page {page} of {size} by {sort} in {language} for {session}"


def invoice(order: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON that answers an order: an amount for each item, and their total."""
    lines = [{"sku": item["sku"], "amount": item["quantity"] * item["price"]} for item in order["items"]]
    total = sum(line["amount"] for line in lines)
    return {"order": order["id"], "currency": order["currency"], "total": total, "lines": lines}


def receipt(values: list[str]) -> str:
    """The text that answers the form: its first value, and the length of them all."""
    return f"{values[0]}: {sum(map(len, values))} characters"


def upload(title: str, filename: str | None, content: bytes) -> str:
    """The text that answers a form with a file, which is read as a whole."""
    return f"{title}: {filename} has {len(content)} bytes and ends in {content[-16:].hex()}"


def best_offer(accepted: str, offered: Iterable[str]) -> str | None:
    """The offered language, type or coding that a client prefers, for frameworks that do not read that header."""
    qualities: dict[str, float] = {}
    for item in accepted.split(","):
        tag, _, quality = item.partition(";q=")
        name = tag.strip().partition("-")[0].lower()
        try:
            value = float(quality) if quality else 1.0
        except ValueError:
            continue
        if value > qualities.get(name, 0.0):
            qualities[name] = value
    return max((name for name in offered if name in qualities), key=qualities.__getitem__, default=None)


class PassingWsgi:
    """A middleware of WSGI that does nothing, for frameworks that have no other."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.app(environ, start_response)


class PassingAsgi:
    """Likewise of ASGI."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def within(middleware: type, app: Any) -> Any:
    """An application within so many of a middleware."""
    for _ in range(MIDDLEWARES):
        app = middleware(app)
    return app
