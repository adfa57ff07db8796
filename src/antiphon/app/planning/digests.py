"""Content-Digest: the check of a body against its digest, in the chunks in which the body is kept (RFC 9530)."""

from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256, sha512
from hmac import compare_digest
from typing import Any

from antiphon.http.errors import BadRequest, UnsupportedMediaType
from antiphon.request.request import Request

PREFERRED_DIGESTS = "sha-256=10, sha-512=5"
"""The Want-Content-Digest sent to clients whose digest is missing or wrong."""

_HASHES: Mapping[str, Callable[[], Any]] = {"sha-256": sha256, "sha-512": sha512}
"""The algorithms of RFC 9530 §5 that are not broken."""


class DigestError(ValueError):
    """A body does not match its Content-Digest, or has no digest that can be checked."""


def check_digest(request: Request) -> None:
    """Read the body, where that may block, and compare it with each known digest.

    Raises DigestError if one differs, and if there is none; UnsupportedMediaType (415) for a body with a content
    coding, whose digest is that of the coded bytes, which are not kept; and what reading the body raises.
    """
    given = {name: digest for name, digest in request.content_digest.items() if name in _HASHES}
    if not given:
        raise DigestError("Content-Digest has neither sha-256 nor sha-512")
    if (request.head.field("content-encoding") or "identity").strip().lower() != "identity":
        raise UnsupportedMediaType(
            "A body whose Content-Digest is checked must not have a content coding.",
            headers={"accept-encoding": "identity"},
        )
    hashes = {name: _HASHES[name]() for name in given}
    for chunk in request.stream if request.content.data is None else (request.content.data,):
        for each in hashes.values():
            each.update(chunk)
    if wrong := [name for name, each in hashes.items() if not compare_digest(each.digest(), given[name])]:
        raise DigestError(f"the body does not have its {wrong[0]} digest")


def require_digest(request: Request) -> None:
    """Check the body of a route with ``check_digest``. Raises BadRequest (400), with Want-Content-Digest."""
    if request.content.is_empty and request.head.field("content-digest") is None:
        return
    try:
        check_digest(request)
    except DigestError as error:
        raise BadRequest(f"The body is refused: {error}.", headers={"want-content-digest": PREFERRED_DIGESTS}) from None


def in_place(check: Callable[[Request], Any], *, blocks: bool = False) -> Callable[[Request], Any]:
    """Return an ``async def`` function that does the same as a sync one that reads the body.

    The sync one is called on a thread if it ``blocks``, or if the body is in a file, else on the event loop.
    """

    async def acheck(request: Request) -> None:
        if request.head.has_body:
            await request.aload()
        if blocks or not request.content.in_memory:
            from antiphon.concurrency.crossing import Crossing

            await Crossing().run(partial(check, request))
        else:
            check(request)

    return acheck
