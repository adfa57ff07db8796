"""Templates of an Asok project as text: the whole of one, or those of its blocks that a request asks for."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from antiphon.dialects.asok.exceptions import NoSuchBlock
from antiphon.dialects.asok.templating.completion import completed_stream
from antiphon.embedding import stream_of

if TYPE_CHECKING:
    from antiphon.dialects.asok.request import Request

X_BLOCK = "x-block"
"""The header field in which a page's script names the blocks to fill, and the response names the blocks it has."""


def render_html(request: "Request", filepath: str, context: Mapping[str, Any]) -> str:
    """Return the text of a template, or of those of its blocks that the request asks for by ``X-Block``.

    A single block is returned as it is, and each of several in its own element. A request for a block that the template
    does not have gets the whole template. Raises what the template raises.
    """
    template = request.app.templates.find(filepath, request.page_file)
    variables = {**context, "request": request}
    if (names := asked_blocks(request)) and (texts := _rendered(request, template, names, variables)) is not None:
        return next(iter(texts.values())) if len(texts) == 1 else "".join(_in_elements(texts))
    return request.app.templates.render(template, variables)


def render_block(request: "Request", filepath: str, block_name: str | None, context: Mapping[str, Any]) -> str:
    """Return the text of one block of a template; without a name, of the block that the request asks for.

    Raises NoSuchBlock (400), a ValueError, for a request that asks for several blocks, or for none that the template
    always shows; ValueError for a name that is not a block's; and what the template raises.
    """
    if block_name is None:
        return _asked_block(request, filepath, context)
    if not block_name:
        raise ValueError("a block is rendered by its name: request.block('page.html', 'main')")
    if block_name.startswith("#"):
        raise ValueError(f"{block_name!r} is not a name of a block, but {block_name.lstrip('#')!r} is")
    return _blocks(request, filepath, [block_name], context)[block_name]


def _asked_block(request: "Request", filepath: str, context: Mapping[str, Any]) -> str:
    names = asked_blocks(request)
    if len(names) != 1:
        raise NoSuchBlock("This page has single blocks only: the header X-Block names one.")
    template = request.app.templates.find(filepath, request.page_file)
    texts = _rendered(request, template, names, {**context, "request": request})
    if texts is None:
        raise NoSuchBlock("This page has no block of the name in the header X-Block.")
    return texts[names[0]]


def render_several(request: "Request", filepath: str, block_names: Iterable[str], context: Mapping[str, Any]) -> str:
    """Return the text of blocks of a template, each in its own element if the request asks for blocks.

    Raises ValueError for a block that the template does not have, and what the template raises.
    """
    texts = _blocks(request, filepath, block_names, context)
    return "\n".join(_in_elements(texts) if request.native.head.field(X_BLOCK) else texts.values())


def render_stream(request: "Request", filepath: str, context: Mapping[str, Any]) -> Iterator[str]:
    """Return the text of a template in parts that are made while they are sent, or the blocks that the request asks
    for.

    A request that asks for a block that the template does not show in any case is given the whole of it. Raises what
    the template raises before the first part.
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
    """Render blocks, and name them in the response. Return None unless the template always shows all of them."""
    from antiphon.features.templates.blocks import UnknownBlock, render_blocks  # late: they bring Jinja2

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
