"""What the handlers do once a request is read, and what frameworks leave to them: the same for all."""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LANGUAGES = ("de", "en")
TYPES = ("application/json", "text/html")
CODINGS = ("br", "gzip")
NEGOTIATED = ("Accept", "Accept-Language", "Accept-Encoding")
"""The headers by which `/headers` chooses."""

TAG = "v1"
MODIFIED = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = 3600
YEAR = 365 * 24 * HOUR
SESSION = "7f3c9a54e1d24b0f"
PIXELS = bytes(range(256)) * 256
"""64 KiB, of which a part is asked for."""

FIELDS = ("name", "email", "phone", "street", "city", "postcode", "country", "company", "delivery", "note")


MADE = "Made."
NO_STORE = "no-store"
USER = "zoe"
"""The name that a hook before the handler finds."""
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


def max_age(cache_control: str) -> int | None:
    """The seconds of Cache-Control, for frameworks that do not read it."""
    for directive in cache_control.split(","):
        name, _, value = directive.strip().partition("=")
        if name.lower() == "max-age" and value.isdigit():
            return int(value)
    return None


def basic_username(credentials: str) -> str | None:
    """The name that Basic credentials begin with, in Base64, for frameworks that do not decode it."""
    try:
        return b64decode(credentials, validate=True).decode().partition(":")[0]
    except ValueError:
        return None


def portrait(
    media_type: str | None,
    language: str | None,
    coding: str | None,
    username: str | None,
    user_agent: str | None,
    referrer: str | None,
    is_known: bool,
    since: datetime | None,
    oldest: int | None,
    charset: str | None,
) -> str:
    """The text that tells what ten headers said."""
    known = "known" if is_known else "not known"
    day = since.date() if since else None
    return (
        f"{media_type} in {language} by {coding} for {username} with {user_agent} from {referrer}, "
        f"{TAG} {known} since {day}, at most {oldest} s old, in {charset}"
    )


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
