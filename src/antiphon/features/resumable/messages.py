"""The messages of resumable uploads: their header fields, their problems, and the whole request.

Source: draft-ietf-httpbis-resumable-upload, interop version 8.
"""

from collections.abc import Callable, Coroutine, Sequence
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple

from antiphon import HTTPError, Request, Response
from antiphon.embedding import Content, DigestError, FeatureStore, MadeRequest, Spool, arrivals, quote_path
from antiphon.features.secret_names import is_secret_name
from antiphon.http import (
    BadRequest,
    Conflict,
    Item,
    UnsupportedMediaType,
    format_structured_dictionary,
    parse_structured_dictionary,
)
from antiphon.types import Caller

PARTIAL = "application/partial-upload"
"""The media type of a part."""
IANA = "https://iana.org/assignments/http-problem-types#"
"""The prefix of the problem types that the draft defines."""
PROBLEM_TYPE = "urn:antiphon:problem:upload-"
"""The prefix of the problem types for what the draft doesn't name."""

OPEN = {"upload-complete": "?0"}
"""The field of a response that does not end the upload."""
UNCODED = {**OPEN, "accept-encoding": "identity"}
"""The fields of a 415 because of a content coding (RFC 9110 §15.5.16)."""
COMPLETE = {"upload-complete": "?1"}
"""The field of a response to the whole request."""

_LARGEST = 10**15 - 1
"""The largest integer of a structured field (RFC 9651 §3.3.1)."""
_NEVER_KEPT = frozenset({
    "connection", "content-digest", "content-length", "expect", "host", "keep-alive", "te", "trailer",
    "transfer-encoding", "upgrade", "upload-complete", "upload-draft-interop-version", "upload-length",
    "upload-offset",
})  # fmt: skip
"""Fields about one part or one connection."""


def _item(request: Request, name: str, kind: type) -> Any:
    """Return the value of a field that is one item of a type; None if it is absent or anything else, and so ignored."""
    text = request.head.field(name)
    try:
        value = None if text is None else Item.parse(text).value
    except ValueError:
        return None
    return value if type(value) is kind else None


def completes(request: Request) -> bool | None:
    """Return Upload-Complete: True if this is the last part, and None for a request that isn't a part."""
    found: bool | None = _item(request, "upload-complete", bool)
    return found


def _size(request: Request, name: str) -> int | None:
    value: int | None = _item(request, name, int)
    return value if value is None or value >= 0 else None


def is_coded(request: Request) -> bool:
    """True if a request has a content coding."""
    return (request.head.field("content-encoding") or "identity").strip().lower() != "identity"


class Part(NamedTuple):
    """One part of an upload, as its head describes it."""

    offset: int
    is_last: bool
    length: int | None
    """The declared number of bytes of the whole upload."""
    size: int | None
    """The declared number of bytes of this part."""

    @classmethod
    def of(cls, request: Request, offset: int | None = None) -> "Part":
        """Return the part that a request announces; ``offset`` is that of a first part.

        Raises BadRequest (400) if a field is missing, malformed or contradicts another, and UnsupportedMediaType (415).
        """
        if offset is None:
            if request.content_type != PARTIAL:
                raise UnsupportedMediaType(
                    f"A part must be sent as {PARTIAL}.", headers={**OPEN, "accept": PARTIAL, "accept-patch": PARTIAL}
                )
            if is_coded(request):
                raise UnsupportedMediaType("A part can't have a content coding of its own.", headers=UNCODED)
            offset = _size(request, "upload-offset")
        last, length = completes(request), _size(request, "upload-length")
        if offset is None:
            raise BadRequest("Upload-Offset must be an integer of 0 or more.", headers=OPEN)
        if last is None:
            raise BadRequest("Upload-Complete must be ?0 or ?1.", headers=OPEN)
        size = request.content_length if request.head.has_body or request.content.is_complete else 0
        if last and size is not None:
            if length not in (None, offset + size):
                raise inconsistent_length()
            length = offset + size
        return cls(offset, last, length, size)


# Problems


def inconsistent_length() -> BadRequest:
    """Return the error for lengths that contradict each other."""
    return BadRequest(
        "The length of the upload contradicts what was said or sent before.",
        type=f"{IANA}inconsistent-upload-length",
        title="Inconsistent Upload Length",
        headers=OPEN,
    )


def mismatching_offset(expected: int, provided: int) -> Conflict:
    """Return the error for a part that doesn't begin where the last one ended."""
    return Conflict(
        f"The next part begins at {expected}, not at {provided}.",
        type=f"{IANA}mismatching-upload-offset",
        title="Mismatching Upload Offset",
        members={"expected-offset": expected, "provided-offset": provided},
        headers={**OPEN, "upload-offset": str(expected)},
    )


def superseded() -> Conflict:
    """Return the error for a part whose upload a newer request has taken over, or has cancelled."""
    return Conflict("A newer request has taken over this upload.", type=f"{PROBLEM_TYPE}superseded", headers=OPEN)


def in_progress() -> Conflict:
    """Return the error for an upload whose whole request is being handled."""
    return Conflict(
        "The upload is whole, and is being handled. Ask again in a moment.",
        type=f"{PROBLEM_TYPE}in-progress",
        headers={**OPEN, "retry-after": str(FeatureStore.RETRY_AFTER)},
    )


def broken_off() -> Conflict:
    """Return the error for an upload whose handler was interrupted."""
    return Conflict(
        "The upload was whole, but its handler was interrupted, and the outcome is unknown. Find out what it did before"
        " you send it again, as a new upload.",
        type=f"{PROBLEM_TYPE}broken-off",
        headers=OPEN,
    )


def in_upload(error: HTTPError) -> HTTPError:
    """Mark an error as one of the upload, not of the whole request, and return it."""
    for name, value in OPEN.items():
        error.headers[name] = value
    return error


# Responses


def limits_field(*, most: int, seconds: float) -> str:
    """Return Upload-Limit for a number of bytes and the remaining seconds."""
    limits = {"max-size": min(most, _LARGEST), "max-age": max(int(seconds), 0)}
    return format_structured_dictionary({name: value for name, value in limits.items() if value or name == "max-size"})


def mark_complete(request: Request) -> None:
    """Mark the response to a request that came in one piece as that of the whole upload."""

    def mark(_: Request, response: Response) -> Response:
        response = copy(response)
        response.headers.update(COMPLETE)
        return response

    request.on_response(mark)


# The whole request


def kept_fields(request: Request) -> list[list[str]]:
    """Return the fields of a first part that the whole request will have.

    Credentials, and what proxies and browsers add, come from the last part instead, so that no secret is stored and an
    expired token can be renewed.
    """
    return [[name.lower(), value] for name, value in request.head.fields() if _is_kept(name.lower())]


def _is_kept(name: str) -> bool:
    is_of_sender = name in Caller.OF_ONE_TRY and name not in MadeRequest.Head.OF_THE_MESSAGE
    return not (name in _NEVER_KEPT or is_of_sender or name.startswith("sec-") or is_secret_name(name))


def _is_of_part(name: str) -> bool:
    return name in MadeRequest.Head.OF_THE_MESSAGE or name.startswith("upload-")


def is_digest(value: str | None) -> bool:
    """True if the value of Content-Digest or Repr-Digest has a digest that is compared; others are ignored."""
    try:
        return not DigestError.ALGORITHMS.isdisjoint(parse_structured_dictionary(value or ""))
    except ValueError:
        return False


def check_part(request: Request) -> None:
    """Compare a part with its Content-Digest, where that may block. Raises BadRequest (400)."""
    try:
        DigestError.check(request)
    except DigestError as error:
        headers = {**OPEN, "want-content-digest": DigestError.WANTED}
        raise BadRequest(f"The part is refused: {error}.", headers=headers) from None


def target_of(request: Request) -> list[str]:
    """Return a request's method, path, percent-encoded path and query, as the outermost application received it."""
    head = arrivals(request)[-1].head
    raw_path = head.raw_path or quote_path(head.path).encode()
    return [request.method, head.path, raw_path.decode("latin-1"), head.query_string.decode("latin-1")]


def whole_request(request: Request, target: Sequence[str], kept: Sequence[Sequence[str]], path: Path) -> MadeRequest:
    """Return the request that the parts in a file amount to, with the credentials of the last one.

    Raises Conflict (409) if the upload was cancelled in the meantime.
    """
    try:
        spool = Spool.over(path)
    except FileNotFoundError:
        raise superseded() from None
    fields = [(name, value) for name, value in kept if name != "accept-encoding"]
    fields.append(("content-length", str(spool.size)))
    fields += [("content-digest", value) for name, value in kept if name == "repr-digest" and is_digest(value)]
    method, decoded, raw_path, query = target
    head = MadeRequest.Head(
        arrivals(request)[-1].head, method, decoded, raw_path.encode("latin-1"), query.encode("latin-1"), fields,
        _is_of_part, _chunks_of(spool),
    )  # fmt: skip
    is_coded = any(name == "content-encoding" for name, _ in fields)
    return MadeRequest(request, head, Content(head) if is_coded else Content.over(head, spool))


def _chunks_of(spool: Spool) -> Callable[[], Coroutine[Any, Any, bytes]]:
    """Return a function that returns the bytes chunk by chunk, as if they arrived now, which decodes coded ones."""
    offset = 0

    async def receive() -> bytes:
        nonlocal offset
        chunk = await spool.achunk_at(offset)
        offset += len(chunk)
        return chunk

    return receive
