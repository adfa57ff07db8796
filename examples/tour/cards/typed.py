"""JSON with a type: what doesn't fit is a 422 that names each wrong field."""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from antiphon import Blueprint, Request

typed = Blueprint("typed")


@dataclass
class Lamp:
    name: Annotated[str, Meta(min_length=1)]
    price: Annotated[int, Meta(ge=0)]


@typed.post("/api/lamps")
def add(request: Request) -> tuple[Lamp, Literal[201]]:
    """Add a lamp."""
    return request.json_as(Lamp), 201
