"""Additions to a whole HTML page when it is sent: its metadata, and the script that fills its blocks."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon.dialects.asok.request import Request

MARK = "data-block"
"""The attribute with which a form or link says that it fills a block."""

_LONGEST_TAG = 1000
"""Characters of a tag that may be sent before its attribute is."""

_end = re.compile(r"</(?:head|body)\s*>", re.IGNORECASE)
_filler = re.compile(r"<(?:form|a)\s", re.IGNORECASE)


def completed(request: "Request", page: str) -> str:
    """Return HTML with the metadata of the request, and with the script if a form or a link of it fills a block.

    A part of a page is returned unchanged.
    """
    if "meta" in vars(request):
        page = request.meta.put_into(page)
    if MARK in page and fills_blocks(page):
        return with_script(request, page)
    return page


def completed_stream(request: "Request", chunks: Iterator[str]) -> Iterator[str]:
    """Yield the chunks of a page with what ``completed`` adds: the metadata known at the end of its head."""
    is_filled, before = False, ""
    for made in chunks:
        chunk = request.meta.put_into(made) if "meta" in vars(request) else made
        is_filled = is_filled or fills_blocks(before + chunk)
        before = chunk[-_LONGEST_TAG:]
        yield with_script(request, chunk) if is_filled and "</body" in chunk else chunk


def with_script(request: "Request", page: str) -> str:
    """Return a whole page with the script that fills its blocks at the end of its head or body."""
    end = _end.search(page)
    if end is None:
        return page
    element = request.native.shared("block_script")(nonce=getattr(request, "nonce", None))
    return f"{page[: end.start()]}{element}{page[end.start() :]}"


def fills_blocks(page: str) -> bool:
    """Return True if a form or a link in HTML says which block it fills."""
    place = page.find(MARK)
    while place >= 0:
        if _filler.match(page, page.rfind("<", max(0, place - _LONGEST_TAG), place)):
            return True
        place = page.find(MARK, place + 1)
    return False
