"""What the handlers do once a request is read, and what frameworks leave to them: the same for all."""

from collections.abc import Iterable, Mapping
from typing import Any

LANGUAGES = ("de", "en")

FIELDS = ("name", "email", "phone", "street", "city", "postcode", "country", "company", "delivery", "note")


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


def best_language(accepted: str, offered: Iterable[str] = LANGUAGES) -> str | None:
    """The offered language that a client prefers, for frameworks that do not read Accept-Language."""
    qualities: dict[str, float] = {}
    for item in accepted.split(","):
        tag, _, quality = item.partition(";q=")
        language = tag.strip().partition("-")[0].lower()
        try:
            value = float(quality) if quality else 1.0
        except ValueError:
            continue
        if value > qualities.get(language, 0.0):
            qualities[language] = value
    return max((tag for tag in offered if tag in qualities), key=qualities.__getitem__, default=None)
