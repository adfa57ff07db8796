"""Pages and blocks that handlers return to render a template for the request: whole, as fragments, or as a stream.

The script that Antiphon serves asks for blocks with ``X-Block: main, cart``. It receives a single block as is, and each
of several blocks in a separate element, ``<template data-block="main">...</template>``. htmx sends the id of the
element that it will fill (``HX-Target``). It receives that block first, and each other block in ``<div
hx-swap-oob="innerHTML:#cart">...</div>``.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Generator, Iterable, Iterator, Mapping
from contextlib import aclosing
from html import escape
from time import monotonic
from typing import Any, TypeAlias, cast

from antiphon import HTTPError, Request, Response, explained
from antiphon.embedding import Reads, RouteKeys, check_template_data, is_on_loop, split_list
from antiphon.features.templates.blocks import arender_blocks, render_blocks
from antiphon.features.templates.environment import arender, render
from antiphon.features.templates.feature import RequestTemplates
from antiphon.features.templates.slots import SlottedPage, slots_in
from antiphon.types import HeaderFields

ASKING = ("X-Block", "HX-Request", "HX-Target", "HX-History-Restore-Request")
"""The header fields with which requests ask for blocks of a page."""

BlockNames: TypeAlias = str | Iterable[str] | Mapping[str, str]
"""A block, several blocks, or a mapping of element ids to the blocks that fill the elements."""


def blocks_by_id(blocks: BlockNames) -> dict[str, str]:
    """Return the blocks by their elements' ids, which default to the blocks' names."""
    if isinstance(blocks, Mapping):
        return dict(blocks)
    return {name: name for name in ([blocks] if isinstance(blocks, str) else blocks)}


def is_htmx(request: Request) -> bool:
    """Return True if htmx sent the request."""
    return request.head.field("hx-request") == "true"


def asked_blocks(request: Request, offered: Mapping[str, str]) -> tuple[str, ...]:
    """Return the blocks that a request asks for, among those offered, which are keyed by their elements' ids.

    If the request also asks for other blocks, the result is empty, which means the whole page. The same applies when
    htmx restores a page missing from its history cache. A boosted link names no target unless it has one of its own.
    """
    field = request.head.field
    if field("hx-history-restore-request") == "true":
        return ()
    if (named := field("x-block")) is not None:
        names = dict.fromkeys(filter(None, split_list(named)))
        return tuple(names) if names.keys() <= {*offered.values()} else ()
    if is_htmx(request):
        target = (field("hx-target") or "").rpartition("#")[2]
        return (offered[target],) if target in offered else ()
    return ()


def joined(request: Request, texts: Mapping[str, str], offered: Mapping[str, str]) -> str:
    """Return the text of several blocks as one response, in the form that the client expects."""
    first, *others = texts.items()
    if not others:
        return first[1]
    if not (is_htmx(request) and request.head.field("x-block") is None):
        return "".join([f'<template data-block="{escape(name)}">{text}</template>\n' for name, text in texts.items()])
    ids = {name: id_ for id_, name in reversed([*offered.items()])}
    swapped = [f'<div hx-swap-oob="innerHTML:#{escape(ids.get(name, name))}">{text}</div>' for name, text in others]
    return "\n".join([first[1], *swapped])


_SIZE = 4096
"""The minimum number of characters in a chunk, unless it is the last one or took long to render."""
_WAIT = 0.1
"""The number of seconds after which the next piece completes a chunk, however short it is."""


class _Buffer:
    """Pieces of text that will become a chunk."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self._since = monotonic()

    def add(self, piece: str) -> bool:
        """Add a piece. Return True if it is time to send what has been added."""
        self._pieces.append(piece)
        self._size += len(piece)
        return self._size >= _SIZE or monotonic() - self._since > _WAIT

    def take(self) -> str:
        """Remove all pieces and return them as one string."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self._size, self._since = 0, monotonic()
        return text


def stream_of(pieces: Iterator[str]) -> Iterator[str]:
    """Return a template's rendered text in chunks, the first of which is ready. Raises errors that occur before the
    first chunk.
    """
    stream = _begun(_chunks(pieces))
    next(stream)
    return stream


def _begun(chunks: Iterator[str]) -> Generator[str]:
    first = next(chunks, "")
    yield ""
    yield first
    yield from chunks


def _chunks(pieces: Iterator[str]) -> Generator[str]:
    buffer = _Buffer()
    for piece in pieces:
        if buffer.add(piece):
            yield buffer.take()
    yield buffer.take()


async def astream_of(pieces: AsyncGenerator[str]) -> AsyncIterator[str]:
    """Return chunks as ``stream_of`` does, for a template that awaits."""
    stream = _abegun(_achunks(pieces))
    await anext(stream)
    return stream


async def _abegun(chunks: AsyncGenerator[str]) -> AsyncGenerator[str]:
    async with aclosing(chunks):
        first = await anext(chunks, "")
        yield ""
        yield first
        async for chunk in chunks:
            yield chunk


async def _achunks(pieces: AsyncGenerator[str]) -> AsyncGenerator[str]:
    buffer = _Buffer()
    async with aclosing(pieces):
        async for piece in pieces:
            if buffer.add(piece):
                yield buffer.take()
    yield buffer.take()


_NONE: Mapping[str, str] = {}


class Page:
    """A page made from a template, for handlers to return: ``return Page("note.html", note=note)``.

    ``data`` are the template's variables. Their names can't begin with an underscore, which is reserved for options.

    The page is rendered where the handler runs. With ``Templates(enable_async=True)``, the page of an ``async def``
    handler can await. The response to GET has an ETag made from the page's text, so that a client that already has the
    page gets a 304. With ``_stream``, the page is sent while it is rendered, without an ETag. An error in the template
    is treated as an error of the handler, and a note on the error names the handler.
    """

    __slots__ = ("_also", "_data", "_headers", "_json", "_offered", "_slots", "_status", "_stream", "_template")

    def __init__(
        self,
        template: str,
        /,
        _status: int | None = None,
        _headers: HeaderFields = (),
        *,
        _block: BlockNames | None = None,
        _also: BlockNames = (),
        _json: object = False,
        _stream: bool = False,
        **data: Any,
    ) -> None:
        """In a stream, an error cuts the page short, unless it occurs before the first chunk.

        ``_block`` names the blocks that clients can ask for, with ``X-Block`` or, in htmx, with the id of the element:
        one block, several, or a mapping of ids to blocks. Any other request gets the whole page. ``_also`` names other
        blocks that have changed, which are sent along with the requested ones.

        ``_json`` is the value for clients that prefer JSON, or True for ``data``. All other clients get the page.

        A ``Slot`` in the data is a part that is sent later, when it is ready. Such a page has no ETag.

        Raises ValueError for an invalid status. Raises TypeError for an unknown option, for positional data, for data
        named ``request``, and for slots in a page with ``_stream`` or ``_json=True``.
        """
        check_template_data(type(self), template, data, _status)
        if _status is not None:
            Response(None, _status)  # an invalid status raises an error at the handler's own line
        self._template = template
        self._status = _status
        self._headers = _headers
        self._offered = _NONE if _block is None else blocks_by_id(_block)
        self._also = blocks_by_id(_also) if _also else _NONE
        self._json = _json
        self._stream = _stream
        self._data = data
        self._slots = slots_in(type(self).__name__, template, data)
        if self._slots and (_stream or _json is True):
            option = "_stream=True" if _stream else "_json=True"
            message = f"{type(self).__name__}({template!r}, ...) has slots, which {option} can't have: leave it out"
            raise explained("bad-slot", message, TypeError)

    def __response__(self, request: Request) -> Response | Awaitable[Response]:
        """Render the blocks that a request asks for. Raises the template's errors."""
        if self._json is not False and self._prefers_json(request):
            return self._as_json(request)
        blocks = self._blocks(request)
        templates = cast("RequestTemplates", request.templates)
        slotted = SlottedPage(request, self._template, self._slots) if self._slots else None
        if templates.renderer.is_async and is_on_loop():
            return self._aresponse(templates, request, blocks, slotted)
        try:
            template, variables = templates.find(self._template), self._variables(templates, slotted)
            if blocks:
                return self._of_blocks(templates, request, render_blocks(template, blocks, variables), slotted)
            text = stream_of(template.generate(variables)) if self._stream else render(template, variables)
        except Exception as error:
            self._note(error, request)
            raise
        return self._made(templates, request, text, slotted)

    async def _aresponse(
        self, templates: RequestTemplates, request: Request, blocks: tuple[str, ...], slotted: SlottedPage | None
    ) -> Response:
        try:
            template = templates.find(self._template, is_async=True)
            variables = self._variables(templates, slotted)
            if blocks:
                return self._of_blocks(templates, request, await arender_blocks(template, blocks, variables), slotted)
            if self._stream:
                return self._made(templates, request, await astream_of(template.generate_async(variables)))
            return self._made(templates, request, await arender(template, variables), slotted)
        except Exception as error:
            self._note(error, request)
            raise

    def _variables(self, templates: RequestTemplates, slotted: SlottedPage | None) -> dict[str, Any]:
        variables = templates.variables(self._data)
        return variables if slotted is None else {**variables, "slot": slotted.place}

    def _blocks(self, request: Request) -> tuple[str, ...]:
        """Return the blocks to send, or nothing for the whole page."""
        offered = self._offers(request)
        asked = asked_blocks(request, offered) if offered else ()
        return tuple(dict.fromkeys([*asked, *self._also.values()])) if asked and self._also else asked

    def _offers(self, request: Request) -> Mapping[str, str]:
        """Return the blocks that clients can ask for, by their elements' ids: also the route's live block."""
        live = request.route.meta.get(RouteKeys.live)
        return self._offered if live is None or live in self._offered.values() else {**self._offered, live: live}

    def _varies(self, request: Request) -> tuple[str, ...]:
        """Return the request header fields that the response depends on."""
        return ASKING if self._offers(request) or self._slots else ()

    def _of_blocks(
        self, templates: RequestTemplates, request: Request, texts: Mapping[str, str], slotted: SlottedPage | None
    ) -> Response:
        text = joined(request, texts, {**self._offers(request), **self._also})
        response = self._made(templates, request, text, slotted, is_whole=False)
        names = ", ".join(texts)
        if names.isascii():
            response.headers["x-block"] = names
        return response

    def _made(
        self,
        templates: RequestTemplates,
        request: Request,
        body: Any,
        slotted: SlottedPage | None = None,
        *,
        is_whole: bool = True,
    ) -> Response:
        kind = templates.content_type(self._template)
        if slotted is None:
            response = Response(body, self._status, content_type=kind)
        else:
            # A script would insert the parts' templates, and they would stay where they are.
            is_for_script = not is_whole or request.head.field("x-block") is not None or is_htmx(request)
            if is_whole:
                slotted.check_places()
            chunks = slotted.in_place(body) if is_for_script else slotted.in_turn(body)
            response = Response.stream(chunks, self._status, content_type=kind)
            # Once the head is sent, nobody can tell caches that a part has failed, or what it has read.
            Reads.note(request, Reads.EVERYTHING)
        if self._headers:
            response.headers.update(self._headers)
        response.vary(*self._varies(request))
        if not response.is_streamed:
            _revalidate(response, request)
        return response

    def _prefers_json(self, request: Request) -> bool:
        """Return True if a client prefers JSON. One that accepts neither gets the page, as without ``_json``."""
        return request.accept.best(["text/html", "application/json"]) == "application/json"

    def _as_json(self, request: Request) -> Response:
        value = self._data if self._json is True else self._json
        default = request.app.json_default if request.app is not None else None
        response = Response.json(value, self._status, self._headers, default=default)
        _revalidate(response, request)
        return response

    def _note(self, error: Exception, request: Request) -> None:
        """Add a note with the page's handler to an error, since no frame shows the handler."""
        if not isinstance(error, HTTPError):
            error.add_note(f"{request.route.handled_by} returned {type(self).__name__}({self._template!r}, ...)")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._template!r}>"


class Block(Page):
    """Blocks of a template, for handlers to return instead of a whole page: ``Block("cart.html", "row", row=row)``.

    ``block`` is one block, several, or a mapping of element ids to blocks. Everything else works as it does for
    ``Page``.
    """

    __slots__ = ()

    def __init__(
        self,
        template: str,
        block: BlockNames,
        /,
        _status: int | None = None,
        _headers: HeaderFields = (),
        *,
        _json: object = False,
        **data: Any,
    ) -> None:
        check_template_data(type(self), template, data)  # Page has more options
        super().__init__(template, _status, _headers, _block=block, _json=_json, **data)

    def _blocks(self, request: Request) -> tuple[str, ...]:  # noqa: ARG002 - whatever it asks for
        return tuple(self._offered.values())

    def _varies(self, request: Request) -> tuple[str, ...]:  # noqa: ARG002 - as in Page
        return ("X-Block", "HX-Request") if len(self._offered) > 1 else ()


def _revalidate(response: Response, request: Request) -> None:
    """Send 304 to a client that already has the content."""
    if request.method in ("GET", "HEAD") and response.status == 200:
        response.add_etag()
        field = request.head.field
        if field("if-none-match") is not None or field("if-match") is not None:
            response.is_conditional = True
            response.headers["accept-ranges"] = "none"  # without conditions, the page is also sent as a whole
