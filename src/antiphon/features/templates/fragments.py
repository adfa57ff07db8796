"""Fragments of pages: the blocks that a request asks for, and the form of several blocks in one response.

The page's own script asks with ``X-Block: main, cart``. It receives a single block as it is, and each of several blocks
in its own element, ``<template data-block="main">...</template>``. htmx asks with the id of the element that it will
fill (``HX-Target``). It receives that block first, and each other one in ``<div
hx-swap-oob="innerHTML:#cart">...</div>``.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import TypeAlias

from antiphon.http.grammar import split_list
from antiphon.request.request import Request

ASKING = ("X-Block", "HX-Request", "HX-Target", "HX-Boosted", "HX-History-Restore-Request")
"""The header fields with which requests ask for blocks of a page."""

BlockNames: TypeAlias = str | Iterable[str] | Mapping[str, str]
"""A block, several blocks, or blocks by the ids of the elements that they fill."""


def blocks_by_id(blocks: BlockNames) -> dict[str, str]:
    """Return blocks by the ids of their elements, which default to the names of the blocks."""
    if isinstance(blocks, Mapping):
        return dict(blocks)
    return {name: name for name in ([blocks] if isinstance(blocks, str) else blocks)}


def is_htmx(request: Request) -> bool:
    """Return True if htmx sent the request."""
    return request.head.field("hx-request") == "true"


def asked_blocks(request: Request, offered: Mapping[str, str]) -> tuple[str, ...]:
    """Return the blocks that a request asks for, from those that are offered by the ids of their elements.

    If it also asks for other blocks, the result is empty, which means the whole page. So it is when htmx follows a
    boosted link or restores a page that its history lacks.
    """
    field = request.head.field
    if field("hx-history-restore-request") == "true":
        return ()
    if (named := field("x-block")) is not None:
        names = dict.fromkeys(filter(None, split_list(named)))
        return tuple(names) if names.keys() <= {*offered.values()} else ()
    if is_htmx(request) and field("hx-boosted") != "true":
        target = (field("hx-target") or "").rpartition("#")[2]
        return (offered[target],) if target in offered else ()
    return ()


def joined(request: Request, texts: Mapping[str, str], offered: Mapping[str, str]) -> str:
    """Return the texts of blocks in one response, in the form that the client reads."""
    first, *others = texts.items()
    if not others:
        return first[1]
    if not (is_htmx(request) and request.head.field("x-block") is None):
        return "".join([f'<template data-block="{escape(name)}">{text}</template>\n' for name, text in texts.items()])
    ids = {name: id_ for id_, name in reversed([*offered.items()])}
    swapped = [f'<div hx-swap-oob="innerHTML:#{escape(ids.get(name, name))}">{text}</div>' for name, text in others]
    return "\n".join([first[1], *swapped])
