"""What resources of Falcon do, `def` and `async def` alike."""

from datetime import datetime
from typing import Any

import falcon

from .work import (
    CODINGS,
    HOUR,
    LANGUAGES,
    MADE,
    MODIFIED,
    NO_STORE,
    PIXELS,
    SESSION,
    TAG,
    TYPES,
    YEAR,
    basic_username,
    best_offer,
    listing,
    max_age,
    portrait,
)


def read_answer(req: falcon.Request, name: str) -> str:
    return listing(
        name,
        req.get_param("page", required=True),
        req.get_param_as_int("size", required=True),
        req.get_param("sort", required=True),
        req.cookies["session"],
        best_offer(req.get_header("Accept-Language", default=""), LANGUAGES),
    )


def headers_answer(req: falcon.Request) -> str:
    return portrait(
        req.client_prefers(TYPES),
        best_offer(req.get_header("Accept-Language", default=""), LANGUAGES),
        best_offer(req.get_header("Accept-Encoding", default=""), CODINGS),
        basic_username((req.auth or "").partition(" ")[2]),
        req.user_agent,
        req.referer,
        TAG in (req.if_none_match or ()),
        req.if_modified_since,
        max_age(req.get_header("Cache-Control", default="")),
        falcon.parse_header(req.content_type or "")[1].get("charset"),
    )


def build(resp: falcon.Response) -> None:
    resp.content_type = falcon.MEDIA_TEXT
    resp.text = "Built."
    resp.cache_control = ["public", f"max-age={HOUR}"]
    resp.set_header("Content-Language", "de")
    resp.etag = TAG
    resp.last_modified = MODIFIED
    resp.vary = ["Accept-Language"]
    resp.set_header("X-Frame-Options", "DENY")
    resp.set_cookie("session", SESSION, max_age=HOUR, path="/", secure=True, http_only=True, same_site="Lax")
    resp.set_cookie("theme", "dark", max_age=YEAR, path="/", secure=False, http_only=False, same_site="Lax")


def names(tags: list[Any]) -> bool:
    """Whether a condition names the version that there is."""
    return TAG in tags or "*" in tags


def is_not_modified(req: falcon.Request, modified: datetime | None = None) -> bool:
    """Falcon reads conditions, and leaves following them to the application (RFC 9110 §13.2.2)."""
    if req.if_match is not None:
        if not names(req.if_match):
            raise falcon.HTTPPreconditionFailed
    elif modified is not None and req.if_unmodified_since is not None and modified > req.if_unmodified_since:
        raise falcon.HTTPPreconditionFailed
    if req.if_none_match is not None:
        return names(req.if_none_match)
    return modified is not None and req.if_modified_since is not None and modified <= req.if_modified_since


def answer_conditionally(req: falcon.Request, resp: falcon.Response) -> None:
    resp.etag = TAG
    if is_not_modified(req):
        resp.status = falcon.HTTP_304
    else:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "Hello, world!"


def send_part(req: falcon.Request, resp: falcon.Response) -> None:
    """Falcon reads one range, and leaves cutting to the application (RFC 9110 §14)."""
    resp.etag = TAG
    if is_not_modified(req, MODIFIED):
        resp.status = falcon.HTTP_304
        return
    resp.last_modified = MODIFIED
    resp.content_type = "application/octet-stream"
    resp.accept_ranges = "bytes"
    wanted = req.range if req.range_unit == "bytes" and req.if_range is None else None
    if wanted is None:
        resp.data = PIXELS
        return
    length = len(PIXELS)
    first = max(wanted[0] + length, 0) if wanted[0] < 0 else wanted[0]
    last = length - 1 if wanted[1] < 0 else min(wanted[1], length - 1)
    if first >= length:
        raise falcon.HTTPRangeNotSatisfiable(length)
    resp.status = falcon.HTTP_206
    resp.content_range = (first, last, length)
    resp.data = PIXELS[first : last + 1]


def make(resp: falcon.Response) -> None:
    resp.status = falcon.HTTP_201
    resp.content_type = falcon.MEDIA_TEXT
    resp.cache_control = [NO_STORE]
    resp.text = MADE
