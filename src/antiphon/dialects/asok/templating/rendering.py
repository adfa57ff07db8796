"""Rendering a project's templates, whole or by block, and adding to a page as it is sent."""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from antiphon.dialects.asok.exceptions import NoSuchBlock
from antiphon.dialects.asok.templating.filters import SafeString
from antiphon.features.templates.page import stream_of

if TYPE_CHECKING:
    from antiphon.dialects.asok.request import Request


_title = re.compile(r"<title>.*?</title>", re.DOTALL | re.IGNORECASE)
_description = re.compile(r"""<meta\s+name=["']description["']\s+content=["'].*?["']\s*/?>""", re.IGNORECASE)
_end_of_head = re.compile(r"</head\s*>", re.IGNORECASE)


class Metadata:
    """The title, description and other tags of a page's head.

    Templates may also call the methods, which output nothing. You can assign the title and the description:
    ``request.meta.title = "Contact"``.
    """

    def __init__(self) -> None:
        self.tags: dict[tuple[str, str], str] = {}
        """The tags by kind. If two tags are of the same kind, the last one wins."""

    def title(self, val: str) -> str:
        """Set the page's title, overriding the one in its template."""
        self.tags["title", ""] = f"<title>{escape(str(val))}</title>"
        return ""

    def description(self, val: str) -> str:
        """Set the page's description, overriding the one in its template."""
        return self.name("description", val)

    def name(self, name: str, content: str, **_options: Any) -> str:
        """Add ``<meta name="..." content="...">``."""
        self.tags["name", name.lower()] = f'<meta name="{escape(name)}" content="{escape(str(content))}">'
        return ""

    def property(self, prop: str, content: str, **_options: Any) -> str:
        """Add ``<meta property="..." content="...">``, as used by Open Graph."""
        self.tags["property", prop] = f'<meta property="{escape(prop)}" content="{escape(str(content))}">'
        return ""

    def link(self, rel: str, href: str, **attributes: Any) -> str:
        """Add ``<link rel="..." href="...">`` with any other attributes."""
        others = "".join([f' {escape(name)}="{escape(str(value))}"' for name, value in attributes.items()])
        self.tags[f"link {rel}", href] = f'<link rel="{escape(rel)}" href="{escape(href)}"{others}>'
        return ""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("title", "description") and not callable(value):
            getattr(self, name)(value)
        else:
            super().__setattr__(name, value)

    def __html__(self) -> str:
        return SafeString("")

    def put_into(self, page: str) -> str:
        """Return a complete HTML page with the tags added to its head. Text without a head is returned unchanged."""
        head = _end_of_head.search(page)
        if not self.tags or head is None:
            return page
        start, rest = page[: head.start()], page[head.start() :]
        if ("title", "") in self.tags:
            start = _title.sub("", start, count=1)
        if ("name", "description") in self.tags:
            start = _description.sub("", start)
        return "".join([start, *(f"{tag}\n" for tag in self.tags.values()), rest])


MARK = "data-block"
"""The attribute with which a form or link declares the block it fills."""

_LONGEST_TAG = 1000
"""The maximum number of a tag's characters that may be sent before this attribute."""

_end = re.compile(r"</(?:head|body)\s*>", re.IGNORECASE)
_filler = re.compile(r"<(?:form|a)\s", re.IGNORECASE)


def completed(request: "Request", page: str) -> str:
    """Return an HTML page with the request's metadata, and with the script if a form or link in it fills a block.

    An HTML fragment is returned unchanged.
    """
    if "meta" in vars(request):
        page = request.meta.put_into(page)
    if MARK in page and fills_blocks(page):
        return with_script(request, page)
    return page


def completed_stream(request: "Request", chunks: Iterator[str]) -> Iterator[str]:
    """Yield a page's chunks with the same additions as ``completed``. Metadata must be set before its head ends."""
    is_filled, before = False, ""
    for made in chunks:
        chunk = request.meta.put_into(made) if "meta" in vars(request) else made
        is_filled = is_filled or fills_blocks(before + chunk)
        before = chunk[-_LONGEST_TAG:]
        yield with_script(request, chunk) if is_filled and "</body" in chunk else chunk


def with_script(request: "Request", page: str) -> str:
    """Return a complete page with the block-filling script at the end of its head or body."""
    end = _end.search(page)
    if end is None:
        return page
    element = request.native.shared("block_script")(nonce=getattr(request, "nonce", None))
    return f"{page[: end.start()]}{element}{page[end.start() :]}"


def fills_blocks(page: str) -> bool:
    """Return True if a form or link in HTML declares which block it fills."""
    place = page.find(MARK)
    while place >= 0:
        if _filler.match(page, page.rfind("<", max(0, place - _LONGEST_TAG), place)):
            return True
        place = page.find(MARK, place + 1)
    return False


X_BLOCK = "x-block"
"""The header field in which a page's script lists the blocks to fill, and the response lists those it contains."""


def render_html(request: "Request", filepath: str, context: Mapping[str, Any]) -> str:
    """Render a template, or only the blocks that the request lists in ``X-Block``, and return the text.

    A single block is returned unchanged; several are each wrapped in an element. If a requested block does not exist,
    the whole template is returned. Raises the template's errors.
    """
    template = request.app.templates.find(filepath, request.page_file)
    variables = {**context, "request": request}
    if (names := asked_blocks(request)) and (texts := _rendered(request, template, names, variables)) is not None:
        return next(iter(texts.values())) if len(texts) == 1 else "".join(_in_elements(texts))
    return request.app.templates.render(template, variables)


def render_block(request: "Request", filepath: str, block_name: str | None, context: Mapping[str, Any]) -> str:
    """Render one block of a template. Without a name, render the block that the request asks for.

    Raises NoSuchBlock (400), a ValueError, if there is no name and the request does not ask for exactly one block that
    the template always shows. Raises ValueError if no block has the given name, and the template's errors.
    """
    if block_name is None:
        return _asked_block(request, filepath, context)
    if not block_name:
        raise ValueError("give the name of a block: request.block('page.html', 'main')")
    if block_name.startswith("#"):
        raise ValueError(f"{block_name!r} is not the name of a block, but {block_name.lstrip('#')!r} is")
    return _blocks(request, filepath, [block_name], context)[block_name]


def _asked_block(request: "Request", filepath: str, context: Mapping[str, Any]) -> str:
    names = asked_blocks(request)
    if len(names) != 1:
        raise NoSuchBlock("This page returns only single blocks: name one of them in the X-Block header.")
    template = request.app.templates.find(filepath, request.page_file)
    texts = _rendered(request, template, names, {**context, "request": request})
    if texts is None:
        raise NoSuchBlock("This page has no block with the name in the X-Block header.")
    return texts[names[0]]


def render_several(request: "Request", filepath: str, block_names: Iterable[str], context: Mapping[str, Any]) -> str:
    """Render blocks of a template, each in its own element if the request asks for blocks.

    Raises ValueError if the template does not have one of the blocks, and the template's errors.
    """
    texts = _blocks(request, filepath, block_names, context)
    return "\n".join(_in_elements(texts) if request.native.head.field(X_BLOCK) else texts.values())


def render_stream(request: "Request", filepath: str, context: Mapping[str, Any]) -> Iterator[str]:
    """Render a template in chunks while they are sent, or render the blocks that the request asks for.

    If the template does not always show a requested block, the whole template is sent. Raises the template's errors
    before the first chunk.
    """
    template = request.app.templates.find(filepath, request.page_file)
    variables = {**context, "request": request}
    if (names := asked_blocks(request)) and (texts := _rendered(request, template, names, variables)) is not None:
        return iter([*_in_elements(texts)])
    return completed_stream(request, stream_of(template.generate(variables)))


def asked_blocks(request: "Request") -> list[str]:
    """Return the names of the blocks that a request asks for, with or without "#"."""
    native = request.native
    native.consulted += (X_BLOCK,)
    field = native.head.field(X_BLOCK)
    if not field:
        return []
    return [*dict.fromkeys(filter(None, (name.strip().lstrip("#") for name in field.split(","))))]


def _rendered(request: "Request", template: Any, names: list[str], variables: dict[str, Any]) -> dict[str, str] | None:
    """Render blocks and list them in the response. Return None unless the template always shows all of them."""
    from antiphon.features.templates.blocks import UnknownBlock, render_blocks  # imported late: they load Jinja2

    try:
        texts = render_blocks(template, names, variables, only_shown=True)
    except UnknownBlock:
        return None
    field = ("X-Block", ", ".join(names))
    if all(map(str.isascii, names)) and field not in request.response_headers:
        request.response_headers.append(field)
    return texts


def _blocks(request: "Request", filepath: str, names: Iterable[str], context: Mapping[str, Any]) -> dict[str, str]:
    from antiphon.features.templates.blocks import UnknownBlock, render_blocks

    template = request.app.templates.find(filepath, request.page_file)
    try:
        return render_blocks(template, names, {**context, "request": request})
    except UnknownBlock as error:
        raise ValueError(str(error)) from None


def _in_elements(texts: Mapping[str, str]) -> Iterator[str]:
    for name, text in texts.items():
        yield f'<template data-block="{escape(name)}">{text}</template>'
