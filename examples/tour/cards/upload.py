"""An upload that goes on after its tab was closed: its handler is called once, with all of it."""

from hashlib import sha256
from typing import Literal

from antiphon import Blueprint, Limits, Request

upload = Blueprint("upload")


@upload.post("/films", resumable=True, limits=Limits(body=1 << 30))
def add(request: Request) -> tuple[dict[str, str], Literal[201]]:
    digest = sha256()
    for chunk in request.stream:
        digest.update(chunk)
    return {"sha256": digest.hexdigest()}, 201
